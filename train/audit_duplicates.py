"""Pictures that stand in the data twice: the same bytes, and the same photograph in two splits."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from deepfake_detect.picture.decode import open_picture
from train.audit_features import Hashed

NEAR = 8  # bits of 64; strangers in similar poses come that close as well, hence the second look at the details
SAME = 0.4  # correlation of fine detail; seen by eye: under it mostly strangers, above it one photograph or one scene
CHECKED = 4000  # pairs, the nearest, that get the second look
SHOWN = 200  # pairs that the report lists
CHUNK = 256
ROWS = 512  # hashes compared at once with all of another split
DETAIL_SIDE, DETAIL_BLUR, DETAIL_SHIFT = 128, 2.0, 12  # pixels, of the second look


def duplicates(pictures: Sequence[Hashed], map_=map) -> dict:
    """Find pictures that stand in the data twice.

    Near pairs have perceptual hashes that differ in at most NEAR bits. For the pairs that cross two splits, the
    details are compared as well, see `detail_match`: pairs of at least SAME count as the same photograph or scene.

    Args:
        pictures: all of them.
        map_: as `map`; that of a thread pool to open pictures at once.

    Returns:
        {"identical": {"pairs", "across_splits", "with_both_labels", "listed": [{"a", "b"}]}, "near": {"bits", "match",
        "within_splits": {source: pairs}, "across_splits": [{"splits", "sources", "candidates", "same",
        "same_with_both_labels"}], "closest": [{"a", "b", "sources", "distance", "match"}]: those that are the same, the
        nearest first}}; pictures by their path inside the data folder. Pairs of the same bytes count as identical only.
    """
    identical = [_ordered(a, b) for a, b in _same_bytes(pictures)]
    within, candidates, nearest = _near(pictures)
    matches = list(map_(lambda pair: detail_match(pair[1].sample.path, pair[2].sample.path), nearest))
    same = [(*pair, match) for pair, match in zip(nearest, matches, strict=True) if match >= SAME]
    confirmed = Counter(_kind(a, b) for _, a, b, _ in same)
    mixed = Counter(_kind(a, b) for _, a, b, _ in same if a.sample.label != b.sample.label)
    kinds = sorted(candidates, key=lambda kind: (-confirmed[kind], -candidates[kind], kind))
    same.sort(key=lambda pair: (pair[0], -pair[3], pair[1].name, pair[2].name))
    return {
        "identical": {
            "pairs": len(identical),
            "across_splits": sum(a.sample.split != b.sample.split for a, b in identical),
            "with_both_labels": sum(a.sample.label != b.sample.label for a, b in identical),
            "listed": [{"a": a.name, "b": b.name} for a, b in identical[:SHOWN]],
        },
        "near": {
            "bits": NEAR,
            "match": SAME,
            "checked": len(nearest),
            "within_splits": dict(sorted(within.items())),
            "across_splits": [
                {"splits": kind[0], "sources": kind[1], "candidates": candidates[kind], "same": confirmed[kind],
                 "same_with_both_labels": mixed[kind]} for kind in kinds
            ],
            "closest": [
                {"a": a.name, "b": b.name, "sources": _kind(a, b)[1], "distance": distance, "match": match}
                for distance, a, b, match in same[:SHOWN]
            ],
        },
    }  # fmt: skip


def detail_match(one: Path, other: Path) -> float:
    """Whether two pictures show the same details: hair, background, folds; -1..1.

    Both at 128 x 128 in grey, less their blurred selves; the best normalised correlation of the middle of one with any
    place of the other, so that a crop moved by up to 12 of the 128 pixels still matches.
    """
    return alike(details(one), details(other))


def details(path: Path) -> np.ndarray:
    """What `detail_match` compares of a picture: [128, 128] float32."""
    grey = cv2.cvtColor(open_picture(path), cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.resize(grey, (DETAIL_SIDE, DETAIL_SIDE), interpolation=cv2.INTER_AREA)
    return grey - cv2.GaussianBlur(grey, (0, 0), DETAIL_BLUR)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """`detail_match` of two pictures' details."""
    if min(float(one.std()), float(other.std())) < 0.1:
        return 0.0  # a plain picture has no details to compare
    middle = slice(DETAIL_SHIFT, -DETAIL_SHIFT)
    pairs = ((one, other), (other, one))
    return max(float(cv2.matchTemplate(a, b[middle, middle], cv2.TM_CCOEFF_NORMED).max()) for a, b in pairs)


