"""Untrusted video file -> frames spread evenly over its whole length: [H, W, 3] uint8 sRGB, upright.

A file is read twice. The first time its packets are taken apart without decoding them, which is quick and tells the
real length and the time of every frame, whatever the header promises. The second time it is decoded, and only the
wanted frames are converted: seeking would be faster, but lands on another frame in many files.
"""

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import monotonic

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from deepfake_detect.errors import VideoError
from deepfake_detect.picture.decode import MAX_PIXELS, MIN_SIDE
from deepfake_detect.video.containers import AVI, MP4, counts_can_be_trusted
from deepfake_detect.video.deinterlace import deinterlaced, field_order
from deepfake_detect.video.frame_plan import MAX_SECONDS, Plan, plan_of, stamp, stamp_in_file, stamps_of
from deepfake_detect.video.video_color import HDR_CURVES, colours_of, display_size, fill_in, upright
from deepfake_detect.video.video_file import UNDECODABLE, check_file, decoder, demuxer, may_skip

MAX_DECODED_PIXELS = MAX_SECONDS * 60 * 1920 * 1080  # of all frames together: of 4K, half as long at 30 frames a second
MAX_WORK_SECONDS = 240  # from opening a video to its last frame, whatever it is made of

WHOLE = 0.9  # of the frames that an AVI file announces, or that were to be judged: less is a damaged video
TOO_MANY_PIXELS = (
    "The video has {} frames of {} x {} pixels, which are too many to decode. Send a smaller or a shorter copy."
)
TOO_SLOW = f"Judging this video takes longer than {MAX_WORK_SECONDS} seconds. Send a smaller or a shorter copy."
CUT_SHORT = "The video is cut short before the end of its first frame. Send the whole file."
NO_FRAME = "There is not one frame in this video. Record or export it again."

Placed = tuple[int, VideoFrame]  # mark, frame; see `Plan`


@dataclass(frozen=True)
class Video(Plan):
    """A video file that was measured and can be read."""

    path: str
    container: str  # see `deepfake_detect.video.containers`
    deadline: float  # of time.monotonic(), by which the last frame must be read
    whole: bool = True  # False: the file itself says that it was longer
    hdr: bool = False  # whether its range of brightness was larger than a picture's, which frames are brought to


def open_video(path: str | os.PathLike) -> Video:
    """Measure a video and choose the frames to judge.

    The frames are those on show in the middle of MAX_FRAMES equal parts of the length, so a variable frame rate
    does no harm; a video with fewer frames gives all that it has. Frames that an edit list hides do not count.

    Args:
        path: a file; what it holds decides, not its suffix.

    Raises:
        VideoError: the file is missing, empty, of another format, has no video, cannot be decoded, or is beyond a
            limit: bytes, seconds, frames, pixels of a frame and of all frames, seconds of work. Pixels are those that
            the file announces; `read_frames` looks at those that come.
    """
    deadline = monotonic() + MAX_WORK_SECONDS
    container, cut = check_file(Path(path))
    path = os.path.abspath(path)
    try:
        with demuxer(path, container, deadline) as (opened, stream):  # whose memory is gone when it is closed
            width, height = stream.codec_context.width, stream.codec_context.height
            if width and height:  # otherwise the file does not say
                _check_size(width, height, stream)
            stamps = stamps_of(_packets(opened, stream, deadline), stream, container)
            hdr = stream.codec_context.color_trc in HDR_CURVES
            rate, promised, unit = float(stream.average_rate or 0), stream.frames, float(stream.time_base or 0)
            if container == MP4:
                size = os.stat(path).st_size
                cut = cut or any(entry.pos + entry.size > size for entry in stream.index_entries)
    except VideoError:
        if monotonic() > deadline:  # the file seemed to end there
            raise VideoError("too_slow", TOO_SLOW) from None
        raise
    count = len(stamps.all)
    if not count:
        raise VideoError("undecodable", CUT_SHORT) if cut else VideoError("no_video", NO_FRAME)
    if count * width * height > MAX_DECODED_PIXELS:
        raise VideoError("too_many_frames", TOO_MANY_PIXELS.format(count, width, height))
    plan = plan_of(stamps, unit, rate)
    if container == AVI and promised:  # its number of frames is the stream's own, but may count those that were dropped
        with open(path, "rb") as file:
            fewer = count < WHOLE * promised and plan.seconds * rate < WHOLE * promised
            cut = cut or (fewer and counts_can_be_trusted(file))
    return Video(**vars(plan), path=path, container=container, deadline=deadline, whole=not cut, hdr=hdr)


