"""EXIF and TIFF's directory -> what may be known of a picture before it is opened, and the few tags asked for.

Pillow reads every tag of a directory, and tags may share bytes: a megabyte of EXIF can ask it for gigabytes. Here the
work is bounded by the number of tags wanted, and what is private (place, owner, serial numbers) stays in the file.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

MAKE, MODEL, ORIENTATION, SOFTWARE, CHANGED, TAKEN, COMMENT = 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x9003, 0x9286
XMP = 0x02BC  # in TIFF files
MAX_ENTRIES = 1000  # of a directory whose tags are read; cameras write under a hundred
MAX_NUMBERS = 2**20  # bytes of a TIFF file's tags that become Python's numbers, thirty times as large


class _Layout(NamedTuple):
    """How a directory is written: in BigTIFF, whatever may grow with the file has eight bytes."""

    order: str  # of bytes, for struct
    place: str  # what a place in the file, or a number of values, is, for struct
    entries: str  # what the number of entries is, for struct
    entry: int  # bytes of one
    inline: int  # bytes of values that stand in the entry itself

    @property
    def value(self) -> int:
        """Where in an entry its values, or their place, stand: behind tag, type and number of values."""
        return self.entry - self.inline


_LAYOUTS = {b"II*\0": _Layout("<", "I", "H", 12, 4), b"MM\0*": _Layout(">", "I", "H", 12, 4),
            b"II+\0": _Layout("<", "Q", "Q", 20, 8), b"MM\0+": _Layout(">", "Q", "Q", 20, 8)}  # fmt: skip
_MOST_ENTRIES = 2**16 - 1  # that the two bytes of an ordinary TIFF's number can say; BigTIFF's eight could say more
_CUT_SHORT = struct.error, OverflowError  # what a place behind the end of the block gives, a near or a far one
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}  # bytes, by type
_BYTES = (1, 2, 7)  # types that stay bytes: BYTE, ASCII, UNDEFINED
_SHORT, _LONG = 3, 4
_INNER = 0x8769  # the directory with what the camera notes of the exposure


def read_tags(block: bytes, wanted: frozenset[int], limit: int) -> dict[int, bytes]:
    """Values of tags in the first directory of EXIF and in the one inside it.

    Args:
        block: EXIF from the byte order on, or a whole TIFF file. May be damaged: what can be read counts.
        wanted: tag numbers.
        limit: bytes of a value; the rest of a longer one is left out.

    Returns:
        Raw bytes by tag; a tag that is missing, of another type or out of the block's bounds is left out.
    """
    layout = _LAYOUTS.get(block[:4])
    found: dict[int, bytes] = {}
    if layout is None:
        return found
    try:
        _read_directory(block, _first(block, layout), layout, wanted | {_INNER}, limit, found)
        if len(found.get(_INNER, b"")) == 4:
            inner = struct.unpack(layout.order + "I", found[_INNER])[0]
            _read_directory(block, inner, layout, wanted, limit, found)
    except _CUT_SHORT:
        pass  # cut short: what was read until there counts
    found.pop(_INNER, None)
    return found


def orientation(block: bytes) -> int | None:
    """How EXIF, from the byte order on, says that a picture lies: 1 to 8 if it is sound; None where it says nothing."""
    layout = _LAYOUTS.get(block[:4])
    if layout is None:
        return None
    try:
        for tag, kind, entry in _entries(block, layout, _first(block, layout)):
            if tag == ORIENTATION and kind in (_SHORT, _LONG):
                return struct.unpack_from(layout.order + ("H" if kind == _SHORT else "I"), block, entry + layout.value)[
                    0
                ]
    except _CUT_SHORT:
        pass  # cut short
    return None


def is_harmless(tiff: bytes) -> bool:
    """Whether the first directory of a TIFF or BigTIFF file can be given to Pillow: its values do not share bytes, so
    that all are no larger than the file, few of them are lists of numbers, and it has no more entries than an ordinary
    TIFF can have. A directory that is cut short is harmless."""
    layout = _LAYOUTS.get(tiff[:4])
    if layout is None:
        return False
    everything = numbers = entries = 0
    try:
        for _, kind, entry in _entries(tiff, layout, _first(tiff, layout)):
            count, start = struct.unpack_from(layout.order + 2 * layout.place, tiff, entry + 4)
            size = count * _SIZES.get(kind, 0)
            held = min(size, max(0, len(tiff) - start)) if size > layout.inline else 0
            everything += held
            numbers += held if kind not in _BYTES else 0
            entries += 1
            if entries > _MOST_ENTRIES:
                return False
    except _CUT_SHORT:
        pass  # cut short
    return everything <= len(tiff) and numbers <= MAX_NUMBERS


def _read_directory(
    block: bytes, at: int, layout: _Layout, wanted: frozenset[int], limit: int, found: dict[int, bytes]
) -> None:
    """Add the wanted tags of one directory; the first of a kind counts. Raises struct.error at the block's end."""
    for tag, kind, entry in islice(_entries(block, layout, at), MAX_ENTRIES):
        if tag not in wanted or tag in found or kind not in (*_BYTES, _SHORT, _LONG):
            continue
        size = struct.unpack_from(layout.order + layout.place, block, entry + 4)[0] * _SIZES[kind]
        start = entry + layout.value
        if size > layout.inline:
            (start,) = struct.unpack_from(layout.order + layout.place, block, start)
        if value := block[start : start + min(size, limit)]:
            found[tag] = value


def _first(block: bytes, layout: _Layout) -> int:
    """Place of the first directory. Raises struct.error at the block's end."""
    return struct.unpack_from(layout.order + layout.place, block, layout.inline)[0]  # 4, or 8 of BigTIFF


def _entries(block: bytes, layout: _Layout, at: int) -> Iterator[tuple[int, int, int]]:
    """Tag, type and place of every entry of a directory. Raises struct.error at the block's end."""
    (entries,) = struct.unpack_from(layout.order + layout.entries, block, at)
    first = at + struct.calcsize(layout.order + layout.entries)
    for number in range(entries):
        entry = first + layout.entry * number
        yield *struct.unpack_from(layout.order + "HH", block, entry), entry
