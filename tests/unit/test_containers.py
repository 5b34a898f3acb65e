"""Which files reach the decoder, by what format, and what a file says of its own length. Files are forged by hand."""

import io
import struct
from pathlib import Path
from time import monotonic

import av
import numpy as np
import pytest
from films import box, changed, film, index_first, number_of, numbered, refusal
from PIL import Image

from deepfake_detect import VideoError, sample_frames
from deepfake_detect.video.containers import AVI, MATROSKA, MP4, PICTURE, container_of, ends_within_media
from deepfake_detect.video.reader import open_video
from deepfake_detect.video.video_file import VIDEO_SUFFIXES, demuxer

EBML = b"\x1a\x45\xdf\xa3"


@pytest.fixture
def stream(tmp_path):
    """An MPEG transport stream, a format that FFmpeg knows and that is not read here."""
    path = film(tmp_path / "clip.ts", list(np.random.default_rng(0).integers(0, 256, (60, 64, 96, 3), dtype=np.uint8)))
    assert path.stat().st_size > 100_000
    return path


# One format for what the first bytes promise and for the decoder


@pytest.mark.parametrize("head", [EBML, b"\0\0\0\x05wide", b"\0\0\0\2moov"])
def test_another_format_behind_the_first_bytes_of_an_allowed_one_is_refused(tmp_path, stream, head):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(head + stream.read_bytes())
    assert "cannot be decoded" in refusal(clip)


def test_a_playlist_is_not_followed_even_if_the_first_bytes_were_not_looked_at(tmp_path, stream):
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{stream.name}\n#EXT-X-ENDLIST\n")
    for container in (MP4, AVI, MATROSKA):
        with pytest.raises(VideoError), demuxer(str(playlist), container, monotonic() + 60):
            pass
    playlist.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + playlist.read_bytes())
    assert "cannot be decoded" in refusal(playlist)


def test_a_name_that_is_a_pattern_reads_no_other_pictures(tmp_path):
    for number in range(3):
        Image.new("RGB", (96, 64)).save(tmp_path / f"clip{number}.jpg")
    numbered(tmp_path / "clip.mp4", 5).rename(tmp_path / "clip%d.jpg")
    assert [number_of(frame) for _, frame in sample_frames(tmp_path / "clip%d.jpg")] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v", ".3gp", ".avi", ".mkv", ".webm"])
def test_every_format_that_is_named_is_read(tmp_path, suffix):
    assert suffix in VIDEO_SUFFIXES
    path = tmp_path / f"clip{suffix}"
    film(path, [np.full((64, 96, 3), 99, np.uint8)] * 3)
    assert len(list(sample_frames(path))) == 3


