"""Degradation and framing at a picture's own resolution: what a training crop goes through before it is
resized. Source: the two JPEG rounds and random resizing of "CNN-generated images are surprisingly easy to spot"
(Wang et al., CVPR 2020) and of the real-world degradation models after it.
"""

import io

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from deepfake_detect.face.crop import Box
from train.recipe import Degrade, Reframe
from train.tiers import compressed

BEST_JPEG = 98
SMALLEST = 48  # no view is made smaller than this, in pixels
LARGEST = 512  # and none larger, lest a few cost more time than all others
CHAIN_SCALE = (0.6, 1.2)  # of the second platform's resizing
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)


def degrade(picture: np.ndarray, options: Degrade, rng: np.random.Generator) -> np.ndarray:
    """Randomly shrink, blur, sharpen, roughen and compress a picture [H, W, 3] uint8 RGB; it may come out smaller."""
    if rng.random() >= options.share:
        return picture
    if rng.random() < options.resize:
        enlarges = options.enlarge is not None and rng.random() < 0.5
        scale = rng.uniform(1, options.enlarge) if enlarges else rng.uniform(options.scale, 1)
        picture = _resized(picture, scale, rng)
    if options.smooth is not None and rng.random() < options.smooth:
        reach, strength = 2 * int(rng.integers(2, 5)) + 1, rng.uniform(15, 50)  # pixels; grey levels taken for one skin
        picture = cv2.bilateralFilter(picture, reach, strength, reach / 2)
    if rng.random() < options.blur:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, max(0.3, options.sigma)))
        picture = np.asarray(Image.fromarray(picture).filter(blur))
    if options.sharpen is not None and rng.random() < options.sharpen:
        mask = ImageFilter.UnsharpMask(rng.uniform(0.7, 2), round(rng.uniform(0.2, 1) * options.amount * 100), 0)
        picture = np.asarray(Image.fromarray(picture).filter(mask))
    if rng.random() < options.noise:
        grain = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(1, options.noise_std))
        picture = np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)
    if options.moire is not None and rng.random() < options.moire:
        picture = _striped(picture, rng)
    for _ in range(2 if rng.random() < options.double_jpeg else 1):
        picture = _compressed(picture, options, rng)
    if options.chain is not None and rng.random() < options.chain:
        picture = _compressed(_resized(picture, rng.uniform(*CHAIN_SCALE), rng), options, rng)
    return picture


def _resized(picture: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    if scale < 1:
        scale = min(1.0, max(scale, SMALLEST / min(picture.shape[:2])))
    else:
        scale = max(1.0, min(scale, LARGEST / max(picture.shape[:2])))
    if scale == 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(Image.fromarray(picture).resize(size, FILTERS[rng.integers(len(FILTERS))]))


def _compressed(picture: np.ndarray, options: Degrade, rng: np.random.Generator) -> np.ndarray:
    subsampling = "4:2:0" if rng.random() < 0.75 else "4:4:4"
    quality = int(rng.integers(options.jpeg, BEST_JPEG + 1))
    if options.webp is None or rng.random() >= options.webp:
        return compressed(picture, quality, subsampling)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=quality, method=0)
    return np.asarray(Image.open(file).convert("RGB"))


def _striped(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Faint stripes near the finest that pixels can show, out of step between the colours: a screen's grid, sampled."""
    height, width = picture.shape[:2]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.1, 6)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    phase = 2 * np.pi / period * (np.cos(angle) * x + np.sin(angle) * y)
    stripes = np.sin(phase[..., None] + rng.uniform(0, 2 * np.pi, 3).astype(np.float32))
    return np.clip(np.rint(picture * (1 + rng.uniform(0.02, 0.12) * stripes)), 0, 255).astype(np.uint8)


def reframe(square: Box, width: int, height: int, options: Reframe, rng: np.random.Generator) -> Box:
    """A square (left, top, right, bottom) of another size and place, inside a picture of width x height pixels."""
    side = min((square[2] - square[0]) * (1 + rng.uniform(-1, 1) * options.scale), width, height)
    centre = np.array([square[0] + square[2], square[1] + square[3]]) / 2 + rng.uniform(-1, 1, 2) * options.shift * side
    left, top = np.clip(centre - side / 2, 0, [width - side, height - side])
    return float(left), float(top), float(left + side), float(top + side)


def turned(picture: np.ndarray, square: Box, angle: float, size: int) -> np.ndarray:
    """A square (left, top, right, bottom) of a picture [H, W, 3] uint8, turned clockwise about its middle by an angle
    in degrees, at [size, size, 3]. One interpolation: before a square is made smaller, it is blurred by a Gaussian as
    wide as the filter of Pillow's antialiased bilinear resizing. What lies outside the picture is filled by mirroring.
    """
    step = (square[2] - square[0]) / size  # pixels of the picture to one of the result
    if step > 1:
        picture = cv2.GaussianBlur(picture, (0, 0), np.sqrt((step**2 - 1) / 6))  # a triangle of half width w: w**2 / 6
    cos, sin = step * np.cos(np.deg2rad(angle)), step * np.sin(np.deg2rad(angle))
    x, y, middle = (square[0] + square[2]) / 2 - 0.5, (square[1] + square[3]) / 2 - 0.5, (size - 1) / 2
    matrix = np.array([[cos, -sin, x - middle * (cos - sin)], [sin, cos, y - middle * (sin + cos)]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)


SIDES = ((0, 2), (1, 3), (0,), (1,), (2,), (3,), (0, 1, 2, 3))  # that bars stand on: left, top, right, bottom
BAR = 0.18  # of the crop's side: a bar reaches so far into it at most, which leaves the face itself free


def bordered(picture: np.ndarray, square: Box, rng: np.random.Generator) -> np.ndarray:
    """Plain bars on some sides of a picture [H, W, 3] uint8, reaching into the crop's square, as letterboxes, pillars
    and screenshots have them: black, white, of one colour, or the picture itself, blurred."""
    height, width = picture.shape[:2]
    side, filling = square[2] - square[0], rng.random()
    if filling < 0.85:
        colour = 0 if filling < 0.35 else 255 if filling < 0.6 else rng.integers(0, 256, 3)
        behind = np.broadcast_to(np.asarray(colour, np.uint8), picture.shape)
    else:
        small = cv2.resize(picture, (12, 12), interpolation=cv2.INTER_AREA)
        behind = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    sides = SIDES[rng.integers(len(SIDES))]
    reach = rng.uniform(0.01, BAR) * side
    left, top, right, bottom = (
        max(0, round(edge + reach)) if number < 2 else round(edge - reach) for number, edge in enumerate(square)
    )
    edges = [
        left if 0 in sides else 0,
        top if 1 in sides else 0,
        right if 2 in sides else width,
        bottom if 3 in sides else height,
    ]
    result = behind.copy()
    inside = slice(edges[1], edges[3]), slice(edges[0], edges[2])
    result[inside] = picture[inside]
    return result


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
