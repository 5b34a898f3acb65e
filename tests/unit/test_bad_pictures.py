"""Files that `open_picture` must refuse: every limit, every other kind, every kind of damage."""

import io
import os
import random
import resource
import struct
import time
import zlib

import numpy as np
import pytest
from pictures import LOSSLESS, LOSSY, chunk, difference, encoded, peak, png, quarters, refusal, tags_on_shared_bytes
from PIL import Image

from deepfake_detect.errors import PictureError
from deepfake_detect.picture import exif
from deepfake_detect.picture.decode import MAX_BYTES, MAX_PIXELS, MIN_SIDE, open_picture

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not


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
    started = time.process_time()
    message = refusal(png(width, height, 8, 2, b""))
    assert time.process_time() - started < 1
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


def test_an_empty_path_is_no_file_rather_than_the_current_folder():
    assert refusal("") == "There is no such file."


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


# Tags that share bytes


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP"])
def test_exif_whose_tags_share_bytes_costs_no_memory(style):
    picture = encoded(quarters(), style)
    hostile = encoded(quarters(), style, exif=b"Exif\0\0" + tags_on_shared_bytes(2000, 32_000))
    assert peak(hostile) < peak(picture) + 10 * len(hostile) + 2**20
    assert open_picture(hostile).shape == open_picture(picture).shape


def test_a_tiff_whose_tags_share_bytes_is_refused_before_it_costs_memory():
    assert exif.is_harmless(tags_on_shared_bytes(1, 32_000)) and not exif.is_harmless(tags_on_shared_bytes(2, 32_000))
    hostile = tags_on_shared_bytes(2000, 1_000_000)
    assert peak(hostile) < 10 * len(hostile)
    with pytest.raises(PictureError, match="damaged"):
        open_picture(hostile)


@pytest.mark.parametrize("tag", [0x8769, 0x8825])
def test_the_inner_directories_of_a_tiff_stay_unread(tag):
    outer = encoded(quarters(), "TIFF", tiffinfo={tag: 0x01020304})
    inner = tags_on_shared_bytes(400, 100_000)
    moved = bytearray(inner[8:])
    for entry in range(2, 2 + 12 * 400, 12):  # the places of its values, now behind the outer file
        (start,) = struct.unpack_from("<I", moved, entry + 8)
        struct.pack_into("<I", moved, entry + 8, start - 8 + len(outer))
    assert outer.count(b"\4\3\2\1") == 1
    hostile = outer.replace(b"\4\3\2\1", struct.pack("<I", len(outer))) + moved
    assert exif.is_harmless(hostile)
    assert peak(hostile) < 5 * len(hostile) and difference(open_picture(hostile), quarters()) == 0


def test_a_tiff_full_of_numbers_is_refused():
    assert exif.is_harmless(tags_on_shared_bytes(1, exif.MAX_NUMBERS))
    assert not exif.is_harmless(tags_on_shared_bytes(1, exif.MAX_NUMBERS + 4))
