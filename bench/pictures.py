"""Pictures to measure with: portraits of examples/ at any size, with grain as a camera leaves it."""

from pathlib import Path

import numpy as np
from PIL import Image

from bench.serving import ROOT

PORTRAITS = ("real_eileen_collins.jpg", "real_grace_hopper.jpg", "real_nikola_tesla.jpg")
GRAIN = 4  # standard deviation, in levels of 255
QUALITY = 90  # JPEG
DIFFERENT = 12  # pictures in a folder; the others are links to these


def photograph(name: str, megapixels: float, seed: int = 1) -> Image.Image:
    """A portrait of examples/ cut to 4:3 and brought to a size, RGB."""
    with Image.open(ROOT / "examples" / name) as image:
        picture = image.convert("RGB")
    height = min(picture.height, picture.width * 3 // 4)
    picture = picture.crop((0, 0, height * 4 // 3, height))
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    large = np.asarray(picture.resize((width, width * 3 // 4), Image.Resampling.LANCZOS), np.float32)
    grain = np.random.default_rng(seed).normal(0, GRAIN, (*large.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8))


def save_photograph(path: Path, name: str, megapixels: float, seed: int = 1) -> Path:
    """`photograph` as a JPEG file; returns its path."""
    photograph(name, megapixels, seed).save(path, "JPEG", quality=QUALITY)
    return path


def folder_of(path: Path, count: int, megapixels: float) -> Path:
    """Make a folder of so many JPEG photographs, some different ones under many names; returns it."""
    path.mkdir()
    for number in range(count):
        file = path / f"{number:06d}.jpg"
        if number < DIFFERENT:
            save_photograph(file, PORTRAITS[number % len(PORTRAITS)], megapixels, number)
        else:
            file.hardlink_to(path / f"{number % DIFFERENT:06d}.jpg")
    return path
