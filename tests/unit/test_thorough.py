"""What being thorough is worth: the wider band beside it, the rule, and the report that the default rests on."""

import hashlib
import json

import pytest
from project import ROOT

from deepfake_detect import Face, Verdict
from deepfake_detect.detector import THOROUGH
from deepfake_detect.verdict import label_of
from train.thorough import VerdictPair, compared, is_worth_it, label_with, thorough_markdown, widened

BAND = (0.2, 0.8)
REPORT = json.loads((ROOT / "reports" / "thorough" / "thorough.json").read_text(encoding="utf-8"))


def pair(p_fake: float, label: int, flips: bool = False) -> VerdictPair:
    """A picture of one face."""
    verdicts = []
    for said in (label_of(p_fake, BAND), "unsure" if flips else label_of(p_fake, BAND)):
        face = Face((0, 0, 200, 200), 0.9, p_fake, said)
        verdicts.append(Verdict(said, p_fake, max(p_fake, 1 - p_fake), (), (face,)))
    return VerdictPair(label, *verdicts)


def test_a_band_is_widened_at_both_ends_and_never_beyond_certainty():
    low, high = widened(BAND, 1.0)
    assert low < 0.2 and high > 0.8 and low == pytest.approx(1 - high)
    assert widened(BAND, 0) == pytest.approx(BAND) and widened((0.0, 1.0), 3.0) == (0.0, 1.0)


def test_inside_the_wider_band_a_face_is_unsure():
    one = pair(0.85, 1)
    assert label_with(one, BAND) == "fake" and label_with(one, (0.2, 0.9)) == "unsure"


def test_the_wider_band_leaves_as_many_decided():
    pictures = [pair(p, int(p > 0.5)) for p in (0.01, 0.05, 0.15, 0.86, 0.9, 0.99)]
    pictures += [pair(0.95, 0, flips=True), pair(0.5, 1)]
    found = compared(pictures, BAND)
    assert found["flipped"] == 1 and found["plain"]["coverage"] == 7 / 8
    assert found["thorough"]["coverage"] == 6 / 8 >= found["wider"]["coverage"]
    assert found["thorough"]["accuracy"] == 1 > found["wider"]["accuracy"]
    assert (found["thorough"]["false_alarm_rate"], found["wider"]["false_alarm_rate"]) == (0, 1 / 4)


@pytest.mark.parametrize(
    ("val", "cross", "ratio", "worth"),
    [(0.02, 0.01, 2.0, True), (0.005, 0.01, 2.0, False), (0.02, -0.01, 2.0, False), (0.02, 0.01, 3.0, False)],
)
def test_it_is_worth_it_where_it_is_right_more_often_on_both_and_fast_enough(val, cross, ratio, worth):
    splits = {
        name: {"thorough": {"accuracy": 0.9 + gain}, "wider": {"accuracy": 0.9}}
        for name, gain in (("val", val), ("cross", cross))
    }
    assert is_worth_it(splits, ratio) == worth


def test_the_default_is_what_was_measured_of_the_shipped_model():
    assert REPORT["model"]["sha256"] == hashlib.sha256((ROOT / "model.onnx").read_bytes()).hexdigest()
    assert THOROUGH == REPORT["worth_it"] == is_worth_it(REPORT["splits"], REPORT["time"]["ratio"])
    text = (ROOT / "reports" / "thorough" / "thorough.md").read_text(encoding="utf-8")
    assert text == thorough_markdown(REPORT)
