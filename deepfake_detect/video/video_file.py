"""Untrusted video file -> FFmpeg's demuxer on it and the stream to judge, by PyAV; before that, what its bytes say.

FFmpeg chooses among hundreds of formats by bytes anywhere in a file, or by its name alone, and playlists, patterns of
picture names and references inside MOV have it open other files. Here it opens none: it reads through a Python object
what that reads of one file, is told which of three demuxers to use, and has no protocol left to open another with.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from time import monotonic

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from deepfake_detect.errors import VideoError
from deepfake_detect.picture.decode import MAX_PIXELS
from deepfake_detect.picture.formats import HEAD, not_there
from deepfake_detect.video.containers import (
    AVI,
    MATROSKA,
    MP4,
    PICTURE,
    container_of,
    ends_within_media,
    has_index,
    sound_bytes,
)

MAX_VIDEO_BYTES = 200 * 2**20  # five minutes at 5 Mbit/s, which is ordinary 1080p

VIDEO_SUFFIXES = frozenset(".mp4 .m4v .mov .3gp .avi .mkv .webm".split())
VIDEO_FORMAT_NAMES = "MP4, MOV, AVI, MKV or WebM"

_DEMUXERS = {MP4: "mov", AVI: "avi", MATROSKA: "matroska"}
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm",  # also for what one demuxer asks of another
    "protocol_whitelist": "none",
    "enable_drefs": "0",  # references of MOV to other files
    "max_pixels": str(MAX_PIXELS),  # to decoders: a frame that is larger than announced is refused before it is stored
}
_READ_BYTES = 2**16  # at a time
_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails  # cover art and previews
# With more, sound videos give the same frames sooner where cores are idle; of damaged ones it becomes a matter of
# chance how much FFmpeg finds to be damaged, and of H.264 it says nothing of damage inside a frame.
THREADS = 1
_KNOWS_SPARE_FRAMES = frozenset(("h264", "mpeg1video", "mpeg2video", "vp8"))

UNDECODABLE = "The video cannot be decoded: it is damaged or its codec is not read here. Convert it to MP4 with H.264."
NOT_OPENED = (
    "The video cannot be decoded: it is damaged, cut short, or not what it seems to be. Send the whole file again."
)
NO_VIDEO = "There is no video in this file. Send one with a picture."
ONLY_SOUND = "There is no video in this file, only sound. Send one with a picture."
UNREADABLE = "The file cannot be read: {}."
NO_INDEX = "The video cannot be decoded: its index is missing, so it was cut short. Send the whole file."
A_PICTURE = (
    "This is a picture, not a video. Drop it where the page takes a photograph; on the command line its name must end "
    "as a picture's does, in .jpg for one."
)


def check_file(path: Path) -> tuple[str, bool]:
    """Look at a file before FFmpeg does.

    Returns:
        (which container it is, see `deepfake_detect.video.containers`; whether it ends too soon by its own account).

    Raises:
        VideoError: it is missing, no ordinary file, empty, too large, of another format, or without an index.
    """
    try:
        os.fspath(path).encode()
        if path.is_dir():
            raise VideoError("not_a_file", "This is a folder, not a video.")
        if not path.is_file():
            if not path.exists():
                raise VideoError("not_found", not_there(path))
            raise VideoError("not_a_file", "This is not an ordinary file.")
        size = path.stat().st_size
        with path.open("rb") as file:
            container = container_of(file.read(HEAD))
            cut = size <= MAX_VIDEO_BYTES and ends_within_media(file, container)
            index = container != MP4 or has_index(file)
    except VideoError:
        raise
    except OSError as error:
        raise VideoError("unreadable", UNREADABLE.format(error.strerror or "no access")) from None
    except UnicodeEncodeError:
        raise VideoError("unreadable", "The name of this file is not valid Unicode. Rename it.") from None
    except ValueError:  # a null character in the name
        raise VideoError("not_found", "There is no such file.") from None
    if not size:
        raise VideoError("empty_file", "The file is empty. Send the video again.")
    if size > MAX_VIDEO_BYTES:
        raise VideoError(
            "file_too_large",
            f"The file is larger than {MAX_VIDEO_BYTES >> 20} MB. Send a part of it or a smaller copy.",
        )
    if container == PICTURE:
        raise VideoError("not_a_video", A_PICTURE)
    if not container:
        raise VideoError(
            "unsupported_format", f"This is not a video in a format read here. Send an {VIDEO_FORMAT_NAMES} file."
        )
    if not index:
        raise VideoError("undecodable", NO_INDEX)
    return container, cut


class _Reader:
    """The file as FFmpeg reads it. It ends where reading fails or the time is up, and never raises: PyAV would give an
    exception to whichever call this thread makes next, which may be for another video."""

    def __init__(self, file: FileIO, size: int, deadline: float):
        self._file, self._size, self._deadline = file, size, deadline
        self.error: OSError | None = None

    def read(self, size: int) -> bytes:
        if self.error or monotonic() > self._deadline:
            return b""
        try:
            return self._file.read(min(size, max(0, self._size - self._file.tell()))) or b""
        except OSError as error:
            self.error = error
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        whence &= 3  # FFmpeg adds a flag of its own
        if whence == os.SEEK_END:
            offset, whence = self._size + offset, os.SEEK_SET
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):  # in front of the file
            return -22  # AVERROR(EINVAL)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def demuxer(path: str, container: str, deadline: float) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file; it is closed again whatever happens.

    Args:
        path: a file.
        container: MP4, AVI or MATROSKA, see `deepfake_detect.video.containers`.
        deadline: of time.monotonic(): from then on the file reads as if it had ended.

    Yields:
        (PyAV's container, the stream to judge, whose packets alone are read). That is the one marked as default, then
        the one with the largest frames, then the first; cover art is none.

    Raises:
        VideoError: the file cannot be read or opened, or has no video.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            reader = _Reader(file, sound_bytes(file, container), deadline)
            try:
                opened = av.open(
                    reader, "r", format=_DEMUXERS[container], options=_OPTIONS, metadata_errors="replace",
                    buffer_size=_READ_BYTES,
                )  # fmt: skip
            except av.FFmpegError:
                if reader.error:
                    raise reader.error from None
                raise VideoError("undecodable", NOT_OPENED) from None
            with opened:
                stream = _chosen(opened)
                for other in opened.streams:
                    if other.index != stream.index:
                        other.discard = Discard.all
                yield opened, stream
                if reader.error:
                    raise reader.error
    except av.FFmpegError:
        raise VideoError("undecodable", UNDECODABLE) from None
    except OSError as error:
        raise VideoError("unreadable", UNREADABLE.format(error.strerror or "no access")) from None


def _chosen(container: InputContainer) -> VideoStream:
    films = [stream for stream in container.streams.video if not stream.disposition & _PICTURES]
    if not films:
        raise VideoError("no_video", ONLY_SOUND if container.streams.audio else NO_VIDEO)
    readable = [stream for stream in films if stream.codec_context is not None]
    if not readable:
        raise VideoError("undecodable", UNDECODABLE)

    def rank(stream: VideoStream) -> tuple[bool, int, int]:
        size = stream.codec_context.width * stream.codec_context.height
        return bool(stream.disposition & Disposition.default), size, -stream.index

    return max(readable, key=rank)


def decoder(stream: VideoStream, threads: int = THREADS) -> av.VideoCodecContext:
    """The stream's decoder, before its first packet."""
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_PIXELS)}
    if context.name == "ffv1":  # shows what it could not decode as it found it in memory, and does not say so
        context.options |= {"err_detect": "explode"}
    context.thread_count, context.thread_type = threads, "AUTO"
    return context


def may_skip(context: av.VideoCodecContext) -> bool:
    """Whether FFmpeg knows frames that no other frame is made from, and leaves them out without a change of the rest.

    In HEVC such frames may still serve those of a higher temporal layer, so there must be one layer; its configuration
    record says how many there are (ISO/IEC 14496-15, section 8.3.2.1.2).
    """
    if context.name == "hevc":
        record = context.extradata or b""
        return len(record) > 22 and record[0] == 1 and record[21] >> 3 & 7 == 1
    return context.name in _KNOWS_SPARE_FRAMES
