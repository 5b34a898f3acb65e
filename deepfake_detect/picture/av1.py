"""An AVIF file's bytes -> how large its frames may get, by the AV1 streams themselves.

What the file's boxes say of its size is a promise: libavif decodes a larger frame, of up to 268 megapixels, and only
then makes it as small as was said. So the headers of the streams are read before anything is decoded.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import islice

MAX_BOXES = 10_000
MAX_SAMPLES = 64  # of a track: more frames than are looked at, see `deepfake_detect.picture.animation`
MAX_UNITS = 10_000  # of all streams

Box = tuple[bytes, int, int]  # kind, where its body begins, where it ends
_SEQUENCE_HEADER = 1  # a type of units
_CUT_SHORT = struct.error, IndexError, OverflowError


def largest_frame(data: bytes) -> int:
    """Pixels of the largest frame that a file's streams announce.

    Raises:
        ValueError: none is found, or what the file says of its streams makes no sense. What is not understood here must
            not be decoded: it could be of any size.
    """
    most = units = 0
    try:
        for stream in _streams(data):
            for kind, body in _units(stream):
                units += 1
                if units > MAX_UNITS:
                    raise ValueError("too many units")
                if kind == _SEQUENCE_HEADER:
                    most = max(most, _pixels(body))
    except _CUT_SHORT:
        raise ValueError("cut short") from None
    if not most:
        raise ValueError("no stream")
    return most


def _streams(data: bytes) -> Iterator[bytes]:
    """The pictures and the first frames of the tracks, as units."""
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            yield from _items(data, start + 4, end)
        elif kind == b"moov":
            for table in _inside(data, [(kind, start, end)], b"trak", b"mdia", b"minf", b"stbl"):
                yield from _samples(data, table)


def _boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        size = size or end - at  # 0: up to the end
        if size < head:
            return
        yield kind, at + head, min(at + size, end)
        at += size
    raise ValueError("too many boxes")


def _inside(data: bytes, boxes: Iterable[Box], *path: bytes) -> Iterator[Box]:
    """Those that lie along a path of kinds inside some boxes."""
    for _, start, end in boxes:
        found = (box for box in _boxes(data, start, end) if box[0] == path[0])
        yield from _inside(data, found, *path[1:]) if path[1:] else found


def _items(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """What the items of type av01 of a box `meta` are made of (ISO/IEC 14496-12, 8.11)."""
    boxes = {kind: (at, stop) for kind, at, stop in _boxes(data, start, end)}
    pictures = set()
    if b"iinf" in boxes:
        at, stop = boxes[b"iinf"]
        for kind, entry, _ in _boxes(data, at + (8 if data[at] else 6), stop):
            if kind == b"infe" and data[entry] >= 2:
                number, _, name = struct.unpack_from(">HH4s" if data[entry] == 2 else ">IH4s", data, entry + 4)
                if name == b"av01":
                    pictures.add(number)
    if b"iloc" not in boxes:
        return
    inner = boxes.get(b"idat", (0, 0))[0]
    for number, base, extents in _locations(data, boxes[b"iloc"][0], inner):
        if number in pictures:
            parts = [data[base + at : base + at + size if size else None] for at, size in extents]
            if sum(map(len, parts)) > len(data):
                raise ValueError("parts that share bytes")
            yield b"".join(parts)


def _locations(data: bytes, at: int, inner: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Number, base and extents of each item of a box `iloc`."""
    version, sizes = data[at], struct.unpack_from(">H", data, at + 4)[0]
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    items, at = _number(data, at + 6, wide)
    for _ in range(items):
        number, at = _number(data, at, wide)
        method = 0
        if version:
            method, at = _number(data, at, 2)
        base, at = _number(data, at + 2, base_size)
        count, at = _number(data, at, 2)
        extents = []
        for _ in range(count):
            at += index_size if version else 0
            place, at = _number(data, at, offset_size)
            size, at = _number(data, at, length_size)
            extents.append((place, size))
        yield number, base + (inner if method & 15 else 0), extents


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    """A number of so many bytes, and where it ends. Raises IndexError at the end of the data."""
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size], "big"), at + size


def _samples(data: bytes, table: Box) -> Iterator[bytes]:
    """The first samples of a track, from its box `stbl` (ISO/IEC 14496-12, 8.7)."""
    boxes = {kind: at for kind, at, _ in _boxes(data, table[1], table[2])}
    if not ({b"stco", b"co64"} & boxes.keys() and {b"stsc", b"stsz"} <= boxes.keys()):
        return
    sizes = _sizes(data, boxes[b"stsz"])
    places = _chunks(data, boxes)
    for place, samples in places:
        for size in islice(sizes, samples):
            yield data[place : place + size]
            place += size


def _sizes(data: bytes, at: int) -> Iterator[int]:
    same, count = struct.unpack_from(">II", data, at + 4)
    for number in range(min(count, MAX_SAMPLES)):
        yield same or struct.unpack_from(">I", data, at + 12 + 4 * number)[0]


def _chunks(data: bytes, boxes: dict[bytes, int]) -> Iterator[tuple[int, int]]:
    """Place and number of samples of each of the first chunks."""
    kind, width = (b"co64", 8) if b"co64" in boxes else (b"stco", 4)
    count, runs = (struct.unpack_from(">I", data, boxes[name] + 4)[0] for name in (kind, b"stsc"))
    run, samples = 0, 0
    for chunk in range(min(count, MAX_SAMPLES)):
        at = boxes[b"stsc"] + 8 + 12 * run
        if run < runs and struct.unpack_from(">I", data, at)[0] <= chunk + 1:
            samples, run = struct.unpack_from(">I", data, at + 4)[0], run + 1
        yield int.from_bytes(data[boxes[kind] + 8 + width * chunk :][:width], "big"), samples


def _units(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each unit of a stream (AV1, 5.3)."""
    at = 0
    while at < len(stream):
        head = stream[at]
        at += 2 if head & 4 else 1
        size = len(stream) - at
        if head & 2:
            size = 0
            for place in range(8):
                byte, at = stream[at], at + 1
                size |= (byte & 127) << 7 * place
                if byte < 128:
                    break
        yield head >> 3 & 15, stream[at : at + size]
        at += size


class _Bits:
    """Numbers of a body, the first bit of each the highest."""

    def __init__(self, data: bytes):
        self._bits, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, bits: int) -> int:
        self._left -= bits
        if self._left < 0:
            raise IndexError
        return self._bits >> self._left & (1 << bits) - 1


def _pixels(header: bytes) -> int:
    """Of a frame, by a sequence header (AV1, 5.5.1). Where frames may have a size of their own, it has as many bits as
    the largest: then a quarter of what these can say is taken, if it is more."""
    bits = _Bits(header[:256])
    bits.take(4)
    if reduced := bits.take(1):
        bits.take(5)
    else:
        _skip_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    announced = (bits.take(width_bits) + 1) * (bits.take(height_bits) + 1)
    return announced if reduced else max(announced, (1 << width_bits + height_bits) // 4)


def _skip_points(bits: _Bits) -> None:
    """Over timing and operating points."""
    model = delay_bits = 0
    if bits.take(1):  # timing_info
        bits.take(32), bits.take(32)
        if bits.take(1):  # equal_picture_interval: uvlc
            zeros = 0
            while not bits.take(1):
                zeros += 1
            bits.take(zeros if zeros < 32 else 0)
        if model := bits.take(1):
            delay_bits = bits.take(5) + 1
            bits.take(32), bits.take(5), bits.take(5)
    display = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if model and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if display and bits.take(1):
            bits.take(4)
