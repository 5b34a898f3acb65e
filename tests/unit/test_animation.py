"""Of an animation the first frame that shows something; within limits."""

import struct

import numpy as np
import pytest
from pictures import difference, encoded
from PIL import Image
from waiting import PATIENCE

from deepfake_detect.picture import animation
from deepfake_detect.picture.decode import open_picture

STYLES = ["GIF", "PNG", "WEBP", "AVIF"]
TOLERANCE = {"GIF": 10, "PNG": 1, "WEBP": 1, "AVIF": 5}


def film(style: str, frames: list[Image.Image], **options) -> bytes:
    extra = {"WEBP": {"lossless": True}, "AVIF": {"quality": 95, "subsampling": "4:4:4"}}.get(style, {})
    return encoded(frames[0], style, save_all=True, append_images=frames[1:], duration=50, **extra, **options)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """A busy machine may take longer for a few frames than a visitor is to wait."""
    monkeypatch.setattr(animation, "MAX_SECONDS", PATIENCE)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("blank", ["white", "black", (10, 200, 30), (0, 0, 0, 0), "fading"])
def test_blank_frames_at_the_beginning_are_passed_over(small, style, blank):
    if blank == "fading":
        first = Image.fromarray(np.random.default_rng(1).integers(0, 5, (*small.size[::-1], 3), np.uint8))
    else:
        first = Image.new("RGBA" if len(blank) == 4 else "RGB", small.size, blank)
    frames = [first, first.copy(), small.convert(first.mode), small.rotate(180).convert(first.mode)]
    frames[1].putpixel((0, 0), frames[1].getpixel((1, 1)))
    assert difference(open_picture(film(style, frames)), small) < TOLERANCE[style]


@pytest.mark.parametrize("style", STYLES)
def test_a_first_frame_that_shows_something_is_the_one(small, style):
    frames = [small, small.rotate(180), Image.new("RGB", small.size)]
    assert difference(open_picture(film(style, frames)), small) < TOLERANCE[style]


@pytest.mark.parametrize("style", STYLES)
def test_nothing_but_blank_frames_give_the_first(small, style):
    frames = [Image.new("RGB", small.size, (9, 9, 200)), Image.new("RGB", small.size, (200, 9, 9))]
    assert open_picture(film(style, frames))[5, 5].astype(int) == pytest.approx((9, 9, 200), abs=8)


def test_the_pages_of_a_tiff_are_no_frames(small):
    pages = encoded(Image.new("RGB", small.size), "TIFF", save_all=True, append_images=[small])
    assert (open_picture(pages) == 0).all()


def test_frames_are_looked_at_within_limits(small):
    blank = [Image.new("L", small.size, 2 * number) for number in range(animation.MAX_FRAMES + 5)]
    assert len(np.unique(open_picture(film("GIF", [*blank, small.convert("L")])))) == 1
    assert len(np.unique(open_picture(film("GIF", [*blank[: animation.MAX_FRAMES - 1], small.convert("L")])))) > 9


def test_a_late_frame_that_is_cut_or_damaged_costs_nothing_but_itself(small):
    frames = [Image.new("RGB", small.size), Image.new("RGB", small.size, "blue"), small]
    for style in STYLES:
        data = film(style, frames)
        for place in range(len(data) // 2, len(data), max(1, len(data) // 20)):
            try:
                open_picture(data[:place])
                open_picture(data[:place] + bytes([data[place] ^ 85]) + data[place + 1 :])
            except ValueError as error:
                assert "damaged" in str(error) or "size" in str(error)


def test_a_late_frame_larger_than_its_gif_takes_no_memory(monkeypatch):
    first = b",\0\0\0\0\x14\0\x14\0\0" + b"\x02\x02\x4c\x01\0"
    control = b"!\xf9\x04\x08\0\0\0\0"  # dispose of it: Pillow would make a picture of that size
    vast = control + b"," + struct.pack("<HHHHB", 0, 0, 13_000, 13_000, 0) + b"\x02\x02\x4c\x01\0"
    data = b"GIF89a" + struct.pack("<HHBBB", 20, 20, 0x80, 0, 0) + bytes(6) + first + vast + b";"
    assert animation._frames_within(data, (20, 20)) == 1
    monkeypatch.setattr(Image, "_decompression_bomb_check", lambda size: size < (1000, 1000) or pytest.fail("so large"))
    try:
        open_picture(data)
    except ValueError:
        pass  # its first frame is not whole


def test_pixels_and_time_are_bounded_too(small, monkeypatch):
    blank = [Image.new("L", small.size, 2 * number) for number in range(9)]
    early, late = film("GIF", [*blank[:3], small.convert("L")]), film("GIF", [*blank, small.convert("L")])
    monkeypatch.setattr(animation, "MAX_SUM", 5 * small.width * small.height)
    assert len(np.unique(open_picture(early))) > 9 and len(np.unique(open_picture(late))) == 1
    monkeypatch.setattr(animation, "MAX_SECONDS", -1)
    assert len(np.unique(open_picture(early))) == 1