def test_a_reference_to_another_file_is_not_followed(tmp_path):
    """MOV can say of its frames that they are in another file."""
    clip, other = (raw(tmp_path / f"{name}.mov", level) for name, level in (("clip", 50), ("other", 200)))
    data = clip.read_bytes()
    entry = data.index(b"dref") + 12
    assert data[entry + 4 : entry + 8] == b"url "
    name = str(other).encode()
    alias = bytes(4) + bytes(150) + struct.pack(">hH", 2, len(name)) + name + b"\0" * (len(name) % 2)
    alias += struct.pack(">hH", -1, 0)
    new = struct.pack(">I", len(alias) + 8) + b"alis" + alias
    grown = bytearray(data[:entry] + new + data[entry + 12 :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        size = grown.index(name) - 4
        grown[size : size + 4] = struct.pack(">I", struct.unpack(">I", grown[size : size + 4])[0] + len(new) - 12)
    clip.write_bytes(grown)
    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(clip, options=options) as followed:
        assert {int(frame.to_ndarray().mean()) for frame in followed.decode(video=0)} == {200}
    assert "not one frame" in refusal(clip)


def raw(path: Path, level: int) -> Path:
    """A video of grey frames without compression."""
    with av.open(path, "w") as container:
        stream = container.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "rgb24"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 96, 3), level, np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    return path


# Pictures


@pytest.mark.parametrize("style", ["HEIF", "AVIF", "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_named_as_a_video_is_sent_where_pictures_go(tmp_path, style):
    Image.new("RGB", (128, 96), (200, 150, 100)).save(tmp_path / "picture", style)
    (tmp_path / "picture").rename(tmp_path / "clip.mp4")
    assert "This is a picture" in refusal(tmp_path / "clip.mp4")


def test_first_bytes_tell_pictures_from_videos():
    for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"):
        assert container_of(b"\0\0\0\x18ftyp" + brand) == PICTURE
    for brand in (b"isom", b"mp42", b"qt  ", b"3gp5", b"M4V ", b"avc1"):
        assert container_of(b"\0\0\0\x18ftyp" + brand) == MP4
    assert container_of(b"RIFF\0\0\0\0AVI ") == AVI and container_of(EBML + bytes(8)) == MATROSKA
    assert container_of(b"RIFF\0\0\0\0WEBP") == PICTURE and container_of(EBML[:3]) is None and container_of(b"") is None


# How long a file ought to be


def test_an_edit_list_that_leaves_out_frames_is_no_damage(tmp_path):
    """As a phone trims a video: all frames stay in the file, and the list shows the first second."""
    video = numbered(tmp_path / "clip.mp4")
    assert len(list(sample_frames(video))) == 40
    changed(video, box(video, b"elst") + 8, struct.pack(">I", 1000))
    assert len(list(sample_frames(video))) < 20 and open_video(video).whole


def test_sound_that_goes_on_after_the_picture_is_no_damage(tmp_path):
    """A container's length is that of its longest stream."""
    video = numbered(tmp_path / "clip.mkv")
    length = video.read_bytes().index(b"\x44\x89\x88") + 3
    assert struct.unpack(">d", video.read_bytes()[length : length + 8]) == (4000,)
    changed(video, length, struct.pack(">d", 60_000))
    with av.open(video) as container:
        assert container.duration == 60_000_000
    assert open_video(video).whole and open_video(video).seconds == pytest.approx(4)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize(("kept", "whole"), [(1, True), (0.97, False), (0.5, False)])
def test_a_file_of_which_much_is_missing_is_not_whole(tmp_path, suffix, kept, whole):
    video = numbered(tmp_path / f"clip{suffix}")
    if suffix == ".mp4":
        index_first(video)
    content = video.read_bytes()
    video.write_bytes(content[: round(kept * len(content))])
    measured = open_video(video)
    assert measured.whole == (whole or len(measured.marks) == 40)  # what is missing may be the index alone
    assert len(list(sample_frames(video))) < 40 or kept > 0.9


@pytest.mark.parametrize("tail", [bytes(5000), b"\xff" * 5000, b"text that is no box " * 99])
def test_what_stands_behind_a_video_is_no_damage(tmp_path, tail):
    video = numbered(tmp_path / "clip.mp4")
    with video.open("ab") as file:
        file.write(tail)
    assert open_video(video).whole and len(list(sample_frames(video))) == 40


def test_a_live_recording_does_not_say_how_large_it_is(tmp_path):
    video = numbered(tmp_path / "live.mkv")
    changed(video, box(video, b"\x18\x53\x80\x67"), b"\x01" + b"\xff" * 7)
    assert open_video(video).whole


def test_a_file_of_nothing_but_boxes_is_given_up_soon():
    class File(io.BytesIO):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    live = EBML + b"\x80\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\xff"  # a segment and a cluster without sizes
    empty = ((MP4, b"", b"\0\0\0\x08free"), (AVI, b"", b"JUNK\0\0\0\0"), (MATROSKA, live, b"\xec\x80"))
    for container, start, each in empty:
        file = File(start + each * 1_000_000)
        assert not ends_within_media(file, container) and 1000 < file.reads < 200_000
