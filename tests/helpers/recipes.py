"""Recipes for what is made up here, and crops to draw batches from."""

import numpy as np
import yaml
from data_sets import RECIPE

from deepfake_detect.face.found import FoundFace
from train.crops import Crops, Kept
from train.recipe import Recipe

PLAIN = Recipe.model_validate(yaml.safe_load(RECIPE))
LANDMARKS = ((22.0, 24.0), (42.0, 24.0), (32.0, 34.0), (25.0, 44.0), (39.0, 44.0))
FACE = FoundFace((16, 12, 48, 54), 0.9, LANDMARKS)
DEGRADE = {"share": 0.9, "resize": 0.5, "scale": 0.8, "blur": 0.5, "sigma": 1.0, "noise": 0.5, "noise_std": 5.0,
           "jpeg": 40, "double_jpeg": 0.5}  # fmt: skip
FULL = Recipe.model_validate(
    yaml.safe_load(RECIPE)
    | {"reframe": {"scale": 0.1, "shift": 0.1}, "degrade": DEGRADE, "brightness_jitter": 0.2}
    | {"sampling": {"power": 0.5, "self_blend": 0.5}}
)


def make_crops(labels, sources, faces=True) -> Crops:
    """Regions of 64 x 64 pixels, each of one colour: its number."""
    side = 64
    rng = np.random.default_rng(0)
    pixels = np.concatenate([rng.integers(0, 256, side * side * 3, np.uint8) for _ in labels])
    kept = [
        Kept(number * side * side * 3, side, side, (4.0, 4.0, 60.0, 60.0), FACE if faces else None)
        for number in range(len(labels))
    ]
    return Crops(pixels, kept, np.array(labels), [str(n) for n in range(len(labels))], list(sources), "bilinear")
