"""The sorted listing of a scan: an SQLite file, because it may hold millions of pictures."""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deepfake_detect.atomic_files import PARTIAL
from deepfake_detect.scan.listing import Item


class Placed(NamedTuple):
    """An item at its place in the sorted listing, counted from 1."""

    position: int
    item: Item


def opened(file: Path, mode: str) -> sqlite3.Connection:
    """A listing that is there; opening by its name alone would make one."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=0, isolation_level=None)


@contextmanager
def passing(path: Path, name: str) -> Iterator[Path]:
    """A file in the folder of a scan, not in the system's for such files, which may be small; deleted in the end."""
    file = path / f"{PARTIAL}{os.getpid()}-{name}"
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def new(file: Path) -> sqlite3.Connection:
    """A database that is thrown away where it is not finished."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    return database


def sort_into(listing: sqlite3.Connection, items: Iterable[Item], unsorted: Path) -> int:
    """Write items into a listing, sorted and each once; returns their number. On disk, whatever their number."""
    columns = "file BLOB, start INTEGER, kind TEXT, size INTEGER, name BLOB"
    listing.execute("ATTACH ? AS unsorted", (os.fsencode(unsorted),))
    listing.execute("PRAGMA unsorted.journal_mode = OFF")
    listing.execute("PRAGMA unsorted.synchronous = OFF")
    listing.execute(f"CREATE TABLE unsorted.item ({columns}, PRIMARY KEY (file, start)) WITHOUT ROWID")
    listing.execute(f"CREATE TABLE item (position INTEGER PRIMARY KEY, {columns})")
    listing.execute("BEGIN")
    rows = ((os.fsencode(item.file), item.start, item.kind, item.size, os.fsencode(item.name)) for item in items)
    listing.executemany("INSERT OR IGNORE INTO unsorted.item VALUES (?, ?, ?, ?, ?)", rows)
    listing.execute(
        "INSERT INTO item (file, start, kind, size, name) "
        "SELECT file, start, kind, size, name FROM unsorted.item ORDER BY file, start"
    )
    listing.execute("COMMIT")
    return listing.execute("SELECT count(*) FROM item").fetchone()[0]


def placed_between(listing: sqlite3.Connection, start: int, end: int) -> Iterator[Placed]:
    """Those at the places after `start`, up to `end`."""
    rows = listing.execute(
        "SELECT position, file, kind, start, size, name FROM item WHERE position > ? AND position <= ? "
        "ORDER BY position", (start, end)
    )  # fmt: skip
    for position, file, kind, first, size, name in rows:
        yield Placed(position, Item(os.fsdecode(file), kind, first, size, os.fsdecode(name)))


def fingerprint_of(listing: sqlite3.Connection) -> str:
    digest = hashlib.sha256()
    for row in listing.execute("SELECT position, file, kind, start, size, name FROM item ORDER BY position"):
        digest.update(repr(row).encode())
    return digest.hexdigest()
