"""Videos that the tests make, and what they look up in them."""

import os
import re
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from project import ROOT

from deepfake_detect import VideoError, sample_frames

FPS = 10
CODECS = {".mp4": "mpeg4", ".avi": "mjpeg", ".mkv": "mpeg4"}
MUXERS = {".mkv": "matroska", ".m4v": "mp4", ".ts": "mpegts"}  # otherwise as the suffix


def actor() -> np.ndarray:
    """A portrait at 180 x 196 pixels, of which its face has about 100."""
    with Image.open(ROOT / "examples" / "real_grace_hopper.jpg") as image:
        return np.asarray(image.convert("RGB").crop((100, 40, 430, 400)).resize((180, 196)))


def scene(*placed: tuple[np.ndarray, int, int], size: tuple[int, int] = (480, 320)) -> np.ndarray:
    """Portraits pasted at (left, top) onto grey."""
    canvas = Image.new("RGB", size, (120, 120, 120))
    for portrait, left, top in placed:
        canvas.paste(Image.fromarray(np.ascontiguousarray(portrait)), (left, top))
    return np.asarray(canvas)


def film(path: Path, frames: list[np.ndarray]) -> Path:
    """Write RGB frames of one size as a video of FPS frames a second."""
    height, width = frames[0].shape[:2] if frames else (64, 64)
    with av.open(path, "w", format=MUXERS.get(path.suffix, path.suffix[1:])) as container:
        stream = container.add_stream(
            CODECS.get(path.suffix, "libvpx" if path.suffix == ".webm" else "mpeg4"), rate=FPS
        )
        context = stream.codec_context
        stream.width, stream.height, stream.bit_rate = width, height, 8_000_000
        stream.pix_fmt = "yuvj420p" if context.name == "mjpeg" else "yuv420p"
        context.gop_size = 4
        if context.name in ("mpeg4", "mjpeg"):
            context.qscale, context.global_quality = True, 2
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        if not frames:
            container.start_encoding()
        container.mux(stream.encode(None))
    return path


def numbered(path: Path, count: int = 40) -> Path:
    """A video of count / FPS seconds whose frame n has a white bar at 2 n pixels from the left."""
    frames = np.zeros((count, 64, 96, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[:, 2 * number : 2 * number + 2] = 255
    return film(path, list(frames))


def number_of(frame: np.ndarray) -> int:
    """Which frame of a `numbered` video this is."""
    return int(frame.mean(axis=(0, 2)).reshape(-1, 2).sum(axis=1).argmax())


def changed(path: Path, place: int, new: bytes) -> Path:
    """Bytes of a file replaced in place."""
    data = bytearray(path.read_bytes())
    data[place : place + len(new)] = new
    path.write_bytes(data)
    return path


def box(path: Path, name: bytes) -> int:
    """Where the content of an MP4 box or an AVI chunk begins."""
    return path.read_bytes().index(name) + len(name)


def open_files() -> set[str]:
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return {os.readlink(link) for link in links if os.path.lexists(link)}


def index_first(path: Path) -> Path:
    """An MP4 file of `film` with its index before the frames, as files for the web are."""
    data = path.read_bytes()
    place, end = data.index(b"mdat") - 4, data.index(b"moov") - 4
    index = bytearray(data[end:])
    table = index.index(b"stco") + 8
    (chunks,) = struct.unpack(">I", index[table : table + 4])
    for entry in range(table + 4, table + 4 + 4 * chunks, 4):
        index[entry : entry + 4] = struct.pack(">I", struct.unpack(">I", index[entry : entry + 4])[0] + len(index))
    path.write_bytes(data[:place] + index + data[place:end])
    return path


def refusal(path: Path | str) -> str:
    """The sentence by which a file is refused, which has to be one for people."""
    with pytest.raises(VideoError) as caught:
        for _ in sample_frames(path):
            pass
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]*\.", message) and len(message) < 200, message
    assert not re.search(r"Error|Exception|Errno|cv2|OpenCV|FFmpeg|PyAV|<|\bNone\b", message), message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show both errors"
    return message
