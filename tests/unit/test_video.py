"""Videos to verdicts: faces followed from frame to frame, judged by small models and by the shipped one."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from films import actor, box, changed, film, open_files, scene
from project import ROOT

from deepfake_detect import Detector, VideoError, VideoVerdict, judge_video, key_frames, open_picture, sample_frames
from deepfake_detect.detector import in_band_reason
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace
from deepfake_detect.verdict import UNSURE, label_of, suspicious
from deepfake_detect.video import reader as frames
from deepfake_detect.video.decide import (
    CROWD,
    DISAGREE,
    INCOMPLETE,
    LEFT_OUT,
    MAX_FACES_PER_FRAME,
    MIN_SEEN,
    NO_FACE,
    SUSPECT,
    TOO_SELDOM,
)
from deepfake_detect.video.followed import CONTRADICT
from deepfake_detect.video.key_frames import STILL_SIDE, Still
from deepfake_detect.video.rule import VideoRule, log_odds
from deepfake_detect.video.tracking import MAX_GAP

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    return actor()


def said(verdict: VideoVerdict) -> list[str]:
    """The sentences of its reasons."""
    return [str(reason) for reason in verdict.reasons]


# Faces followed


def test_two_faces_are_followed(tmp_path, by_colour, person, avatar):
    larger = [cv2.resize(avatar, None, fx=1 + n / 60, fy=1 + n / 60) for n in range(12)]
    video = film(
        tmp_path / "clip.mp4", [scene((person, 4 * n, 60 - n), (larger[n], 270 - 2 * n, 40)) for n in range(12)]
    )
    verdict = judge_video(by_colour, video)
    assert [face.frames for face in verdict.faces] == [12, 12] and all(face.counts for face in verdict.faces)
    label = {face.number: face.label for face in verdict.faces}
    assert sorted(label.values()) == ["fake", "real"]
    assert verdict.label == "fake" and verdict.p_fake > 0.85 and verdict.reasons == (DISAGREE,)
    assert [moment.seconds for moment in verdict.timeline] == pytest.approx([n / 10 for n in range(12)])
    for moment in verdict.timeline:
        sides = {label[seen.face]: (seen.box[0] + seen.box[2]) / 2 for seen in moment.faces}
        assert sides["fake"] < 220 < sides["real"]


@pytest.mark.parametrize(("away", "faces"), [(MAX_GAP, [12]), (MAX_GAP + 1, [6, 6])])
def test_a_face_that_comes_back_soon_is_the_same_and_later_another(tmp_path, by_colour, avatar, away, faces):
    there, gone = scene((avatar, 150, 60)), scene()
    video = film(tmp_path / "clip.avi", [there] * 6 + [gone] * away + [there] * 6)
    verdict = judge_video(by_colour, video)
    assert [face.frames for face in verdict.faces] == faces and verdict.label == "real"
    assert verdict.faces[0].first_seconds == 0
    assert verdict.faces[-1].last_seconds == pytest.approx((11 + away) / 10)
    assert [len(moment.faces) for moment in verdict.timeline] == [1] * 6 + [0] * away + [1] * 6


@pytest.mark.parametrize(("looks_fake", "label"), [(True, "unsure"), (False, "real")])
def test_a_face_seen_once_has_no_say_but_one_that_looks_fake_is_not_passed_over(
    tmp_path, by_colour, person, avatar, looks_fake, label
):
    alone, both = scene((avatar, 0, 60)), scene((avatar, 0, 60), (person if looks_fake else avatar, 290, 60))
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [alone] * 5 + [both] + [alone] * 4))
    assert [(f.number, f.label, f.frames, f.counts) for f in verdict.faces] == [
        (1, "real", 10, True),
        (2, "unsure", 1, False),
    ]
    assert verdict.label == label and verdict.p_fake < 0.01 and (verdict.faces[1].p_fake > 0.99) == looks_fake
    assert said(verdict) == [LEFT_OUT.format(MIN_SEEN, 1, 2), *[SUSPECT.format(2)] * looks_fake]


def test_a_face_that_looks_fake_but_has_no_say_does_not_soften_a_fake_verdict(tmp_path, by_colour, person):
    alone, both = scene((person, 0, 60)), scene((person, 0, 60), (person, 290, 60))
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [alone] * 5 + [both] + [alone] * 4))
    assert verdict.label == "fake" and said(verdict) == [LEFT_OUT.format(MIN_SEEN, 1, 2)]


def test_of_two_frames_both_are_needed_and_said_to_be(tmp_path, by_colour, avatar):
    alone, both = scene((avatar, 0, 60)), scene((avatar, 0, 60), (avatar, 290, 60))
    assert said(judge_video(by_colour, film(tmp_path / "a.avi", [alone, both]))) == [LEFT_OUT.format(2, 1, 2)]
    assert said(judge_video(by_colour, film(tmp_path / "b.avi", [scene(), alone]))) == [TOO_SELDOM.format(2, 2)]


def test_a_video_in_which_every_face_is_seen_too_seldom_is_unsure(tmp_path, by_colour, person):
    video = film(tmp_path / "clip.avi", [scene()] * 4 + [scene((person, 150, 60))] * 2 + [scene()] * 4)
    verdict = judge_video(by_colour, video)
    assert verdict.label == verdict.faces[0].label == "unsure" and verdict.p_fake > 0.99
    assert len(verdict.reasons) == 1 and "of the 10 frames" in verdict.reasons[0].text


def test_one_frame_does_not_decide(tmp_path, by_colour, person, avatar):
    frames = [scene((avatar, 150, 60))] * 7
    frames[3] = scene((person, 150, 60))
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", frames))
    assert [seen.faces[0].p_fake > 0.99 for seen in verdict.timeline] == [n == 3 for n in range(7)]
    assert [face.frames for face in verdict.faces] == [7] and verdict.label == "real" and verdict.reasons == ()


def test_a_face_whose_frames_contradict_each_other_is_named(tmp_path, by_colour, person, avatar):
    frames = [scene((avatar, 150, 60))] * 5 + [scene((person, 150, 60))] * 4
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", frames))
    assert len(verdict.faces) == 1
    assert CONTRADICT.format(1) in said(verdict)


def test_a_video_without_faces_is_never_decided(tmp_path, by_colour):
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [np.full((64, 64, 3), (250, 90, 20), np.uint8)] * 4))
    assert (verdict.label, verdict.faces, verdict.reasons) == ("unsure", (), (NO_FACE,))
    assert verdict.p_fake > 0.99 and key_frames(verdict) == [] and len(verdict.timeline) == verdict.frames == 4


def test_a_small_face_is_warned_of(tmp_path, by_colour, avatar):
    small = cv2.resize(avatar, (80, 88), interpolation=cv2.INTER_AREA)
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [scene((small, 60, 60), size=(240, 200))] * 3))
    assert verdict.label == "real" and len(verdict.reasons) == 1 and verdict.reasons[0].code == "face_too_small"


@pytest.mark.parametrize(("people", "crowd"), [(MAX_FACES_PER_FRAME, False), (MAX_FACES_PER_FRAME + 4, True)])
def test_of_a_crowd_only_the_largest_faces_are_judged(tmp_path, model, people, crowd):
    boxes = [(24 * n, 0, 24 * n + 90 - n, 90 - n) for n in range(people)]

    class Crowd:
        def find(self, picture: np.ndarray) -> list[FoundFace]:
            return [FoundFace(box, 0.9, ()) for box in boxes]

    video = film(tmp_path / "clip.avi", [np.random.default_rng(0).integers(0, 256, (96, 600, 3), np.uint8)] * 3)
    verdict = judge_video(Detector(model, Crowd()), video)
    assert [[seen.box for seen in moment.faces] for moment in verdict.timeline] == [boxes[:MAX_FACES_PER_FRAME]] * 3
    assert (CROWD in verdict.reasons) == crowd


# Damaged on the way


def test_a_video_cut_short_is_judged_as_far_as_it_goes(tmp_path, by_colour, person):
    video = film(tmp_path / "clip.avi", [scene((person, 20 + 2 * n, 60)) for n in range(12)])
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    verdict = judge_video(by_colour, video)
    assert 4 <= verdict.frames <= 7 and verdict.label == "fake" and INCOMPLETE in verdict.reasons


def test_a_video_of_noise_from_the_middle_on_is_judged_up_to_there(tmp_path, by_colour, person):
    video = film(tmp_path / "clip.mp4", [scene((person, 20 + 2 * n, 60)) for n in range(12)])
    begin, end = box(video, b"mdat"), box(video, b"moov") - 8
    noise = np.random.default_rng(0).integers(0, 256, (end - begin) // 3, dtype=np.uint8).tobytes()
    changed(video, end - len(noise), noise)
    calls = []
    verdict = judge_video(by_colour, video, lambda *call: calls.append(call))
    assert 1 <= verdict.frames < 11 and INCOMPLETE in verdict.reasons
    assert verdict.seconds == pytest.approx(1.2)
    assert calls == [(n, 12) for n in range(verdict.frames + 1)] + [(12, 12)]


# The numbers


def by_rule(detector, p_fake: float) -> tuple[str, float]:
    """What a model file's rule for videos makes of a face that scores the same in every frame."""
    rule = VideoRule.of(detector.metadata)
    said = rule.p_fake(float(log_odds([p_fake])[0]))
    return label_of(said, rule.unsure_band), said


