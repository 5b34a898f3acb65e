"""How far a face can be judged at all: warnings that go with a verdict."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.verdict import Reason, longer_side

MIN_FACE = 64  # pixels on the face's longer side
TOO_SMALL = "A face is only {} pixels large; under {} the score says little."
MANY_TOO_SMALL = "{} faces are smaller than {} pixels ({}); on them the score says little."
BLURRED = Reason("blurred", "A face is blurred, which hides the traces that the score rests on.")
ENLARGED = Reason(
    "enlarged", "A face seems to be enlarged: it has less detail than pixels, and the score may say little."
)
SHARPNESS_SIDE = 96  # faces are compared at this size, so that the figure does not depend on resolution
MIN_SHARPNESS = 0.025  # about two in a hundred validation pictures lie below, nearly all of them visibly blurred

DETAIL_SIDE = 512  # pixels; bounds the time
MIN_DETAIL = 0.0006  # about two in a hundred validation pictures lie below, and most copies enlarged three times


def sharpness(crop: np.ndarray) -> float:
    """How much fine detail a crop [S, S, 3] uint8 RGB has, whatever its brightness and contrast.

    The variance of the Laplacian (Pech-Pacheco et al. 2000) over the variance of the grey levels, at 96 x 96;
    0 for a uniform picture, about 0.1 for an ordinary one.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SHARPNESS_SIDE, SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    return _variance(cv2.Laplacian(grey, cv2.CV_32F)) / (_variance(grey) + 1)


def detail(picture: np.ndarray, box: Sequence[int]) -> float:
    """How much of a face is lost when it is halved and doubled again: about 0.01 for an ordinary face at its own size,
    near 0 where its pixels were made up by enlarging.

    The variance of the difference over that of the grey levels, in the face's middle of at most DETAIL_SIDE pixels.

    Args:
        picture: [H, W, 3] uint8 RGB.
        box: the face (left, top, right, bottom) in pixels.
    """
    left, top, right, bottom = box
    beside, above = (max(0, side - DETAIL_SIDE) // 2 for side in (right - left, bottom - top))
    middle = picture[top + above : bottom - above, left + beside : right - beside]
    grey = cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY).astype(np.float32)
    size = grey.shape[1::-1]
    half = cv2.resize(grey, [max(1, round(side / 2)) for side in size], interpolation=cv2.INTER_AREA)
    back = cv2.resize(half, size, interpolation=cv2.INTER_CUBIC)
    return _variance(cv2.subtract(grey, back)) / (_variance(grey) + 1)


def _variance(values: np.ndarray) -> float:
    return float(cv2.meanStdDev(values)[1].item() ** 2)


def joined(boxes: Iterable[tuple[int, int, int, int]], warnings: Iterable[Iterable[Reason]]) -> list[Reason]:
    """The warnings of a picture's faces, see `face_warnings`: each once, and one for all small faces."""
    sides = sorted(side for box in boxes if (side := longer_side(box)) < MIN_FACE)
    every = [warning for of_face in warnings for warning in of_face]
    if len(sides) > 1:
        span = f"{sides[0]} to {sides[-1]}" if sides[0] < sides[-1] else f"{sides[0]}"
        many = Reason("face_too_small", MANY_TOO_SMALL.format(len(sides), MIN_FACE, span))
        every = [many if warning.code == many.code else warning for warning in every]
    return list(dict.fromkeys(every))


def _reduced(box: Sequence[int], downscale: int) -> list[int]:
    """A box in pixels of a reduced picture, outwards."""
    left, top, right, bottom = box
    return [left // downscale, top // downscale, -(-right // downscale), -(-bottom // downscale)]


def face_warnings(picture: Downscaled, box: tuple[int, int, int, int], crop: np.ndarray) -> list[Reason]:
    """Warnings of one face: too small, blurred, enlarged. Empty where nothing is wrong.

    Args:
        picture: in which the face is. Of a reduced one, the detail of the pixels that the crop is made of counts.
        box: the face (left, top, right, bottom) in pixels of the whole.
        crop: [S, S, 3] uint8 RGB.
    """
    warnings = []
    side = longer_side(box)
    if side < MIN_FACE:
        warnings.append(Reason("face_too_small", TOO_SMALL.format(side, MIN_FACE)))
    if sharpness(crop) < MIN_SHARPNESS:
        warnings.append(BLURRED)
    elif side >= MIN_FACE and detail(picture.pixels, _reduced(box, picture.downscale)) < MIN_DETAIL:
        warnings.append(ENLARGED)
    return warnings
