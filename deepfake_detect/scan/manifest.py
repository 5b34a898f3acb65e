"""The folder of a scan: its manifest, the listing it goes by, and a Parquet file for each shard that is done.

A shard is SHARD_ROWS consecutive pictures of the sorted listing. Listing and manifest are written before the first
shard and never again, so that whoever goes on finds the same shards, whatever has come into the bucket since.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deepfake_detect.atomic_files import atomic_write, write_text
from deepfake_detect.errors import ScanError
from deepfake_detect.scan.filesystem import is_url
from deepfake_detect.scan.listing import MANIFEST, Item
from deepfake_detect.scan.listing_store import Placed, fingerprint_of, new, opened, passing, placed_between, sort_into
from deepfake_detect.scan.reader import may_be_read_later

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LISTING = "_listing.sqlite"  # readers of Parquet pass over names that begin so
SHARD_ROWS = 1000  # half a minute's work for one core: as much is made again after a kill
NEW = "Name a new folder with --out."
FEW = 3  # sources that a sentence names
BUSY = "Another scan is writing to {}. Wait for it, or stop it."

Shard = tuple[int, list[Placed]]  # its number, from 0, and the pictures in it that are to be read


@dataclass(frozen=True)
class Manifest:
    """What a scan is of; as JSON in MANIFEST."""

    source: list[str]  # absolute
    folder: str  # where relative names in the listing begin
    pictures: int
    listing_sha256: str
    model_sha256: str
    shard_rows: int
    thorough: bool  # see `Detector.predict`

    @classmethod
    def of(cls, path: Path) -> "Manifest | None":
        """That of a folder, or None."""
        try:
            return cls(**json.loads((path / MANIFEST).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


class Folder:
    """A scan that has begun. Open in one process at a time.

    Raises:
        ScanError: another process has it open, or its files do not belong together.
    """

    def __init__(self, path: Path):
        manifest = Manifest.of(path)
        if not manifest:
            raise ScanError("out_damaged", f"{path / MANIFEST} is damaged. {NEW}")
        self.path, self.manifest = path, manifest
        # Shards whose file is there, but damaged, or with pictures that may be read this time
        self.again: set[int] = set()
        try:
            self._listing = opened(path / LISTING, "rw")
            self._listing.execute("BEGIN EXCLUSIVE")  # released by the system, too, when this process is killed
            fingerprint = fingerprint_of(self._listing)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", None) == "SQLITE_BUSY":
                raise ScanError("out_busy", BUSY.format(path)) from None
            raise ScanError("out_damaged", f"{path / LISTING} cannot be used ({error}). {NEW}") from None
        if fingerprint != self.manifest.listing_sha256:
            raise ScanError("out_damaged", f"{path / LISTING} is not the listing that {MANIFEST} speaks of. {NEW}")
        for left in path.glob(".partial-*"):  # of a scan that was killed
            left.unlink()

    def close(self) -> None:
        self._listing.close()

    @property
    def shards(self) -> range:
        return range(-(-self.manifest.pictures // self.manifest.shard_rows))

    def file_of(self, shard: int) -> Path:
        return self.path / f"part-{shard:06d}.parquet"

    def shard_at(self, position: int) -> int:
        return (position - 1) // self.manifest.shard_rows

    def is_done(self, shard: int) -> bool:
        return shard not in self.again and self.file_of(shard).is_file()

    def positions(self, shard: int) -> range:
        start = shard * self.manifest.shard_rows
        return range(start + 1, min(start + self.manifest.shard_rows, self.manifest.pictures) + 1)

    def rows_of(self, shard: int, *columns: str) -> list[dict]:
        """What a shard says of its pictures, in their order; nothing where its file is missing or damaged."""
        if not self.file_of(shard).is_file():
            return []
        try:
            with self.file_of(shard).open("rb") as file:  # pyarrow itself opens no name that is not UTF-8
                rows = pq.read_table(file, columns=list(columns) or None).to_pylist()
        except pa.ArrowException:
            return []
        except OSError as error:
            if error.errno:  # the system's; pyarrow says of damage, too, that it is one
                raise
            return []
        whole = [row["position"] for row in rows] == list(self.positions(shard))
        return rows if whole else []

    def missing(self) -> Iterator[Shard]:
        """The shards that are not done, each with those of its pictures that no row tells of, or only that they could
        not be read."""
        for number in self.shards:
            if not self.is_done(number):
                yield number, self._unread(number)

    def _unread(self, shard: int) -> list[Placed]:
        read = {row["position"] for row in self.rows_of(shard) if not may_be_read_later(row["error_code"])}
        start = shard * self.manifest.shard_rows
        pictures = placed_between(self._listing, start, start + self.manifest.shard_rows)
        return [placed for placed in pictures if placed.position not in read]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The folder of a scan, made where there is none, and kept from other scans. The system lets go of it, too, when
    this process is killed.

    Raises:
        ScanError: another scan has it, or it cannot be made.
    """
    try:
        path.mkdir()
        made = True
    except FileExistsError:
        made = False
    except OSError as error:
        raise ScanError("out_unwritable", f"{path} cannot be made: {error.strerror}.") from None
    with _locked(path):
        try:
            yield
        except BaseException:
            if made and not os.listdir(path):
                path.rmdir()
            raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Of a folder itself, so that nothing is left lying; where the system cannot do so, the listing's lock is all."""
    if not (fcntl and path.is_dir()):
        yield
        return
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if isinstance(error, BlockingIOError):
            os.close(lock)
            raise ScanError("out_busy", BUSY.format(path)) from None
    try:
        yield
    finally:
        os.close(lock)


