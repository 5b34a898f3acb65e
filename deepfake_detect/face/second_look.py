"""Is it a face? YuNet asked again, on windows in which what it found has a size and place of their own choosing.

A face is one at any size; petals, a tree or a wheel are at the scale at which they were found. The constants are
chosen on pictures without people and on val and cross, see `train.faces`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from deepfake_detect.face.yunet import SCORE, XS, YS, Yunet

SURE = 0.9  # a score from which no second look is needed
FILLED = 0.8  # of the picture's longest side: a face of this size was cut out by someone, and has nothing around it
LOOKS = ((64, False), (80, True), (112, False))  # side of the face in the window, and whether the window is mirrored
DOUBTED = 0.5  # a large face to which two of the looks do not give as much is none; one that the edge cuts off, to none
CUT_OFF = 0.8  # a score with which a face that the edge cuts off is believed to stand as it was found
CONFIRMED = 0.8  # mean of the looks from which a small or faint face is one
CLEAR = 0.82  # a score from which a small face is one in any case: one that the edge cuts off has no better look
SCREEN_SIDE, SCREENED = 32, 0.3  # first look at faint evidence: many at once, on one canvas
TURNED_SIDE = 64  # of the face in a window that is turned
ROOM = 2  # side of a window, of the face's
FAINTEST = 0.05  # score of the faces that a look considers
OFF_CENTRE, SIZES = 0.4, (0.5, 1.8)  # of the size asked for: how far off the middle a face may be, and how large
SHRUNK = 1.5  # from so many pixels for one on, they are averaged; cv2.warpAffine does not do that
REACH = 0.75  # of a window's side, on each side of a face's centre, in which all of its turned windows lie


def is_face(yunet: Yunet, picture: np.ndarray, row: np.ndarray) -> bool:
    """Whether a large face in a picture [H, W, 3], a row of `Yunet.rows`, is plausible."""
    side = float(row[2:4].max())
    if row[SCORE] >= SURE or side >= FILLED * max(picture.shape[:2]):
        return True
    centre = row[:2] + row[2:4] / 2
    left, top = row[:2]
    right, bottom = row[:2] + row[2:4]
    cut_off = min(left, top) <= 1 or right >= picture.shape[1] - 1 or bottom >= picture.shape[0] - 1
    needed, agreed = 1 if cut_off and row[SCORE] >= CUT_OFF else 2, 0
    for number, look in enumerate(LOOKS[::-1], 1):
        agreed += _look(yunet, picture, centre, side, *look)[0] >= DOUBTED
        if agreed >= needed or agreed + len(LOOKS) - number < needed:
            break
    return agreed >= needed


def is_upright(yunet: Yunet, picture: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Whether a face is beyond doubt as it stands: at another size YuNet is as sure as of a small face that is one."""
    left, top, right, bottom = box
    centre = np.array([left + right, top + bottom]) / 2
    return _look(yunet, picture, centre, max(right - left, bottom - top), *LOOKS[0])[0] >= CONFIRMED


def confirmed(yunet: Yunet, picture: np.ndarray, row: np.ndarray) -> np.ndarray | None:
    """A small face's row, see `Yunet.rows`, as an enlarged look has it; None where it is no face."""
    side, centre = float(row[2:4].max()), row[:2] + row[2:4] / 2
    last, seen = _look(yunet, picture, centre, side, *LOOKS[-1])
    if row[SCORE] >= CLEAR:
        return row if last < DOUBTED else seen
    if seen is None:
        return None
    # what was faint may have been framed badly: the others look at where the face is by now
    side, centre = float(seen[2:4].max()), seen[:2] + seen[2:4] / 2
    scores = [last, *(_look(yunet, picture, centre, side, *look)[0] for look in LOOKS[:-1])]
    return seen if np.mean(scores) >= CONFIRMED else None


