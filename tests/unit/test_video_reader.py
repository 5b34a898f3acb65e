"""Video files to frames: which are taken, and what is refused. Files are damaged and forged by hand."""

import gc
import os
import struct

import av
import numpy as np
import pytest
from av.stream import Disposition
from films import CODECS, box, changed, film, number_of, numbered, open_files, refusal
from pictures import difference, quarters
from video_coding import COUNT, FULL, Coded, changing, muxed, picture, silence

from deepfake_detect import VideoError, sample_frames
from deepfake_detect.video import frame_plan, video_file
from deepfake_detect.video import reader as frames
from deepfake_detect.video.containers import AVI
from deepfake_detect.video.frame_plan import MAX_FRAMES, MAX_SECONDS
from deepfake_detect.video.reader import MAX_DECODED_PIXELS, MAX_WORK_SECONDS, open_video


def frame_numbers(path) -> list[int]:
    """Which frames of a `numbered` video are sampled."""
    return [number_of(frame) for _, frame in sample_frames(path)]


# Which frames are judged


@pytest.mark.parametrize("suffix", sorted(CODECS))
def test_frames_are_spread_evenly_over_the_whole_length(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", 8)
    video = numbered(tmp_path / f"clip{suffix}")
    sampled = list(sample_frames(video))
    assert frame_numbers(video) == [2, 7, 12, 17, 22, 27, 32, 37]
    assert [seconds for seconds, _ in sampled] == pytest.approx([0.2 + n / 2 for n in range(8)])
    assert all(frame.shape == (64, 96, 3) and frame.dtype == np.uint8 for _, frame in sampled)
    assert open_video(video).seconds == pytest.approx(4)


def test_a_short_video_gives_every_frame_once_and_a_long_one_no_more_than_the_limit(tmp_path):
    assert frame_numbers(numbered(tmp_path / "short.avi", 5)) == [0, 1, 2, 3, 4]
    black = film(tmp_path / "long.avi", [np.zeros((16, 16, 3), np.uint8)] * (3 * MAX_FRAMES + 1))
    assert len(list(sample_frames(black))) == MAX_FRAMES


def test_frames_come_in_rgb(tmp_path):
    orange = np.full((64, 64, 3), (250, 130, 10), np.uint8)
    ((_, frame),) = sample_frames(film(tmp_path / "orange.avi", [orange]))
    assert np.abs(frame.astype(int) - orange).max() < 12


def test_a_variable_frame_rate_is_sampled_by_time(tmp_path, monkeypatch):
    """The first 20 frames take one second, the other 20 three."""
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", 4)
    video = numbered(tmp_path / "clip.mp4")
    data = bytearray(video.read_bytes())
    table = data.index(b"stts") + 8
    assert struct.unpack(">3I", data[table : table + 12]) == (1, 40, 1024)
    data[table : table + 12] = struct.pack(">5I", 2, 20, 512, 20, 1536)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):  # the boxes around it are 8 bytes longer
        size = data.index(name) - 4
        data[size : size + 4] = struct.pack(">I", struct.unpack(">I", data[size : size + 4])[0] + 8)
    video.write_bytes(data)
    assert frame_numbers(video) == [10, 23, 30, 36]  # on show at 1/8, 3/8, 5/8 and 7/8 of 4 s
    assert [seconds for seconds, _ in sample_frames(video)] == pytest.approx([0.5, 1.45, 2.5, 3.4])


@pytest.mark.parametrize("promised", [0, 3, 4000, 2**32 - 1])
def test_a_number_of_frames_that_is_a_lie_changes_nothing_but_a_remark(tmp_path, promised, monkeypatch):
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", 8)
    video = numbered(tmp_path / "clip.avi")
    changed(video, box(video, b"avih") + 4 + 16, struct.pack("<I", promised))
    changed(video, box(video, b"strh") + 4 + 32, struct.pack("<I", promised))
    assert frame_numbers(video) == [2, 7, 12, 17, 22, 27, 32, 37]
    assert open_video(video).whole == (promised <= 40)


