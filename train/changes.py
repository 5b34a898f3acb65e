"""Small changes of a whole picture after which it is as real or as fake as before: for measuring, not for training."""

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageFilter

from train.tiers import compressed

Change = Callable[[np.ndarray], np.ndarray]  # pictures [H, W, 3] uint8 RGB
BORDERS = ((0.02, "black"), (0.02, "white"), (0.1, "black"), (0.1, "white"), (0.25, "grey"))  # of the longer side
COLOURS = {"black": 0, "white": 255, "grey": 128}
SHARPENED = (100, 200)  # per cent of an unsharp mask of RADIUS pixels
RADIUS = 2
ANGLES = (10, -10)  # degrees
QUALITIES = (90, 75, 60)  # of JPEG
WEBP_QUALITY = 80
SCALES = (0.5, 0.75, 1.5)  # of both sides


def bordered(picture: np.ndarray, share: float, colour: str) -> np.ndarray:
    """With a border of one colour on every side, so wide a share of the longer side."""
    width = max(1, round(share * max(picture.shape[:2])))
    return np.pad(picture, ((width, width), (width, width), (0, 0)), constant_values=COLOURS[colour])


def sharpened(picture: np.ndarray, percent: int) -> np.ndarray:
    """After an unsharp mask."""
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.UnsharpMask(RADIUS, percent, 0)))


def rotated(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turned about its middle at the same size; what is missing in the corners is mirrored from within."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def resized(picture: np.ndarray, scale: float) -> np.ndarray:
    """Both sides times `scale`, by Lanczos."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def as_webp(picture: np.ndarray, quality: int) -> np.ndarray:
    """After one lossy WebP of this quality."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _mirrored(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture[:, ::-1])


def _with(change: Callable, *values) -> Change:
    return lambda picture: change(picture, *values)


# By what is said of them; those that leave less of a picture's face have the scale in SHRINKING
CHANGES: dict[str, Change] = {
    **{
        f"{colour} border, {100 * share:g} % of the longer side": _with(bordered, share, colour)
        for share, colour in BORDERS
    },
    **{f"sharpened by {percent} %": _with(sharpened, percent) for percent in SHARPENED},
    **{f"turned by {degrees:+d} degrees": _with(rotated, degrees) for degrees in ANGLES},
    "mirrored": _mirrored,
    **{f"saved as JPEG, quality {quality}": _with(compressed, quality) for quality in QUALITIES},
    f"saved as WebP, quality {WEBP_QUALITY}": _with(as_webp, WEBP_QUALITY),
    **{f"both sides times {scale:g}": _with(resized, scale) for scale in SCALES},
}
SHRINKING = {f"both sides times {scale:g}": scale for scale in SCALES if scale < 1}
