"""Files that the tests of `open_picture` make, and the sentences that they expect."""

import io
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from deepfake_detect.errors import PictureError
from deepfake_detect.picture.decode import open_picture

LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}),
            ("WEBP", {"lossless": True})]  # fmt: skip
LOSSY = [("JPEG", {"quality": 95}), ("JPEG", {"quality": 95, "progressive": True}), ("WEBP", {"quality": 95}),
         ("TIFF", {"compression": "jpeg"}), ("HEIF", {"quality": 95}), ("GIF", {}),
         ("MPO", {"quality": 95})]  # fmt: skip


def encoded(image: Image.Image, style: str, **options) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, style, **options)
    return buffer.getvalue()


def lossless_jpeg(width: int, height: int) -> bytes:
    """A grey lossless JPEG: every difference is zero, and has a code of one bit."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    codes = struct.pack(">HB", 20, 0) + b"\1" + bytes(15) + b"\0"
    scan = b"\0\x08\1\1\0\1\0\0" + bytes(-(-width * height // 8))
    return b"\xff\xd8\xff\xc3" + frame + b"\xff\xc4" + codes + b"\xff\xda" + scan + b"\xff\xd9"


def up_to_second_scan(jpeg: bytes) -> bytes:
    """A progressive JPEG with its first scan alone."""
    start = jpeg.index(b"\xff\xda") + 2
    return jpeg[: start + re.search(rb"\xff[^\0]", jpeg[start:]).start()] + b"\xff\xd9"


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file written by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def as_bigtiff(tiff: bytes) -> bytes:
    """A little-endian TIFF file of Pillow's as a BigTIFF: its data eight bytes further on, its directory last."""
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    entries, lists = b"", bytearray(tiff[8:])  # which begin at 16 in the new file
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from("<HHI", tiff, at)
        value, places = tiff[at + 8 : at + 12] + bytes(4), tag in (273, 324, 0x0207)
        size = sizes[kind] * number
        if size > 4:
            (place,) = struct.unpack_from("<I", tiff, at + 8)
            if places:
                shape = f"<{number}{'H' if kind == 3 else 'I'}"
                moved = [one + 8 for one in struct.unpack_from(shape, tiff, place)]
                struct.pack_into(shape, lists, place - 8, *moved)
            value = (
                struct.pack("<Q", place + 8) if size > 8 else bytes(lists[place - 8 : place - 8 + size]).ljust(8, b"\0")
            )
        elif places:
            value, kind = struct.pack("<Q", int.from_bytes(value[:size], "little") + 8), 16
        entries += struct.pack("<HHQ", tag, kind, number) + value
    lists += bytes(-len(lists) % 8)
    head = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16 + len(lists))
    return head + bytes(lists) + struct.pack("<Q", count) + entries + bytes(8)


def announcing(avif: bytes, side: int) -> bytes:
    """An AVIF of Pillow's with another stream, whose header announces a larger frame than the boxes say."""
    bits = f"00011{31:05b}{15:04b}{15:04b}{side - 1:016b}{side - 1:016b}".ljust(56, "0")
    unit = b"\x0a\x07" + int(bits, 2).to_bytes(7, "big")
    place = avif.index(b"iloc") + 18
    return avif[:place] + struct.pack(">II", len(avif), len(unit)) + avif[place + 8 :] + unit


def tags_on_shared_bytes(tags: int, size: int) -> bytes:
    """A TIFF directory of 32-bit numbers, all of whose tags point at the same `size` bytes."""
    start = 8 + 2 + 12 * tags + 4
    entries = b"".join(struct.pack("<HHII", 40000 + n, 4, size // 4, start) for n in range(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", tags) + entries + bytes(4) + bytes(size)


def quarters() -> Image.Image:
    """An upright 96 x 64 picture whose four quarters differ."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48], pixels[:32, 48:], pixels[32:, :48] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
    return Image.fromarray(pixels)


def difference(found: np.ndarray, expected: Image.Image) -> float:
    """Mean absolute difference in grey levels."""
    assert found.shape == np.asarray(expected).shape
    return float(np.abs(found.astype(int) - np.asarray(expected)).mean())


def refusal(source) -> str:
    """The message of the error that a source gives."""
    with pytest.raises(PictureError) as caught:
        open_picture(source)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show both errors"
    return for_people(str(caught.value))


def for_people(message: str) -> str:
    """The message, which has to be a sentence or two for a person."""
    assert re.fullmatch(r"[A-Z][^\n]*\.", message), message
    assert len(message) < 200 and message.count(". ") <= 1, message
    assert not re.search(r"Traceback|Error|Exception|Errno|PIL|numpy|0x|<|\bNone\b", message), message
    return message


def peak(data: bytes) -> int:
    """Bytes that Python holds at most while a picture is opened or refused."""
    tracemalloc.start()
    try:
        open_picture(data)
    except PictureError:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most
