"""Folders of pictures -> samples with a label, a split, a source and a group."""

import csv
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake_detect.model.onnx_model import LABELS
from deepfake_detect.picture.decode import SUFFIXES
from train.kinds import kind_and_part

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
    generator: str = ""  # of a fake, where known
    kind: str = ""  # of fake or of photograph, see train.kinds; "" where unknown
    part: str = ""  # of the source, see train.kinds; the source itself where it has no parts
    name: str = ""  # the path inside the data folder, after that folder's own name where there are several


Folders = Path | Sequence[Path]  # one data folder, or several that make one data set


def folders_of(data: Folders) -> list[Path]:
    """The folders of a data set, in an order that does not depend on the one in which they were given.

    Raises:
        DataError: a folder is missing, or two of several have one name, so that paths would not tell them apart.
    """
    folders = [Path(folder) for folder in ([data] if isinstance(data, str | Path) else data)]
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"There is no folder {folder}. Give --data the folder that holds real/ and fake/.")
    names = Counter(folder.resolve().name for folder in folders)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise DataError(
            f"Two of the data folders are called {twice[0]}, so that a picture's path would not tell which it is in; "
            "rename one."
        )
    return sorted(folders, key=lambda folder: folder.resolve().name)


def title(data: Folders) -> str:
    """What a sentence calls the data: its folders' names."""
    return " and ".join(map(str, folders_of(data)))


def read_samples(data: Folders, seed: int = 0, needed: tuple[str, ...] = ("train", "val")) -> list[Sample]:
    """List the pictures of one or several data folders, sorted by path within each class.

    Of each folder three layouts are read: `manifest.csv` with the columns path and label, and split, source and group
    where known; `<split>/<real|fake>/`; and plain `<real|fake>/`. Where there is no val split, a fifth
    of the training pictures of each class becomes it, in folder order shuffled by `seed`, whole groups
    at a time (the paper's 80/20).

    Args:
        data: the folder or folders.
        seed: of the 80/20 split.
        needed: splits in which there must be pictures of both classes.

    Raises:
        DataError: no such folder, an empty class, a class called neither real nor fake, a manifest that
            cannot be read or names a picture twice, or a group in two splits of one folder.
    """
    folders, samples = folders_of(data), []
    for folder in folders:
        own = _from_manifest(folder) if (folder / "manifest.csv").is_file() else _from_folders(folder)
        _check_groups(own)
        before = folder.resolve().name if len(folders) > 1 else ""
        samples += [_named(sample, folder, before) for sample in own]
    samples.sort(key=lambda sample: (sample.label, sample.name))
    if "train" in needed:
        _check_classes(samples, title(data), "train")
    if not any(sample.split == "val" for sample in samples):
        samples = _hold_out(samples, seed)
    for split in needed:
        _check_classes(samples, title(data), split)
    return samples


def _named(sample: Sample, folder: Path, before: str) -> Sample:
    kind, part = kind_and_part(sample.source, sample.label, sample.origin)
    name = (before / sample.path.relative_to(folder)).as_posix()
    return replace(sample, name=name, kind=kind, part=part)


def spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many samples of each split, source and class, evenly spaced, in the order of `samples`."""
    members: dict[tuple, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        members[sample.split, sample.source, sample.label].append(place)
    chosen = [own[n * len(own) // min(most, len(own))] for own in members.values() for n in range(min(most, len(own)))]
    return [samples[place] for place in sorted(chosen)]


def data_sha256(data: Folders, samples: Iterable[Sample]) -> str:
    """Of manifest.csv, or, without one, of every picture's relative path and bytes; of several folders, of these hashes
    whatever their order."""
    return joint_sha256(folder_hashes(data, samples).values())


def folder_hashes(data: Folders, samples: Iterable[Sample]) -> dict[str, str]:
    """`data_sha256` of each folder, by its name."""
    folders, samples = folders_of(data), list(samples)
    return {f.resolve().name: _folder_sha256(f, [s for s in samples if s.path.is_relative_to(f)]) for f in folders}


def joint_sha256(hashes: Iterable[str]) -> str:
    """Of several folders, from the hashes of each in any order; of one, its own."""
    hashes = sorted(hashes)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _folder_sha256(data: Path, samples: Iterable[Sample]) -> str:
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
        known = (row.get(key) or "" for key in ("source", "group", "origin", "generator"))
        samples.append(Sample(data / path, LABELS.index(label), split, *known))
    return samples


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


def _check_classes(samples: list[Sample], data: str, split: str) -> None:
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
        if len(names) > 1 and names & {"train", "val"}:  # test and cross may share a person: neither is learnt from
            raise DataError(
                f"Group {group!r} is in the splits {' and '.join(sorted(names))}: the model would be tested on what "
                "it has seen. Give each group one split in manifest.csv."
            )
