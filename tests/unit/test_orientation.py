"""How a picture lies: EXIF, XMP and raw profiles turn it as Pillow's `exif_transpose` does; HEIC and AVIF otherwise."""

import io
import struct
import zlib

import numpy as np
import pytest
from pictures import chunk, difference, encoded, quarters, tags_on_shared_bytes
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from project import CASES

from deepfake_detect.picture.decode import open_downscaled, open_picture
from deepfake_detect.picture.exif import orientation as exif_orientation
from deepfake_detect.picture.orientation import MAX_XMP

SIDEWAYS = quarters().transpose(Image.Transpose.ROTATE_90)  # as stored under orientation 6
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {} xmlns:tiff="http://ns.adobe.com/tiff/1.0/">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
ATTRIBUTE = XMP.format('tiff:Orientation="{}"', "")
ELEMENT = XMP.format("", "<tiff:Orientation>{}</tiff:Orientation>")


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def with_xmp(image: Image.Image, style: str, xmp: bytes, **options) -> bytes:
    if style == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        return encoded(image, style, pnginfo=text, **options)
    if style in ("TIFF", "BIGTIFF"):
        return encoded(image, "TIFF", tiffinfo={700: xmp}, big_tiff=style == "BIGTIFF", **options)
    return encoded(image, style, xmp=xmp, quality=95, **options)


def raw_profile(image: Image.Image, block: bytes, kind: bytes = b"zTXt") -> bytes:
    """A PNG as ImageMagick writes it, with EXIF as hexadecimal digits in a text."""
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\nexif\n{len(block):8d}\n{lines}\n".encode()
    body = b"Raw profile type exif\0" + (b"\0" + zlib.compress(text) if kind == b"zTXt" else text)
    data = encoded(image, "PNG")
    return data[:33] + chunk(kind, body) + data[33:]


def as_pillow(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "TIFF", "BIGTIFF"])
@pytest.mark.parametrize("xmp", [ATTRIBUTE, ELEMENT])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_xmp_turns_a_picture(style, xmp, orientation):
    stored = quarters()
    data = with_xmp(stored, style, xmp.format(orientation).encode())
    found = open_picture(data)
    assert difference(found, as_pillow(data)) < 3
    if orientation == 6:
        assert difference(open_picture(with_xmp(SIDEWAYS, style, xmp.format(6).encode())), quarters()) < 3


@pytest.mark.parametrize("xmp", [
    ATTRIBUTE.format(6).replace('"', "'").encode(), ELEMENT.format(" 6 ").encode(),
    ATTRIBUTE.format(6).encode("utf-8-sig"), ATTRIBUTE.format(6).encode("utf-16"),
    ATTRIBUTE.format(6).encode("utf-16-be"), ELEMENT.format(6).encode("utf-32"),
    ATTRIBUTE.replace("=", " = ").format(6).encode(),
])  # fmt: skip
@pytest.mark.parametrize("style", ["JPEG", "TIFF", "WEBP"])
def test_xmp_however_it_is_written(style, xmp):
    assert difference(open_picture(with_xmp(SIDEWAYS, style, xmp)), quarters()) < 3


@pytest.mark.parametrize("kind", [b"zTXt", b"tEXt"])
@pytest.mark.parametrize("mark", [b"Exif\0\0", b"", b"Exif\0\0Exif\0\0"])
def test_a_raw_profile_of_png_turns_a_picture(kind, mark):
    data = raw_profile(SIDEWAYS, mark + exif(6).tobytes().removeprefix(b"Exif\0\0"), kind)
    assert difference(open_picture(data), quarters()) == 0 == difference(np.asarray(as_pillow(data)), quarters())


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("said", "xmp"), [(6, 3), (6, 1), (1, 6), (3, 6)])
def test_exif_counts_before_xmp(style, said, xmp):
    data = with_xmp(SIDEWAYS, style, ATTRIBUTE.format(xmp).encode(), exif=exif(said))
    assert difference(open_picture(data), as_pillow(data)) < 3


def test_exif_without_an_orientation_leaves_it_to_xmp():
    tags = Image.Exif()
    tags[0x0110] = "a camera"
    data = with_xmp(SIDEWAYS, "JPEG", ATTRIBUTE.format(6).encode(), exif=tags)
    assert difference(open_picture(data), quarters()) < 3


