"""A folder of pictures -> samples with a label, a split, a source and a group."""

import csv
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detect.model import LABELS
from detect.picture import SUFFIXES

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "cross": "cross"}
VAL_SHARE = 0.2  # the paper's 80/20


class DataError(ValueError):
    """Training data that cannot be used; the message is one sentence that says what to mend."""


@dataclass(frozen=True)
class Sample:
    path: Path
    label: int  # 0 real, 1 fake
    split: str  # "train" | "val" | "test" | "cross"
    source: str  # data set it comes from; "" where unknown
    group: str  # pictures of one group (a clip, a person) never cross splits; "" where each stands alone
    origin: str = ""  # the picture's name in the data set it comes from, where known


def read_samples(data: Path, seed: int = 0, needed: tuple[str, ...] = ("train", "val")) -> list[Sample]:
    """List the pictures of a data folder, sorted by path within each class.

    Three layouts are read: `manifest.csv` with the columns path and label, and split, source and group
    where known; `<split>/<real|fake>/`; and plain `<real|fake>/`. Where there is no val split, a fifth
    of the training pictures of each class becomes it, in folder order shuffled by `seed`, whole groups
    at a time (the paper's 80/20).

    Args:
        data: the folder.
        seed: of the 80/20 split.
        needed: splits in which there must be pictures of both classes.

    Raises:
        DataError: no such folder, an empty class, a class called neither real nor fake, a manifest that
            cannot be read or names a picture twice, or a group in two splits.
    """
    data = Path(data)
    if not data.is_dir():
        raise DataError(f"There is no folder {data}. Give --data the folder that holds real/ and fake/.")
    samples = _from_manifest(data) if (data / "manifest.csv").is_file() else _from_folders(data)
    if "train" in needed:
        _check_classes(samples, data, "train")
    if not any(sample.split == "val" for sample in samples):
        samples = _hold_out(samples, seed)
    for split in needed:
        _check_classes(samples, data, split)
    _check_groups(samples)
    return samples


def data_sha256(data: Path, samples: Iterable[Sample]) -> str:
    """Of manifest.csv, or, without one, of every picture's relative path and bytes."""
    manifest = Path(data) / "manifest.csv"
    if manifest.is_file():
        return hashlib.sha256(manifest.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for path in sorted(sample.path for sample in samples):
        digest.update(path.relative_to(data).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _from_manifest(data: Path) -> list[Sample]:
    manifest = data / "manifest.csv"
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest} is not a CSV file in UTF-8 ({error}).") from None
    missing = {"path", "label"} - set(rows[0] if rows else ())
    if rows and missing:
        raise DataError(f"{manifest} has no column {' or '.join(sorted(missing))}.")
    samples, lines = [], {}
    for line, row in enumerate(rows, 2):
        label, split = (row["label"] or "").lower(), SPLITS.get((row.get("split") or "train").lower())
        if label not in LABELS or split is None:
            raise DataError(
                f"{manifest}, line {line}: label {row['label']!r} must be real or fake, "
                f"and split {row.get('split')!r} one of {', '.join(SPLITS)}."
            )
        path = os.path.normpath(row["path"] or ".")
        if path == "." or os.path.isabs(path) or path.startswith("..") or "\0" in path:
            raise DataError(f"{manifest}, line {line}: path {row['path']!r} must name a picture inside {data}.")
        if path in lines:
            raise DataError(f"{manifest}, line {line}: {path} stands in line {lines[path]} already.")
        lines[path] = line
        known = (row.get(key) or "" for key in ("source", "group", "origin"))
        samples.append(Sample(data / path, LABELS.index(label), split, *known))
    return sorted(samples, key=lambda sample: (sample.label, sample.path))


def _from_folders(data: Path) -> list[Sample]:
    folders = _subfolders(data)
    splits = [folder for folder in folders if folder.name.lower() in SPLITS]
    if not splits:
        return _from_class_folders(data, "train")
    strangers = [folder.name for folder in folders if folder not in splits]
    if strangers:
        raise DataError(f"{data} holds {strangers[0]}/ beside its splits; a split is one of {', '.join(SPLITS)}.")
    return [s for folder in splits for s in _from_class_folders(folder, SPLITS[folder.name.lower()])]


def _from_class_folders(folder: Path, split: str) -> list[Sample]:
    classes = _subfolders(folder)
    for name in (c.name for c in classes):
        if name.lower() not in LABELS:
            raise DataError(f"{folder} holds a class {name!r}; classes must be called real and fake.")
    samples = []
    for path, label in ((c, LABELS.index(c.name.lower())) for c in classes):
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        samples += [Sample(p, label, split, "", "") for p in files]
    return samples


def _subfolders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _hold_out(samples: list[Sample], seed: int) -> list[Sample]:
    """Move a fifth of the training units of each class to val; a unit is a group or a lone picture."""
    rng = np.random.default_rng(seed)
    held: dict[str, bool] = {}
    for label in range(len(LABELS)):
        units = dict.fromkeys(_unit(s) for s in samples if s.label == label and s.split == "train")
        units = [unit for unit in units if unit not in held]
        count = max(1, round(len(units) * VAL_SHARE)) if len(units) > 1 else 0
        chosen = set(rng.permutation(len(units))[:count].tolist())
        held |= {unit: number in chosen for number, unit in enumerate(units)}
    return [replace(s, split="val") if s.split == "train" and held[_unit(s)] else s for s in samples]


def _unit(sample: Sample) -> str:
    return f"group:{sample.group}" if sample.group else f"path:{sample.path}"


def _check_classes(samples: list[Sample], data: Path, split: str) -> None:
    count = Counter(sample.label for sample in samples if sample.split == split)
    for label, name in enumerate(LABELS):
        if not count[label]:
            present = ", ".join(sorted({sample.split for sample in samples})) or "none"
            raise DataError(
                f"{data} has no {name} pictures for the split {split}; both classes are needed. Splits with pictures: "
                f"{present}."
            )


def _check_groups(samples: list[Sample]) -> None:
    splits = defaultdict(set)
    for sample in samples:
        if sample.group:
            splits[sample.group].add(sample.split)
    for group, names in splits.items():
        if len(names) > 1:
            raise DataError(
                f"Group {group!r} is in the splits {' and '.join(sorted(names))}: the model would be tested on what "
                "it has seen. Give each group one split in manifest.csv."
            )
