"""Samples -> faces, found once by the run-time functions and kept at their own resolution under the run folder.

A face is kept with some of the picture around its crop, so that training can frame and degrade it anew each time.
"""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write, write_text
from deepfake_detect.errors import PictureError
from deepfake_detect.face.crop import Box, Square, cut, face_square, level
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace
from train.data import DataError, Sample
from train.recipe import Recipe
from train.tiers import open_degraded

LONGEST = 640  # pixels; a larger region is averaged down to it, or a few camera photographs would fill the disk
VERSION = 2  # of finding and framing a face: a cache of another one is made anew
COLUMNS = ("path", "label", "source", "offset", "width", "height", "square", "face")


@dataclass(frozen=True)
class Framing:
    """How faces are kept: the part of a recipe on which the cache depends."""

    margin: float  # of the crop, see deepfake_detect.face.crop.crop_box
    slack: float = 0.0  # kept around the crop, as a share of its side
    tier: str = "clean"  # see train.tiers

    @classmethod
    def of(cls, recipe: Recipe, split: str) -> "Framing":
        """Of train as the pictures are, with room for what the recipe draws; of other splits in the recipe's tier."""
        if split != "train":
            return cls(recipe.crop_margin, 0.0, recipe.tier or "clean")
        return cls(recipe.crop_margin, recipe.reframe.slack if recipe.reframe else 0.0)


@dataclass(frozen=True)
class Kept:
    """One face: where its region lies in the file, and what is known in the region's own pixels."""

    offset: int
    width: int
    height: int
    square: Box  # the crop that the run time would cut
    face: FoundFace | None


@dataclass(frozen=True)
class Crops:
    """The faces of one split."""

    bytes: np.ndarray  # uint8, a memory map: the regions one after another
    kept: list[Kept]  # [N]
    labels: np.ndarray  # [N] int64, 0 real, 1 fake
    paths: list[str]  # [N]
    sources: list[str]  # [N]
    resampling: str
    kinds: list[str] | None = None  # [N], see train.kinds
    parts: list[str] | None = None  # [N] of the sources, see train.kinds

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def with_face(self) -> np.ndarray:
        """[N] bool: in which a face was found."""
        return np.array([kept.face is not None for kept in self.kept], bool)

    def without(self, paths: Container[str]) -> "Crops":
        """The same less those of some paths."""
        left = [number for number, path in enumerate(self.paths) if path not in paths]
        lists = {name: getattr(self, name) for name in ("kept", "paths", "sources", "kinds", "parts")}
        chosen = {name: values and [values[number] for number in left] for name, values in lists.items()}
        return replace(self, labels=self.labels[left], **chosen)

    def region(self, number: int) -> np.ndarray:
        """[H, W, 3] uint8 RGB: the face with what was kept around its crop. Read-only."""
        kept = self.kept[number]
        count = kept.width * kept.height * 3
        return self.bytes[kept.offset : kept.offset + count].reshape(kept.height, kept.width, 3)

    def crop(self, number: int, size: int) -> np.ndarray:
        """[size, size, 3] uint8 RGB, as `deepfake_detect.face.crop.crop_face` cuts it."""
        return cut(self.region(number), self.kept[number].square, size, self.resampling)


def cached_crops(samples: Sequence[Sample], framing: Framing, resampling: str, folder: Path, name: str) -> Crops:
    """Find the largest face of every sample, or read what an earlier call with the same input found.

    A picture without a face is used whole; one that cannot be opened is skipped. Both are counted on
    standard output, per source, and the skipped ones are named in `<name>_skipped.csv`.

    Args:
        samples: of one split.
        framing: what to keep.
        resampling: of the crops, see `deepfake_detect.face.crop.crop_face`.
        folder: of the cache.
        name: of the split; the cache's files carry it.

    Raises:
        DataError: every picture of a class was skipped.
    """
    pixels_file, rows_file, key_file = (folder / f"{name}{end}" for end in (".bin", ".csv", ".key"))
    key = _key(samples, framing)
    if not (key_file.is_file() and key_file.read_text() == key):
        folder.mkdir(parents=True, exist_ok=True)
        key_file.unlink(missing_ok=True)
        _find(samples, framing, folder, name)
        write_text(key_file, key)  # last: it vouches for the others
    with rows_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([int(row["label"]) for row in rows], dtype=np.int64)
    if len(set(labels.tolist())) < 2:
        raise DataError(f"One class of {name} has no readable picture; {name}_skipped.csv in {folder} says why.")
    pixels = np.memmap(pixels_file, np.uint8, mode="r")
    kept, paths = [_kept(row) for row in rows], [row["path"] for row in rows]
    known = {str(sample.path): sample for sample in samples}
    kinds, parts = [known[path].kind for path in paths], [known[path].part or known[path].source for path in paths]
    return Crops(pixels, kept, labels, paths, [row["source"] for row in rows], resampling, kinds, parts)


def _kept(row: dict) -> Kept:
    face = json.loads(row["face"])
    found = face and FoundFace(tuple(face["box"]), face["score"], tuple(map(tuple, face["landmarks"])))
    place = (int(row[key]) for key in ("offset", "width", "height"))
    return Kept(*place, tuple(json.loads(row["square"])), found)


