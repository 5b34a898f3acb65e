"""What is found out about the pictures of a listing: which stand for all with their bytes, and what these are."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from deepfake_detect.errors import PictureError
from deepfake_detect.scan.listing_store import Placed, new
from deepfake_detect.scan.manifest import Folder
from deepfake_detect.scan.reader import may_be_read_later
from deepfake_detect.verdict import Verdict

# What is read of shards that have a file
COLUMNS = ("position", "sha256", "duplicate_of", "label", "faces", "error_code")


class Found(NamedTuple):
    """A picture of the listing that was read, or could not be."""

    placed: Placed
    digest: bytes | None  # SHA-256 of its bytes
    first: int  # place of the picture that was the first to be met with these bytes, which may be its own
    result: Verdict | PictureError | None = None

    @property
    def is_first(self) -> bool:
        return self.first == self.placed.position

    @property
    def is_open(self) -> bool:
        """Whether it is to be judged."""
        return self.is_first and self.result is None


class DigestIndex:
    """SHA-256 of a picture's bytes -> the place in the listing that was the first to claim it; on disk, 40 bytes each.

    That is the first in the listing, too, unless that one could be read only after another was written down.
    """

    def __init__(self, file: Path):
        self._index = new(file)
        self._index.execute("CREATE TABLE first (digest BLOB PRIMARY KEY, position INTEGER) WITHOUT ROWID")
        self._index.execute("BEGIN")

    def close(self) -> None:
        self._index.close()

    def claim(self, digest: bytes, position: int) -> int:
        """The place that has claimed these bytes: this one, where none did before."""
        (first,) = self._index.execute(
            "INSERT INTO first VALUES (?, ?) ON CONFLICT DO UPDATE SET position = position RETURNING position",
            (digest, position),
        ).fetchone()
        return first

    def claim_done(self, folder: Folder) -> int:
        """Claim for all pictures that are written down, but those that may be read this time; returns their number."""
        pictures = 0
        for number in filter(folder.is_done, folder.shards):
            rows = folder.rows_of(number, *COLUMNS)
            read = [row for row in rows if not may_be_read_later(row["error_code"])]
            if not rows or len(read) < len(rows):
                folder.again.add(number)
            pictures += len(read)
            for row in read:
                if row["sha256"] and not row["duplicate_of"]:
                    self.claim(bytes.fromhex(row["sha256"]), row["position"])
        return pictures


def digest_of(data: bytes | PictureError) -> bytes | PictureError:
    """SHA-256 of a picture's bytes; the error of one that has none."""
    return data if isinstance(data, PictureError) else hashlib.sha256(data).digest()


def found_of(placed: Placed, digest: bytes | PictureError, digests: DigestIndex) -> Found:
    """What the digest of a picture tells of it."""
    if isinstance(digest, PictureError):
        return Found(placed, None, placed.position, digest)
    return Found(placed, digest, digests.claim(digest, placed.position))