def test_a_large_jpeg_with_xmp_is_turned_at_part_of_its_size(small):
    data = with_xmp(small.resize((2400, 1600)), "JPEG", ATTRIBUTE.format(6).encode())
    part = open_downscaled(data, 600)
    assert part.downscale == 4 and part.size == (1600, 2400) and part.pixels.shape == (600, 400, 3)


@pytest.mark.parametrize("digits", ["zz" * 40, "49492a0", "", "4d" * MAX_XMP])
def test_a_broken_raw_profile_does_not_spoil_the_picture(digits):
    text = PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n  9\n{digits}\n")
    assert difference(open_picture(encoded(quarters(), "PNG", pnginfo=text)), quarters()) == 0


def test_a_raw_profile_whose_tags_share_bytes_costs_no_memory():
    from pictures import peak

    hostile = raw_profile(quarters(), tags_on_shared_bytes(2000, 32_000))
    assert peak(hostile) < 8 * 2**20 and difference(open_picture(hostile), quarters()) == 0


@pytest.mark.parametrize(
    "xmp", ["tiff:Orientation=" * 20_000, 'tiff:Orientation="9"', 'tiff:Orientation="66"', "<" * 99_999]
)
def test_xmp_without_sense_is_passed_over(xmp):
    assert difference(open_picture(with_xmp(quarters(), "WEBP", xmp.encode())), quarters()) < 3


# HEIC and AVIF: `irot` and `imir` turn, EXIF and XMP do not


def heif_with_exif(style: str, image: Image.Image, by_property: int, in_exif: int) -> bytes:
    """Made with an orientation that becomes a property; the one in EXIF is then overwritten."""
    tags = exif(by_property)
    tags[0x0128] = 2  # a number of two bytes, as an orientation is
    options = {"chroma": 444} if style == "HEIF" else {"subsampling": "4:4:4"}
    data = bytearray(encoded(image, style, exif=tags.tobytes(), quality=95, **options))
    for order in "<>":  # the orientation itself is not written by all
        for tag in (0x0112, 0x0128):
            entry = data.find(struct.pack(order + "HHI", tag, 3, 1))
            if entry >= 0:
                struct.pack_into(order + "HHIH", data, entry, 0x0112, 3, 1, in_exif)
    found = [
        exif_orientation(bytes(data[at : at + 200]))
        for at in range(len(data))
        if data[at : at + 4] in (b"II*\0", b"MM\0*")
    ]
    assert in_exif in found
    return bytes(data)


@pytest.mark.parametrize("style", ["HEIF", "AVIF"])
@pytest.mark.parametrize("in_exif", [1, 3, 6, 8])
def test_the_properties_of_heic_and_avif_turn_and_exif_does_not(style, in_exif):
    """ISO/IEC 23008-12 and 23000-22: orientation in Exif is information, the properties are what a reader applies."""
    assert difference(open_picture(heif_with_exif(style, quarters(), 1, in_exif)), quarters()) < 6
    assert difference(open_picture(heif_with_exif(style, SIDEWAYS, 6, in_exif)), quarters()) < 6


@pytest.mark.parametrize("style", ["HEIF", "AVIF"])
def test_xmp_does_not_turn_heic_and_avif(style):
    data = encoded(quarters(), style, xmp=ATTRIBUTE.format(1).encode(), quality=95)
    assert data.count(b'tiff:Orientation="1"') == 1
    assert difference(open_picture(data.replace(b'tiff:Orientation="1"', b'tiff:Orientation="6"')), quarters()) < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_avif_comes_out_as_pillow_has_it(orientation):
    data = encoded(quarters(), "AVIF", exif=exif(orientation).tobytes(), quality=95)
    assert difference(open_picture(data), as_pillow(data)) < 3


@pytest.mark.parametrize(("name", "upright"), [
    ("orientation_in_xmp.jpg", True), ("orientation_in_rawprofile.png", True), ("orientation_in_exif.heic", False),
])  # fmt: skip
def test_files_that_once_came_sideways(name, upright):
    if not CASES.is_dir():
        pytest.skip("the cases (shared/cases) are not on this machine")
    height, width, _ = open_picture(CASES / name).shape
    assert (height > width) == upright
