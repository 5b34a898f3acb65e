"""Folders of video clips -> clips with a label, a method, a compression, a group and a split."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake_detect.model.onnx_model import LABELS
from train.data import SPLITS, DataError

COLUMNS = ("path", "label", "method", "compression", "group", "split")
ORIGINAL = "original"  # the method of a real clip


@dataclass(frozen=True)
class Clip:
    """One video file."""

    path: Path
    name: str  # the path inside the data folder
    label: int  # 0 real, 1 fake
    split: str  # "train" | "val" | "test" | "cross"
    source: str  # data set it comes from; "" where unknown
    method: str  # that made the fake; ORIGINAL
    compression: str  # "c23", for one, or "unstated"
    group: str  # clips of one group show the same people


@dataclass(frozen=True)
class Clips:
    """The clips to measure on."""

    chosen: list[Clip]
    trained: list[Clip]  # left out: of the split train, or of a group that the model was trained on
    sha256: str  # of the manifest


def read_clips(data: Path, trained_on: Sequence[Path] = ()) -> Clips:
    """The clips of a folder with a manifest.csv of COLUMNS and, where known, source; see `train.collect`.

    Args:
        data: the folder.
        trained_on: data folders whose manifests name the groups that the model was trained on.

    Raises:
        DataError: no manifest, one that cannot be used, or a group in val and in another split.
    """
    rows = _rows(data)
    clips = []
    for line, row in enumerate(rows, 2):
        label, split = row["label"].lower(), SPLITS.get(row["split"].lower())
        if label not in LABELS or split is None or not row["path"] or not row["group"]:
            raise DataError(
                f"{data}/manifest.csv, line {line}: path, label, split or group is missing or is none of those known."
            )
        method = ORIGINAL if label == LABELS[0] else row["method"]
        known = (row.get("source") or "", method, row["compression"] or "unstated", row["group"])
        clips.append(Clip(data / row["path"], row["path"], LABELS.index(label), split, *known))
    clips.sort(key=lambda clip: clip.name)
    fitted = {clip.group for clip in clips if clip.split == "val"}
    twice = fitted & {clip.group for clip in clips if clip.split != "val"}
    if twice:
        raise DataError(f"{data}/manifest.csv: the group {min(twice)!r} is in val and in another split.")
    learnt = trained_groups(trained_on)
    trained = [clip for clip in clips if clip.split == "train" or clip.group in learnt]
    left = [clip for clip in clips if clip not in trained]
    return Clips(left, trained, hashlib.sha256((data / "manifest.csv").read_bytes()).hexdigest())


def trained_groups(folders: Sequence[Path]) -> set[str]:
    """The groups of the training pictures of some data folders. Raises DataError where one has no manifest."""
    groups = set()
    for folder in folders:
        for row in _rows(folder, ("path", "label")):
            if SPLITS.get((row.get("split") or "train").lower()) == "train" and row.get("group"):
                groups.add(row["group"])
    return groups


def _rows(folder: Path, needed: Sequence[str] = COLUMNS) -> list[dict]:
    file = folder / "manifest.csv"
    if not file.is_file():
        raise DataError(f"There is no {file}; `python -m train collect` makes a folder with one.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is not a CSV file in UTF-8 ({error}).") from None
    lacking = [column for column in needed if column not in (rows[0] if rows else {})]
    if lacking or any(row[column] is None for row in rows for column in needed):
        raise DataError(f"{file} has no rows, or lacks {' or '.join(lacking) or 'values'}.")
    return rows
