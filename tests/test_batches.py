"""What Keras is fed: random views that depend on seed, epoch and picture, and on nothing else."""

import numpy as np
import pytest

from train.batches import Batches
from train.crops import Crops
from train.recipe import Augment

OPTIONS = Augment(horizontal_flip=True, vertical_flip=False, rotation=10, scale=0.1, shift=0.1)


@pytest.fixture(scope="module")
def crops() -> Crops:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)
    return Crops(pixels, np.arange(10), [str(n) for n in range(10)], [""] * 10)


def test_without_augmentation_pictures_come_in_order_and_rescaled(crops):
    batches = Batches(crops, 4)
    assert len(batches) == 3 and [len(batches[n][1]) for n in range(3)] == [4, 4, 2]
    pixels, labels = batches[1]
    assert labels.tolist() == [4, 5, 6, 7] and pixels.dtype == np.float32
    assert np.array_equal(pixels, crops.pixels[4:8].astype(np.float32) / np.float32(255))


def test_an_epoch_shows_every_picture_once(crops):
    batches = Batches(crops, 4, OPTIONS, seed=1, epoch=2)
    assert sorted(np.concatenate([batches[n][1] for n in range(3)])) == list(range(10))


def views(crops, seed, epoch):
    pixels, labels = Batches(crops, 10, OPTIONS, seed, epoch)[0]
    return pixels[np.argsort(labels)], labels


def test_the_same_epoch_is_the_same_again(crops):
    assert all(np.array_equal(a, b) for a, b in zip(views(crops, 1, 2), views(crops, 1, 2), strict=True))


@pytest.mark.parametrize("other", [(1, 3), (2, 2)])
def test_another_epoch_or_seed_gives_other_views_in_another_order(crops, other):
    (pixels, order), (other_pixels, other_order) = views(crops, 1, 2), views(crops, *other)
    assert not np.array_equal(order, other_order)
    assert not any(np.array_equal(a, b) for a, b in zip(pixels, other_pixels, strict=True))
