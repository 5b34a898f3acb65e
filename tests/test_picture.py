"""Untrusted files through `open_picture`: every format, every limit, every kind of damage."""

import io
import os
import random
import re
import resource
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from detect.picture import FORMATS, MAX_BYTES, MAX_PIXELS, MIN_SIDE, SUFFIXES, PictureError, open_picture

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not

ORIENTATION = 0x0112
LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
            ("WEBP", {"lossless": True})]  # fmt: skip
LOSSY = [("JPEG", {"quality": 95}), ("JPEG", {"quality": 95, "progressive": True}), ("WEBP", {"quality": 95}),
         ("TIFF", {"compression": "jpeg"}), ("HEIF", {"quality": 95}), ("GIF", {}),
         ("MPO", {"quality": 95})]  # fmt: skip

# How a camera stores an upright picture under each orientation: the inverse of what a viewer does.
STORED = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
          4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
          7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}  # fmt: skip


@pytest.fixture(scope="module")
def small(portrait) -> Image.Image:
    """The portrait at 96 x 112 pixels."""
    with Image.open(portrait) as image:
        return image.convert("RGB").resize((96, 112))


def encoded(image: Image.Image, style: str, **options) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, style, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file written by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def quarters() -> Image.Image:
    """An upright 96 x 64 picture whose four quarters differ."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48], pixels[:32, 48:], pixels[32:, :48] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
    return Image.fromarray(pixels)


def difference(found: np.ndarray, expected: Image.Image) -> float:
    """Mean absolute difference in grey levels."""
    assert found.shape == np.asarray(expected).shape
    return float(np.abs(found.astype(int) - np.asarray(expected)).mean())


def refusal(source) -> str:
    """The message of the error that a source gives; it must read as a sentence or two for a person."""
    with pytest.raises(PictureError) as caught:
        open_picture(source)
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]*\.", message), message
    assert len(message) < 200 and message.count(". ") <= 1, message
    assert not re.search(r"Traceback|Error|Exception|Errno|PIL|numpy|0x|<|\bNone\b", message), message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show both errors"
    return message


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
def test_every_orientation_comes_out_upright(orientation, style):
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


# Limits


def test_more_bytes_than_allowed_are_refused(tmp_path):
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert f"{MAX_BYTES >> 20} MB" in refusal(path)
    assert f"{MAX_BYTES >> 20} MB" in refusal(bytes(MAX_BYTES + 1))


@pytest.mark.parametrize(("width", "height"), [(8000, 7000), (10_000, 10_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1),
                                               (MAX_PIXELS // 16 + 1, 16)])  # fmt: skip
def test_a_header_that_claims_too_many_pixels_is_refused_at_once(width, height):
    started = time.perf_counter()
    message = refusal(png(width, height, 8, 2, b""))
    assert time.perf_counter() - started < 1
    assert "megapixels" in message


def test_too_many_pixels_are_refused_without_decoding_them():
    data = png(8000, 7500, 8, 0, bytes(7500 * 8001))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "megapixels" in refusal(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes; decoded it has 60,000


def test_a_frame_larger_than_its_animation_is_refused():
    screen = b"GIF89a" + struct.pack("<HHBBB", 20, 20, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\0;"
    assert "megapixels" in refusal(screen + frame)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_compressed_metadata_that_explodes_is_contained(kind):
    bomb = chunk(kind, b"a\0\0" + zlib.compress(bytes(50_000_000)))
    try:
        assert open_picture(png(16, 16, 8, 0, bytes(16 * 17), bomb)).shape == (16, 16, 3)
    except PictureError:
        pass  # refusing it is as good


def test_the_limit_on_pixels_is_the_same_for_images_and_arrays():
    assert "megapixels" in refusal(Image.new("1", (8000, 7000)))
    assert "megapixels" in refusal(np.broadcast_to(np.zeros(3, np.uint8), (8000, 7000, 3)))


def test_the_smallest_picture_has_sixteen_pixels_a_side():
    assert open_picture(encoded(Image.new("RGB", (MIN_SIDE, MIN_SIDE)), "PNG")).shape == (MIN_SIDE, MIN_SIDE, 3)
    for size in ((MIN_SIDE - 1, 100), (100, MIN_SIDE - 1), (1, 1)):
        assert f"{size[0]} x {size[1]}" in refusal(encoded(Image.new("RGB", size), "PNG"))
        assert f"{size[0]} x {size[1]}" in refusal(np.zeros((size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize("array", [np.zeros((32, 32), np.uint8), np.zeros((32, 32, 4), np.uint8), np.zeros(3072, "u1"),
                                   np.zeros((32, 32, 3)), np.zeros((3, 32, 32), np.uint8), np.zeros((0, 0, 3), "u1"),
                                   np.full((32, 32, 3), None)])  # fmt: skip
def test_an_array_of_another_layout_is_refused(array):
    refusal(array)


# What is not a picture


@pytest.mark.parametrize("data", [
    b"just a few words", b"\0" * 1000, b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0",
    b"RIFF\x10\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic\0\0\0\0",
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><rect/></svg>',
    b"<!DOCTYPE html><html><body><img src='a.jpg'></body></html>",
    b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
    b"PK\x03\x04" + bytes(60), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\nshowpage\n",
    b"P6 32 32 255 " + bytes(32 * 32 * 3),
])  # fmt: skip
def test_a_file_of_another_kind_named_jpg_is_refused(data, tmp_path):
    path = tmp_path / "portrait.jpg"
    path.write_bytes(data)
    refusal(path)


@pytest.mark.parametrize("style", ["PPM", "TGA", "ICO", "EPS", "PDF", "PCX", "JPEG2000"])
def test_formats_outside_the_list_are_refused(small, style):
    assert "format" in refusal(encoded(small, style))


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    assert "empty" in refusal(path)
    assert "empty" in refusal(b"")


def test_a_folder_is_refused(tmp_path):
    assert "folder" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["nothing here.jpg", "a\0b.jpg", "\ud800.jpg", "x" * 5000])
def test_a_name_without_a_file_is_refused(name, tmp_path):
    refusal(tmp_path / name)
    refusal(str(tmp_path / name))


def test_a_link_to_nowhere_is_refused(tmp_path):
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    assert "no such file" in refusal(tmp_path / "link.jpg")


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "ordinary file" in refusal(tmp_path / "pipe.jpg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(small, tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(small, "PNG"))
    path.chmod(0)
    assert "cannot be read" in refusal(path)


# Damage

SAMPLES = [*LOSSLESS, *LOSSY, ("TIFF", {"compression": "tiff_adobe_deflate"})]


@pytest.mark.parametrize(("style", "options"), SAMPLES)
def test_a_file_cut_anywhere_gives_a_picture_or_a_picture_error(small, style, options):
    data = encoded(small, style, **options)
    cuts = {*range(1, 64), *range(64, len(data), len(data) // 60), len(data) - 1, len(data) - 2}
    opened = [attempt(data[:cut]) for cut in sorted(cuts)]
    assert not any(opened[:10])


@pytest.mark.parametrize(("style", "options"), SAMPLES)
def test_a_file_with_wrong_bytes_gives_a_picture_or_a_picture_error(small, style, options):
    data = encoded(small, style, **options)
    chance = random.Random(f"{style}{options}")
    for _ in range(80):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 2, 8))):
            damaged[chance.randrange(chance.choice((len(data), min(len(data), 300))))] = chance.randrange(256)
        attempt(bytes(damaged))


def attempt(data: bytes) -> bool:
    """Whether the bytes open. Anything but a PictureError goes through."""
    try:
        picture = open_picture(data)
    except PictureError:
        return False
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    return True


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF"])
def test_half_a_file_is_called_damaged(small, style):
    data = encoded(small, style)
    assert "cut short" in refusal(data[: len(data) // 2])


def test_an_image_in_memory_whose_file_was_cut_is_refused(small):
    data = encoded(small, "JPEG")
    with Image.open(io.BytesIO(data[: len(data) // 2])) as image:
        assert "cut short" in refusal(image)


# Threads


def test_threads_do_not_disturb_each_other_or_the_warnings_of_the_program(small):
    data = encoded(small.resize((480, 560)), "PNG")
    expected, filters = open_picture(data), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(open_picture, [data] * 60))
    assert all(np.array_equal(picture, expected) for picture in pictures)
    assert warnings.filters == filters
    assert threading.active_count() < 20
