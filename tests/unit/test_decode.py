"""Sound files through `open_picture`: every format, mode and orientation."""

import io
import re
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictures import LOSSLESS, LOSSY, difference, encoded, png, quarters, refusal
from PIL import Image

from deepfake_detect.picture import pixels
from deepfake_detect.picture.decode import FORMATS, SUFFIXES, open_picture

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not

ORIENTATION = 0x0112
# How a camera stores an upright picture under each orientation: the inverse of what a viewer does.
STORED = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
          4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
          7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}  # fmt: skip


# Formats


@pytest.mark.parametrize(("style", "options"), LOSSLESS)
def test_lossless_formats_give_the_pixels_that_were_saved(small, style, options):
    found = open_picture(encoded(small, style, **options))
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.asarray(small))


@pytest.mark.parametrize(("style", "options"), LOSSY)
def test_lossy_formats_give_nearly_the_pixels_that_were_saved(small, style, options):
    found = open_picture(encoded(small, style, **options))
    assert found.dtype == np.uint8
    assert difference(found, small) < 6


def test_every_accepted_format_is_known_to_pillow():
    assert set(FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize("style", ["MPO", "GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_read(small, style):
    options = {"lossless": True} if style == "WEBP" else {"quality": 95} if style == "MPO" else {}
    data = encoded(small, style, save_all=True, append_images=[Image.new("RGB", small.size, "red")], **options)
    assert difference(open_picture(data), small) < 6


def test_path_string_bytes_image_and_array_give_the_same_pixels(small, tmp_path):
    path = tmp_path / "portrait.png"
    path.write_bytes(encoded(small, "PNG"))
    with Image.open(path) as image:
        sources = [path, str(path), path.read_bytes(), image, small, np.asarray(small)]
        assert all(np.array_equal(open_picture(source), np.asarray(small)) for source in sources)


def test_the_contents_decide_and_not_the_name(small, tmp_path):
    path = tmp_path / "really a png.jpg"
    path.write_bytes(encoded(small, "PNG"))
    assert np.array_equal(open_picture(path), np.asarray(small))


def test_suffixes_are_lower_case_with_a_dot():
    assert all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in SUFFIXES)


# Colour


def test_grey_gives_three_equal_channels():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    assert np.array_equal(open_picture(encoded(Image.fromarray(ramp), "PNG")), np.dstack([ramp] * 3))


@pytest.mark.parametrize("style", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit_pictures_are_black_and_white(style):
    bits = np.zeros((32, 32), bool)
    bits[:16] = True
    found = open_picture(encoded(Image.fromarray(bits), style))
    assert (found[:16] == 255).all() and (found[16:] == 0).all()


def test_palette_colours_are_looked_up():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 12, 200, 34])
    assert (open_picture(encoded(image, "PNG")) == (12, 200, 34)).all()


@pytest.mark.parametrize("style", ["JPEG", "TIFF"])
def test_cmyk_keeps_its_colours(small, style):
    assert difference(open_picture(encoded(small.convert("CMYK"), style)), small) < 6


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    grey = np.tile(np.arange(256, dtype=np.uint16), (16, 1))
    for style in ("PNG", "TIFF"):
        found = open_picture(encoded(Image.fromarray(grey * 257), style))
        assert np.array_equal(found, np.dstack([grey] * 3)), style


def test_sixteen_bit_grey_in_other_containers_is_scaled_too():
    grey = np.tile(np.arange(256, dtype=np.uint16), (16, 1))
    big_endian = Image.frombytes("I;16B", (256, 16), (grey * 257).astype(">u2").tobytes())
    wide = Image.fromarray((grey * 257).astype(np.int32))
    for source in (encoded(big_endian, "TIFF"), big_endian, encoded(wide, "TIFF"), wide):
        assert np.array_equal(open_picture(source), np.dstack([grey] * 3))


def test_sixteen_bit_colour_is_scaled():
    row = b"\0" + struct.pack(">HHH", 0x12FF, 0x8000, 0xFFFF) * 16
    assert (open_picture(png(16, 16, 16, 2, row * 16)) == (0x12, 0x80, 0xFF)).all()


def test_floating_point_samples_are_refused():
    assert "8-bit" in refusal(encoded(Image.new("F", (32, 32), 0.5), "TIFF"))


# Transparency


@pytest.mark.parametrize(("mode", "pixel", "expected"), [
    ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
    ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
    ("RGBA", (255, 0, 0, 51), (255, 204, 204)),
    ("LA", (0, 0), (255, 255, 255)),
    ("LA", (100, 255), (100, 100, 100)),
    ("LA", (0, 51), (204, 204, 204)),
])  # fmt: skip
@pytest.mark.parametrize("style", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(mode, pixel, expected, style):
    options = {"lossless": True, "exact": True} if style == "WEBP" else {}
    assert (open_picture(encoded(Image.new(mode, (32, 32), pixel), style, **options)) == expected).all()


@pytest.mark.parametrize("style", ["PNG", "GIF"])
def test_a_transparent_palette_entry_becomes_white(style):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 12, 200, 34, 9, 9, 200])
    image.paste(2, (0, 0, 32, 16))
    found = open_picture(encoded(image, style, transparency=1))
    assert (found[:16] == (9, 9, 200)).all() and (found[16:] == 255).all()


