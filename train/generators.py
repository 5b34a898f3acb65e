"""Which known generators the pictures of a data set come from, and which were never tested: train/generators.csv."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from train.data import Sample
from train.kinds import KINDS

TABLE = Path(__file__).with_name("generators.csv")
TESTED = ("test", "cross")


class Known(NamedTuple):
    """A row of the table."""

    name: str
    year: int
    kind: str  # see train.kinds.KINDS
    pattern: re.Pattern  # a manifest's generator matches it as a whole


def generators(samples: Iterable[Sample]) -> dict:
    """How many fakes of each known generator there are.

    Args:
        samples: of all splits; `generator` says what their manifest does.

    Returns:
        {"known": [{"name", "year", "kind", "train", "test", "cross": pictures}], in the order of kinds and years, and
        "others": {what a manifest says and the table does not have, "" where it says nothing: fakes in test and
        cross}}.
    """
    counts = Counter((sample.generator, sample.split) for sample in samples if sample.label == 1)
    splits = ("train", *TESTED)
    rows, found = [], set()
    for known in _table():
        own = {generator for generator, _ in counts if known.pattern.fullmatch(generator)}
        found |= own
        pictures = {split: sum(counts[generator, split] for generator in own) for split in splits}
        rows.append({"name": known.name, "year": known.year, "kind": known.kind, **pictures})
    others = Counter()
    for (generator, split), count in counts.items():
        if generator not in found and split in TESTED:
            others[generator] += count
    return {"known": rows, "others": dict(sorted(others.items()))}


@lru_cache(1)
def _table() -> list[Known]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        table = [Known(row["name"], int(row["year"]), row["kind"], re.compile(row["generator"])) for row in rows]
    wrong = [known.name for known in table if known.kind not in KINDS[1:]]
    if wrong:
        raise ValueError(f"{TABLE}: {wrong[0]} has a kind that is not known.")
    return sorted(table, key=lambda known: (KINDS.index(known.kind), known.year))
