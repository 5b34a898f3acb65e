"""What a video file says of itself in its first bytes and its outer boxes, read without a decoder."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from deepfake_detect.picture.formats import MP4_BOXES, looks_like_a_picture

MP4, AVI, MATROSKA, PICTURE = "mp4", "avi", "matroska", "picture"  # MOV and 3GP are MP4, WebM is Matroska

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", 0x18538067
_CLUSTER = 0x1F43B675
# What it holds: timestamp, position, size before, silent tracks, simple block, block group, void, checksum.
_IN_CLUSTER = frozenset((0xE7, 0xA7, 0xAB, 0x5854, 0xA3, 0xA0, 0xEC, 0xBF))
_MAX_BOXES = 100_000  # blocks of five minutes of a live recording are a third of that; what has more is given up
_RIFF_SLACK = 16  # bytes by which writers of AVI are wrong about padding
_RIFF_UNKNOWN = 0xFFFFFF00  # sizes from here on, and 0, are those of a recording that could not go back to fill them in


def container_of(head: bytes) -> str | None:
    """What the first HEAD bytes of a file promise: MP4, AVI, MATROSKA, PICTURE, or None for anything else.

    A promise only: what a decoder makes of the rest has to be bound as well.
    """
    if looks_like_a_picture(head):  # HEIC and AVIF are laid out as MP4 is
        return PICTURE
    if head[4:8] in MP4_BOXES:
        return MP4
    if head[:4] == _EBML:
        return MATROSKA
    return AVI if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


def ends_within_media(file: BinaryIO, container: str | None) -> bool:
    """Whether a file ends in the middle of its pictures and sound, by the sizes that its own boxes give.

    False where the file does not say or makes no sense: live recordings have no size for the whole, and are told by
    the last of their parts. Bytes behind the end and an index that is cut short are no loss. Of MP4 this tells of
    recordings in fragments; where one index is for the whole file, that says more, see `deepfake_detect.video.reader`.
    Lengths in
    time are no account of it: they count sound that goes on after the picture, and what an edit list leaves out.

    Raises:
        OSError: the file cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if container == MP4:
        return _ends_within_fragment(file, size)
    if container == MATROSKA:
        return _ends_within_cluster(file, size)
    return container == AVI and _ends_within_movi(file, size)


def counts_can_be_trusted(file: BinaryIO) -> bool:
    """Whether an AVI file was closed properly, so that its header's number of frames is one."""
    return all(_is_known(length) for name, _, length in _chunks(file) if name == b"movi")


def has_index(file: BinaryIO) -> bool:
    """Whether an MP4 file has its index, the box moov, without which nothing in it can be found."""
    return any(name == b"moov" for name, _, _ in _boxes(file))


def sound_bytes(file: BinaryIO, container: str) -> int:
    """How much of a file to read from its start: of an MP4 recording whose last fragment lost part of its own index,
    which FFmpeg would take for damage of the whole, what is before that; otherwise all."""
    size = file.seek(0, os.SEEK_END)
    if container == MP4:
        size = min([size, *(start for name, start, end in _boxes(file) if name == b"moof" and end > size)])
    file.seek(0)
    return size


def _ends_within_fragment(file: BinaryIO, size: int) -> bool:
    fragmented, last, place = False, b"", 0
    for last, _, end in _boxes(file):
        fragmented |= last == b"moof"
        if end > size and (last == b"moof" or (last == b"mdat" and fragmented)):
            return True
        place = end
    file.seek(place)
    # The pictures of the last fragment are missing, or all but the first bytes of a box.
    return last == b"moof" or (fragmented and 1 < size - place < 8 and file.read(2) == b"\0\0")


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, end) of the outermost boxes of MP4; the last may end behind the file, or have no end: 0."""
    place = 0
    for _ in range(_MAX_BOXES):
        file.seek(place)
        head = file.read(16)
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:], "big"), 16
        if len(head) < header:
            return
        if not length:  # up to the end of the file
            yield head[4:8], place, 0
            return
        if not header <= length < 2**62:
            return
        yield head[4:8], place, place + length
        place += length


def _chunks(file: BinaryIO, place: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """(name, start of the content, length) of the chunks of AVI; of a list, its kind, and RIFF chunks are entered."""
    for _ in range(_MAX_BOXES):
        file.seek(place)
        head = file.read(12)
        if len(head) < 8:
            return
        length, listed = int.from_bytes(head[4:8], "little"), head[:4] in (b"RIFF", b"LIST")
        yield head[8:] if listed else head[:4], place + (12 if listed else 8), length
        place += 12 if head[:4] == b"RIFF" else 8 + length + length % 2


def _ends_within_movi(file: BinaryIO, size: int) -> bool:
    """Of AVI: by its lists of pictures and sound, and in one without a size by their chunks."""
    for name, start, length in _chunks(file):
        if name == b"movi" and _is_known(length):
            if start - 4 + length > size + _RIFF_SLACK:
                return True
        elif name == b"movi":
            return any(start + length > size for name, start, length in _chunks(file, start) if name[:2].isdigit())
    return False


def _is_known(length: int) -> bool:
    return 0 < length < _RIFF_UNKNOWN


def _ends_within_cluster(file: BinaryIO, size: int) -> bool:
    """Of Matroska: by clusters, and in those without a size of their own by blocks."""
    place, end = _enter_segment(file)
    more_to_come = end is not None and end > size
    clusters = inside = False  # seen one; in one without a size
    for _ in range(_MAX_BOXES):
        name, length, start = _element(file, place) if place < size else (None, None, place)
        if name is None:  # the end of the file, or nonsense
            return clusters and more_to_come
        if name == _CLUSTER:
            clusters, inside = True, length is None
        elif not (inside and name in _IN_CLUSTER):
            inside = False
            if clusters:  # the index, tags or anything else that follows the pictures
                return False
        if length is None and name != _CLUSTER:
            return False
        if length is not None and clusters and start + length > size:
            return True
        place = start + (length or 0)
    return False


def _enter_segment(file: BinaryIO) -> tuple[int, int | None]:
    """Where the content of a Matroska file begins and ends; the end is None in live recordings."""
    _, length, start = _element(file, 0)
    name, size, inner = _element(file, start + (length or 0))
    if name != _SEGMENT:
        return 2**62, None
    return inner, None if size is None else inner + size


def _element(file: BinaryIO, place: int) -> tuple[int | None, int | None, int]:
    """(identifier, length or None for "not known", where the content begins) of an element of Matroska.

    The identifier is None where there is no element.
    """
    file.seek(place)
    head = file.read(12)
    width = 9 - (head[:1] or b"\0")[0].bit_length()
    if width > 4 or len(head) < width + 1:
        return None, None, place
    length, more = _number(head[width:])
    if len(head) < width + more:
        return None, None, place
    return int.from_bytes(head[:width], "big"), length, place + width + more


def _number(data: bytes) -> tuple[int | None, int]:
    """A number of Matroska and how many bytes it takes; None stands for "not known", as in live recordings."""
    width = 9 - (data[:1] or b"\0")[0].bit_length()
    largest = (1 << 7 * width) - 1
    value = int.from_bytes(data[:width], "big") & largest
    return (None if value == largest else value), width