def near_numbers(hashes: np.ndarray, bits: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pairs of hashes [N] uint64 that differ in at most `bits` bits, in chunks of (first, second, distance) with
    first < second."""
    octets = hashes.astype(np.uint64).view(np.uint8).reshape(-1, 8)
    signs = np.unpackbits(octets, axis=1).astype(np.float32) * 2 - 1  # their product is 64 less twice the distance
    for start in range(0, len(hashes), CHUNK):
        distance = (64 - signs[start : start + CHUNK] @ signs[start:].T) / 2
        first, second = np.nonzero(np.triu(distance <= bits, 1))
        yield first + start, second + start, distance[first, second]


def near_pairs(first: np.ndarray, second: np.ndarray, bits: int) -> list[tuple[int, int, int]]:
    """Places in two arrays of hashes [N] and [M] uint64 that differ in at most so many bits, and in how many."""
    found = []
    for start in range(0, len(first), ROWS):
        distance = np.bitwise_count(first[start : start + ROWS, None] ^ second[None])
        a, b = np.nonzero(distance <= bits)
        found += zip((a + start).tolist(), b.tolist(), distance[a, b].tolist(), strict=True)
    return found


def _near(pictures: Sequence[Hashed]) -> tuple[Counter, Counter, list[tuple[int, Hashed, Hashed]]]:
    """Counts by source within splits, by kind across splits, and the nearest CHECKED pairs across."""
    within, across, found = Counter(), Counter(), []
    for own in _grouped(pictures, lambda picture: (picture.sample.split, picture.source)).values():
        near = sum(len(first) for first, _, _ in near_numbers(_hashes(own), NEAR))
        near -= sum(math.comb(number, 2) for number in Counter(picture.sha256 for picture in own).values())
        within.update({own[0].source: near} if near else {})
    by_split = _grouped(pictures, lambda picture: picture.sample.split)
    for one, other in combinations(by_split.values(), 2):
        for a, b, bits in near_pairs(_hashes(one), _hashes(other), NEAR):
            if one[a].sha256 != other[b].sha256:
                found.append((bits, *_ordered(one[a], other[b])))
    across.update(_kind(a, b) for _, a, b in found)
    return within, across, sorted(found, key=lambda pair: (pair[0], pair[1].name, pair[2].name))[:CHECKED]


def _grouped(pictures: Sequence[Hashed], key: Callable[[Hashed], Hashable]) -> dict[Hashable, list[Hashed]]:
    groups: dict[Hashable, list[Hashed]] = defaultdict(list)
    for picture in pictures:
        groups[key(picture)].append(picture)
    return groups


def _hashes(pictures: Sequence[Hashed]) -> np.ndarray:
    return np.array([picture.phash for picture in pictures], np.uint64)


def _same_bytes(pictures: Sequence[Hashed]) -> Iterator[tuple[Hashed, Hashed]]:
    files = defaultdict(list)
    for picture in sorted(pictures, key=lambda picture: picture.name):
        files[picture.sha256].append(picture)
    for copies in files.values():
        yield from combinations(copies, 2)


def _ordered(a: Hashed, b: Hashed) -> tuple[Hashed, Hashed]:
    """Training first, where one of the two is trained on."""
    order = ("train", "val", "test", "cross")
    return tuple(sorted((a, b), key=lambda picture: (order.index(picture.sample.split), picture.name)))


def _kind(a: Hashed, b: Hashed) -> tuple[str, str]:
    """("train and test", the sources)."""
    return f"{a.sample.split} and {b.sample.split}", " and ".join(dict.fromkeys((a.source, b.source)))
