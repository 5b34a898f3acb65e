"""What the tests of scans share: pictures that all differ, the command, and what it has written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from conftest import ROOT, here
from pictures import encoded
from PIL import Image

WORDS = (sys.executable, "-m", "detect", "scan")


def fill(folder: Path, count: int, face: Image.Image) -> list[str]:
    """Write pictures whose bytes all differ, 0000.jpg and so on; in every second, red and blue change places."""
    folder.mkdir(parents=True, exist_ok=True)
    both = [encoded(face, "JPEG"), encoded(Image.fromarray(np.asarray(face)[..., ::-1]), "JPEG")]
    for number in range(count):
        (folder / f"{number:04d}.jpg").write_bytes(both[number % 2] + str(number).encode())  # after the picture's end
    return [str(folder / f"{number:04d}.jpg") for number in range(count)]


def scan(*words: object) -> subprocess.CompletedProcess:
    """`python -m detect scan` in this process."""
    return here("detect", "scan", *words)


def started(*words: object, **options) -> subprocess.Popen:
    """The same as a process of its own."""
    return subprocess.Popen([*WORDS, *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)


def rows(out: Path) -> list[dict]:
    """All rows of a scan in the order of its listing."""
    return pq.read_table(out).sort_by("position").to_pylist()


def paths(out: Path) -> list[str]:
    return [row["path"] for row in rows(out)]


def shards(out: Path) -> list[str]:
    return sorted(file.name for file in out.glob("part-*"))
