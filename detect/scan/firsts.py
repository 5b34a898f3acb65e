"""What is found out about the pictures of a listing: which are the first with their bytes, and what these are."""

import hashlib
import sqlite3
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from detect.picture import PictureError
from detect.scan.folder import Folder, Placed
from detect.scan.reader import may_be_read_later
from detect.verdict import Verdict

COLUMNS = [
    "position",
    "sha256",
    "duplicate_of",
    "label",
    "error",
]  # of the shards that are done; `Totals` reads no others


class Found(NamedTuple):
    """A picture of the listing that was read, or could not be."""

    placed: Placed
    digest: bytes | None  # SHA-256 of its bytes
    first: int  # place of the first picture with these bytes: its own, or an earlier one
    result: Verdict | PictureError | None = None

    @property
    def is_first(self) -> bool:
        return self.first == self.placed.position

    @property
    def is_open(self) -> bool:
        """Whether it is to be judged."""
        return self.is_first and self.result is None


class Firsts:
    """SHA-256 of a picture's bytes -> the first place in the listing that has claimed it; on disk, 40 bytes each."""

    def __init__(self):
        self._index = sqlite3.connect("", isolation_level=None)  # a temporary file, which goes with the process
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("CREATE TABLE first (digest BLOB PRIMARY KEY, position INTEGER) WITHOUT ROWID")
        self._index.execute("BEGIN")

    def claim(self, digest: bytes, position: int) -> int:
        """The first place so far, this one included, whose picture has these bytes."""
        (first,) = self._index.execute(
            "INSERT INTO first VALUES (?, ?) ON CONFLICT DO UPDATE SET position = min(position, excluded.position) "
            "RETURNING position",
            (digest, position),
        ).fetchone()
        return first

    def claim_done(self, folder: Folder) -> int:
        """Claim for all pictures of the shards that are done; returns their number. The others are to be made again:
        those whose file is damaged, and those with pictures that may be read this time."""
        pictures = 0
        for number in filter(folder.is_done, folder.shards):
            rows = _rows_of(folder, number)
            if not rows or any(may_be_read_later(row["error"]) for row in rows):
                folder.again.add(number)
                continue
            pictures += len(rows)
            for row in rows:
                if row["sha256"] and not row["duplicate_of"]:
                    self.claim(bytes.fromhex(row["sha256"]), row["position"])
        return pictures


def _rows_of(folder: Folder, shard: int) -> list[dict]:
    """What a shard says of its pictures; nothing where its file is damaged."""
    try:
        rows = pq.read_table(folder.file_of(shard), columns=COLUMNS).to_pylist()
    except pa.ArrowException:
        return []
    except OSError as error:
        if error.errno:  # the system's; pyarrow says of damage, too, that it is one
            raise
        return []
    whole = [row["position"] for row in rows] == list(folder.positions(shard))
    return rows if whole else []


def digest_of(data: bytes | PictureError) -> bytes | PictureError:
    """SHA-256 of a picture's bytes; the error of one that has none."""
    return data if isinstance(data, PictureError) else hashlib.sha256(data).digest()


def found_of(placed: Placed, digest: bytes | PictureError, firsts: Firsts) -> Found:
    """What the digest of a picture tells of it."""
    if isinstance(digest, PictureError):
        return Found(placed, None, placed.position, digest)
    return Found(placed, digest, firsts.claim(digest, placed.position))
