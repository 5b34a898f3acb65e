"""Untrusted video file -> frames spread evenly over its whole length: [H, W, 3] uint8 RGB, upright.

OpenCV's FFmpeg reads a file twice. The first time it takes the packets apart without decoding them, which is quick
and tells the real length, whatever the header promises. The second time it decodes one frame after the other and
only the wanted ones are converted: seeking would be faster, but lands on another frame in many files.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import monotonic

import cv2
import numpy as np

from detect.containers import AVI, PICTURE, announced_bytes, container_of
from detect.picture import MAX_PIXELS, MIN_SIDE

# What FFmpeg and OpenCV think of a damaged file would go to standard error; it comes back as an exception or an empty
# result, too. FFmpeg's level is read from the environment when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
# FFmpeg chooses among hundreds of formats by bytes anywhere in a file, or by its name alone: playlists and patterns of
# picture names have it open other files. These options of its own, read whenever a video is opened, leave it three
# demuxers, whose names hold commas, and this disk. They stand in the environment while a file is opened, in place of
# what the user has set: that could be weaker, or so malformed that what stands behind it is not read.
_OPTIONS = (
    "OPENCV_FFMPEG_CAPTURE_OPTIONS",
    ("format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm|protocol_whitelist;file"),
)
_OPENING = Lock()
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)

MAX_SECONDS = 300  # every frame up to the last wanted one is decoded: a minute's work at 1080p on an ordinary CPU
MAX_VIDEO_BYTES = 200 * 2**20  # five minutes at 5 Mbit/s, which is ordinary 1080p
MAX_FRAMES = 64  # judged; five minutes give one every five seconds, and a face needs only three of them
MAX_DECODED = MAX_SECONDS * 120  # frames: slow motion is let in, a file made to keep the decoder busy is not
MAX_DECODED_PIXELS = MAX_SECONDS * 60 * 1920 * 1080  # of all frames together: of 4K, half as long at 30 frames a second
MAX_WORK_SECONDS = 240  # from opening a video to its last frame, whatever it is made of

VIDEO_SUFFIXES = frozenset(".mp4 .m4v .mov .3gp .avi .mkv .webm".split())
VIDEO_FORMAT_NAMES = "MP4, MOV, AVI, MKV or WebM"

WHOLE = 0.9  # of what the file announces or the packets hold: less is a damaged video; the rest is rounding
ROUNDING = 1e-4  # seconds
USUAL_FPS = 25.0  # where a file gives neither times nor a frame rate that can be

UNDECODABLE = "The video cannot be decoded: it is damaged or its codec is not read here. Convert it to MP4 with H.264."
TOO_LONG = f"The video is longer than {MAX_SECONDS} seconds. Send a part of it."
TOO_MANY = f"The video has more than {MAX_DECODED} frames. Send a part of it, or a copy with fewer frames a second."
TOO_SLOW = f"Judging this video takes longer than {MAX_WORK_SECONDS} seconds. Send a smaller or a shorter copy."
A_PICTURE = (
    "This is a picture, not a video. Drop it where the page takes a photograph; on the command line, let its name end "
    "in .heic."
)


class VideoError(ValueError):
    """A video that cannot be judged; the message says to the person who sent it what to do."""


@dataclass(frozen=True)
class Video:
    """A video file that was measured and can be read."""

    path: str
    seconds: float  # from its first frame to the end of its last
    times: tuple[float, ...]  # of the frames to judge, at most MAX_FRAMES, in seconds from the first frame, rising
    start: float  # of the first frame, in seconds on the file's clock
    gap: float  # seconds from one frame to the next, the median; all of them where there is no clock
    clock: bool  # whether the file's times can be used; otherwise frames are counted
    deadline: float  # of time.monotonic(), by which the last frame must be read
    whole: bool = True  # False: the file itself says that it was longer


def open_video(path: str | os.PathLike) -> Video:
    """Measure a video and choose the frames to judge.

    The frames are those on show in the middle of MAX_FRAMES equal parts of the length, so a variable frame rate
    does no harm; a video with fewer frames gives all that it has.

    Args:
        path: a file; what it holds decides, not its suffix.

    Raises:
        VideoError: the file is missing, empty, of another format, cannot be decoded, or is beyond a limit: bytes,
            seconds, frames, pixels of a frame and of all frames, seconds of work. Pixels are those that the file
            announces; frames that turn out larger cost memory for as long as one of them is decoded.
    """
    deadline = monotonic() + MAX_WORK_SECONDS
    container, cut = _check_file(Path(path))
    path = os.path.abspath(path)  # so that FFmpeg cannot take a name with a colon for an address
    with _capture(path, cv2.CAP_PROP_FORMAT, -1) as capture:  # packets, not decoded
        width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        _check_size(width, height)
        fps, promised = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        seconds = []
        while capture.grab():
            seconds.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            if len(seconds) > MAX_DECODED:
                raise VideoError(TOO_MANY)
            if monotonic() > deadline:
                raise VideoError(TOO_SLOW)
    if not seconds:
        raise VideoError("There is not one frame in this video. Record or export it again.")
    fps = fps if 0 < fps <= 1000 else USUAL_FPS
    video = _plan(path, np.array(seconds), fps, deadline)
    if len(seconds) * width * height > MAX_DECODED_PIXELS:
        raise VideoError(
            f"The video has {len(seconds)} frames of {width} x {height} pixels, which are too many to decode. Send a "
            "smaller or a shorter copy."
        )
    if container == AVI:  # its number of frames is the stream's own, but may count those that were dropped
        cut = len(seconds) < WHOLE * promised and video.seconds < WHOLE * promised / fps
    return replace(video, whole=not cut)


def read_frames(video: Video) -> Iterator[tuple[float, np.ndarray]]:
    """Decode the frames to judge, holding one at a time. Close the iterator to stop early.

    Yields:
        (seconds from the first frame, [H, W, 3] uint8 RGB), at most one for each of `video.times`: fewer where
        frames between are damaged.

    Raises:
        VideoError: not one of them can be decoded, or `video.deadline` has passed, at whatever speed they are taken.
    """
    number, place, found = 0, 0, False
    with _capture(video.path) as capture:
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones write frames as the sensor lies
        while place < len(video.times) and capture.grab():
            if monotonic() > video.deadline:
                raise VideoError(TOO_SLOW)
            now = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 - video.start if video.clock else number * video.gap
            number += 1
            if now < video.times[place] - ROUNDING:
                continue
            read, frame = capture.retrieve()
            if not read:
                continue
            place, found = max(place + 1, bisect_right(video.times, now + ROUNDING)), True
            yield max(0.0, now), cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    if not found:
        raise VideoError(UNDECODABLE)


def sample_frames(path: str | os.PathLike) -> Iterator[tuple[float, np.ndarray]]:
    """`open_video` and `read_frames` in one."""
    yield from read_frames(open_video(path))


def _check_file(path: Path) -> tuple[str, bool]:
    """Which container a file is, see `detect.containers`, and whether much of what it announces is not there."""
    try:
        os.fspath(path).encode()  # OpenCV ends the whole process at a name that is not UTF-8
        if path.is_dir():
            raise VideoError("This is a folder, not a video.")
        if not path.is_file():
            raise VideoError("There is no such file." if not path.exists() else "This is not an ordinary file.")
        size = path.stat().st_size
        with path.open("rb") as file:
            container = container_of(file.read(12))
            cut = size < WHOLE * announced_bytes(file, container)
    except VideoError:
        raise
    except OSError as error:
        raise VideoError(f"The file cannot be read: {error.strerror or 'no access'}.") from None
    except UnicodeEncodeError:
        raise VideoError("The name of this file is not valid Unicode. Rename it.") from None
    except ValueError:  # a null character in the name
        raise VideoError("There is no such file.") from None
    if not size:
        raise VideoError("The file is empty. Send the video again.")
    if size > MAX_VIDEO_BYTES:
        raise VideoError(f"The file is larger than {MAX_VIDEO_BYTES >> 20} MB. Send a part of it or a smaller copy.")
    if container == PICTURE:
        raise VideoError(A_PICTURE)
    if not container:
        raise VideoError(f"This is not a video in a format read here. Send an {VIDEO_FORMAT_NAMES} file.")
    return container, cut


def _check_size(width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE or width * height > MAX_PIXELS:
        raise VideoError(
            f"The frames are {width} x {height} pixels; at least {MIN_SIDE} on each side are needed and at most "
            f"{MAX_PIXELS // 1_000_000} megapixels can be read."
        )


def _plan(path: str, seconds: np.ndarray, fps: float, deadline: float) -> Video:
    """Seconds [N] of the packets, in the file's order; the header's frame rate."""
    count = len(seconds)
    clock = bool(np.isfinite(seconds).all()) and len(np.unique(seconds)) > count / 2
    shown = np.sort(seconds) if clock else np.arange(count) / fps
    start, gap = float(shown[0]), float(np.median(np.diff(shown))) if count > 1 else 1 / fps
    shown, length = shown - start, float(shown[-1]) - start + gap
    if length > MAX_SECONDS:
        raise VideoError(TOO_LONG)
    parts = min(MAX_FRAMES, count)
    middles = (np.arange(parts) + 0.5) * length / parts
    times = np.unique(shown[np.searchsorted(shown, middles, side="right") - 1])
    return Video(path, length, tuple(times.tolist()), start, gap, clock, deadline)


@contextmanager
def _capture(path: str, *parameters: int) -> Iterator[cv2.VideoCapture]:
    """An open file, closed again whatever happens. FFmpeg alone: other backends see patterns and cameras in names."""
    capture = cv2.VideoCapture()
    try:
        with _OPENING:
            name, ours = _OPTIONS
            before = os.environ.get(name)
            os.environ[name] = ours
            try:
                opened = capture.open(path, cv2.CAP_FFMPEG, parameters)
            finally:
                if before is None:
                    del os.environ[name]
                else:
                    os.environ[name] = before
        if not opened:
            raise VideoError(UNDECODABLE)
        yield capture
    except cv2.error:  # out of memory, for one
        raise VideoError(UNDECODABLE) from None
    finally:
        capture.release()
