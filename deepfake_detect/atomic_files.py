"""Files that are whole or not there: everything is written beside its place, then renamed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial-"  # then the number of the process that writes, and the name to be


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path with the same suffixes in the same folder; on success it takes the place of `path`.

    A folder that does not exist is not made: its name may well be mistyped. Of two processes that write the same file
    at once, the one that is done last has its way; two threads of one process may not. An OSError in between names
    `path`, where it names no other file.
    """
    path = Path(path)
    for left in stale_partials(path):
        try:
            left.unlink(missing_ok=True)
        except OSError:  # somebody else's, in a folder that everybody may write to
            pass
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        if error.filename in (None, partial, str(partial)):  # None: what a full disk gives
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def stale_partials(path: Path, prefix: str = PARTIAL) -> list[Path]:
    """What processes that were writing `path` have left beside it because they were killed.

    What another process is writing now is not among it. What has this process's own number is: it comes from an
    earlier one, as where a container numbers its processes alike every time it starts.
    """
    name = re.compile(rf"{re.escape(prefix)}(\d{{1,9}})-{re.escape(path.name)}")
    try:
        found = [name.fullmatch(file) for file in os.listdir(path.parent)]
    except OSError:  # a folder that is not there, which the writing will tell, or one that may not be looked into
        return []
    return [path.with_name(match[0]) for match in found if match and not _is_another(int(match[1]))]


def _is_another(process: int) -> bool:
    if process == os.getpid():
        return False
    if os.name == "nt":  # where the question below would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and it runs
        pass
    return True
