"""Formats of picture files: which are read, what they are called, and what a file of any other kind is."""

import re
from pathlib import Path

FORMAT_NAMES = "JPEG, PNG, WebP, AVIF, BMP, GIF, TIFF or HEIC"
# MPO, of 3D cameras and some phones, is a JPEG file behind whose picture more of them follow: the first is judged.
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .avif .avifs .bmp .dib .gif .tif .tiff .heic .heif .hif".split()
)

TIFF, BIG_TIFF = (b"II*\0", b"MM\0*"), b"II+\0"
_BIG_ENDIAN_BIG_TIFF = b"MM\0+"  # which Pillow takes for an ordinary TIFF
_SEND = f"Send a {FORMAT_NAMES} file."
UNKNOWN = f"This is not a picture in a format read here. {_SEND}"
_OTHER = "This is {}, a format that is not read here. {}"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # `Path` makes one slash of two; C:/ is a drive
_VIDEO = (
    "This is a video, not a picture. Send it to the page's tab “Video”, to /analyze_video or, in Python, "
    "to judge_video; on the command line its name must end as a video's does, in .mp4 or .mov for one."
)
_HEAD = 1024  # bytes within which text says what it is

_JP2, _JXL = b"\0\0\0\x0cjP  \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n"
_RAW = "a camera's raw file", "Send the JPEG or HEIC that the camera makes of it."
_EPS = "a PostScript file", "Save its picture as a PNG or JPEG."
# How a file begins, what it is, and what to send instead.
_OTHERS = (
    (_BIG_ENDIAN_BIG_TIFF, "a big-endian BigTIFF", "Send a little-endian BigTIFF, an ordinary TIFF or a JPEG."),
    (_JXL, "a JPEG XL picture", _SEND), (b"\xff\x0a", "a JPEG XL picture", _SEND),
    (_JP2, "a JPEG 2000 picture", _SEND), (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _SEND),
    (b"II\xbc\x01", "a JPEG XR picture", _SEND), (b"8BPS", "a Photoshop file", "Save it as a PNG or JPEG."),
    (b"%PDF-", "a PDF file", "Save its picture as a PNG or JPEG."), (b"%!PS", *_EPS), (b"\xc5\xd0\xd3\xc6", *_EPS),
    (b"gimp xcf", "a GIMP file", "Export it as a PNG or JPEG."), (b"icns", "an icon file", _SEND),
    (b"\0\0\1\0", "an icon file", _SEND), (b"\x76\x2f\x31\x01", "an OpenEXR picture", "Save it as a PNG or JPEG."),
    (b"#?RADIANCE", "a Radiance HDR picture", "Save it as a PNG or JPEG."), (b"DDS ", "a DDS texture", _SEND),
    (b"qoif", "a QOI picture", _SEND), (b"FUJIFILMCCD-RAW", *_RAW), (b"IIRO", *_RAW), (b"IIRS", *_RAW),
    (b"MMOR", *_RAW), (b"IIU\0", *_RAW), (b"II\x1a\0\0\0HEAPCCDR", *_RAW), (b"FOVb", *_RAW),
    (b"PK\3\4", "a ZIP archive", "Unpack it and send the pictures."),
    (b"Rar!", "a RAR archive", "Unpack it and send the pictures."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and send the pictures."),
)  # fmt: skip
_PORTABLE = re.compile(rb"P[1-7]\s")
_SVG = re.compile(rb"<svg[\s>]", re.I)
_HTML = re.compile(rb"\s*<(?:!doctype html|html)", re.I)
MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # the first of an MP4 or QuickTime file
_NO_VIDEO_BRANDS = (b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"aax ", b"aaxc", b"crx ")  # sound, and a raw file
_STILL_BRANDS = (b"mif1", b"miaf")  # one of which every HEIF file has
_MAX_SMALL_BOX = 2**29  # bytes of one that is not the pictures themselves: text in that place would say more
_PICTURE_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 avif avis".split())
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes of what follows the first 14, which name this number
DNG_VERSION, SUBFILE_TYPE, SUB_DIRECTORIES = 0xC612, 254, 330  # tags of TIFF
HEAD = 32  # bytes from which `looks_like_a_picture` tells


def looks_like_a_picture(head: bytes, tiff: bool = True) -> bool:
    """Whether a file that begins so is of a format that is read here.

    Args:
        head: HEAD bytes, or the whole of a smaller file.
        tiff: whether a TIFF file counts: raw files of many cameras begin as one.
    """
    return (
        head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS)
        or (head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS)
        or (tiff and head[:4] in (*TIFF, BIG_TIFF))
    )


def is_raw(tiff: bytes, tags: dict[int, bytes]) -> bool:
    """Whether a TIFF file is a camera's raw file: what its first directory leads to is a small preview, if anything.

    Args:
        tiff: the file.
        tags: of its first directory, DNG_VERSION, SUBFILE_TYPE and SUB_DIRECTORIES as far as they are there.
    """
    preview = any(tags.get(SUBFILE_TYPE, b"")) and SUB_DIRECTORIES in tags
    return tiff[8:10] == b"CR" or DNG_VERSION in tags or preview


RAW = _OTHER.format(*_RAW)


def refusal(data: bytes) -> str | None:
    """What to tell of a file of a format that is known but not read here, as one or two sentences; None of others."""
    head = data[:_HEAD]
    if head[4:12] == b"ftypcrx ":
        return RAW
    if _looks_like_a_video(head):
        return _VIDEO
    for start, what, instead in _OTHERS:
        if data.startswith(start):
            return _OTHER.format(what, instead)
    if _PORTABLE.match(head):
        return _OTHER.format("a Netpbm picture", _SEND)
    if _SVG.search(head):
        return _OTHER.format("an SVG drawing", "Save it as a PNG.")
    if _HTML.match(head):
        return _OTHER.format("a web page", "Save the picture on it and send that.")
    return None


def _looks_like_a_video(head: bytes) -> bool:
    """Whether a file that begins so is of a format of videos that is read here."""
    if head[:4] == b"\x1a\x45\xdf\xa3" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    box, size = head[4:8], int.from_bytes(head[:4], "big")
    if box == b"ftyp":
        other = looks_like_a_picture(head) or head[8:12] in _NO_VIDEO_BRANDS
        return not other and not any(still in head[8:64] for still in _STILL_BRANDS)
    return box in MP4_BOXES and (size < _MAX_SMALL_BOX or box == b"mdat")


def not_there(path: Path) -> str:
    """What to say of a file that is not there: of an address, that it is none."""
    if _ADDRESS.match(str(path)):
        return "This is an address, not a file. Nothing is fetched from the network: download it, and give its path."
    return "There is no such file."
