"""A scan from its first word to its last."""

import errno
import sqlite3
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from detect.detector import Detector
from detect.picture import PictureError
from detect.scan import ScanError
from detect.scan.firsts import Firsts, Found
from detect.scan.folder import Folder, begin, check_same, held, is_begun, passing
from detect.scan.listing import FILE, MEMBER, VIDEO, Listing
from detect.scan.local import LocalEngine
from detect.scan.progress import Progress
from detect.scan.reader import may_be_read_later
from detect.scan.rows import Rows
from detect.scan.totals import Totals

FEW = 10  # pictures
# What a disk, a quota or a limit for files says that has no more room. SQLite says the last for the last two.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, "SQLITE_FULL", "SQLITE_IOERR_WRITE"}


def scan(args: Namespace, model: str | Path) -> int:
    """Make, or go on with, what the arguments of `python -m detect scan` ask for; returns its exit status.

    Raises:
        ScanError, ModelError: it cannot be made.
    """
    detector = Detector(model)
    sha256 = detector.model.sha256
    with _engine(args, detector) as engine, _keeping(args.out), held(args.out):
        if not (args.resume and is_begun(args.out)):
            _begin(args, sha256)
        with closing(Folder(args.out)) as folder:
            check_same(folder, args.source, sha256, args.shard_rows)
            with passing(args.out, "firsts") as file, closing(Firsts(file)) as firsts:
                _judge(engine, folder, firsts)
    totals = Totals.of(args.out)
    print(f"{totals}. They are in {args.out}", file=sys.stderr)
    return 1 if totals.unread else 0


def _judge(engine, folder: Folder, firsts: Firsts) -> None:
    rows = Rows(folder)
    with Progress(folder.manifest.pictures, firsts.claim_done(folder)) as progress:
        for number, found in engine.judge(folder, firsts, progress):
            if len(found) == len(folder.positions(number)):  # of the others, some have been read
                _check_reached(found)
            rows.write(number, found)


@contextmanager
def _engine(args: Namespace, detector: Detector) -> Iterator:
    if args.engine == "local":
        yield LocalEngine(detector)
        return
    from detect.scan.cluster import RayEngine, connected

    with connected(args.address) as ray:
        yield RayEngine(detector.model.path, ray)


@contextmanager
def _keeping(out: Path) -> Iterator[None]:
    """A full disk, or one that is not to be written to, as a sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        full = {getattr(error, "errno", None), getattr(error, "sqlite_errorname", None)} & FULL
        hint = "Make room, then add --resume." if full else "What is done is kept; --resume goes on."
        raise ScanError(f"{out} cannot be written to: {reason}. {hint}") from None


def _check_reached(found: list[Found]) -> None:
    """Raise ScanError where none of many files could be read: it is not they that something is wrong with."""
    if len(found) > FEW and all(map(_is_out_of_reach, found)):
        placed, _, _, error = found[0]
        raise ScanError(
            f"None of {len(found)} pictures, from {placed.item.path} on, can be read: {error} Make them reachable, "
            "then add --resume; or, to go without them, take them out of the source and name a new folder with --out."
        )


def _is_out_of_reach(found: Found) -> bool:
    file = found.placed.item.kind in (FILE, MEMBER)  # of a Parquet file, as many rows may be damaged
    return file and isinstance(found.result, PictureError) and may_be_read_later(str(found.result))


def _begin(args: Namespace, model_sha256: str) -> None:
    listing = Listing(args.source)
    begin(args.out, args.source, listing, model_sha256, args.shard_rows)
    if listing.left_out:
        said = ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(listing.left_out.items()))
        hint = " `python -m detect PATH` judges videos." * (VIDEO in listing.left_out)
        print(f"Left out: {said}.{hint}", file=sys.stderr)
