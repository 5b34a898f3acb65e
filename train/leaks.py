"""Pictures of train that another split holds as well: of the same group, or nearly the same picture.

Within one folder a group in two splits is an error (`train.data`); of several folders, made by different hands, what
crosses is left out of train. A near duplicate is found as in the audit: perceptual hashes that differ in at most NEAR
bits, and then the same details.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.errors import PictureError
from deepfake_detect.picture.decode import open_picture
from train.audit_duplicates import NEAR, SAME, alike, details, near_pairs
from train.audit_features import perceptual_hash
from train.crops import cancelling_pool
from train.data import Sample

COLUMNS = ("path", "label", "source", "reason", "like", "bits", "match")


def removed_paths(samples: Sequence[Sample], file: Path) -> set[str]:
    """Paths of the training pictures to leave out, from a file that an earlier call wrote, or found and written now.

    Args:
        samples: of all splits.
        file: removed.csv: each picture, and what it is like.
    """
    if not file.is_file():
        removed = leaks(samples)
        with atomic_write(file) as partial, partial.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, COLUMNS)
            writer.writeheader()
            writer.writerows(removed)
    by_name = {sample.name: str(sample.path) for sample in samples}
    with file.open(encoding="utf-8", newline="") as rows:
        removed = list(csv.DictReader(rows))
    for (source, reason), count in sorted(Counter((row["source"], row["reason"]) for row in removed).items()):
        print(f"train: {source or 'pictures'}: {count} left out, {reason} in another split")
    return {by_name[row["path"]] for row in removed if row["path"] in by_name}


def leaks(samples: Sequence[Sample], hashes_of: Mapping[str, int] | None = None) -> list[dict]:
    """Rows of COLUMNS for the training pictures that another split holds as well, in the order of `samples`.

    Args:
        samples: of all splits; those that cannot be opened are none.
        hashes_of: the perceptual hashes of those that can, by name, where they are known already.
    """
    train = [sample for sample in samples if sample.split == "train"]
    others = [sample for sample in samples if sample.split != "train"]
    groups = {sample.group: sample.name for sample in others if sample.group}
    rows = {}
    for sample in train:
        if sample.group in groups:
            rows[sample.name] = _row(sample, "group", groups[sample.group], "", "")
    with cancelling_pool() as pool:
        hashes, readable = [], []
        for part in (train, others):
            found = [hashes_of.get(sample.name) for sample in part] if hashes_of is not None else _hashed(part, pool)
            readable.append([sample for sample, value in zip(part, found, strict=True) if value is not None])
            hashes.append(np.array([value for value in found if value is not None], np.uint64))
        pairs = [(readable[0][a], readable[1][b], bits) for a, b, bits in near_pairs(*hashes, NEAR)]
        by_sample = defaultdict(list)
        for a, b, bits in pairs:
            by_sample[a.name].append((bits, a, b))
        print(f"train: {len(pairs)} pairs of pictures with like hashes across splits; their details are compared")
        matched = pool.map(_closest, by_sample.values())
        for a, b, bits, match in tqdm(matched, total=len(by_sample), desc="details", unit="picture", disable=None):
            if match >= SAME:
                rows.setdefault(a.name, _row(a, "near duplicate", b.name, bits, round(match, 3)))
    return [rows[sample.name] for sample in train if sample.name in rows]


def _hashed(samples: Sequence[Sample], pool: ThreadPoolExecutor) -> list[int | None]:
    return list(tqdm(pool.map(_hash, samples), total=len(samples), desc="hashes", unit="picture", disable=None))


def _hash(sample: Sample) -> int | None:
    try:
        return perceptual_hash(open_picture(sample.path))
    except PictureError:
        return None


def _closest(pairs: list[tuple[int, Sample, Sample]]) -> tuple[Sample, Sample, int, float]:
    own = details(pairs[0][1].path)
    matches = [alike(own, details(b.path)) for _, _, b in pairs]
    best = int(np.argmax(matches))
    bits, a, b = pairs[best]
    return a, b, bits, matches[best]


def _row(sample: Sample, reason: str, like: str, bits: int | str, match: float | str) -> dict:
    label = ("real", "fake")[sample.label]
    return dict(zip(COLUMNS, (sample.name, label, sample.source, reason, like, bits, match), strict=True))
