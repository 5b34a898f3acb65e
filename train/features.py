"""What a frozen backbone sees in pictures, computed once and kept in files.

It gives the same features for the same view of a picture in every epoch. So the features of a few augmented views per
picture are computed once, and only the head is trained for all epochs.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write
from train.batches import Batches
from train.crops import Crops
from train.data import DataError

PART = 16  # batches in one file of the cache: what a run that is cut off loses at most


@dataclass(frozen=True)
class Features:
    """Features of one view of each picture of a split."""

    values: np.ndarray  # [N, ...] float32
    labels: np.ndarray  # [N] int64
    seconds: float  # that computing them took, whenever that was


def features_key(*parts: object) -> str:
    """Twelve hexadecimal digits of what features depend on: hashes, sizes and `Crops`."""
    known = [(part.kept, part.labels.tolist()) if isinstance(part, Crops) else part for part in parts]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:12]


def cached_features(compute: Callable[[np.ndarray], np.ndarray], batches: Batches, folder: Path, name: str) -> Features:
    """Features of a split, in the order of `batches`, from files that earlier calls left or computed now.

    Args:
        compute: pixel values [B, S, S, 3] float32 in 0..1 -> features [B, ...].
        batches: of pictures, or of one augmented view of each.
        folder: of the cache; its name must tell all that the features depend on, see `features_key`.
        name: of split and view; the cache's files carry it.

    Raises:
        DataError: a feature is not a finite number, because the weights do not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts, seconds = [], 0.0
    progress = tqdm(total=len(batches), desc=f"{folder.name} {name}", unit="batch", disable=None)
    for first in range(0, len(batches), PART):
        numbers = range(first, min(first + PART, len(batches)))
        file = folder / f"{name}_{first:05d}.npz"
        if not file.is_file():
            started, values = perf_counter(), []
            for number in numbers:
                values.append(np.asarray(compute(batches[number][0]), np.float32))
                progress.update()
            with atomic_write(file) as partial:
                np.savez(partial, values=np.concatenate(values), seconds=perf_counter() - started)
        else:
            progress.update(len(numbers))
        with np.load(file) as part:
            parts.append(part["values"])
            seconds += float(part["seconds"])
    progress.close()
    features = Features(np.concatenate(parts), batches.crops.labels[batches.order], seconds)
    if not np.isfinite(features.values).all():
        raise DataError(f"The features in {folder} are not all finite numbers: the backbone's weights are damaged.")
    return features
