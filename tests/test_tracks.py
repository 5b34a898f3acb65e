"""Faces followed from frame to frame by place and size, and one score from those of many frames."""

import pytest

from detect.tracks import MAX_GAP, follow
from detect.video import robust_average

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


def test_the_average_leaves_out_what_lies_furthest_out():
    calm = [0.1, 0.12, 0.08, 0.11, 0.1, 0.09, 0.1]
    assert robust_average([*calm, 0.999999]) == pytest.approx(0.1, abs=0.02)
    assert robust_average([0.2, 0.3, 1 - 1e-15]) == pytest.approx(0.3)
    assert robust_average([0.7]) == pytest.approx(0.7) and robust_average([0.2, 0.8]) == pytest.approx(0.5)
    assert robust_average(calm) == robust_average(calm[::-1])


def test_the_average_is_not_blind_to_a_third_of_the_frames():
    assert 0.1 < robust_average([0.05] * 40 + [0.95] * 20) < 0.5
    assert robust_average([0.3] * 64) == pytest.approx(0.3)  # many frames make no verdict surer
