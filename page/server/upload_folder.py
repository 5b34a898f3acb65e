"""The folder for uploads, and how files in it are deleted: nothing that is sent is kept."""

import getpass
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

ENVIRONMENT = "GRADIO_TEMP_DIR"  # where Gradio looks for the folder
MAX_STORED = 8 * 2**30  # bytes that may lie among the uploads before another one is refused


def upload_folder() -> Path:
    """The folder for uploads, which Gradio is told of: our own, which this user alone may read, inside the one that the
    environment names, or else the system's for such files. Always the same, so that what a killed server has left there
    is deleted by the next."""
    name = f"mobile-deepfake-detector-{getpass.getuser()}"
    folder = Path(os.environ.get(ENVIRONMENT) or tempfile.gettempdir()).resolve()
    if folder.name != name:
        folder = folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        folder = Path(tempfile.mkdtemp(), name)  # somebody else has taken the name
        folder.mkdir(mode=0o700)
    os.environ[ENVIRONMENT] = str(folder)
    return folder


def new_folder() -> Path:
    """A folder among the uploads, so that what lies in it is served and deleted as they are. Whoever knows its name
    can fetch that, so nobody can guess it. Raises OSError."""
    folder = upload_folder() / secrets.token_hex(20)
    folder.mkdir(mode=0o700)
    return folder


class Sweeper:
    """Deletes old files of a folder, whoever wrote them, as a context manager around the server's life.

    Gradio deletes the uploads and results that it knows; this also deletes what was cut off on the way.

    Args:
        folder: everything in it may be deleted.
        age: seconds after which a file is deleted.
        every: seconds between two looks.
        protected: gives the paths of files that stay, such as those of the examples.
    """

    def __init__(self, folder: Path, age: float, every: float, protected: Callable[[], Set[str]] = frozenset):
        self.folder, self.age, self.every, self.protected = folder, age, every, protected
        self._stop = Event()

    def __enter__(self) -> "Sweeper":
        self.sweep()
        Thread(target=self._keep_sweeping, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()

    def sweep(self) -> None:
        """Delete now what is old enough, and the folders that are left empty."""
        before, protected = time.time() - self.age, self.protected()
        for parent, folders, files in os.walk(self.folder, topdown=False):
            for name in files:
                path = Path(parent, name)
                try:
                    if str(path) not in protected and path.lstat().st_ctime < before:
                        path.unlink()
                except FileNotFoundError:
                    pass  # Gradio was quicker
                except OSError as error:  # the next look may succeed, and the others are not to wait for it
                    print(f"An old upload could not be deleted: {error.strerror}.", file=sys.stderr)
            for name in folders:
                try:
                    if Path(parent, name).lstat().st_ctime < before:
                        Path(parent, name).rmdir()
                except OSError:
                    pass  # not empty, gone meanwhile, or a link

    def _keep_sweeping(self) -> None:
        while not self._stop.wait(self.every):
            self.sweep()


def is_full(folder: Path, max_stored: int = MAX_STORED) -> bool:
    """Whether more bytes lie in a folder than may."""
    found = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):  # deleted meanwhile
                found += Path(parent, name).lstat().st_size
    return found > max_stored