def test_a_video_of_a_still_gets_what_the_rule_makes_of_the_picture(tmp_path, shipped):
    picture = open_picture(ROOT / "examples" / "real_eileen_collins.jpg")
    video = film(tmp_path / "clip.avi", [picture] * 5)
    expected, verdict = shipped.predict([picture])[0], judge_video(shipped, video)
    label, p_fake = by_rule(shipped, expected.p_fake)
    assert (verdict.frames, len(verdict.faces)) == (5, len(expected.faces))
    assert verdict.p_fake == pytest.approx(p_fake, abs=0.05)
    assert verdict.label == label_of(verdict.p_fake, VideoRule.of(shipped.metadata).unsure_band)
    assert verdict.label in (label, UNSURE)  # what the film's compression moves
    assert verdict.faces[0].box == pytest.approx(expected.faces[0].box, abs=3)
    assert verdict.confidence == max(verdict.p_fake, 1 - verdict.p_fake)


def test_a_video_of_one_frame_gets_what_the_rule_makes_of_that_frame(tmp_path, shipped):
    video = film(tmp_path / "clip.avi", [open_picture(ROOT / "examples" / "fake_swap.jpg")[:370]])
    ((_, frame),) = sample_frames(video)
    expected, verdict = shipped.predict([frame])[0], judge_video(shipped, video)
    assert verdict.faces[0].counts and verdict.faces[0].box == expected.faces[0].box
    label, p_fake = by_rule(shipped, expected.p_fake)
    assert (verdict.label, verdict.p_fake) == (label, pytest.approx(p_fake))
    band = VideoRule.of(shipped.metadata).unsure_band
    assert (in_band_reason(band) in verdict.reasons) == (verdict.label == UNSURE)


