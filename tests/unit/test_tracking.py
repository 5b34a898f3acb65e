"""Faces followed from frame to frame by place and size, and one score from those of many frames."""

import json
from dataclasses import replace

import numpy as np
import pytest
from onnx_files import METADATA

from deepfake_detect.errors import ModelError
from deepfake_detect.model.onnx_model import Metadata
from deepfake_detect.video.rule import VideoRule, trimmed_mean
from deepfake_detect.video.tracking import MAX_GAP, follow

LEFT, RIGHT, CLOSE = (0, 0, 100, 120), (150, 0, 250, 120), (0, 0, 200, 240)


@pytest.mark.parametrize(
    ("frames", "tracks"),
    [
        ([], []),
        ([[], [LEFT], []], [[], [0], []]),
        ([[LEFT, RIGHT], [RIGHT, LEFT], [RIGHT]], [[0, 1], [1, 0], [1]]),  # the finder's order does not matter
        ([[LEFT], [(110, 0, 210, 120)]], [[0], [0]]),
        ([[LEFT], [RIGHT]], [[0], [1]]),  # too far away
        ([[LEFT], [CLOSE]], [[0], [1]]),  # a cut to a close-up
        ([[LEFT], [(60, 0, 160, 120), (5, 0, 105, 120)]], [[0], [1, 0]]),  # the nearest of two
        ([[LEFT], *[[]] * (MAX_GAP + 1), [LEFT], [LEFT, RIGHT]], [[0], *[[]] * (MAX_GAP + 1), [1], [1, 2]]),
    ],
)
def test_boxes_are_linked_by_place_and_size(frames, tracks):
    assert follow(frames) == tracks


def average(p_fake, sides=None, sharpness=None, **fitted) -> float:
    """Of frames that weigh the same, unless told otherwise."""
    rule = VideoRule((0.3, 0.7), **fitted)
    return rule.p_fake(rule.log_odds(p_fake, sides or [100] * len(p_fake), sharpness or [0.1] * len(p_fake)))


def test_the_average_leaves_out_what_lies_furthest_out():
    calm = [0.1, 0.12, 0.08, 0.11, 0.1, 0.09, 0.1]
    assert average([*calm, 0.999999]) == pytest.approx(0.1, abs=0.02)
    assert average([0.2, 0.3, 1 - 1e-15]) == pytest.approx(0.3)
    assert average([0.7]) == pytest.approx(0.7) and average([0.2, 0.8]) == pytest.approx(0.5)
    assert average(calm) == average(calm[::-1])


def test_the_average_is_not_blind_to_a_third_of_the_frames():
    assert 0.1 < average([0.05] * 40 + [0.95] * 20) < 0.5
    assert average([0.3] * 64) == pytest.approx(0.3)  # many frames make no verdict surer


def test_without_weights_whole_frames_are_left_out():
    values = np.random.default_rng(0).normal(size=64)
    assert trimmed_mean(values, np.ones(64), 0.1) == pytest.approx(np.sort(values)[7:-7].mean())
    assert trimmed_mean(values, np.ones(64), 0.49) == pytest.approx(np.median(values))
    assert trimmed_mean(values, np.ones(64), 0) == pytest.approx(values.mean())


def test_what_a_rule_weighs_counts_more():
    scores = [0.1, 0.1, 0.1, 0.9, 0.9, 0.9]
    assert average(scores) == pytest.approx(0.5)
    assert average(scores, sides=[50, 50, 50, 200, 200, 200], size_power=1) > 0.7
    assert average(scores, sharpness=[0.2, 0.2, 0.2, 0.05, 0.05, 0.0], sharpness_power=1) < 0.3
    assert average(scores, sides=[50] * 6, sharpness=[0.0] * 6, size_power=2, sharpness_power=2) == pytest.approx(0.5)


def test_a_temperature_makes_the_average_surer_or_less_sure():
    assert average([0.6] * 9, temperature=0.5) > 0.65 and 0.5 < average([0.6] * 9, temperature=2) < 0.56
    assert average([0.5] * 9, temperature=0.1) == pytest.approx(0.5)


def test_a_model_file_carries_the_rule_of_its_videos():
    fitted = VideoRule((0.25, 0.75), trim=0.2, size_power=1.0, temperature=0.6)
    assert VideoRule.of(METADATA) == VideoRule(METADATA.unsure_band)
    carried = Metadata.from_properties(replace(METADATA, video=fitted.to_dict()).to_properties())
    assert VideoRule.of(carried) == fitted


@pytest.mark.parametrize(
    "change",
    [{"trim": 0.5}, {"temperature": 0}, {"unsure_band": [0.6, 0.7]}, {"unsure_band": [0.3]}, {"size_power": -1},
     {"sharpness_power": "1"}, {"median": True}],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(change):
    rule = VideoRule((0.25, 0.75)).to_dict() | change
    with pytest.raises(ModelError):
        Metadata.from_properties(METADATA.to_properties() | {"video": json.dumps(rule)})
