"""What a scan has come to so far, from its shards alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detect.explain import WORDS
from detect.verdict import FAKE, REAL, UNSURE

SHARDS = "part-*.parquet"


@dataclass
class Totals:
    """Numbers of pictures."""

    labels: Counter  # by label
    unread: int = 0
    duplicates: int = 0  # pictures whose bytes are those of another; they are counted under its label, too

    @classmethod
    def of(cls, folder: Path) -> "Totals":
        """Of the shards in a folder."""
        totals = cls(Counter())
        for table in shards(folder, "label", "error", "duplicate_of"):
            totals.add(table)
        return totals

    def add(self, table: pa.Table) -> None:
        """Count the rows of a shard."""
        for one in pc.value_counts(table["label"].drop_null()).to_pylist():
            self.labels[one["values"]] += one["counts"]
        self.unread += len(table) - table["error"].null_count
        self.duplicates += len(table) - table["duplicate_of"].null_count

    @property
    def pictures(self) -> int:
        return self.labels.total() + self.unread

    def __str__(self) -> str:
        said = ", ".join(f"{self.labels[label]} {WORDS[label]}" for label in (FAKE, UNSURE, REAL))
        unread = f", {self.unread} could not be read" * (self.unread > 0)
        copies = f"; {self.duplicates} repeat{'s' * (self.duplicates == 1)} another one" * (self.duplicates > 0)
        return f"{self.pictures} picture{'s' * (self.pictures != 1)}: {said}{unread}{copies}"


def shards(folder: Path, *columns: str) -> Iterator[pa.Table]:
    """Columns of one shard after the other."""
    for path in sorted(folder.glob(SHARDS)):
        with path.open("rb") as file:  # pyarrow itself opens no name that is not UTF-8
            table = pq.read_table(file, columns=list(columns))
        yield table