def test_a_frame_rate_of_zero_over_zero_is_taken_for_a_usual_one(tmp_path):
    video = numbered(tmp_path / "clip.avi")
    changed(video, box(video, b"avih") + 4, bytes(4))
    changed(video, box(video, b"strh") + 4 + 20, bytes(8))
    assert frame_numbers(video) == list(range(40)) and 0.5 < open_video(video).seconds < 5


@pytest.mark.parametrize("times", [[0] * 40, [None] * 40, [2**62, *[0] * 39]])
def test_without_times_frames_are_counted(tmp_path, times, monkeypatch):
    plan = frames.plan_of
    monkeypatch.setattr(frames, "plan_of", lambda stamps, *rest: plan(stamps._replace(all=times), *rest))
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", 8)
    video = numbered(tmp_path / "clip.mkv")
    assert frame_numbers(video) == [2, 7, 12, 17, 22, 27, 32, 37]
    assert open_video(video).times == pytest.approx([0.2 + n / 2 for n in range(8)])


def test_a_packet_without_a_time_does_no_harm():
    packets = [av.Packet(b"-") for _ in range(3)]
    for packet, time in zip(packets, (None, 1, 2), strict=True):
        packet.dts = time
    assert frame_plan.stamps_of(packets, None, AVI) == ([None, 1, 2], 0, False)


def test_a_video_held_upright_is_turned_upright(tmp_path):
    """The display matrix that a phone writes: turn clockwise by 90 degrees."""
    video = film(tmp_path / "clip.mp4", [np.rot90(quarters())] * 3)
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    changed(video, box(video, b"tkhd") + 40, matrix)
    assert [difference(frame, quarters()) < 10 for _, frame in sample_frames(video)] == [True] * 3


# Files that cannot be judged


def test_a_file_that_is_no_video_is_refused(tmp_path):
    clip = tmp_path / "clip.mp4"
    for content in (b"text, of some length", b"#EXTM3U\n#EXTINF:4,\n/etc/passwd\n", b"\0"):
        clip.write_bytes(content)
        assert "not a video in a format read here" in refusal(clip)
    clip.write_bytes(b"")
    assert "empty" in refusal(clip)


def test_what_is_no_file_is_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "gone.mp4") == refusal(str(tmp_path / "nul\0.mp4"))
    assert "folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not an ordinary file" in refusal(tmp_path / "pipe.mp4")
    assert "Rename it" in refusal(tmp_path / os.fsdecode(b"\xff\xfe.mp4"))


def test_a_name_that_looks_like_an_address_is_a_name(tmp_path, monkeypatch):
    numbered(tmp_path / "clip.avi", 3).rename(tmp_path / "concat:日本 %02d.avi")
    monkeypatch.chdir(tmp_path)
    assert frame_numbers("concat:日本 %02d.avi") == [0, 1, 2]


