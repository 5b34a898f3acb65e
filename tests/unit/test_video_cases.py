"""Video files that once were read wrongly, in ../shared/cases; CASES.md there says what each shows."""

import cv2
import numpy as np
import pytest
from project import ROOT
from reading import digest, elsewhere

from deepfake_detect import Detector, VideoError, judge_video, sample_frames
from deepfake_detect.video.decide import HDR, INCOMPLETE
from deepfake_detect.video.reader import open_video

CASES = ROOT.parent / "shared" / "cases"
pytestmark = [
    pytest.mark.slow,  # whole videos
    pytest.mark.skipif(not CASES.is_dir(), reason="shared/cases is not on this machine"),
]
# name -> seconds, frames judged, shapes, whole
READ = {
    "anam.mp4": (4, 64, {(512, 512)}, True),
    "hflip.mp4": (4, 64, {(512, 512)}, True),
    "hlg_true.mov": (4, 64, {(512, 512)}, True),
    "interlaced_720x576.mp4": (4, 64, {(576, 720)}, True),
    "live_cut.webm": (2.8, 64, {(512, 512)}, False),
    "size_changes.mp4": (3.44, 64, {(512, 512), (240, 320)}, True),
    "tesla_720x576.mp4": (2, 50, {(576, 720)}, True),
    "trim3.mp4": (1, 25, {(512, 512)}, True),
}


def middle(name: str, size: tuple[int, int] = (256, 256)) -> np.ndarray:
    """The middle frame at another size."""
    found = [frame for _, frame in sample_frames(CASES / name)]
    return cv2.resize(found[len(found) // 2], size, interpolation=cv2.INTER_AREA).astype(int)


@pytest.mark.parametrize("name", READ)
def test_length_frames_shapes_and_damage(name):
    seconds, count, shapes, whole = READ[name]
    video = open_video(CASES / name)
    assert video.seconds == pytest.approx(seconds, abs=0.021) and video.whole == whole
    found = [frame for _, frame in sample_frames(CASES / name)]
    assert len(found) == len(video.times) == count and {frame.shape[:2] for frame in found} == shapes
    assert video.hdr == (name == "hlg_true.mov")


def test_every_case_is_tried():
    films = {path.name for path in CASES.iterdir() if path.suffix in (".mp4", ".mov", ".webm", ".mkv", ".avi")}
    assert films == {*READ, "audio.mp4", "audio_with_cover.mp4"}


@pytest.mark.parametrize("name", ["audio.mp4", "audio_with_cover.mp4"])
def test_sound_is_no_video(name):
    with pytest.raises(VideoError, match="only sound") as caught:
        open_video(CASES / name)
    assert caught.value.code == "no_video"


def test_an_interlaced_video_shows_its_own_person_whatever_was_read_before():
    """After a portrait of another person of the same size."""
    before, path = CASES / "tesla_720x576.mp4", CASES / "interlaced_720x576.mp4"
    (fresh,) = elsewhere([path])
    assert elsewhere([before, path, before, path])[1::2] == [fresh] * 2 == [digest(before) and digest(path)] * 2
    collins, tesla = middle("trim3.mp4"), middle("tesla_720x576.mp4")
    found = middle(path.name)
    assert np.abs(found - collins).mean() < np.abs(found - tesla).mean() / 3


def test_shapes_and_turns_are_those_of_the_portrait():
    portrait = middle("interlaced_720x576.mp4")
    assert np.abs(middle("anam.mp4") - portrait).mean() < 8
    assert np.abs(middle("hflip.mp4")[:, ::-1] - portrait).mean() < 8


def test_hdr_keeps_its_colours():
    """By hue and saturation: how bright HDR looks beside SDR is a matter of taste, how green a flag is not."""
    found, portrait = (
        cv2.cvtColor(middle(name).astype(np.uint8), cv2.COLOR_RGB2HSV)[..., 1].astype(int)
        for name in ("hlg_true.mov", "anam.mp4")
    )
    assert np.abs(found - portrait).mean() < 25


def test_what_is_said_of_them():
    detector = Detector(ROOT / "model.onnx")
    for name, code in (("hlg_true.mov", HDR), ("live_cut.webm", INCOMPLETE), ("trim3.mp4", None)):
        reasons = judge_video(detector, CASES / name).reasons
        assert (code in reasons) if code else not {HDR, INCOMPLETE} & {*reasons}