def read_frames(video: Video) -> Generator[tuple[float, np.ndarray], None, None]:
    """Decode the frames to judge, holding a few at a time. Close the iterator to stop early.

    Interlaced frames are deinterlaced; frames that the decoder itself calls damaged are passed over, and the next
    sound one is taken. A frame comes in its own shape, which may change in mid-stream.

    Yields:
        (seconds from the first frame, [H, W, 3] uint8 sRGB), at most one for each of `video.times`: fewer where
        frames between are damaged.

    Raises:
        VideoError: not one of them can be decoded, one is too large, or `video.deadline` has passed, at whatever speed
            they are taken.
    """
    place, found = 0, False
    with demuxer(video.path, video.container, video.deadline) as (opened, stream):
        colours = colours_of(stream.codec_context)
        frames = _decoded(opened, stream, video)
        for before, (mark, frame), after in _with_neighbours(frames):
            _check_time(video.deadline)
            if place == len(video.marks):
                break
            if mark < video.marks[place]:
                continue
            _check_size(frame.width, frame.height, stream)
            fill_in(frame, colours)
            try:
                if order := field_order(frame, stream.codec_context):
                    frame = deinterlaced(before, frame, after, order)
                pixels = upright(frame, stream.sample_aspect_ratio)
            except (av.FFmpegError, ValueError):  # of a pixel format or of colours that FFmpeg does not convert
                continue
            place, found = max(place + 1, bisect_right(video.marks, mark)), True
            yield max(0.0, (mark - video.start) * video.unit), pixels
    _check_time(video.deadline)
    if not found:
        raise VideoError("undecodable", UNDECODABLE)


def sample_frames(path: str | os.PathLike) -> Iterator[tuple[float, np.ndarray]]:
    """`open_video` and `read_frames` in one."""
    yield from read_frames(open_video(path))


def _check_size(width: int, height: int, stream: VideoStream) -> None:
    """Of a frame as it is stored and as it is shown."""
    for w, h in ((width, height), display_size(width, height, stream.sample_aspect_ratio)):
        small = min(w, h) < MIN_SIDE
        if small or w * h > MAX_PIXELS:
            raise VideoError(
                "too_small" if small else "too_large",
                f"The frames are {w} x {h} pixels; at least {MIN_SIDE} on each side are needed and at most "
                f"{MAX_PIXELS // 1_000_000} megapixels can be read.",
            )


def _check_time(deadline: float) -> None:
    if monotonic() > deadline:
        raise VideoError("too_slow", TOO_SLOW)


def _packets(container: InputContainer, stream: VideoStream, deadline: float) -> Iterator[Packet]:
    """The stream's packets up to the end of what can be read, without what cannot be decoded: empty ones, which stand
    for a repeated frame and would end the decoder's work, and those that were cut short."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        _check_time(deadline)
        if packet is None:
            return
        if packet.size and not packet.is_corrupt:
            yield packet


def _decoded(container: InputContainer, stream: VideoStream, video: Video) -> Iterator[Placed]:
    """(mark, frame) of the sound frames, in the order of their presentation."""
    context, number, pixels = decoder(stream), 0, 0
    waiting: deque = deque()
    skipping = video.clock and not video.as_decoded and may_skip(context)
    for packet in chain(_packets(container, stream, video.deadline), [None]):
        if packet and skipping:
            spare = packet.pts is not None and packet.pts not in video.needed
            context.skip_frame = "NONREF" if spare else "DEFAULT"
        if video.as_decoded and packet and not packet.is_discard:
            waiting.append(stamp_in_file(packet, video.container))
        try:
            frames = context.decode(packet)
        except av.FFmpegError:  # a damaged packet; the next may be sound
            if waiting:  # which gives no frame
                waiting.pop()
            if context.name == "ffv1":  # whose frames are made with what the last ones have left
                return
            continue
        for frame in frames:
            pixels += frame.width * frame.height
            if pixels > MAX_DECODED_PIXELS:
                raise VideoError("too_many_frames", TOO_MANY_PIXELS.format(number + 1, frame.width, frame.height))
            mark = stamp(frame) if video.clock else number
            if waiting:  # frames come in the right order; each takes the earliest time
                mark = waiting.popleft()
            number += 1
            if mark is not None and not frame.is_corrupt:
                yield mark, frame


def _with_neighbours(frames: Iterator[Placed]) -> Iterator[tuple[VideoFrame | None, Placed, VideoFrame | None]]:
    """(the frame before, (mark, frame), the frame after) of each; None at the ends."""
    before = now = None
    for after in frames:
        if now:
            yield before and before[1], now, after[1]
        before, now = now, after
    if now:
        yield before and before[1], now, None
