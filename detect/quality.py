"""How far a face can be judged at all: warnings that go with a verdict."""

import cv2
import numpy as np

MIN_FACE = 64  # pixels on the face's longer side
SHARPNESS_SIDE = 96  # faces are compared at this size, so that the figure does not depend on resolution
MIN_SHARPNESS = 0.025  # about two in a hundred validation pictures lie below, nearly all of them visibly blurred


def sharpness(crop: np.ndarray) -> float:
    """How much fine detail a crop [S, S, 3] uint8 RGB has, whatever its brightness and contrast.

    The variance of the Laplacian (Pech-Pacheco et al. 2000) over the variance of the grey levels, at 96 x 96;
    0 for a uniform picture, about 0.1 for an ordinary one.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SHARPNESS_SIDE, SHARPNESS_SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var() / (grey.var() + 1))


def face_warnings(box: tuple[int, int, int, int], crop: np.ndarray) -> list[str]:
    """Sentences on one face: too small, blurred. Empty where nothing is wrong."""
    warnings = []
    side = max(box[2] - box[0], box[3] - box[1])
    if side < MIN_FACE:
        warnings.append(f"A face is only {side} pixels large; under {MIN_FACE} the score says little.")
    if sharpness(crop) < MIN_SHARPNESS:
        warnings.append("A face is blurred, which hides the traces that the score rests on.")
    return warnings