def test_a_palette_with_alpha_values_is_laid_on_white():
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert (open_picture(encoded(image, "PNG", transparency=b"\xff\x33")) == (255, 204, 204)).all()


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (9, 8, 7)), ("L", 77)])
def test_a_transparent_colour_becomes_white(mode, colour):
    data = encoded(Image.new(mode, (32, 32), colour), "PNG", transparency=colour)
    assert (open_picture(data) == 255).all()


# EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize("strip", [pixels.STRIP_PIXELS, 1000])
def test_every_orientation_comes_out_upright(orientation, style, strip, monkeypatch):
    monkeypatch.setattr(pixels, "STRIP_PIXELS", strip)
    upright, turn = quarters(), STORED[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = upright if turn is None else upright.transpose(turn)
    found = open_picture(encoded(stored, style, exif=exif.tobytes(), quality=95))
    assert difference(found, upright) < 3


def test_a_picture_already_in_memory_comes_out_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded(quarters().transpose(STORED[6]), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        assert difference(open_picture(image), quarters()) == 0
        assert image.size == (64, 96), "the caller's picture was changed"


def test_an_odd_tag_beside_the_orientation_does_not_hide_it():
    tags = [(ORIENTATION, 3, struct.pack("<HH", 6, 0)), (0x011B, 1, b"\xff\0\0\0")]  # a resolution that is no fraction
    body = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    body += b"".join(struct.pack("<HHI", tag, kind, 1) + value for tag, kind, value in tags) + b"\0\0\0\0"
    data = encoded(quarters().transpose(STORED[6]), "JPEG", exif=b"Exif\0\0" + body, quality=95)
    assert difference(open_picture(data), quarters()) < 3


@pytest.mark.parametrize("exif", [b"Exif\0\0" + b"\xff" * 60, b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0", b"x",
                                  b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0" * 9])  # fmt: skip
@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP"])
def test_exif_that_is_garbage_does_not_spoil_the_picture(exif, style):
    assert difference(open_picture(encoded(quarters(), style, exif=exif, quality=95)), quarters()) < 3


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert difference(open_picture(encoded(quarters(), "PNG", exif=exif)), quarters()) == 0


# Threads


def test_threads_do_not_disturb_each_other_or_the_warnings_of_the_program(small):
    data = encoded(small.resize((480, 560)), "PNG")
    expected, filters = open_picture(data), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(open_picture, [data] * 60))
    assert all(np.array_equal(picture, expected) for picture in pictures)
    assert warnings.filters == filters
