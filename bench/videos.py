"""Reading videos: what the detector gets, in time, beside OpenCV's reader, which decodes with as many threads as there
are cores, ignores mirrored and squeezed frames, and does not say when a frame was not converted."""

import os
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np

from bench.pictures import PORTRAITS, photograph
from bench.timing import in_turns
from deepfake_detect.video.frame_plan import MAX_FRAMES
from deepfake_detect.video.reader import open_video, sample_frames

SECONDS, RATE, ROUNDS, WARM_UP = 8, 30, 3, 1
# name -> width and height, suffix, encoder, its options
VIDEOS = {
    "H.264 1080p, with B-frames": (1920, 1080, ".mp4", "libx264", {"preset": "veryfast", "bf": "3"}),
    "H.264 1080p, as phones write it": (1920, 1080, ".mp4", "libx264", {"preset": "veryfast", "bf": "0"}),
    "HEVC 720p": (1280, 720, ".mp4", "libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    "VP9 720p": (1280, 720, ".webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
}


def measure() -> list[dict]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, made) in enumerate(VIDEOS.items()):
            path = write(Path(folder, f"{number}{made[2]}"), *made)
            work: dict[str, Callable[[], object]] = {
                "here": partial(count_frames, path),
                "OpenCV": partial(opencv_frames, path, open_video(path).times),
            }
            here, other = (median(seconds) for seconds in in_turns(work, ROUNDS, WARM_UP).values())
            rows.append([name, round(here, 2), round(other, 2), round(here / other, 2)])
    return [
        {
            "name": "readers",
            "title": f"From a video of {SECONDS} seconds at {RATE} frames a second to the {MAX_FRAMES} frames that are "
            f"judged, s, median of {ROUNDS} rounds in turns; {os.cpu_count()} cores",
            "columns": ["video", "here", "OpenCV's reader", "times as long"],
            "rows": rows,
        }
    ]


def write(path: Path, width: int, height: int, suffix: str, codec: str, options: dict[str, str]) -> Path:
    """A portrait that moves."""
    large = np.asarray(photograph(PORTRAITS[0], 1.1 * width * height / 1e6 * 2))
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=Fraction(RATE), options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 4_000_000
        for number in range(SECONDS * RATE):
            left, top = number % (large.shape[1] - width + 1), number // 2 % (large.shape[0] - height + 1)
            pixels = np.ascontiguousarray(large[top : top + height, left : left + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


def count_frames(path: Path) -> int:
    return sum(1 for _ in sample_frames(path))


def opencv_frames(path: Path, wanted: tuple[float, ...]) -> int:
    """The same frames as OpenCV's reader gave them before: packets counted, then all decoded and some converted."""
    found = 0
    for parameters in ((cv2.CAP_PROP_FORMAT, -1), ()):
        capture = cv2.VideoCapture()
        capture.open(str(path), cv2.CAP_FFMPEG, parameters)
        while capture.grab():
            now = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not parameters and found < len(wanted) and now >= wanted[found] - 1e-3:
                _, frame = capture.retrieve()
                cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
                found += 1
        capture.release()
    return found
