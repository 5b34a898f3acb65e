"""Kills at chosen moments, from inside a process that runs a command: audit hooks of Python, see PEP 578."""

import hashlib
import json
import os
import resource
import signal
import sys
from pathlib import Path

from waiting import LONG

from deepfake_detect.atomic_files import PARTIAL

BYTES = 50  # that a victim may write into a file


def strike_every_write(folder: Path, log: Path) -> None:
    """From here on, whenever a file in the folder is opened to be written, a copy of this process goes first and is
    killed: by the system, once it has written some bytes, or else before it renames the file.

    Each time a line of JSON goes into `log`: the signal, and the folder's files as they are then, see `contents`.
    """
    victim = False

    def hook(event: str, args: tuple) -> None:
        nonlocal victim
        if victim and event == "os.rename":
            os.kill(os.getpid(), signal.SIGKILL)
        if victim or event != "open" or not args[2] & (os.O_WRONLY | os.O_RDWR) or not _lies_in(folder, args[0]):
            return
        process = os.fork()
        if not process:
            victim = True
            signal.alarm(round(LONG))  # lest it wait for a thread, of which it has no copy
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))
            return
        _, status = os.waitpid(process, 0)
        with log.open("a") as file:
            file.write(json.dumps([-os.waitstatus_to_exitcode(status), contents(folder)]) + "\n")

    sys.addaudithook(hook)


def strike_before_renaming_to(path: Path) -> None:
    """From here on, SIGKILL ends this process when it is about to give a file or folder this name."""

    def hook(event: str, args: tuple) -> None:
        if event == "os.rename" and Path(args[1]) == path:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def contents(folder: Path) -> dict[str, str]:
    """The sha256 of every file by its name, without what goes by a partial name or lies in such a folder."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items() if PARTIAL not in name}


def _lies_in(folder: Path, path: object) -> bool:
    return isinstance(path, str | os.PathLike) and Path(os.path.abspath(path)).is_relative_to(folder)
