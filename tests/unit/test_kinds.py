"""Kinds of fakes and photographs, by data set, and how training draws by them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import yaml
from data_sets import RECIPE
from recipes import FULL, make_crops

from train.batches import Batches, draw
from train.data import read_samples
from train.kinds import KINDS, PHOTOGRAPHS, kind_and_part, kind_number
from train.recipe import Recipe, Sampling

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("source", "label", "origin", "expected"),
    [
        ("dfdc", 0, "", ("video_frame", "dfdc")),
        ("dfdc", 1, "", ("swap_or_reenactment", "dfdc")),
        ("ciplab", 1, "", ("edited", "ciplab")),
        ("sfhq", 0, "", ("", "sfhq")),  # of fakes alone
        ("somebody-s", 1, "", ("", "somebody-s")),
        ("utkface", 0, "utkface/real/31_0_1_20170105164926876.jpg.chip.jpg", ("snapshot", "utkface-black")),
        ("utkface", 0, "a/b:UTKFace/100_1_2_2017.jpg.chip.jpg@1d1e6f1c", ("snapshot", "utkface-asian")),
        ("utkface", 0, "31_1_0_2017.jpg", ("snapshot", "utkface")),
    ],
)
def test_a_picture_has_the_kind_and_part_of_the_table(source, label, origin, expected):
    assert kind_and_part(source, label, origin) == expected


def test_kinds_are_the_places_of_an_output():
    assert [kind_number(kind, 1) for kind in KINDS[1:]] == [1, 2, 3, 4]
    assert {kind_number(kind, 0) for kind in (*PHOTOGRAPHS, "")} == {0} and kind_number("", 1) == -1


def test_every_picture_at_hand_is_of_a_known_kind(faces_data):
    assert all(sample.kind for sample in read_samples(faces_data))


def crops_of(groups: list[tuple[int, str, str, int]]):
    """Of (label, kind, part, pictures)."""
    labels, kinds, parts = ([value for group in groups for value in [group[place]] * group[3]] for place in (0, 1, 2))
    return replace(make_crops(labels, parts), kinds=kinds, parts=parts)


GROUPS = [(0, "snapshot", "a", 40), (0, "portrait", "b", 10), (0, "portrait", "b2", 40),
          (1, "gan", "c", 80), (1, "edited", "d", 5), (1, "", "e", 20)]  # fmt: skip


def test_draws_follow_the_kinds_weights_and_within_a_kind_its_parts():
    options = Sampling(power=0.5, self_blend=0.0, kinds={"snapshot": 3.0, "portrait": 1.0, "gan": 2.0, "edited": 1.0})
    order, blended = draw(crops_of(GROUPS), options, np.random.default_rng(0), 800)
    counts = Counter(np.array(crops_of(GROUPS).parts)[order].tolist())
    assert not blended.any() and sum(counts.values()) == 800
    # 400 photographs by 3 to 1, the portraits by 1 to 2 (square roots of 10 and 40); 400 fakes by 2 to 1 to 1
    assert counts == pytest.approx({"a": 300, "b": 33, "b2": 67, "c": 200, "d": 100, "e": 100}, abs=1)
    drawn = Counter(order.tolist())
    assert {drawn[number] for number in range(40)} <= {7, 8}  # none twice before all were once


def test_a_favoured_part_is_drawn_as_often_more_and_its_kind_is_not():
    options = Sampling(power=0.5, self_blend=0.0, kinds={"portrait": 1.0}, favoured={"b": 2.0})
    order, _ = draw(crops_of(GROUPS), options, np.random.default_rng(0), 800)
    counts = Counter(np.array(crops_of(GROUPS).parts)[order].tolist())
    assert counts["a"] == 200 and counts["b"] == pytest.approx(100, abs=1) and counts["b2"] == pytest.approx(100, abs=1)


def test_labels_of_a_recipe_of_kinds_leave_out_the_unknown_and_take_self_blends_for_swaps():
    crops = crops_of(GROUPS)
    recipe = FULL.model_copy(update={"kinds": 0.5, "views_per_epoch": 60})
    batches = Batches(crops, 60, 32, recipe, 0)
    assert len(batches.order) == 60
    pixels, labels, weights = batches[0]
    kinds = np.array([*crops.kinds])[batches.order]
    expected = np.array(
        [kind_number(kind, label) for kind, label in zip(kinds, crops.labels[batches.order], strict=True)]
    )
    expected[batches.blended] = 1
    assert pixels.shape == (60, 32, 32, 3) and batches.blended.sum() == 15 and (expected < 0).any()
    assert np.array_equal(labels["logits"], expected != 0)
    assert np.array_equal(weights["kinds"], expected >= 0) and weights["logits"].all()
    assert np.array_equal(labels["kinds"][expected >= 0], expected[expected >= 0])


def test_views_of_every_new_augmentation_are_the_same_again():
    degrade = FULL.degrade.model_dump() | {"enlarge": 1.5, "smooth": 0.5, "moire": 0.5, "chain": 0.5, "webp": 0.5}
    reframe = {"scale": 0.25, "shift": 0.12, "rotation": 12.0, "rotated": 0.5, "border": 0.5}
    recipe = Recipe.model_validate(yaml.safe_load(RECIPE) | {"degrade": degrade, "reframe": reframe})
    crops = make_crops([0, 1] * 8, ["a"] * 16)
    first, again, other = (Batches(crops, 16, 32, recipe, epoch)[0][0] for epoch in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