def _key(samples: Sequence[Sample], framing: Framing) -> str:
    digest = hashlib.sha256(json.dumps([VERSION, framing.margin, framing.slack, framing.tier, LONGEST]).encode())
    for sample in samples:
        try:
            stat = sample.path.stat()
            digest.update(f"{sample.path}|{sample.label}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{sample.path}|missing\n".encode())
    return digest.hexdigest()


def _find(samples: Sequence[Sample], framing: Framing, folder: Path, name: str) -> None:
    finder = FaceFinder()

    def keep(sample: Sample) -> tuple[np.ndarray, Box, FoundFace | None] | PictureError:
        try:
            picture = open_degraded(sample.path, framing.tier)
        except PictureError as error:
            return error
        faces = finder.find(picture)
        return keep_region(picture, faces[0] if faces else None, framing)

    rows, skipped, total, faceless, offset = [], [], Counter(), Counter(), 0
    with atomic_write(folder / f"{name}.bin") as partial, partial.open("wb") as file, cancelling_pool() as pool:
        results = zip(samples, pool.map(keep, samples), strict=True)
        for sample, result in tqdm(results, total=len(samples), desc=f"faces of {name}", unit="picture", disable=None):
            if isinstance(result, PictureError):
                skipped.append({"path": str(sample.path), "reason": str(result)})
                continue
            region, square, face = result
            file.write(region.tobytes())
            total[sample.source] += 1
            faceless[sample.source] += face is None
            values = (str(sample.path), sample.label, sample.source, offset, region.shape[1], region.shape[0])
            known = face and {"box": face.box, "score": face.score, "landmarks": face.landmarks}
            rows.append(dict(zip(COLUMNS, (*values, json.dumps(square), json.dumps(known)), strict=True)))
            offset += region.size
    _write_csv(folder / f"{name}.csv", COLUMNS, rows)
    _write_csv(folder / f"{name}_skipped.csv", ("path", "reason"), skipped)
    for source in sorted(total):
        print(f"{name}: {source or 'pictures'}: no face in {faceless[source]} of {total[source]}, those are used whole")
    for row in skipped:
        print(f"{name}: skipped {row['path']}: {row['reason']}")
    print(f"{name}: {len(rows)} pictures, {len(skipped)} skipped")


def keep_region(
    picture: np.ndarray, face: FoundFace | None, framing: Framing
) -> tuple[np.ndarray, Box, FoundFace | None]:
    """What is kept of a picture [H, W, 3]: a region, and in its pixels the crop's square and the face."""
    height, width = picture.shape[:2]
    square = Square(0, 0, width, height) if face is None else face_square(face, framing.margin, width, height)
    if square.angle:
        picture, square, face = _levelled(picture, square, face, framing.slack)
        height, width = picture.shape[:2]
    slack = framing.slack * (square[2] - square[0])
    left, top = (max(0, int(v - slack)) for v in square[:2])
    right, bottom = (min(end, int(np.ceil(v + slack))) for v, end in zip(square[2:4], (width, height), strict=True))
    region = picture[top:bottom, left:right]
    scale = min(1.0, LONGEST / max(region.shape[:2]))
    if scale < 1:
        region = cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    zoom = np.array([region.shape[1] / (right - left), region.shape[0] / (bottom - top)])
    square = _moved(square[:4], (left, top), zoom)
    if face is not None:
        landmarks = tuple(tuple(float(v) for v in (np.array(p) - (left, top)) * zoom) for p in face.landmarks)
        face = FoundFace(tuple(round(v) for v in _moved(face.box, (left, top), zoom)), face.score, landmarks)
    return region, square, face


def _levelled(
    picture: np.ndarray, square: Square, face: FoundFace, slack: float
) -> tuple[np.ndarray, Square, FoundFace]:
    """A tilted face turned level: what is kept of the picture, the square and the face in it."""
    part, inner = level(picture, square, slack)
    turn = np.radians(square.angle)
    onto = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = [np.add(region[:2], region[2:4]) / 2 for region in (square, inner)]

    def turned(point: tuple[float, float]) -> np.ndarray:
        return onto @ (np.array(point) - middle[0]) + middle[1]

    left, top, right, bottom = face.box
    centre, half = turned(((left + right) / 2, (top + bottom) / 2)), np.array([right - left, bottom - top]) / 2
    if abs(np.sin(turn)) > np.sqrt(0.5):  # it lies on its side
        half = half[::-1]
    box = tuple(round(float(edge)) for edge in (*(centre - half), *(centre + half)))
    landmarks = tuple(tuple(map(float, turned(point))) for point in face.landmarks)
    return part, Square(*inner), FoundFace(box, face.score, landmarks)


def _moved(box: Box, origin: tuple[int, int], zoom: np.ndarray) -> Box:
    corners = (np.reshape(box, (2, 2)) - origin) * zoom
    return tuple(float(v) for v in corners.ravel())


@contextmanager
def cancelling_pool() -> Iterator[ThreadPoolExecutor]:
    """A thread pool that drops what waits when it is left early, by Ctrl-C for one."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _write_csv(path: Path, columns: Sequence[str], rows: list[dict]) -> None:
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
