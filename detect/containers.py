"""What a video file says of itself in its first bytes and its outermost boxes, read without a decoder."""

from typing import BinaryIO

MP4, AVI, MATROSKA, PICTURE = "mp4", "avi", "matroska", "picture"  # MOV and 3GP are MP4, WebM is Matroska

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
# Brands of HEIC and AVIF, pictures and rows of pictures, which are laid out as MP4 is.
_PICTURE_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 avif avis".split())
_MAX_BOXES = 10_000  # a live recording of five minutes has a tenth of them; a file made of nothing else is given up


def container_of(head: bytes) -> str | None:
    """What the first 12 bytes of a file promise: MP4, AVI, MATROSKA, PICTURE, or None for anything else.

    A promise only: what a decoder makes of the rest has to be bound as well.
    """
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        return PICTURE
    if head[4:8] in _MP4_BOXES:
        return MP4
    if head[:4] == _EBML:
        return MATROSKA
    return AVI if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


def announced_bytes(file: BinaryIO, container: str | None) -> int:
    """How large a file is by its own account: where its last box of media ends, in bytes.

    Of MP4 and MATROSKA; 0 for others, and where the file does not say or makes no sense. Lengths in time are no such
    account: they count sound that goes on after the picture, and what an edit list leaves out.

    Raises:
        OSError: the file cannot be read.
    """
    file.seek(0)
    if container == MP4:
        return _end_of_mdat(file)
    return _end_of_segment(file) if container == MATROSKA else 0


def _end_of_mdat(file: BinaryIO) -> int:
    place, end = 0, 0
    for _ in range(_MAX_BOXES):
        head = file.read(16)
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(head[8:], "big"), 16
        if len(head) < header or not header <= size < 2**62:  # the end, a box up to the end, or nonsense
            break
        place += size
        if head[4:8] == b"mdat":
            end = place
        file.seek(place)
    return end


def _end_of_segment(file: BinaryIO) -> int:
    head = file.read(12)
    size, width = _number(head[4:])
    place = 4 + width + (size or 0)
    file.seek(place)
    head = file.read(12)
    if head[:4] != _SEGMENT:
        return 0
    size, width = _number(head[4:])
    return 0 if size is None else place + 4 + width + size


def _number(data: bytes) -> tuple[int | None, int]:
    """A number of Matroska and how many bytes it takes; None stands for "not known", as in live recordings."""
    width = 9 - (data[:1] or b"\0")[0].bit_length()
    largest = (1 << 7 * width) - 1
    value = int.from_bytes(data[:width], "big") & largest
    return (None if value == largest else value), width