def begin(
    path: Path,
    source: Sequence[str],
    items: Iterable[Item],
    model_sha256: str,
    shard_rows: int | None,
    thorough: bool,
) -> None:
    """Make the listing and the manifest of a scan in its folder, see `held`.

    Raises:
        ScanError: there is something else of that name, or there are no pictures.
    """
    if os.path.lexists(path) and not _is_unbegun(path):
        hint = "Add --resume to go on with it, or name another." if is_begun(path) else "It is no scan; name another."
        raise ScanError("out_exists", f"There is a {path} already. {hint}")
    path.mkdir(exist_ok=True)
    for left in path.iterdir():
        left.unlink()
    with (
        atomic_write(path / LISTING) as partial,
        passing(path, "unsorted") as unsorted,
        closing(new(partial)) as listing,
    ):
        pictures = sort_into(listing, items, unsorted)
        if not pictures:
            raise ScanError("source_missing", f"No pictures in {_named(source)}.")
        fingerprint = fingerprint_of(listing)
    manifest = Manifest(
        absolute(source), os.getcwd(), pictures, fingerprint, model_sha256, shard_rows or SHARD_ROWS, thorough
    )  # fmt: skip
    write_text(path / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")


def is_begun(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def check_same(
    folder: Folder, source: Sequence[str], model_sha256: str, shard_rows: int | None, thorough: bool
) -> None:
    """Raise ScanError unless a scan that has begun is the one that is asked for."""
    manifest = folder.manifest
    asked = {"source": absolute(source), "model_sha256": model_sha256, "shard_rows": shard_rows or manifest.shard_rows,
             "thorough": thorough}  # fmt: skip
    for field, said in (("source", "of another source"), ("model_sha256", "with another model"),
                        ("shard_rows", "with other shards"), ("thorough", "with another --thorough")):  # fmt: skip
        begun = getattr(manifest, field)
        if begun != asked[field]:
            begun = _named(begun) if isinstance(begun, list) else begun
            raise ScanError(
                "out_exists", f"{folder.path} was begun {said} ({begun}). Name that one, or a new folder with --out."
            )


def _named(source: Sequence[str]) -> str:
    """The first few: a shell makes thousands of a pattern."""
    more = f" and {len(source) - FEW} more" if len(source) > FEW else ""
    return ", ".join(source[:FEW]) + more


def absolute(source: Sequence[str]) -> list[str]:
    return [name if is_url(name) else os.path.abspath(name) for name in source]


def _is_unbegun(path: Path) -> bool:
    """Whether it is an empty folder, or one that a scan has left which was killed over its listing."""
    return path.is_dir() and all(file.name == LISTING or file.name.startswith(".partial-") for file in path.iterdir())


def item_at(path: Path, position: int) -> Item | None:
    """What stands at a place in the listing of a scan, which may be running; None where there is no listing."""
    try:
        with closing(opened(path / LISTING, "ro&immutable=1")) as listing:
            return next((placed.item for placed in placed_between(listing, position - 1, position)), None)
    except sqlite3.Error:
        return None
