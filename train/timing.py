"""How long training took, across interruptions, and on which machine."""

import json
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from deepfake_detect.atomic_files import write_text

TICK = 5  # seconds


@contextmanager
def timed(file: Path) -> Iterator[None]:
    """Add the seconds spent inside to those in a file, every few seconds, so that a killed training counts too."""
    before, started, over = seconds(file), perf_counter(), threading.Event()

    def note() -> None:
        write_text(file, json.dumps({"seconds": before + perf_counter() - started}) + "\n")

    def keep_noting() -> None:
        while not over.wait(TICK):
            note()

    clock = threading.Thread(target=keep_noting, daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()
        note()


def seconds(file: Path) -> float:
    """What `timed` has counted in a file so far; 0 where it has not begun."""
    return json.loads(file.read_text(encoding="utf-8"))["seconds"] if file.is_file() else 0.0


def machine() -> dict:
    """{"cpu": the processor's name as far as the system tells, "cores", "python"}."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version()}
