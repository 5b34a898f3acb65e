"""A scan from its first word to its last: what `deepfake-detect scan` calls, and what a program may."""

import errno
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from os import PathLike, fspath
from pathlib import Path

from deepfake_detect.detector import THOROUGH, Detector, default_model
from deepfake_detect.errors import PictureError, ScanError
from deepfake_detect.scan.dedup import DigestIndex, Found
from deepfake_detect.scan.engine_local import LocalEngine
from deepfake_detect.scan.listing import FILE, MEMBER, Listing
from deepfake_detect.scan.listing_store import passing
from deepfake_detect.scan.manifest import Folder, begin, check_same, held, is_begun
from deepfake_detect.scan.parquet_rows import Rows
from deepfake_detect.scan.progress import Progress, ScanProgress
from deepfake_detect.scan.reader import may_be_read_later
from deepfake_detect.scan.totals import Totals

FEW = 10  # pictures
ENGINES = ("local", "ray")
# What a disk, a quota or a limit for files says that has no more room. SQLite says the last for the last two.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, "SQLITE_FULL", "SQLITE_IOERR_WRITE"}


def scan(
    source: str | PathLike | Sequence[str | PathLike],
    out: str | PathLike,
    model: str | PathLike | None = None,
    engine: str = "local",
    resume: bool = False,
    progress: Callable[[ScanProgress], None] | None = None,
    *,
    address: str | None = None,
    shard_rows: int | None = None,
    thorough: bool = THOROUGH,
) -> Totals:
    """Judge all pictures of a folder or a bucket into Parquet, one row each.

    Args:
        source: a folder, a glob pattern, a picture, a Parquet file, a tar, a .txt with a path a line, or the URL of
            one of these; or several.
        out: the folder to make, DIR.parquet.
        model: see `Detector`; by default the one that comes with the package.
        engine: "local", this process, or "ray".
        resume: go on with a scan that was broken off, where `out` holds one.
        progress: called when the scan begins and with every picture. An exception that it raises, to stop, passes
            through; what is done is kept.
        address: of a Ray cluster, host:port, or "auto" on one of its machines.
        shard_rows: pictures in one Parquet file, at least 1; by default 1000.
        thorough: see `Detector.predict`.

    Returns:
        What the whole scan has come to, earlier runs included.

    Raises:
        ScanError: it cannot be made or go on.
        ModelError: the model cannot serve, or cannot be had.
        ValueError: there is no such engine, or `shard_rows` is less than 1.

    Example:
        >>> totals = scan("photos", "verdicts.parquet", progress=lambda step: print(step.done, step.total))
        ... # doctest: +SKIP
        >>> totals.categories["fake"], totals.unread  # doctest: +SKIP
        (12, 1)
    """
    if engine not in ENGINES:
        raise ValueError(f"There is no engine {engine!r}; choose one of {', '.join(ENGINES)}.")
    if shard_rows is not None and shard_rows < 1:
        raise ValueError(f"A Parquet file holds at least one picture, not {shard_rows}.")
    sources: list[str] = [fspath(one) for one in ([source] if isinstance(source, str | PathLike) else source)]
    detector, out, left_out = Detector(default_model() if model is None else model), Path(out), None
    sha256 = detector.model.sha256
    raised: list[OSError] = []
    with _engine(engine, address, detector, thorough) as judges, _keeping(out, raised), held(out):
        if not (resume and is_begun(out)):
            listing = Listing(sources)
            begin(out, sources, listing, sha256, shard_rows, thorough)
            left_out = listing.left_out, listing.suffixes
        with closing(Folder(out)) as folder:
            check_same(folder, sources, sha256, shard_rows, thorough)
            with passing(out, "digests") as file, closing(DigestIndex(file)) as digests:
                done = digests.claim_done(folder)
                report = progress and _reporting(progress, raised)
                _judge(judges, folder, digests, Progress(folder.manifest.pictures, done, report, left_out))
    return Totals.of(out)


def _judge(engine, folder: Folder, digests: DigestIndex, progress: Progress) -> None:
    rows = Rows(folder)
    for number, found in engine.judge(folder, digests, progress):
        if len(found) == len(folder.positions(number)):  # of the others, some have been read
            _check_reached(found)
        rows.write(number, found)


@contextmanager
def _engine(name: str, address: str | None, detector: Detector, thorough: bool) -> Iterator:
    if name == "local":
        yield LocalEngine(detector, thorough)
        return
    from deepfake_detect.scan.engine_ray import RayEngine, connected

    with connected(address) as ray:
        yield RayEngine(detector.model.path, ray, thorough)


def _reporting(progress: Callable[[ScanProgress], None], raised: list[OSError]) -> Callable[[ScanProgress], None]:
    """`progress`, whose own OSError, of a pipe that nobody reads any more for one, is noted as no fault of the disk."""

    def report(step: ScanProgress) -> None:
        try:
            progress(step)
        except OSError as error:
            raised.append(error)
            raise

    return report


@contextmanager
def _keeping(out: Path, others: Sequence[OSError]) -> Iterator[None]:
    """A full disk, or one that is not to be written to, as a sentence; `others` pass through."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if error in others:
            raise
        reason = getattr(error, "strerror", None) or error
        full = {getattr(error, "errno", None), getattr(error, "sqlite_errorname", None)} & FULL
        hint = "Make room, then add --resume." if full else "What is done is kept; --resume goes on."
        raise ScanError("out_unwritable", f"{out} cannot be written to: {reason}. {hint}") from None


def _check_reached(found: list[Found]) -> None:
    """Raise ScanError where none of many files could be read: it is not they that something is wrong with."""
    if len(found) > FEW and all(map(_is_out_of_reach, found)):
        placed, _, _, error = found[0]
        raise ScanError(
            "out_of_reach",
            f"None of {len(found)} pictures, from {placed.item.path} on, can be read: {error} Make them reachable, "
            "then add --resume; or, to go without them, take them out of the source and name a new folder with --out.",
        )


def _is_out_of_reach(found: Found) -> bool:
    file = found.placed.item.kind in (FILE, MEMBER)  # of a Parquet file, as many rows may be damaged
    return file and isinstance(found.result, PictureError) and may_be_read_later(found.result.code)
