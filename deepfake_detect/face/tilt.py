"""A face's tilt in the plane, so that it can be cut level.

YuNet draws the landmarks of a tilted face towards upright, and of one upside down it invents them. So a face is turned
by what its eyes say and looked at again, and one that YuNet is not sure of is looked at from all sides.
"""

from dataclasses import replace

import numpy as np

from deepfake_detect.face.found import FoundFace
from deepfake_detect.face.second_look import CUT_OFF, SURE, Place, place_of, turned_look
from deepfake_detect.face.yunet import SCORE, Yunet

UPRIGHT = 40  # degrees of tilt up to which a face keeps the box of the upright look
LEVEL = 10  # degrees of tilt up to which a face is cut as it is
SIDES = tuple(range(0, 360, 45))  # degrees at which a face is looked at that YuNet is not sure of
GAIN, LOSS = 0.03, 0.1  # a turned look must be surer than the one at hand, and about as sure as the finder was
MAX_SKEW = 25  # degrees between the line of the eyes and what the mouth says of it, beyond which neither is believed
MIN_EYES = 0.25  # distance of the eyes, of the face's side: in a profile they say nothing of the tilt
STEPS = 3  # times that a face is turned by what its eyes say, at most
MIN_SIDE = 24  # pixels; of a smaller face the landmarks are noise
# Of a degree, to which angles are rounded: builds of onnxruntime differ in YuNet's last digits, and each look is turned
# by what the one before saw. Rounded, they turn a face alike, but for one that lies at the edge of two steps.
FINEST = 1 / 64


def levelled(yunet: Yunet, picture: np.ndarray, face: FoundFace) -> FoundFace:
    """The face with its `angle`, and, where it lies on its side or upside down, with the box and landmarks of a look
    at it that is turned level.

    Args:
        yunet: the network.
        picture: [H, W, 3] uint8 RGB.
        face: in pixels of it.
    """
    seen = eye_angle(np.array(face.landmarks), face.side)
    doubted = face.score < SURE and not is_cut_off(face, picture)
    if face.side < MIN_SIDE or (not doubted and seen is not None and abs(seen) <= LEVEL):
        return face
    left, top, right, bottom = face.box
    centre = np.array([left + right, top + bottom]) / 2
    start, place = seen or 0.0, place_of(picture, centre, face.side)
    if doubted:
        looks = {side: turned_look(yunet, place, side) for side in (start, *SIDES)}
        scores = {side: 0.0 if row is None else float(row[SCORE]) for side, row in looks.items()}
        best = max(scores, key=scores.__getitem__)
        if scores[best] > scores[start] + GAIN and scores[best] > face.score - LOSS:
            start = float(best)
    angle, row = _by_eyes(yunet, place, start)
    if row is None or abs(angle) <= LEVEL:
        return face
    if abs(angle) < UPRIGHT:
        return replace(face, angle=angle)
    return _turned_level(face, row, centre, angle, picture)


def is_cut_off(face: FoundFace, picture: np.ndarray) -> bool:
    """Whether the picture's edge cuts a face off, which alone makes YuNet less sure of it."""
    left, top, right, bottom = face.box
    height, width = picture.shape[:2]
    return face.score >= CUT_OFF and (min(left, top) <= 0 or right >= width or bottom >= height)


def eye_angle(landmarks: np.ndarray, side: float) -> float | None:
    """Degrees clockwise, -180..180, by which a face is tilted, to FINEST, by its five landmarks [5, 2]; None where they
    say nothing of it."""
    right_eye, left_eye, _, *mouth = landmarks
    eyes, down = left_eye - right_eye, np.mean(mouth, axis=0) - (right_eye + left_eye) / 2
    angle, by_mouth = (float(np.degrees(np.arctan2(y, x))) for x, y in (eyes, (down[1], -down[0])))
    skew = abs((angle - by_mouth + 180) % 360 - 180)
    return None if skew > MAX_SKEW or np.hypot(*eyes) < MIN_EYES * side else round(angle / FINEST) * FINEST


def _by_eyes(yunet: Yunet, place: Place, angle: float) -> tuple[float, np.ndarray | None]:
    """The angle, -180..180, at which the eyes are level, and the row of the look at that; None where they never are."""
    for _ in range(STEPS):
        row = turned_look(yunet, place, angle)
        if row is None:
            return angle, None
        more = eye_angle(row[4:14].reshape(5, 2), float(row[2:4].max()))
        if more is None:
            return angle, None
        angle = (angle + more + 180) % 360 - 180
        if abs(more) < LEVEL / 2:
            return angle, row
    return angle, row


def _turned_level(face: FoundFace, row: np.ndarray, centre: np.ndarray, angle: float, picture: np.ndarray) -> FoundFace:
    """The face with box and landmarks of a turned look's row, see `turned_look`."""
    turn = np.radians(angle)
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    x, y = back @ (row[:2] + row[2:4] / 2) + centre
    share = np.sin(turn) ** 2  # upright its height, on its side its width
    across, down = np.array([[1 - share, share], [share, 1 - share]]) @ row[2:4] / 2
    height, width = picture.shape[:2]
    left, top = (int(v) for v in np.clip(np.floor([x - across, y - down]), 0, [width - 1, height - 1]))
    right, bottom = (int(v) for v in np.clip(np.ceil([x + across, y + down]), [left + 1, top + 1], [width, height]))
    landmarks = row[4:14].reshape(5, 2) @ back.T + centre
    return replace(
        face, box=(left, top, right, bottom), landmarks=tuple((float(u), float(v)) for u, v in landmarks), angle=angle
    )
