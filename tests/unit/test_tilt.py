"""The angle of a tilted face: what its landmarks say, in no more digits than every build of onnxruntime gives."""

import numpy as np
import pytest

from deepfake_detect.face.tilt import FINEST, eye_angle

UPRIGHT = np.array([[-20, -15], [20, -15], [0, 5], [-15, 25], [15, 25]])  # eyes, nose tip and mouth corners
SIDE = 100.0


def turned(degrees: float) -> np.ndarray:
    turn = np.radians(degrees)
    return UPRIGHT @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + [300, 200]


@pytest.mark.parametrize("degrees", [-170.1, -45.03, -11.6, 0, 0.01, 10.02, 23.3, 90, 179.4])
def test_the_last_digits_of_landmarks_do_not_turn_a_face(degrees):
    angle, noise = eye_angle(turned(degrees), SIDE), np.random.default_rng(0)
    assert abs(angle - degrees) <= FINEST / 2 + 1e-9 and (angle / FINEST).is_integer()
    near = {eye_angle(turned(degrees) + noise.uniform(-1e-5, 1e-5, (5, 2)), SIDE) for _ in range(50)}
    assert near == {angle}


def test_turns_add_up_without_rounding():
    """As each look is turned by what the one before saw, the sum has to be the same number however it came about."""
    steps = [eye_angle(turned(degrees), SIDE) for degrees in (33.3, -7.77, 1.23)]
    assert sum(steps) == sum(reversed(steps)) and (sum(steps) / FINEST).is_integer()


def test_landmarks_that_contradict_each_other_say_nothing():
    skewed = UPRIGHT.copy()
    skewed[3:] = [[25, 5], [35, 25]]  # the mouth beside the eyes
    assert eye_angle(skewed, SIDE) is None and eye_angle(UPRIGHT, 400.0) is None
