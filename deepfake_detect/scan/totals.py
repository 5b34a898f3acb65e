"""What a scan has come to so far, from its shards alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deepfake_detect.report.sentences import counted
from deepfake_detect.verdict import NO_FACE

SHARDS = "part-*.parquet"


@dataclass
class Totals:
    """Numbers of pictures."""

    categories: Counter  # by category, see `deepfake_detect.verdict`
    unread: int = 0
    duplicates: int = 0  # pictures whose bytes are those of another; they are counted under its category, too

    @classmethod
    def of(cls, folder: Path) -> "Totals":
        """Of the shards in a folder."""
        totals = cls(Counter())
        for table in shards(folder, "label", "faces", "error", "duplicate_of"):
            totals.add(table)
        return totals

    def add(self, table: pa.Table) -> None:
        """Count the rows of a shard."""
        with_face = table.filter(pc.greater(table["faces"], 0))
        for one in pc.value_counts(with_face["label"]).to_pylist():
            self.categories[one["values"]] += one["counts"]
        self.categories[NO_FACE] += pc.sum(pc.equal(table["faces"], 0)).as_py() or 0
        self.unread += len(table) - table["error"].null_count
        self.duplicates += len(table) - table["duplicate_of"].null_count

    @property
    def pictures(self) -> int:
        return self.categories.total() + self.unread

    def __str__(self) -> str:
        unread = f", {self.unread} could not be read" * (self.unread > 0)
        copies = f"; {self.duplicates} repeat{'s' * (self.duplicates == 1)} another one" * (self.duplicates > 0)
        return f"{self.pictures} picture{'s' * (self.pictures != 1)}: {counted(self.categories)}{unread}{copies}"


def shards(folder: Path, *columns: str) -> Iterator[pa.Table]:
    """Columns of one shard after the other."""
    for path in sorted(folder.glob(SHARDS)):
        with path.open("rb") as file:  # pyarrow itself opens no name that is not UTF-8
            table = pq.read_table(file, columns=list(columns))
        yield table
