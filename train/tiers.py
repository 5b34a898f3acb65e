"""Three fixed states of a picture: as it is, after a web page, after a messenger. For measuring, not for training."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from deepfake_detect.picture.decode import MIN_SIDE, open_picture


@dataclass(frozen=True)
class Tier:
    """Longest side in pixels and JPEG quality after which a picture is judged; None: as it is."""

    longest: int | None
    quality: int | None


TIERS = {"clean": Tier(None, None), "web": Tier(768, 60), "hard": Tier(512, 40)}


def open_degraded(source, tier: str) -> np.ndarray:
    """Open a picture as `deepfake_detect.picture.decode.open_picture` does and bring it into a tier's state.

    Deterministic: Lanczos down to the tier's longest side where the picture is larger, then one JPEG with
    chroma at half resolution, as web pages and messengers do.

    Args:
        source: see `open_picture`.
        tier: "clean", "web" or "hard".

    Returns:
        [H, W, 3] uint8 RGB.

    Raises:
        PictureError: the picture cannot be opened.
    """
    picture, state = open_picture(source), TIERS[tier]
    longest = max(picture.shape[:2])
    if state.longest and longest > state.longest:
        picture = scaled(picture, state.longest / longest)
    return picture if state.quality is None else compressed(picture, state.quality)


def longer_than(path: Path, longest: int | None) -> bool:
    """Whether a picture file's longest side is over so many pixels, by its header; None: no limit."""
    if longest is None:
        return False
    with Image.open(path) as image:
        return max(image.size) > longest


def scaled(picture: np.ndarray, scale: float) -> np.ndarray:
    """A picture [H, W, 3] uint8 with both sides times `scale` (at most 1), Lanczos; no side under 16 pixels."""
    height, width = picture.shape[:2]
    size = tuple(max(min(side, MIN_SIDE), round(side * scale)) for side in (width, height))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def compressed(picture: np.ndarray, quality: int, subsampling: str = "4:2:0") -> np.ndarray:
    """A picture [H, W, 3] uint8 after one JPEG of this quality (1..100)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))
