"""Several faces of a video decide together as those of a picture do, whatever the rule's temperature."""

import numpy as np
import pytest

from deepfake_detect.crowd import weigh
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Face, label_of
from deepfake_detect.video.decide import decided_again
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import FaceObservation, JudgedFrame

BOX, FRAMES = (0, 0, 100, 100), 4
BAND = (0.25, 0.9)  # before the temperature


def decided(p_fake: list[float], rule: VideoRule) -> tuple[str, float]:
    """Label and p_fake of a video whose faces score the same in every frame."""
    faces = tuple(FaceObservation(number, BOX, 1.0, p, 0.1) for number, p in enumerate(p_fake, 1))
    return decided_again([JudgedFrame(float(n), faces) for n in range(FRAMES)], rule)


def warmed(temperature: float) -> VideoRule:
    """A rule that decides single faces alike at every temperature."""
    unit = VideoRule((0.0, 1.0), temperature=temperature)
    low, high = (unit.p_fake(float(np.log(end / (1 - end)))) for end in BAND)
    return VideoRule((low, high), temperature=temperature)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 4.5])
@pytest.mark.parametrize("p_fake", [[0.99, 0.02, 0.02], [0.95, 0.1], [0.92] * 6, [0.5, 0.1], [0.01] * 3, [0.95], [0.1]])
def test_the_temperature_changes_what_is_shown_and_not_what_is_decided(p_fake, temperature):
    rule = warmed(temperature)
    faces = [Face(BOX, 1.0, p, label_of(p, BAND)) for p in p_fake]
    expected, together = weigh(faces, BAND)
    label, shown = decided(p_fake, rule)
    assert label == expected == label_of(shown, rule.unsure_band)
    assert rule.untempered(shown) == pytest.approx(together, abs=1e-6)


def test_one_fake_among_three_is_found_by_a_cautious_rule_too():
    label, shown = decided([0.99, 0.02, 0.02], warmed(4.5))
    assert label == FAKE and shown < 0.9
    assert decided([0.8, 0.02, 0.02], warmed(4.5))[0] == UNSURE and decided([0.02] * 3, warmed(4.5))[0] == REAL


def test_untempered_is_the_way_back():
    rule = VideoRule((0.3, 0.7), temperature=3.0)
    assert [rule.untempered(p) for p in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]
    assert rule.untempered(rule.p_fake(2.0)) == pytest.approx(1 / (1 + np.exp(-2.0)))
