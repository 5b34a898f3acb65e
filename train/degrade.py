"""Degradation and framing at a picture's own resolution, by Pillow: what a training crop goes through before it is
resized. Source: the two JPEG rounds and random resizing of "CNN-generated images are surprisingly easy to spot"
(Wang et al., CVPR 2020) and of the real-world degradation models after it.
"""

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from detect.crop import Box
from train.recipe import Degrade, Reframe
from train.tiers import compressed

BEST_JPEG = 98
SMALLEST = 48  # no view is made smaller than this, in pixels
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)


def degrade(picture: np.ndarray, options: Degrade, rng: np.random.Generator) -> np.ndarray:
    """Randomly shrink, blur, sharpen, roughen and compress a picture [H, W, 3] uint8 RGB; it may come out smaller."""
    if rng.random() >= options.share:
        return picture
    if rng.random() < options.resize:
        scale = max(rng.uniform(options.scale, 1), SMALLEST / min(picture.shape[:2]))
        if scale < 1:
            size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            picture = np.asarray(Image.fromarray(picture).resize(size, FILTERS[rng.integers(len(FILTERS))]))
    if rng.random() < options.blur:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, max(0.3, options.sigma)))
        picture = np.asarray(Image.fromarray(picture).filter(blur))
    if options.sharpen is not None and rng.random() < options.sharpen:
        mask = ImageFilter.UnsharpMask(rng.uniform(0.7, 2), round(rng.uniform(0.2, 1) * options.amount * 100), 0)
        picture = np.asarray(Image.fromarray(picture).filter(mask))
    if rng.random() < options.noise:
        grain = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(1, options.deviation))
        picture = np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)
    for _ in range(2 if rng.random() < options.twice else 1):
        subsampling = "4:2:0" if rng.random() < 0.75 else "4:4:4"
        picture = compressed(picture, int(rng.integers(options.jpeg, BEST_JPEG + 1)), subsampling)
    return picture


def reframe(square: Box, width: int, height: int, options: Reframe, rng: np.random.Generator) -> Box:
    """A square (left, top, right, bottom) of another size and place, inside a picture of width x height pixels."""
    side = min((square[2] - square[0]) * (1 + rng.uniform(-1, 1) * options.scale), width, height)
    centre = np.array([square[0] + square[2], square[1] + square[3]]) / 2 + rng.uniform(-1, 1, 2) * options.shift * side
    left, top = np.clip(centre - side / 2, 0, [width - side, height - side])
    return float(left), float(top), float(left + side), float(top + side)


def relight(crop: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Random brightness and contrast of a crop [S, S, 3] uint8, up to a share `strength` either way."""
    brightness, contrast = rng.uniform(-strength, strength, 2)
    levels = (np.arange(256.0) - 128) * (1 + contrast) + 128 * (1 + brightness)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)[crop]


def saturate(crop: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Random saturation of a crop [S, S, 3] uint8, up to a share `strength` either way."""
    return np.asarray(ImageEnhance.Color(Image.fromarray(crop)).enhance(1 + rng.uniform(-strength, strength)))


def erase(crop: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Blot out, in a share of the crops [S, S, 3] uint8, one rectangle of 3 to 20 % of the area with one colour of
    the crop ("Random Erasing Data Augmentation", Zhong et al., AAAI 2020), lest one patch of a face decide alone."""
    if rng.random() >= share:
        return crop
    size, area, aspect = crop.shape[0], rng.uniform(0.03, 0.2), np.exp(rng.uniform(-1, 1) * np.log(2.5))
    height, width = (min(size, round(size * np.sqrt(area * ratio))) for ratio in (aspect, 1 / aspect))
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    crop = crop.copy()
    crop[top : top + height, left : left + width] = crop[rng.integers(size), rng.integers(size)]
    return crop
