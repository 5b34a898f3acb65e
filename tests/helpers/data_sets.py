"""Small data sets of made-up faces, and recipes to train on them."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

RECIPE = """
name: small
seed: 7
backbone: mobilenet_v2
frozen: true
size: 32
crop_margin: 0.3
resampling: bilinear
head: [{units: 64, batch_norm: false, dropout: 0.2}]
augment: {horizontal_flip: true, vertical_flip: false, rotation: 5, scale: 0.05, shift: 0.05}
batch_size: 8
epochs: 6
learning_rate: {0: 3.0e-2, 4: 2.0e-1}
early_stopping: {monitor: val_loss, patience: 6}
decided_accuracy: 0.9
"""


def make_faces(portrait: Path, folder: Path, count: int, fake: bool, seed: int) -> None:
    """Write pictures with a face: jittered portraits, and, as fakes, ones whose red and blue are swapped."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    base = Image.open(portrait).convert("RGB").crop((100, 20, 440, 420))
    for number in range(count):
        left, top = rng.integers(0, 40, 2)
        picture = np.asarray(base.crop((left, top, left + 300, top + 360)).resize((150, 180))).astype(np.float32)
        picture = picture * rng.uniform(0.7, 1.1) + rng.normal(0, 4, picture.shape)
        if fake:
            picture = picture[..., ::-1]
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:03d}.png")


def make_data(portrait: Path, folder: Path, train: int = 40, test: int = 16) -> None:
    """Write train and test splits with so many made-up real and fake faces each, with a manifest; val is held out by
    the reader."""
    rows = []
    for split, count in (("train", train), ("test", test)):
        for label in ("real", "fake"):
            make_faces(portrait, folder / split / label, count, label == "fake", seed=len(rows))
            for path in sorted((folder / split / label).iterdir()):
                source = "solo" if label == "fake" and len(rows) % 4 == 0 else "pairs"
                rows.append((path.relative_to(folder).as_posix(), split, label, source))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "split", "label", "source"), *rows])
