"""Samples -> face crops, found and cut once by the run-time functions and kept under the run folder."""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from detect.crop import crop_face
from detect.faces import FaceFinder
from detect.files import whole_file, write_text
from detect.picture import PictureError, open_picture
from train.data import DataError, Sample


@dataclass(frozen=True)
class Framing:
    """How faces are cut: the part of a recipe on which the cache depends."""

    size: int
    margin: float
    resampling: str


@dataclass(frozen=True)
class Crops:
    """Face crops of one split."""

    pixels: np.ndarray  # [N, S, S, 3] uint8 RGB, a memory map
    labels: np.ndarray  # [N] int64, 0 real, 1 fake
    paths: list[str]  # [N]
    sources: list[str]  # [N]


def cached_crops(samples: Sequence[Sample], framing: Framing, folder: Path, name: str) -> Crops:
    """Cut the largest face out of every sample, or read what an earlier call with the same input cut.

    A picture without a face is used whole; one that cannot be opened is skipped. Both are counted on
    standard output, per source, and the skipped ones are named in `<name>_skipped.csv`.

    Args:
        samples: of one split.
        framing: how to cut.
        folder: of the cache.
        name: of the split; the cache's files carry it.

    Raises:
        DataError: every picture of a class was skipped.
    """
    pixels_file, rows_file, key_file = (folder / f"{name}{end}" for end in (".npy", ".csv", ".key"))
    key = _key(samples, framing)
    if not (key_file.is_file() and key_file.read_text() == key):
        folder.mkdir(parents=True, exist_ok=True)
        key_file.unlink(missing_ok=True)
        _cut(samples, framing, folder, name)
        write_text(key_file, key)  # last: it vouches for the others
    with rows_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([int(row["label"]) for row in rows], dtype=np.int64)
    if len(set(labels.tolist())) < 2:
        raise DataError(f"One class of {name} has no readable picture; {name}_skipped.csv in {folder} says why.")
    pixels = np.load(pixels_file, mmap_mode="r")[: len(rows)]
    return Crops(pixels, labels, [row["path"] for row in rows], [row["source"] for row in rows])


def _key(samples: Sequence[Sample], framing: Framing) -> str:
    digest = hashlib.sha256(json.dumps([framing.size, framing.margin, framing.resampling]).encode())
    for sample in samples:
        try:
            stat = sample.path.stat()
            digest.update(f"{sample.path}|{sample.label}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{sample.path}|missing\n".encode())
    return digest.hexdigest()


def _cut(samples: Sequence[Sample], framing: Framing, folder: Path, name: str) -> None:
    finder = FaceFinder()

    def crop(sample: Sample) -> tuple[np.ndarray, bool] | PictureError:
        try:
            picture = open_picture(sample.path)
        except PictureError as error:
            return error
        faces = finder.find(picture)
        box = faces[0].box if faces else None
        return crop_face(picture, box, framing.margin, framing.size, framing.resampling), bool(faces)

    shape = (len(samples), framing.size, framing.size, 3)
    rows, skipped, total, faceless = [], [], Counter(), Counter()
    with whole_file(folder / f"{name}.npy") as partial, _cancelling_pool() as pool:
        pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        results = zip(samples, pool.map(crop, samples), strict=True)
        for sample, result in tqdm(results, total=len(samples), desc=f"faces of {name}", unit="picture", disable=None):
            if isinstance(result, PictureError):
                skipped.append({"path": str(sample.path), "reason": str(result)})
                continue
            pixels[len(rows)], found = result
            total[sample.source] += 1
            faceless[sample.source] += not found
            rows.append({"path": str(sample.path), "label": sample.label, "source": sample.source})
        pixels.flush()
    _write_csv(folder / f"{name}.csv", ["path", "label", "source"], rows)
    _write_csv(folder / f"{name}_skipped.csv", ["path", "reason"], skipped)
    for source in sorted(total):
        print(f"{name}: {source or 'pictures'}: no face in {faceless[source]} of {total[source]}, those are used whole")
    for row in skipped:
        print(f"{name}: skipped {row['path']}: {row['reason']}")
    print(f"{name}: {len(rows)} pictures, {len(skipped)} skipped")


@contextmanager
def _cancelling_pool() -> Iterator[ThreadPoolExecutor]:
    """A thread pool that drops what waits when it is left early, by Ctrl-C for one."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _write_csv(path: Path, columns: list[str], rows: list[dict]) -> None:
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
