"""A picture file's bytes -> the blocks in which it says something of itself: EXIF, XMP, PNG text, Content Credentials.

Nothing is decoded, and damaged files give what can be read. The work is bounded, which Pillow's is not: at most
MAX_BLOCKS parts of a file are walked over, the first text under each wanted keyword is unpacked, and that up to
MAX_TEXT bytes. Only HEIC, whose blocks may lie anywhere, goes through libheif.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from deepfake_detect.picture.exif import XMP, read_tags

MAX_BLOCKS = 10_000  # a PNG of MAX_BYTES in the usual pieces of 8 KB has as many
MAX_TEXT = 2**18  # bytes of a text, unpacked
KEYWORDS = frozenset("parameters prompt workflow invokeai_metadata sd-metadata Dream Software".split())  # of PNG text

XMP_KEYWORD = "XML:com.adobe.xmp"
XMP_MARK, EXIF_MARK = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0"
_APP1, _APP11, _SCAN, _FILL = 0xFFE1, 0xFFEB, 0xFFDA, 0xFFFF
C2PA_TYPE = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"  # UUID of a C2PA manifest store


@dataclass(frozen=True)
class Blocks:
    """What was found, as it stands in the file; empty where there is none."""

    exif: bytes = b""  # from the byte order on
    xmp: bytes = b""  # the XML, at most MAX_TEXT bytes
    texts: dict[str, bytes] = field(default_factory=dict)  # PNG text by keyword, one of KEYWORDS
    credentials: bytes = b""  # a C2PA manifest store, as JUMBF boxes


def read_blocks(data: bytes) -> Blocks:
    """The blocks of a JPEG, PNG, WebP, TIFF or HEIC file; nothing of a file of any other kind.

    Args:
        data: the whole file.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return Blocks(exif=data, xmp=read_tags(data, frozenset({XMP}), MAX_TEXT).get(XMP, b""))
    return _heif(data) if data[4:8] == b"ftyp" else Blocks()


def _jpeg(data: bytes) -> Blocks:
    exif = xmp = b""
    boxes: dict[bytes, bytearray] = {}  # by the number of the box, which long ones share over several segments
    for marker, body in _segments(data):
        if marker == _APP1 and body.startswith(EXIF_MARK):
            exif = exif or body[len(EXIF_MARK) :]
        elif marker == _APP1 and body.startswith(XMP_MARK):
            xmp = xmp or body[len(XMP_MARK) :]
        elif marker == _APP11 and body.startswith(b"JP"):
            # 8 bytes of numbering; from a box's second segment on, its head, 8 bytes, is said again
            head = 16 if body[2:4] in boxes else 8
            boxes.setdefault(body[2:4], bytearray()).extend(body[head:])
    return Blocks(exif, xmp, credentials=b"".join(_manifest(bytes(box)) for box in boxes.values()))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment of a JPEG file before its pixels."""
    at = 2
    for _ in range(MAX_BLOCKS):
        if at + 4 > len(data):
            return
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == _FILL:
            at += 1
            continue
        if marker < 0xFFC0 or marker == _SCAN:
            return
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _png(data: bytes) -> Blocks:
    exif = credentials = b""
    texts: dict[str, bytes] = {}
    for kind, body in _chunks(data, 8, ">I4s", 12):
        if kind == b"eXIf":
            exif = exif or bytes(body).removeprefix(EXIF_MARK)
        elif kind == b"caBX":
            credentials = credentials or _manifest(bytes(body))
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword = bytes(body[:80]).partition(b"\0")[0].decode("latin-1")
            if keyword not in texts and (keyword in KEYWORDS or keyword == XMP_KEYWORD):
                texts[keyword] = _text(kind, bytes(body[len(keyword) + 1 :]))
    return Blocks(exif, texts.pop(XMP_KEYWORD, b""), texts, credentials)


def _text(kind: bytes, rest: bytes) -> bytes:
    """The text of a PNG chunk, from what follows its keyword."""
    packed = kind == b"zTXt"
    if kind == b"iTXt":  # whether it is packed, how, language, keyword in that language, text
        packed = rest[:1] == b"\1"
        rest = rest[1:2] + rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        rest = rest if packed else rest[1:]
    if not packed:
        return rest[:MAX_TEXT]
    try:
        return zlib.decompressobj().decompress(rest[1:], MAX_TEXT)
    except zlib.error:
        return b""


def _webp(data: bytes) -> Blocks:
    found: dict[bytes, bytes] = {}
    for kind, body in _chunks(data, 12, "<4sI", 8):
        if kind in (b"EXIF", b"XMP ", b"C2PA"):
            found.setdefault(kind, bytes(body))
    exif = found.get(b"EXIF", b"").removeprefix(EXIF_MARK)
    return Blocks(exif, found.get(b"XMP ", b"")[:MAX_TEXT], credentials=_manifest(found.get(b"C2PA", b"")))


def _chunks(data: bytes, at: int, head: str, frame: int) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and body of each chunk of a PNG or RIFF file; `frame`: bytes of a chunk beside its body."""
    view = memoryview(data)
    for _ in range(MAX_BLOCKS):
        if at + 8 > len(data):
            return
        first, second = struct.unpack_from(head, data, at)
        kind, length = (first, second) if isinstance(first, bytes) else (second, first)
        yield kind, view[at + 8 : at + 8 + length]
        at += frame + length + (length % 2 if frame == 8 else 0)  # RIFF pads to an even length


def _manifest(boxes: bytes) -> bytes:
    """JUMBF boxes, if they hold a C2PA manifest store, else nothing. The first box inside says what a JUMBF box is."""
    return boxes if boxes[4:8] == b"jumb" and C2PA_TYPE in boxes[8:48] else b""


def _heif(data: bytes) -> Blocks:
    try:
        with Image.open(io.BytesIO(data), formats=("HEIF",)) as image:
            exif, xmp = image.info.get("exif") or b"", image.info.get("xmp") or b""
    except Exception:  # libheif's wrapper raises many types of its own, all for a file it cannot read
        return Blocks()
    return Blocks(exif.removeprefix(EXIF_MARK), xmp[:MAX_TEXT])
