"""What a process takes of the machine, and what it leaves there."""

import ctypes
from pathlib import Path
from typing import NamedTuple

import psutil
from project import ROOT

SECONDS = 5  # for one file, of the processor: what else runs on the machine may hold it up
MEGABYTES = 1024  # for one process
_BOUNDING_SET_DROP, _RIGHTS_OVER_FILES = 24, (1, 2)  # of Linux, see capabilities(7)


class Place(NamedTuple):
    """An empty folder for a process to work in."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """With the places for temporary files and for a user's own in this folder."""
        return {"TMPDIR": str(self.folder), "HOME": str(self.folder), "PYTHONPATH": str(ROOT)}

    def left(self) -> list[str]:
        """The files that are there, but for the list of fonts that matplotlib keeps where Gradio finds it installed."""
        found = {path.relative_to(self.folder) for path in self.folder.rglob("*") if not path.is_dir()}
        return sorted(str(path) for path in found if path.parts[:2] != (".cache", "matplotlib"))


def peak_megabytes(process: int | str) -> float:
    """The most memory that a process has held so far; 0 once it has ended. What the kernel counts for a child that has
    ended begins with what its parent held, so it is no use here."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def processor_seconds(process: int) -> float:
    """What a running process has taken of the processor so far, over all its threads."""
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


def without_rights() -> None:
    """Between fork and exec: the new process may read only what everybody may, even where root starts it."""
    for right in _RIGHTS_OVER_FILES:
        ctypes.CDLL(None).prctl(_BOUNDING_SET_DROP, right, 0, 0, 0)  # fails, as it should, for who is not root
