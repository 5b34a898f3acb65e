"""Odd videos, and what is left of them once they are damaged: each gives its own frames, to the last bit, whatever was
read before it and beside it."""

import random
from itertools import chain, cycle
from pathlib import Path

import av
import numpy as np
import pytest
from damaging import damaged
from films import box, number_of, numbered
from odd_films import odd_films
from reading import digests, elsewhere
from video_coding import BT2020, HEIGHT, HLG, LIMITED, PQ, X264, Coded, Odd, live, muxed, picture

from deepfake_detect import sample_frames
from deepfake_detect.video import frame_plan
from deepfake_detect.video import reader as frames
from deepfake_detect.video.reader import open_video, read_frames
from deepfake_detect.video.video_file import decoder

pytestmark = pytest.mark.slow

SOME = 3  # one in so many of the videos is read again and again here
SAMPLE = 17  # one in so many of the videos is damaged here; tests/hardening damages all


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> list[Odd]:
    return list(odd_films(tmp_path_factory.mktemp("odd")))


def noise(path: Path, width: int, height: int) -> Path:
    """A video that looks like no other: what it leaves in memory would show."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return muxed(path, Coded(pixels, "libx264", "yuv420p", X264))


# Whole ones


def test_every_video_shows_what_a_player_shows(odd):
    wrong = {}
    for film in odd:
        video = open_video(film.path)
        assert video.whole, f"{film.path.name} is called cut short"
        assert abs(video.seconds - film.seconds) < 0.021, (film.path.name, video.seconds)
        found = [frame for _, frame in read_frames(video)]
        assert len(found) == film.frames, (film.path.name, len(found))
        if film.path.name == "changing.avi":
            found = found[: len(found) // 2]
        off = max(
            np.abs(frame.astype(int) - film.shown).mean() if frame.shape == film.shown.shape else np.inf
            for frame in found
        )
        if off > film.near:
            wrong[film.path.name] = off
    assert len(odd) > 100 and not wrong


def test_hdr_is_said_of_videos_that_are_hdr(odd):
    assert [film.path.name for film in odd if open_video(film.path).hdr] == [
        film.path.name for film in odd if film.path.name.startswith("hdr_")
    ]


@pytest.mark.parametrize(
    ("curve", "grey_card", "chart_white", "white"), [(HLG, 0.38, 0.71, 0.75), (PQ, 0.38, 0.56, 0.58)]
)
def test_hdr_is_about_as_bright_as_an_ordinary_camera_would_have_it(tmp_path, curve, grey_card, chart_white, white):
    """The levels at which HDR is exposed by ITU-R BT.2408, table 1, beside what BT.709 makes of the same reflectances:
    18 % comes out alike; 83 and 100 % leave room for what is brighter."""
    tags = {"colorspace": BT2020, "color_range": LIMITED, "color_trc": curve, "color_primaries": BT2020}
    found = []
    for number, level in enumerate((grey_card, chart_white, white)):
        signal = np.full((64, 96, 3), round(65535 * level), np.uint16)
        clip = muxed(tmp_path / f"{number}.mkv", Coded(signal, "ffv1", "yuv422p10le", count=1, tags=tags))
        ((_, frame),) = sample_frames(clip)
        found.append(frame.mean())
    camera = [255 * (1.099 * reflected**0.45 - 0.099) for reflected in (0.18, 0.83)]
    assert found[0] == pytest.approx(camera[0], abs=8) and found[1] == pytest.approx(camera[1], abs=16)
    assert 225 < found[2] < 245


def test_a_size_that_changes_in_mid_stream_gives_every_frame_its_own_shape(odd):
    (film,) = (film for film in odd if film.path.name == "changing.avi")
    found = [frame for _, frame in sample_frames(film.path)]
    assert {frame.shape for frame in found[: len(found) // 2]} == {film.shown.shape}
    lower = film.shown[HEIGHT // 2 :]
    for frame in found[len(found) // 2 :]:
        assert frame.shape == lower.shape and np.abs(frame.astype(int) - lower).mean() < film.near


def test_every_frame_is_the_same_whatever_was_read_before_and_beside_it(odd, tmp_path):
    """In processes that read them in other orders, four at a time, after noise of the same size and of another, and
    whose memory is filled with other bytes. tests/hardening takes all of them, and a process for each."""
    paths = [film.path for film in odd[::SOME]]
    expected = digests(paths)
    assert min(map(len, expected)) == 64
    same, other = noise(tmp_path / "same.mp4", 96, 64), noise(tmp_path / "other.mp4", 160, 128)
    backwards = list(chain.from_iterable(zip(cycle([same, other]), reversed(paths), strict=False)))
    assert elsewhere(backwards, perturbed=170)[1::2] == expected[::-1]
    mixed = [*paths, *[same, other] * 9]
    random.Random(1).shuffle(mixed)
    found = dict(zip(mixed, elsewhere(mixed, threads=4), strict=True))
    assert [found[path] for path in paths] == expected
    for place in range(0, len(paths), 30):
        assert elsewhere(paths[place : place + 1], perturbed=15) == expected[place : place + 1]


def test_threads_and_frames_left_undecoded_change_no_bit(odd, monkeypatch):
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", 3)  # so that frames between are left out
    paths = [film.path for film in odd[::SOME]]
    expected = digests(paths)
    monkeypatch.setattr(frames, "may_skip", lambda context: False)
    for threads in (1, 5):
        monkeypatch.setattr(frames, "decoder", lambda stream, threads=threads: decoder(stream, threads))
        assert digests(paths) == expected


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "mpeg4", "prores_ks"])
@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_what_moves_in_interlaced_video_is_not_combed(tmp_path, codec, suffix):
    """A bar that jumps from one field to the next. Weaved, its edge would change from line to line. The first frame and
    the last have one neighbour each, a single one has none."""
    for count in (8, 2, 1):
        clip = jumping(tmp_path / f"{count}{suffix}", codec, count)
        with av.open(clip) as container:
            woven = list(container.decode(video=0))
            assert len(woven) == count and all(frame.interlaced_frame for frame in woven)
            combed = [combs(frame.to_ndarray(format="gray")) for frame in woven]
        found = [combs(frame.mean(axis=2)) for _, frame in sample_frames(clip)]
        assert min(combed) > 3 and max(found) < min(combed) / 4, (count, found)


def jumping(clip: Path, codec: str, count: int) -> Path:
    options = X264 | {"x264-params": "tff=1"} if codec == "libx264" else {"flags": "+ildct+ilme"}
    form = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    with av.open(clip, "w", format="matroska" if clip.suffix == ".mkv" else None) as container:
        stream = container.add_stream(codec, rate=25)
        Coded(picture(), codec, form, options, tags={"bit_rate": 8_000_000}).set_up(stream.codec_context)
        for number in range(count):
            weaved = np.full((64, 96, 3), 30, np.uint8)
            for field in (0, 1):
                weaved[field::2, 8 * number + 4 * field : 8 * number + 4 * field + 24] = 220
            frame = av.VideoFrame.from_ndarray(weaved, "rgb24").reformat(format=form)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return clip


def combs(grey: np.ndarray) -> float:
    """How much lines differ from the mean of their neighbours, beyond how much those differ from each other."""
    grey = grey[8:-8].astype(float)
    return float((np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2) - np.abs(grey[2:] - grey[:-2])).clip(0).mean())


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [(".avi", "libx264", {"bf": "3", "preset": "medium", "qp": "10", "x264-params": "b-adapt=0:scenecut=0"}),
     (".avi", "libx264", {"bf": "0", "qp": "10"}), (".avi", "mpeg4", {"bf": "2", "qmax": "3"}),
     (".mp4", "libx264", {"bf": "3", "preset": "medium", "qp": "10"}),
     (".avi", "mpeg2video", {"bf": "2", "qmax": "3"})],
)  # fmt: skip
@pytest.mark.parametrize("most", [64, 7])
def test_frames_come_in_the_order_in_which_they_are_shown(tmp_path, suffix, codec, options, most, monkeypatch):
    """Also where the file gives the order of decoding alone."""
    clip = tmp_path / f"clip{suffix}"
    with av.open(clip, "w") as container:
        stream = container.add_stream(codec, rate=25)
        Coded(picture(), codec, "yuv420p", options).set_up(stream.codec_context)
        for number in range(40):
            pixels = np.zeros((64, 96, 3), np.uint8)
            pixels[:, 2 * number : 2 * number + 2] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    monkeypatch.setattr(frame_plan, "MAX_FRAMES", most)
    found = [(round(25 * seconds), number_of(frame)) for seconds, frame in sample_frames(clip)]
    assert len(found) == min(40, most) and all(place == number for place, number in found)


# Damaged ones


def test_a_damaged_video_gives_frames_or_a_sentence(odd, tmp_path):
    came, _ = damaged(odd[::SAMPLE], tmp_path)
    assert min(came.values()) > came.total() / 10, "too many are sound, or broken"


LIVE = {"live.mp4": {"movflags": "+frag_every_frame+empty_moov+default_base_moof"}, "live.webm": {}, "live.mkv": {},
        "live.avi": {}}  # fmt: skip
MUXED = {"index_first.mp4": {"movflags": "+faststart"}, "fragments.mp4": {"movflags": "+frag_keyframe+empty_moov"},
         "dash.mp4": {"movflags": "+dash+frag_every_frame"}, "hybrid.mov": {"movflags": "+frag_every_frame"},
         "clip.mkv": {}, "clip.webm": {}, "clip.avi": {}, "sound.mkv": {}, "sound.mov": {"movflags": "+faststart"},
         "sound.avi": {}}  # fmt: skip


@pytest.mark.parametrize("name", [*LIVE, *MUXED])
def test_a_video_that_is_cut_short_is_said_to_be(tmp_path, name):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    made = Coded(pixels, "libvpx" if name.endswith(".webm") else "mjpeg" if name.endswith(".avi") else "libx264",
                 "yuvj420p" if name.endswith(".avi") else "yuv420p", {"g": "5"}, 24)  # fmt: skip
    if name in LIVE:
        whole = live(tmp_path / name, made, LIVE[name])
    else:
        whole = muxed(tmp_path / name, made, MUXED[name], sound=1.5 * name.startswith("sound"))
    data, judged = whole.read_bytes(), 0
    assert open_video(whole).whole and len(open_video(whole).marks) == 24
    for kept in np.linspace(0.1, 0.99, 31):
        clip = tmp_path / f"cut{whole.suffix}"
        clip.write_bytes(data[: round(len(data) * kept)])
        try:
            video = open_video(clip)
        except frames.VideoError as error:
            assert error.code in ("undecodable", "no_video") and kept < 0.5, (name, kept)
            continue
        assert not video.whole or len(video.marks) == 24, (name, kept)
        judged += len(video.marks) < 24
    assert judged > 9


@pytest.mark.parametrize("tail", [b"\0" * 999, b"\xff" * 999, b"some words, which are no box " * 30, b"\0"])
@pytest.mark.parametrize("name", ["live.mp4", "live.webm", "fragments.mp4", "clip.mkv", "clip.avi", "live.avi"])
def test_what_stands_behind_a_whole_video_does_not_make_it_cut_short(odd, tmp_path, name, tail):
    name = {"clip.mkv": "codec_libx264_yuv420p.mkv", "clip.avi": "codec_mjpeg_yuvj420p.avi"}.get(name, name)
    (film,) = (film for film in odd if film.path.name == name)
    clip = tmp_path / name
    clip.write_bytes(film.path.read_bytes() + tail)
    video = open_video(clip)
    assert video.whole and len(video.marks) == film.frames and len(list(read_frames(video))) == film.frames


def test_an_index_that_is_missing_is_said_to_be(tmp_path):
    whole = numbered(tmp_path / "whole.mp4")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(whole.read_bytes()[: box(whole, b"moov") - 8])
    with pytest.raises(frames.VideoError, match="its index is missing"):
        open_video(clip)