# Progress, display, JSON


def test_progress_counts_every_frame_and_cancelling_leaves_nothing_open(tmp_path, by_colour, person):
    video = film(tmp_path / "clip.avi", [scene((person, 150, 60))] * 8)
    calls = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))
        if cancelled and done == 3:
            assert str(video) in open_files()
            raise InterruptedError

    cancelled = True
    with pytest.raises(InterruptedError):
        judge_video(by_colour, video, progress)
    assert calls == [(0, 8), (1, 8), (2, 8), (3, 8)] and str(video) not in open_files()
    calls.clear()
    cancelled = False
    judge_video(by_colour, video, progress)
    assert calls == [(n, 8) for n in range(9)] and str(video) not in open_files()


def test_key_frames_show_each_face_where_it_is_typical(tmp_path, by_colour, person, avatar):
    large = [scene((person, 100, 300), (avatar, 1000, 300 + 9 * n), size=(1400, 900)) for n in range(3)]
    grey = np.dstack([person.mean(axis=2).astype(np.uint8)] * 3)
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [scene((grey, 100, 300), size=(1400, 900)), *large]))
    shown = key_frames(verdict)
    assert [face for face, _, _ in shown] == suspicious(verdict.faces) and len(shown) == 2
    for face, picture, place in shown:
        assert picture.shape == (round(900 * STILL_SIDE / 1400), STILL_SIDE, 3) and picture.dtype == np.uint8
        assert any(np.abs(np.subtract(found.box, place)).max() < 12 for found in FaceFinder().find(picture))
        left, top, right, bottom = place
        red, _, blue = picture[top:bottom, left:right].reshape(-1, 3).mean(axis=0)
        assert (red > blue) == (face.label == "fake")  # neither shows the grey frame
        seen = next(m for m in verdict.timeline if m.seconds == face.key_seconds)
        assert face.box in [s.box for s in seen.faces if s.face == face.number]