def screened(yunet: Yunet, picture: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[N] bool: which places, see `Yunet.rows`, look like a face when they are enlarged; all on one canvas."""
    cell = ROOM * SCREEN_SIDE
    passed = np.zeros(len(rows), bool)
    beside = max(1, int(np.ceil(len(rows) ** 0.5)))
    canvas = np.zeros((cell * -(-len(rows) // beside), cell * beside, 3), np.uint8)
    for number, row in enumerate(rows):
        y, x = (cell * place for place in divmod(number, beside))
        window, _ = _window(picture, row[:2] + row[2:4] / 2, float(row[2:4].max()), SCREEN_SIDE)
        canvas[y : y + cell, x : x + cell] = window
    if not len(rows):
        return passed
    for seen in yunet.rows(canvas, SCREENED):
        centre = seen[:2] + seen[2:4] / 2
        column, line = (int(place // cell) for place in centre)
        number = line * beside + column
        if 0 <= column < beside and 0 <= number < len(rows):
            middle = (np.array([column, line]) + 0.5) * cell
            passed[number] |= _in_place(centre - middle, seen, SCREEN_SIDE)
    return passed


def _look(
    yunet: Yunet, picture: np.ndarray, centre: np.ndarray, side: float, look: int, mirrored: bool
) -> tuple[float, np.ndarray | None]:
    """The score of the best face in the middle of a window, and its row in pixels of the picture (of windows that
    are not mirrored); 0 and None without one."""
    window, back = _window(picture, centre, side, look)
    if mirrored:
        window = np.ascontiguousarray(window[:, ::-1])
    middle = np.array([ROOM * look / 2] * 2)
    for row in yunet.rows(window, FAINTEST):
        if _in_place(row[:2] + row[2:4] / 2 - middle, row, look):
            found = row.copy()
            corner, scale = back
            found[:SCORE] *= scale
            found[XS] += corner[0]
            found[YS] += corner[1]
            return float(row[SCORE]), found
    return 0.0, None


class Place(NamedTuple):
    """A face and what is around it, at a size at which it can be looked at from any side."""

    pixels: np.ndarray  # [H, W, 3] uint8
    centre: np.ndarray  # of the face, in these
    scale: float  # pixels of the picture for one of a window of `turned_look`
    shrink: float  # of these for one of the picture


def place_of(picture: np.ndarray, centre: np.ndarray, side: float) -> Place:
    """The place of a face of this centre and side in pixels of a picture [H, W, 3]."""
    scale = side / TURNED_SIDE
    source, shrink = picture, 1.0
    if scale > SHRUNK:
        reach = side * ROOM * REACH
        left, top = np.maximum(np.floor(centre - reach), 0).astype(int)
        right, bottom = np.ceil(centre + reach).astype(int)
        part, shrink = picture[top:bottom, left:right], 1 / scale
        source = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        centre = (centre - (left, top)) * shrink
    return Place(source, centre, scale, shrink)


def turned_look(yunet: Yunet, place: Place, angle: float) -> np.ndarray | None:
    """The face in the middle of a window that is turned anticlockwise by so many degrees: its row [15] with sizes and
    landmarks in the window's directions, in pixels of the picture from the face's own centre; None without one."""
    size, scale = ROOM * TURNED_SIDE, place.scale
    x, y = (float(value) for value in place.centre)
    onto = np.asarray(cv2.getRotationMatrix2D((x - 0.5, y - 0.5), angle, 1 / (scale * place.shrink)), np.float64)
    onto[:, 2] += size / 2 - np.array([x, y])
    kind = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC
    window = cv2.warpAffine(place.pixels, onto, (size, size), flags=kind, borderMode=cv2.BORDER_REPLICATE)
    for row in yunet.rows(window, FAINTEST):
        if _in_place(row[:2] + row[2:4] / 2 - size / 2, row, TURNED_SIDE):
            found = row.copy()
            found[XS] -= size / 2
            found[YS] -= size / 2
            found[:SCORE] *= scale
            return found
    return None


def _in_place(offset: np.ndarray, row: np.ndarray, look: int) -> bool:
    return bool(np.abs(offset).max() < OFF_CENTRE * look and SIZES[0] < row[2:4].max() / look < SIZES[1])


def _window(
    picture: np.ndarray, centre: np.ndarray, side: float, look: int
) -> tuple[np.ndarray, tuple[np.ndarray, float]]:
    """The square around a face in which it is `look` pixels large; the picture's edge is continued.

    Returns:
        [ROOM * look, ROOM * look, 3] uint8, and where its corner is in the picture, with pixels of that for one of it.
    """
    size, scale = ROOM * look, side / look
    corner = np.asarray(centre, float) - side * ROOM / 2
    if scale > SHRUNK:
        left, top = np.floor(corner).astype(int)
        right, bottom = np.ceil(corner + side * ROOM).astype(int)
        height, width = picture.shape[:2]
        above, below = max(0, -top), max(0, bottom - height)
        before, behind = max(0, -left), max(0, right - width)
        part = picture[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
        part = cv2.copyMakeBorder(part, above, below, before, behind, cv2.BORDER_REPLICATE)
        return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), (
            np.array([left, top]),
            part.shape[1] / size,
        )
    # whole numbers are the centres of pixels in it, and their corners here
    onto = np.array(
        [[1 / scale, 0, 0.5 / scale - 0.5 - corner[0] / scale], [0, 1 / scale, 0.5 / scale - 0.5 - corner[1] / scale]]
    )
    kind = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_CUBIC
    window = cv2.warpAffine(picture, onto, (size, size), flags=kind, borderMode=cv2.BORDER_REPLICATE)
    return window, (corner, scale)
