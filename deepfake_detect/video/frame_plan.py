"""Times of a video's packets -> which of its frames are judged, and how long it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from deepfake_detect.errors import VideoError
from deepfake_detect.video.containers import AVI

MAX_SECONDS = 300  # every frame up to the last wanted one is decoded: a minute's work at 1080p on an ordinary CPU
MAX_FRAMES = 64  # judged; five minutes give one every five seconds, and a face needs only three of them
MAX_DECODED = MAX_SECONDS * 120  # frames: slow motion is let in, a file made to keep the decoder busy is not

USUAL_FPS = 25.0  # where a file gives neither times nor a frame rate that can be
TOO_LONG = f"The video is longer than {MAX_SECONDS} seconds. Send a part of it."
TOO_MANY = f"The video has more than {MAX_DECODED} frames. Send a part of it, or a copy with fewer frames a second."


class Stamps(NamedTuple):
    """Times of the frames that are shown, in the stream's own units."""

    all: list[int | None]  # in the file's order; None where there is none
    last: int  # how long the frame shown last stays, 0 where that is not known
    as_decoded: bool  # see `Plan`


@dataclass(frozen=True)
class Plan:
    """Which frames to judge.

    A frame's mark is its presentation timestamp in the stream's own units, or where a file has none its number.
    """

    seconds: float  # from its first frame to the end of its last
    times: tuple[float, ...]  # of the frames to judge, at most MAX_FRAMES, in seconds from the first frame, rising
    marks: tuple[int, ...]  # of the same frames
    needed: frozenset[int]  # marks of those and of their neighbours
    start: int  # the first frame's mark
    unit: float  # seconds of one mark
    clock: bool  # whether the file's times can be used; otherwise frames are counted
    as_decoded: bool  # whether those times stand in the order of decoding, although frames may be shown in another


def stamp(item: Packet | VideoFrame) -> int | None:
    return item.pts if item.pts is not None else item.dts


def stamp_in_file(packet: Packet, container: str) -> int | None:
    """Of AVI that of decoding: the file has no other, and those of presentation, which FFmpeg makes up, are wrong where
    frames are shown in another order."""
    return packet.dts if container == AVI else stamp(packet)


def stamps_of(packets: Iterable[Packet], stream: VideoStream, container: str) -> Stamps:
    """Read all packets of a stream that is open; which container it is in, see `deepfake_detect.video.containers`.

    Raises:
        VideoError: there are more than MAX_DECODED.
    """
    stamps: list = []
    end, rising = None, True
    for packet in packets:
        if packet.is_discard:
            continue
        mark = stamp_in_file(packet, container)
        rising = rising and mark is not None and (not stamps or stamps[-1] < mark)
        stamps.append(mark)
        if mark is not None and (end is None or mark > end[0]):
            end = mark, packet.duration or 0
        if len(stamps) > MAX_DECODED:
            raise VideoError("too_many_frames", TOO_MANY)
    # Of AVI, and of what was copied out of it: where frames are shown in another order, true times go up and down.
    as_decoded = rising and (container == AVI or stream.codec_context.has_b_frames)
    return Stamps(stamps, end[1] if end else 0, as_decoded)


def plan_of(stamps: Stamps, unit: float, rate: float) -> Plan:
    """Choose the frames on show in the middle of MAX_FRAMES equal parts of the length; of fewer frames, all.

    Args:
        stamps: of at least one frame.
        unit: seconds of one.
        rate: frames a second by the header; USUAL_FPS is taken where that cannot be.

    Raises:
        VideoError: they span more than MAX_SECONDS.
    """
    rate = rate if 0 < rate <= 1000 else USUAL_FPS
    count, known, last = len(stamps.all), sorted({mark for mark in stamps.all if mark is not None}), stamps.last
    clock = unit > 0 and len(known) > count / 2
    if not clock:
        known, unit, last = list(range(count)), 1 / rate, 1
    shown = np.array(known)
    gap = float(np.median(np.diff(shown))) if len(known) > 1 else 1 / rate / unit
    length = float(shown[-1] - shown[0]) + (last or gap)
    if length * unit > MAX_SECONDS:
        raise VideoError("too_long", TOO_LONG)
    if len(known) > MAX_FRAMES:
        middles = shown[0] + (np.arange(MAX_FRAMES) + 0.5) * length / MAX_FRAMES
        chosen = np.unique(np.searchsorted(shown, middles, side="right") - 1)
    else:
        chosen = np.arange(len(known))
    around = np.unique(np.clip([chosen - 1, chosen, chosen + 1], 0, len(known) - 1))
    marks = shown[chosen]
    return Plan(
        seconds=length * unit,
        times=tuple(((marks - shown[0]) * unit).tolist()),
        marks=tuple(marks.tolist()),
        needed=frozenset(shown[around].tolist()),
        start=int(shown[0]),
        unit=unit,
        clock=clock,
        as_decoded=stamps.as_decoded,
    )
