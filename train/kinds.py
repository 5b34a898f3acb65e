"""Kinds of fakes and of photographs, by data set: train/kinds.csv.

The table has a row for each data set and class: source, label, kind, and, where a data set is to be drawn from in
parts, part and a regular expression that the picture's origin must match. The first row that matches counts.
"""

import csv
import re
from functools import lru_cache
from pathlib import Path

from deepfake_detect.model.onnx_model import LABELS
from deepfake_detect.verdict import KINDS as KINDS_OF_FAKES

TABLE = Path(__file__).with_name("kinds.csv")
KINDS = (LABELS[0], *KINDS_OF_FAKES)  # the classes of a network's second output
PHOTOGRAPHS = ("portrait", "snapshot", "video_frame")


def kind_and_part(source: str, label: int, origin: str = "") -> tuple[str, str]:
    """Kind of a picture and part of its data set.

    Args:
        source: the data set.
        label: 0 real, 1 fake.
        origin: the picture's name in the data set.

    Returns:
        One of KINDS[1:] for a fake and of PHOTOGRAPHS for a photograph, "" where the table does not have the source;
        and the part, the source's own name where it has none.
    """
    for kind, part, pattern in _table().get((source, LABELS[label]), ()):
        if pattern.search(origin):
            return kind, part or source
    return "", source


def kind_number(kind: str, label: int) -> int:
    """Place in KINDS, or -1 for a fake of unknown kind."""
    if label == 0:
        return 0
    return KINDS.index(kind) if kind in KINDS else -1


@lru_cache(1)
def _table() -> dict[tuple[str, str], list[tuple[str, str, re.Pattern]]]:
    table = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known = KINDS[1:] if row["label"] == "fake" else PHOTOGRAPHS
            if row["label"] not in LABELS or row["kind"] not in known:
                raise ValueError(f"{TABLE}: {row} has a label or kind that is not known.")
            entry = row["kind"], row["part"], re.compile(row["origin"])
            table.setdefault((row["source"], row["label"]), []).append(entry)
    return table
