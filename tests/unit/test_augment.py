"""The augmentation does what its parameters say: measured on a picture with one bright spot."""

import numpy as np
import pytest

from train.augment import augment
from train.recipe import Augment

NONE = {"horizontal_flip": False, "vertical_flip": False, "rotation": 0, "scale": 0, "shift": 0}
SIZE = 65


class Always:
    """A generator of random numbers that always gives the same end of a range."""

    def __init__(self, share: float):
        self.share = share

    def random(self) -> float:
        return 0.0

    def uniform(self, low: float, high: float, size: int | None = None):
        value = low + (high - low) * self.share
        return value if size is None else np.full(size, value)


def spot(x: float, y: float) -> np.ndarray:
    """A blurred bright spot, with (x, y) in pixels from the picture's centre."""
    grid = np.arange(SIZE) - SIZE // 2
    blob = 255 * np.exp(-((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) / 8)
    return np.repeat(blob[..., None], 3, axis=2).astype(np.uint8)


def centre(crop: np.ndarray) -> tuple[float, float]:
    weight = crop[..., 0].astype(float)
    grid = np.arange(SIZE) - SIZE // 2
    return float((weight.sum(0) * grid).sum() / weight.sum()), float((weight.sum(1) * grid).sum() / weight.sum())


def test_nothing_asked_for_changes_nothing():
    crop = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    assert np.array_equal(augment(crop, Augment(**NONE), np.random.default_rng(0)), crop)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"horizontal_flip": True}, (-10, 4)),
        ({"vertical_flip": True}, (10, -4)),
        ({"shift": 0.1}, (10 - 6.5, 4 - 6.5)),
        ({"scale": 0.2}, (12, 4.8)),
        ({"rotation": 20}, (8.0, 7.2)),
    ],
)
def test_each_parameter_moves_the_picture_as_it_says(change, where):
    moved = augment(spot(10, 4), Augment(**NONE | change), Always(1))
    assert centre(moved) == pytest.approx(where, abs=0.3)


@pytest.mark.parametrize(("change", "where"), [({"shift": 0.1}, (16.5, 10.5)), ({"rotation": 20}, (10.8, 0.3))])
def test_the_other_end_of_a_range_moves_the_other_way(change, where):
    moved = augment(spot(10, 4), Augment(**NONE | change), Always(0))
    assert centre(moved) == pytest.approx(where, abs=0.3)


def test_random_views_differ_and_the_same_seed_gives_the_same():
    options = Augment(horizontal_flip=True, vertical_flip=False, rotation=10, scale=0.1, shift=0.1)
    views = [augment(spot(10, 4), options, np.random.default_rng(seed)) for seed in (1, 1, 2, 3)]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2]) and not np.array_equal(views[2], views[3])
    assert all(view.shape == (SIZE, SIZE, 3) and view.dtype == np.uint8 for view in views)


def test_the_strongest_view_shows_no_invented_border():
    strongest = Augment(horizontal_flip=False, vertical_flip=False, rotation=20, scale=0.2, shift=0.2)
    for seed in range(300):
        assert augment(np.full((SIZE, SIZE, 3), 255, np.uint8), strongest, np.random.default_rng(seed)).min() == 255
    for share in (0.0, 1.0):
        assert augment(np.full((SIZE, SIZE, 3), 255, np.uint8), strongest, Always(share)).min() == 255
