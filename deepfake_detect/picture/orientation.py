"""How a picture lies: what its file says of that, and what brings it upright.

EXIF counts before XMP, and EXIF of PNG's own chunk before that of a text "Raw profile type exif", as in Pillow's
`ImageOps.exif_transpose`; here with bounded work on untrusted bytes, see `deepfake_detect.picture.exif`.

HEIC and AVIF are otherwise: there the item properties `irot` and `imir` say how a picture lies, and a reader has to
apply them; orientation in EXIF or XMP is for information alone and must not turn it once more (HEIF, ISO/IEC 23008-12,
on transformative properties; MIAF, ISO/IEC 23000-22, on Exif). libheif has applied them when it gives a picture; Pillow
gives AVIF's as a number.
"""

import re

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

from deepfake_detect.picture import exif
from deepfake_detect.picture.decoders import PlainAvif, is_turned_by_its_properties

MAX_XMP = 2**18  # bytes, and characters of a raw profile, that are looked through

# Orientation -> what brings the picture upright.
TURNS = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
         5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
         8: Image.Transpose.ROTATE_90}  # fmt: skip
ON_THEIR_SIDE = (5, 6, 7, 8)
FROM_THE_END = (3, 4, 6, 7)  # whose first row becomes the last row or column

_MARK = b"Exif\0\0"
_IN_XMP = re.compile(r"\btiff:Orientation\s{0,9}(?:=\s{0,9}[\"']|>)\s{0,9}([0-9])\s{0,9}[\"'<]")
_RAW_PROFILE = "Raw profile type exif"  # PNG text in which ImageMagick keeps EXIF, as hexadecimal digits


def orientation_of(image: Image.Image) -> int | None:
    """Of a loaded picture: 1 to 8 if what its file says is sound, None where it says nothing."""
    if isinstance(image, PlainAvif):
        return image.orientation
    if isinstance(image, TiffImageFile):
        found = image.tag_v2.get(ExifTags.Base.Orientation)
    else:
        found = exif.orientation(_exif_block(image))
    if found is not None or is_turned_by_its_properties(image):
        return found
    return _in_xmp(image.info.get("XML:com.adobe.xmp") or image.info.get("xmp"))


def _exif_block(image: Image.Image) -> bytes:
    """EXIF from the byte order on; empty where there is none."""
    block = image.info.get("exif")
    if block is None and isinstance(text := image.info.get(_RAW_PROFILE), str):
        digits = "".join(text[:MAX_XMP].split("\n")[3:])  # the first lines: nothing, its name, its length
        try:
            block = bytes.fromhex(digits[: len(digits) // 2 * 2])
        except ValueError:
            return b""
    block = block or b""
    while block.startswith(_MARK):
        block = block[len(_MARK) :]
    return block


def _in_xmp(xmp: object) -> int | None:
    if isinstance(
        xmp, bytes
    ):  # UTF-8; in TIFF files it may be UTF-16 or UTF-32, whose signs have bytes of zero in them
        xmp = xmp[:MAX_XMP].replace(b"\0", b"").decode("latin-1")
    found = _IN_XMP.search(xmp[:MAX_XMP]) if isinstance(xmp, str) else None
    return int(found[1]) if found else None
