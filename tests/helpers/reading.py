"""What is read of videos, as one digest each: here, or by a process of its own that reads paths from its input.

python tests/helpers/reading.py [threads] < paths
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from project import ROOT
from waiting import LONG

from deepfake_detect.errors import VideoError
from deepfake_detect.video.reader import open_video, read_frames

SPOILT = {  # by which memory that nobody wrote shows: glibc fills what it gives out, and what it takes back
    "MALLOC_PERTURB_": "85", "MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TOP_PAD_": "67108864",
}  # fmt: skip


def digest(path: str | os.PathLike) -> str:
    """Of the video's length, and of the time, shape and every bit of its frames; or the code of the error."""
    found = hashlib.sha256()
    try:
        video = open_video(path)
        found.update(repr((video.seconds, video.times, video.whole)).encode())
        for seconds, frame in read_frames(video):
            assert frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 and min(frame.shape[:2]) >= 16
            found.update(repr((seconds, frame.shape)).encode())
            found.update(frame)
    except VideoError as error:
        return error.code
    return found.hexdigest()


def digests(paths: Iterable[str], threads: int = 1) -> list[str]:
    if threads == 1:
        return [digest(path) for path in paths]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(digest, paths))


def elsewhere(paths: Sequence[os.PathLike], threads: int = 1, perturbed: int = 85) -> list[str]:
    """`digests` by a process of its own, whose fresh memory is full of a byte."""
    environment = os.environ | SPOILT | {"MALLOC_PERTURB_": str(perturbed), "PYTHONPATH": str(ROOT)}
    lines = "".join(f"{path}\n" for path in paths)
    words = [sys.executable, __file__, str(threads)]
    done = subprocess.run(words, input=lines, capture_output=True, text=True, env=environment, timeout=LONG)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


if __name__ == "__main__":
    print(*digests(map(str.strip, sys.stdin), int(sys.argv[1])), sep="\n")
