"""From a face's box to what the model takes."""

import numpy as np
import pytest
from PIL import Image

from deepfake_detect.face.crop import RESAMPLING, crop_box, crop_face, pixel_values

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def red_on_blue(width: int, height: int, box: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.full((height, width, 3), COLOURS["blue"], np.uint8)
    picture[box[1] : box[3], box[0] : box[2]] = COLOURS["red"]
    return picture


def share_of_red(crop: np.ndarray) -> float:
    return float((crop[..., 0] > 127).mean())


# Where the square lies


@pytest.mark.parametrize(("box", "margin", "expected"), [
    ((100, 100, 200, 200), 0, (100, 100, 200, 200)),
    ((100, 100, 200, 200), 0.3, (70, 70, 230, 230)),
    ((100, 100, 200, 180), 0.3, (70, 60, 230, 220)),  # the longer side counts
    ((100, 100, 180, 200), 0.5, (40, 50, 240, 250)),
    ((101, 100, 200, 200), 0, (100.5, 100, 200.5, 200)),  # a half pixel stays
])  # fmt: skip
def test_where_there_is_room_the_square_is_centred_on_the_face(box, margin, expected):
    assert crop_box(box, margin, 640, 480) == pytest.approx(expected)


@pytest.mark.parametrize(("box", "expected"), [
    ((0, 0, 100, 100), (0, 0, 160, 160)),
    ((540, 0, 640, 100), (480, 0, 640, 160)),
    ((0, 380, 100, 480), (0, 320, 160, 480)),
    ((540, 380, 640, 480), (480, 320, 640, 480)),
    ((10, 200, 110, 300), (0, 170, 160, 330)),
])  # fmt: skip
def test_near_an_edge_the_square_is_moved_and_keeps_its_size(box, expected):
    assert crop_box(box, 0.3, 640, 480) == pytest.approx(expected)


@pytest.mark.parametrize(("box", "width", "height", "expected"), [
    ((0, 0, 400, 400), 500, 450, (0, 0, 450, 450)),
    ((50, 0, 450, 450), 500, 450, (25, 0, 475, 450)),
    ((0, 0, 640, 480), 640, 480, (80, 0, 560, 480)),
    ((5, 0, 6, 1), 1, 100, (0, 0, 1, 1)),
])  # fmt: skip
def test_in_a_picture_too_small_the_square_shrinks_to_it(box, width, height, expected):
    assert crop_box(box, 0.3, width, height) == pytest.approx(expected)


def test_any_box_gives_a_square_inside_the_picture():
    chance = np.random.default_rng(0)
    for _ in range(500):
        width, height = chance.integers(16, 3000, 2)
        left, top = chance.uniform(0, width - 1), chance.uniform(0, height - 1)
        box = (left, top, chance.uniform(left + 1, width), chance.uniform(top + 1, height))
        x, y, right, bottom = crop_box(box, chance.uniform(0, 2), width, height)
        assert right - x == pytest.approx(bottom - y)
        assert x >= 0 and y >= 0 and right <= width + 1e-6 and bottom <= height + 1e-6
        assert right - x >= 1


# What is cut out


def test_without_margin_only_the_face_is_cut_out():
    picture = red_on_blue(400, 300, (120, 80, 220, 180))
    assert (crop_face(picture, (120, 80, 220, 180), 0, 64, "bilinear") == COLOURS["red"]).all()


def test_the_margin_shows_what_surrounds_the_face():
    picture = red_on_blue(400, 300, (120, 80, 220, 180))
    crop = crop_face(picture, (120, 80, 220, 180), 0.5, 64, "bilinear")
    assert share_of_red(crop) == pytest.approx(0.25, abs=0.01)
    assert share_of_red(crop[16:48, 16:48]) == 1


def test_at_an_edge_nothing_is_padded():
    picture = np.full((200, 200, 3), 200, np.uint8)
    assert (crop_face(picture, (150, 150, 200, 200), 0.5, 32, "lanczos") == 200).all()


def test_without_a_face_the_whole_picture_is_used():
    picture = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    for name, filter_ in RESAMPLING.items():
        expected = np.asarray(Image.fromarray(picture).resize((48, 48), filter_))
        assert np.array_equal(crop_face(picture, None, 0.3, 48, name), expected)


def test_each_resampling_gives_another_result():
    picture = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    crops = [crop_face(picture, None, 0.3, 48, name) for name in RESAMPLING]
    assert len({crop.tobytes() for crop in crops}) == len(RESAMPLING) == 3


def test_a_crop_of_its_own_size_is_not_resampled():
    picture = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    crop = crop_face(picture, (20, 10, 68, 58), 0, 48, "bilinear")
    assert np.array_equal(crop, picture[10:58, 20:68])


@pytest.mark.parametrize("size", [16, 96, 224])
@pytest.mark.parametrize(("shape", "box"), [((16, 4000), (3999, 15, 4000, 16)), ((4000, 16), (0, 0, 16, 4000)),
                                            ((17, 19), (3, 3, 4, 4)), ((16, 16), (0, 0, 16, 16))])  # fmt: skip
def test_extreme_shapes_give_a_crop_of_the_right_size(shape, box, size):
    picture = np.zeros((*shape, 3), np.uint8)
    for place in (box, None):
        crop = crop_face(picture, place, 0.3, size, "bilinear")
        assert crop.shape == (size, size, 3) and crop.dtype == np.uint8


def test_the_layout_in_memory_does_not_matter():
    picture = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    expected = crop_face(picture, (30, 20, 80, 60), 0.3, 48, "bilinear")
    mirrored = np.ascontiguousarray(picture[::-1, :, ::-1])[::-1, :, ::-1]
    for same in (np.asfortranarray(picture), mirrored, picture.repeat(2, axis=1)[:, ::2]):
        assert not same.flags.c_contiguous
        assert np.array_equal(crop_face(same, (30, 20, 80, 60), 0.3, 48, "bilinear"), expected)


# What the model takes


def test_pixel_values_are_planes_of_numbers_from_zero_to_one():
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    crops[0, 0, 0], crops[0, 0, 1] = (0, 128, 255), (255, 0, 1)
    values = pixel_values(crops)
    assert values.shape == (5, 3, 32, 32) and values.dtype == np.float32 and values.flags.c_contiguous
    assert values.min() == 0 and values.max() == 1
    assert values[0, :, 0, 0].tolist() == [0, np.float32(128) / np.float32(255), 1]
    assert np.array_equal(np.rint(values.transpose(0, 2, 3, 1) * 255).astype(np.uint8), crops)


def test_no_crops_give_no_pixel_values():
    assert pixel_values(np.zeros((0, 32, 32, 3), np.uint8)).shape == (0, 3, 32, 32)
