"""Small videos, coded and put into containers in every way that a test asks for."""

import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import av
import numpy as np
from films import MUXERS

from deepfake_detect.video.video_color import _nits_to_pq

os.environ.setdefault("SVT_LOG", "0")  # libsvtav1 would tell its settings

WIDTH, HEIGHT = 96, 64
RATE, COUNT = 25, 8
LIMITED, FULL = 1, 2  # AVColorRange
BT709, BT601, BT2020, GBR = 1, 6, 9, 0  # AVColorSpace
TAGS = {BT709: (1, 1), BT601: (6, 6), BT2020: (14, 9)}  # AVColorTransferCharacteristic, AVColorPrimaries
PQ, HLG = 16, 18
X264 = {"preset": "ultrafast", "crf": "8", "threads": "1"}
X265 = {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none:pools=none:frame-threads=1"}


class Odd(NamedTuple):
    path: Path
    shown: np.ndarray  # [H, W, 3] uint8: what a player shows of every frame
    frames: int = COUNT
    seconds: float = COUNT / RATE
    near: float = 6.0  # mean absolute difference in grey levels


def picture(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Four quarters of different colours with a gradient in each, so that no turn and no mix-up goes unseen."""
    pixels = np.zeros((height, width, 3), np.uint8)
    across, down = width // 2, height // 2
    pixels[:down, :across], pixels[:down, across:] = (220, 40, 40), (40, 200, 60)
    pixels[down:, :across], pixels[down:, across:] = (40, 60, 210), (200, 200, 200)
    ramp = np.linspace(0.7, 1, width)[None, :, None]
    return np.rint(pixels * ramp).astype(np.uint8)


class Coded(NamedTuple):
    """What an encoder is to be given: `count` equal frames."""

    pixels: np.ndarray  # [H, W, 3 or 4] uint8, or uint16
    codec: str
    form: str  # pixel format
    options: Mapping[str, str] = MappingProxyType({})
    count: int = COUNT
    tags: Mapping[str, object] = MappingProxyType(
        {}
    )  # attributes of the encoder; colorspace and color_range also say how frames are converted
    size: tuple[int, int] | None = None  # height and width, to which frames are brought

    def set_up(self, context: av.VideoCodecContext) -> None:
        context.height, context.width = self.size or self.pixels.shape[:2]
        context.pix_fmt, context.framerate, context.time_base = self.form, Fraction(RATE), Fraction(1, RATE)
        context.options = dict(self.options)
        context.thread_count = 1
        for name, value in self.tags.items():
            setattr(context, name, value)

    def packets(self, context: av.VideoCodecContext) -> list[av.Packet]:
        """Coded in a thread of its own: where root runs it, libsvtav1 gives the thread that opens it a real-time
        priority, and all that this thread started afterwards, a browser for example, would leave others no time."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._packets, context).result()

    def _packets(self, context: av.VideoCodecContext) -> list[av.Packet]:
        made = []
        for number in range(self.count):
            made += context.encode(self._frame(context, number))
        return made + context.encode(None)

    def _frame(self, context: av.VideoCodecContext, number: int) -> av.VideoFrame:
        kind = "rgba" if self.pixels.shape[2] == 4 else "rgb48le" if self.pixels.dtype == np.uint16 else "rgb24"
        source = av.VideoFrame.from_ndarray(np.ascontiguousarray(self.pixels), kind)
        colour = {}
        if not self.form.startswith(("rgb", "gbr", "bgr", "argb")):
            matrix = {BT709: 1, BT601: 5, BT2020: 9}[self.tags.get("colorspace", BT601)]
            colour = {"dst_colorspace": matrix, "dst_color_range": self.tags.get("color_range", LIMITED)}
        frame = source.reformat(context.width, context.height, self.form, interpolation="BICUBIC", **colour)
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        return frame


Change = Callable[[list[av.Packet]], list[av.Packet]]


def muxed(
    path: Path, made: Coded, options: dict | None = None, prepare: Callable[[av.VideoStream], None] | None = None,
    change: Change | None = None, sound: float = 0, target: io.RawIOBase | None = None,
) -> Path:  # fmt: skip
    """A video of one stream, with `sound` seconds of sound beside it; `change` is made to its packets."""
    form = MUXERS.get(path.suffix, path.suffix[1:])
    with av.open(target or path, "w", format=form, container_options=options or {}) as container:
        stream = container.add_stream(made.codec, rate=RATE)
        made.set_up(stream.codec_context)
        if prepare:
            prepare(stream)
        audio = container.add_stream(_SOUND.get(path.suffix, "aac"), rate=48000) if sound else None
        packets = made.packets(stream.codec_context)
        for packet in change(packets) if change else packets:
            packet.stream = stream
            container.mux(packet)
        if audio:
            for place in range(0, int(48000 * sound), 1024):
                container.mux(audio.encode(silence(audio.codec_context.format.name, place)))
            container.mux(audio.encode(None))
    return path


_SOUND = {".webm": "libopus", ".avi": "pcm_s16le", ".mov": "pcm_s16le"}


def silence(form: str, place: int) -> av.AudioFrame:
    block = av.AudioFrame(format=form, layout="stereo", samples=1024)
    for plane in block.planes:
        plane.update(bytes(plane.buffer_size))
    block.sample_rate, block.pts, block.time_base = 48000, place, Fraction(1, 48000)
    return block


def hdr(base: np.ndarray, curve: int) -> np.ndarray:
    """sRGB at 40 % of paper white and below, where HDR is not bent, as a signal of BT.2020: [H, W, 3] uint16.

    What comes back is as dark as that makes it, so the picture is brightened first as far as it goes.
    """
    light = np.where(base / 255 <= 0.04045, base / 255 / 12.92, ((base / 255 + 0.055) / 1.055) ** 2.4)
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    nits = np.clip(light @ to_2020.T, 0, None) * 203
    if curve == PQ:
        signal = _nits_to_pq(nits)
    else:
        luma = nits @ [0.2627, 0.6780, 0.0593] / 1000
        scene = nits / 1000 * np.maximum(luma, 1e-9)[..., None] ** (0.2 / 1.2 * -1)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    return np.rint(np.clip(signal, 0, 1) * 65535).astype(np.uint16)


def copied(source: Path, path: Path) -> Path:
    """Its packets in another container, as the demuxer gives them."""
    with av.open(source) as opened, av.open(path, "w") as container:
        stream = container.add_stream_from_template(opened.streams.video[0])
        for packet in opened.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return path


class _Pipe(io.RawIOBase):
    """Where nothing can be written but at the end."""

    def __init__(self, path: Path):
        self.file = path.open("wb")

    def write(self, data: bytes) -> int:
        return self.file.write(data)

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def live(path: Path, made: Coded, options: dict | None = None) -> Path:
    """A recording whose beginning could not be filled in when it ended."""
    pipe = _Pipe(path)
    muxed(path, made, options={"live": "1"} if path.suffix in (".webm", ".mkv") else options, target=pipe)
    pipe.file.close()
    return path


def several(path: Path, base: np.ndarray) -> Path:
    """A small preview, then the film, which is marked as default, then a larger one in another angle."""
    small, other = picture(32, 24)[::-1], picture(128, 96)[:, ::-1]
    sets = [Coded(pixels, "libx264", "yuv420p", X264) for pixels in (small, base, other)]
    with av.open(path, "w", format="matroska") as container:
        streams = [container.add_stream(made.codec, rate=RATE) for made in sets]
        for number, (stream, made) in enumerate(zip(streams, sets, strict=True)):
            made.set_up(stream.codec_context)
            stream.disposition = 1 if number == 1 else 0
        for stream, made in zip(streams, sets, strict=True):
            for packet in made.packets(stream.codec_context):
                packet.stream = stream
                container.mux(packet)
    return path


def changing(path: Path, first: np.ndarray, then: np.ndarray) -> Path:
    """The picture, and with it its size, changes in the middle."""
    made, more = (Coded(pixels, "mjpeg", "yuvj420p", tags={"color_range": FULL}) for pixels in (first, then))

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        context = av.CodecContext.create("mjpeg", "w")
        more.set_up(context)
        late = more.packets(context)
        for packet in late:
            packet.pts, packet.dts = packet.pts + COUNT, packet.dts + COUNT
        return packets + late

    return muxed(path, made, change=change)
