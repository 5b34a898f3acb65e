"""Augmentation of face crops, by Pillow: flips, small rotations, scalings and shifts (the paper's)."""

import cv2
import numpy as np
from PIL import Image

from train.recipe import Augment


def augment(crop: np.ndarray, options: Augment, rng: np.random.Generator) -> np.ndarray:
    """One random view of a crop [S, S, 3] uint8 RGB, of the same shape.

    What a rotation or shift uncovers is filled by mirroring, so that no invented border appears.
    """
    if options.horizontal_flip and rng.random() < 0.5:
        crop = crop[:, ::-1]
    if options.vertical_flip and rng.random() < 0.5:
        crop = crop[::-1]
    angle = np.deg2rad(rng.uniform(-1, 1) * options.rotation)
    zoom = 1 + rng.uniform(-1, 1) * options.scale
    size = crop.shape[0]
    shift = rng.uniform(-1, 1, 2) * options.shift * size
    if not (angle or zoom != 1 or shift.any()):
        return np.ascontiguousarray(crop)
    pad = size // 2
    padded = cv2.copyMakeBorder(np.ascontiguousarray(crop), pad, pad, pad, pad, cv2.BORDER_REFLECT)
    padded = Image.fromarray(padded)
    # Pillow wants the map from result to source: about the centre, rotate and scale, then shift.
    cos, sin, centre = np.cos(angle) / zoom, np.sin(angle) / zoom, size / 2
    x, y = pad + centre + shift
    matrix = (cos, sin, x - cos * centre - sin * centre, -sin, cos, y + sin * centre - cos * centre)
    return np.asarray(padded.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))
