"""What the tests of scans share: pictures that all differ, the command, and what it has written."""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from commands import here
from pictures import encoded
from PIL import Image
from project import ROOT

WORDS = (sys.executable, "-m", "deepfake_detect", "scan")
IN_TURNS = ["fake", "real"] * 2  # the labels of four pictures of `fill`


def fill(folder: Path, count: int, face: Image.Image) -> list[str]:
    """Write pictures whose bytes all differ, 0000.jpg and so on; in every second, red and blue change places."""
    folder.mkdir(parents=True, exist_ok=True)
    both = [encoded(face, "JPEG"), encoded(Image.fromarray(np.asarray(face)[..., ::-1]), "JPEG")]
    for number in range(count):
        (folder / f"{number:04d}.jpg").write_bytes(both[number % 2] + str(number).encode())  # after the picture's end
    return [str(folder / f"{number:04d}.jpg") for number in range(count)]


def write_mixed(album: Path, face: Image.Image) -> Path:
    """A folder: six pictures; in a folder inside it a copy of one, a broken one, and a video and a text."""
    fill(album, 6, face)
    (album / "inner").mkdir()
    shutil.copy(album / "0003.jpg", album / "inner" / "copy.jpg")
    (album / "inner" / "broken.jpg").write_bytes((album / "0001.jpg").read_bytes()[:700])
    for name in ("clip.mp4", "notes.doc"):
        (album / "inner" / name).write_text("nothing to see")
    return album


def scan(*words: object) -> subprocess.CompletedProcess:
    """`deepfake-detect scan` in this process."""
    return here("deepfake_detect", "scan", *words)


def refused(sentence: str, *words: object) -> None:
    """Assert that a scan ends with one line in which the sentence, a regular expression, is found."""
    done = scan(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("deepfake-detect scan: ") and done.stderr.count("\n") == 1
    assert re.search(sentence, done.stderr), done.stderr


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


def labels(model: Path, out: Path, *sources: object, status: int = 0) -> dict[str, str]:
    """Scan sources; the label, or the error, by path."""
    done = scan(*sources, "--out", out, "--model", model)
    assert done.returncode == status, done.stderr
    found = {row["path"]: row["label"] or row["error"] for row in rows(out)}
    assert list(found) == sorted(found, key=lambda path: path.partition("#")[0]) == paths(out)
    return found


def bytes_of(album: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(album.iterdir())]


def table(column: str, kind: pa.DataType, values: list, **others: list) -> pa.Table:
    return pa.table({"number": list(range(len(values))), column: pa.array(values, kind), **others})


def tar(file: Path, members: dict[str, bytes], style: str = "w") -> Path:
    with tarfile.open(file, style) as packed:
        for name, data in members.items():
            (file.parent / "member").write_bytes(data)
            packed.add(file.parent / "member", name)
    return file


def enumerate_names(pictures: list[bytes]) -> list[tuple[str, bytes]]:
    return [(f"{number:04d}.jpg", data) for number, data in enumerate(pictures)]