def test_no_more_key_frames_are_decoded_than_are_shown(tmp_path, by_colour, avatar):
    scenes = [scene((avatar, 0, 60), (avatar, 290, 60))] * 3
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", scenes))
    worse, better = suspicious(verdict.faces)
    whole = verdict.faces.index(worse)
    stills = tuple(still if n == whole else Still(b"", 1.0) for n, still in enumerate(verdict.stills))
    broken = replace(verdict, stills=stills)
    assert [face for face, _, _ in key_frames(broken, 1)] == [worse] and key_frames(broken, 0) == []
    assert [face for face, _, _ in key_frames(verdict, 12)] == [worse, better]


def test_a_video_that_takes_too_long_to_judge_is_given_up(tmp_path, by_colour, avatar, monkeypatch):
    video = film(tmp_path / "clip.avi", [scene((avatar, 150, 60))] * 8)
    now = frames.monotonic()
    monkeypatch.setattr(frames, "monotonic", lambda: now)
    judged = []

    def progress(done: int, total: int) -> None:
        nonlocal now
        judged.append(done)
        now += frames.MAX_WORK_SECONDS / 3

    with pytest.raises(VideoError, match="takes longer than"):
        judge_video(by_colour, video, progress)
    assert judged == [0, 1, 2, 3] and str(video) not in open_files()


def test_a_verdict_becomes_json_and_cannot_be_changed(tmp_path, by_colour, person):
    verdict = judge_video(by_colour, film(tmp_path / "clip.avi", [scene((person, 150, 60))] * 3))
    record = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert list(record) == ["label", "p_fake", "confidence", "reasons", "reason_codes", "faces", "timeline",
                            "seconds", "frames", "kind"]  # fmt: skip
    (face,) = record["faces"]
    assert list(face) == ["number", "label", "p_fake", "counts", "frames", "first_seconds", "last_seconds",
                          "key_seconds", "box", "side", "median_side", "kind", "has_say"]  # fmt: skip
    assert [list(moment) for moment in record["timeline"]] == [["seconds", "faces"]] * 3
    assert [list(seen) for m in record["timeline"] for seen in m["faces"]] == [
        ["face", "box", "score", "p_fake", "sharpness"]
    ] * 3
    assert (record["seconds"], record["frames"]) == (pytest.approx(0.3), 3)
    with pytest.raises(AttributeError):
        verdict.label = "real"
    assert isinstance(verdict, VideoVerdict) and verdict == replace(verdict, stills=()) and "jpeg" not in repr(verdict)
