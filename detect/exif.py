"""EXIF and TIFF's directory -> what may be known of a picture before it is opened.

Pillow reads every tag of a directory, and tags may share bytes: a megabyte of EXIF can ask it for gigabytes.
"""

import struct
from collections.abc import Iterator

ORIENTATION = 0x0112
MAX_NUMBERS = 2**20  # bytes of a TIFF file's tags that become Python's numbers, thirty times as large

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}  # bytes, by type
_BYTES = (1, 2, 7)  # types that stay bytes: BYTE, ASCII, UNDEFINED
_SHORT, _LONG = 3, 4


def orientation(block: bytes) -> int | None:
    """How EXIF, from the byte order on, says that a picture lies: 1 to 8 if it is sound; None where it says nothing."""
    order = _ORDERS.get(block[:4])
    if order is None:
        return None
    try:
        for tag, kind, entry in _entries(block, order):
            if tag == ORIENTATION and kind in (_SHORT, _LONG):
                return struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, entry + 8)[0]
    except struct.error:
        pass  # cut short
    return None


def is_harmless(tiff: bytes) -> bool:
    """Whether the first directory of a TIFF file can be given to Pillow: its values do not share bytes, so that all
    are no larger than the file, and few of them are lists of numbers. A directory that is cut short is harmless."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return False
    everything = numbers = 0
    try:
        for _, kind, entry in _entries(tiff, order):
            count, start = struct.unpack_from(order + "II", tiff, entry + 4)
            size = count * _SIZES.get(kind, 0)
            held = min(size, max(0, len(tiff) - start)) if size > 4 else 0
            everything += held
            numbers += held if kind not in _BYTES else 0
    except struct.error:
        pass  # cut short
    return everything <= len(tiff) and numbers <= MAX_NUMBERS


def _entries(block: bytes, order: str) -> Iterator[tuple[int, int, int]]:
    """Tag, type and place of every entry of the first directory. Raises struct.error at the block's end."""
    (at,) = struct.unpack_from(order + "I", block, 4)
    (entries,) = struct.unpack_from(order + "H", block, at)
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        yield *struct.unpack_from(order + "HH", block, entry), entry
