"""What Keras is fed: random views that depend on seed, epoch and place, and on nothing else."""

from collections import Counter

import numpy as np
import pytest
from recipes import FULL, PLAIN, make_crops

from train import batches as batches_module
from train.batches import Batches, draw
from train.blend import face_swap
from train.crops import Crops
from train.recipe import Sampling

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crops() -> Crops:
    return make_crops([0, 1] * 5, ["a"] * 10)


def test_without_a_recipe_pictures_come_in_order_as_the_run_time_cuts_them(crops):
    batches = Batches(crops, 4, 32)
    assert len(batches) == 3 and [len(batches[n][1]) for n in range(3)] == [4, 4, 2]
    pixels, labels = batches[1]
    assert labels.tolist() == [0, 1, 0, 1] and pixels.dtype == np.float32 and pixels.shape == (4, 32, 32, 3)
    assert np.array_equal(pixels[1], crops.crop(5, 32).astype(np.float32) / np.float32(255))


def test_without_sampling_an_epoch_shows_every_picture_once(crops):
    assert sorted(Batches(crops, 4, 32, PLAIN, 2).order) == list(range(10))


@pytest.mark.parametrize("recipe", [PLAIN, FULL], ids=["plain", "full"])
def test_the_same_epoch_is_the_same_again(crops, recipe):
    first, again = (Batches(crops, 10, 32, recipe, 2)[0] for _ in range(2))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])


@pytest.mark.parametrize("recipe", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize(("seed", "epoch"), [(7, 3), (8, 2)])
def test_another_epoch_or_seed_gives_other_views_in_another_order(crops, recipe, seed, epoch):
    one, other = (
        Batches(crops, 10, 32, recipe, 2),
        Batches(crops, 10, 32, recipe.model_copy(update={"seed": seed}), epoch),
    )
    assert not np.array_equal(one.order, other.order)
    views = {pixels.tobytes() for pixels in one[0][0]}
    assert not any(pixels.tobytes() in views for pixels in other[0][0])


def test_a_view_stays_near_the_crop_it_is_made_of():
    """Smooth pictures, so that a wrong place or colour would show and degradation would not."""
    ramp = np.linspace(40, 200, 64)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp, 120.0), axis=-1).astype(np.uint8)
    crops = make_crops([0, 1], ["a", "a"])
    crops.bytes[:] = np.tile(picture.ravel(), 2)
    recipe = FULL.model_copy(update={"sampling": None, "brightness_jitter": None, "augment": PLAIN.augment.model_copy(
        update={"horizontal_flip": False, "rotation": 0.0, "scale": 0.0, "shift": 0.0})})  # fmt: skip
    for epoch in range(20):
        pixels, _ = Batches(crops, 2, 32, recipe, epoch)[0]
        difference = pixels * 255 - crops.crop(0, 32)
        assert np.abs(difference).mean() < 25 and not np.array_equal(pixels[0] * 255, crops.crop(0, 32))


def test_draws_are_balanced_by_class_and_by_source():
    crops = make_crops([0] * 36 + [0] * 4 + [1] * 9 + [1] * 16, ["a"] * 36 + ["b"] * 4 + ["c"] * 9 + ["d"] * 16)
    order, blended = draw(crops, Sampling(power=0.5, self_blend=0.0), np.random.default_rng(0))
    assert len(order) == 65 and not blended.any()
    by_source = Counter(np.array(crops.sources)[order].tolist())
    assert by_source == {"a": 25, "b": 8, "c": 14, "d": 18}  # 33 by 6 to 2, 32 by 3 to 4
    counts = Counter(order.tolist())
    assert max(counts[n] for n in range(36)) == 1 and {counts[n] for n in range(36, 40)} == {2}


def test_self_blends_are_photographs_with_a_face_and_count_as_fakes():
    crops = make_crops([0] * 20 + [1] * 20, ["a"] * 40)
    order, blended = draw(crops, Sampling(power=1.0, self_blend=0.25), np.random.default_rng(0))
    assert blended.sum() == 5 and (crops.labels[order[blended]] == 0).all()
    batches = Batches(crops, 40, 32, FULL, 1)
    _, labels = batches[0]
    assert labels[batches.blended].min() == 1 and labels.sum() == 20
    faceless = make_crops([0] * 20 + [1] * 20, ["a"] * 40, faces=False)
    assert len(draw(faceless, Sampling(power=1.0, self_blend=0.0), np.random.default_rng(0))[0]) == 40


def test_for_consistency_a_picture_is_drawn_as_two_views_side_by_side(crops):
    recipe = FULL.model_copy(update={"consistency": 0.02})
    batches = Batches(crops, 4, 32, recipe, 1)
    pairs = batches.order.reshape(-1, 2)
    assert len(pairs) == 5 and (pairs[:, 0] == pairs[:, 1]).all() and len(set(pairs[:, 0])) > 1
    pixels, labels = batches[0]
    assert not np.array_equal(pixels[0], pixels[1]) and (labels[::2] == labels[1::2]).all()


def test_a_share_of_the_blends_are_swaps_and_the_same_again(crops, monkeypatch):
    sampling = Sampling(power=1.0, self_blend=0.5, swapped=0.5)
    swapped = []
    monkeypatch.setattr(batches_module, "face_swap", lambda *given: swapped.append(given) or face_swap(*given))
    first, again = (Batches(crops, 100, 32, FULL.model_copy(update={"sampling": sampling}), 1) for _ in range(2))
    pixels, labels = first[0]
    assert 0 < len(swapped) < first.blended.sum() and labels[first.blended].min() == 1
    assert np.array_equal(again[0][0], pixels)
    assert not any(np.shares_memory(donor, target) for target, _, donor, _, _ in swapped)