def test_a_container_that_cannot_be_decoded_is_refused(tmp_path):
    whole = numbered(tmp_path / "whole.mp4").read_bytes()
    clip = tmp_path / "clip.mp4"
    unknown = whole.replace(b"mp4v", b"zzzz").replace(b"esds", b"zzzz")
    for content in (whole[: len(whole) // 2], b"\x1a\x45\xdf\xa3" * 50, unknown):
        clip.write_bytes(content)
        assert "cannot be decoded" in refusal(clip)
    noise = numbered(tmp_path / "noise.avi")
    changed(noise, box(noise, b"movi") + 8, b"\x07" * (noise.stat().st_size - box(noise, b"movi") - 8))
    assert "not one frame" in refusal(noise) or "cannot be decoded" in refusal(noise)


def test_a_video_without_frames_or_of_tiny_ones_is_refused(tmp_path):
    assert "not one frame" in refusal(film(tmp_path / "none.avi", []))
    assert "12 x 12 pixels" in refusal(film(tmp_path / "tiny.mp4", [np.zeros((12, 12, 3), np.uint8)] * 2))


@pytest.mark.parametrize(
    ("module", "limit", "value", "sentence"),
    [(frame_plan, "MAX_SECONDS", 3.9, "longer than"), (video_file, "MAX_VIDEO_BYTES", 2**20, "larger than"),
     (frame_plan, "MAX_DECODED", 39, "more than"), (frames, "MAX_PIXELS", 96 * 64 - 1, "96 x 64 pixels"),
     (frames, "MAX_DECODED_PIXELS", 40 * 96 * 64 - 1, "40 frames of 96 x 64"),
     (frames, "MAX_WORK_SECONDS", -1, "takes longer than")],
)  # fmt: skip
def test_a_video_beyond_a_limit_is_refused(tmp_path, module, limit, value, sentence, monkeypatch):
    video = numbered(tmp_path / "clip.avi")
    with video.open("ab") as file:
        file.write(bytes(2**20))
    assert len(frame_numbers(video)) == 40
    monkeypatch.setattr(module, limit, value)
    assert sentence in refusal(video)


def test_five_minutes_of_ordinary_video_can_be_decoded_and_of_4k_at_60_cannot():
    assert MAX_SECONDS * 30 * 1920 * 1080 < MAX_DECODED_PIXELS < MAX_SECONDS * 60 * 3840 * 2160


def test_a_video_that_takes_too_long_is_given_up_while_it_is_read(tmp_path, monkeypatch):
    video = numbered(tmp_path / "clip.avi")
    now = frames.monotonic()
    monkeypatch.setattr(frames, "monotonic", lambda: now)
    sampled = sample_frames(video)
    assert number_of(next(sampled)[1]) == 0
    now += MAX_WORK_SECONDS
    assert number_of(next(sampled)[1]) == 1
    now += 1
    with pytest.raises(VideoError, match="takes longer than"):
        next(sampled)
    assert str(video) not in open_files()


def test_frames_not_wanted_any_more_leave_nothing_open(tmp_path):
    video = numbered(tmp_path / "clip.avi")
    frames = sample_frames(video)
    next(frames)
    assert str(video) in open_files()
    frames.close()
    assert str(video) not in open_files()


@pytest.mark.slow
def test_a_frame_keeps_no_memory_once_it_was_given(tmp_path):
    """Without Python's collector of things that refer to themselves, which comes by seldom."""
    video = numbered(tmp_path / "clip.avi")
    gc.collect()
    gc.disable()
    gc.freeze()  # what is there already: to look through all of it each time takes a minute
    try:
        held = [
            sum(isinstance(one, av.VideoFrame) and one.width == 96 for one in gc.get_objects())
            for _ in sample_frames(video)
        ]
    finally:
        gc.unfreeze()
        gc.enable()
    assert len(held) == 40 and max(held) == held[2] < 6


@pytest.mark.parametrize("limit", ["MAX_PIXELS", "MAX_DECODED_PIXELS"])
def test_limits_hold_for_frames_that_are_larger_than_the_first(tmp_path, limit, monkeypatch):
    """Whose size changes in mid-stream, from 96 x 32 to 96 x 128."""
    small = changing(tmp_path / "clip.avi", picture(96, 32), picture(96, 128))
    assert {frame.shape for _, frame in sample_frames(small)} == {(32, 96, 3), (128, 96, 3)}
    monkeypatch.setattr(frames, limit, 96 * 100 if limit == "MAX_PIXELS" else 96 * 32 * 2 * COUNT)
    assert "96 x 128 pixels" in refusal(small)


def test_sound_and_its_cover_are_no_video(tmp_path):
    sound = tmp_path / "sound.mp4"
    with av.open(sound, "w") as container:
        stream = container.add_stream("aac", rate=48000)
        container.mux(stream.encode(silence("fltp", 0)))
        container.mux(stream.encode(None))
    made = Coded(picture(), "mjpeg", "yuvj420p", count=1, tags={"color_range": FULL})
    cover = muxed(tmp_path / "cover.mp4", made, prepare=as_cover, sound=0.5)
    for path in (sound, cover):
        assert "only sound" in refusal(path)
    assert "no video in this file" in refusal(muxed(tmp_path / "silent.mp4", made, prepare=as_cover))


def as_cover(stream: av.VideoStream) -> None:
    stream.disposition = Disposition.attached_pic
