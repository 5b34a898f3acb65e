"""Faces of videos scored again after small changes, and those that are too small or too blurred to be judged."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from films import FPS, scene
from onnx_files import METADATA
from PIL import Image
from textures import Faces, noise, stripes

from deepfake_detect import Detector, Face, judge_video, open_picture, sample_frames
from deepfake_detect.evidence.robustness import MAX_RESCORED, rescore, surroundings, variants
from deepfake_detect.face.quality import BLURRED, MIN_FACE
from deepfake_detect.verdict import Reason, label_of, longer_side
from deepfake_detect.video.followed import FaceInFrame, Followed, needed_side, warnings
from deepfake_detect.video.key_frames import KEPT_SIDE, FacePixels, face_pixels, rescored
from deepfake_detect.video.rule import VideoRule, log_odds

FACE = (96, 96, 224, 224)


def lossless(path, frames):
    """Write RGB frames so that their brightness comes back as it was."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), FPS, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


# What is kept


@pytest.mark.parametrize("box", [(101, 83, 147, 139), (3, 2, 60, 70), (250, 190, 331, 277), (0, 0, 331, 277)])
def test_what_is_kept_of_a_face_gives_the_variants_of_the_whole_frame(box):
    frame = noise(277, 331)
    part, moved = surroundings(frame, box, METADATA, KEPT_SIDE)
    assert not np.shares_memory(part, frame) and longer_side(moved) == longer_side(box)
    for (name, whole), (_, kept) in zip(
        variants(frame, box, METADATA).items(), variants(part, moved, METADATA).items(), strict=True
    ):
        assert np.array_equal(whole, kept), name


def test_of_a_large_face_no_more_is_kept_than_scoring_it_takes():
    frame, box = noise(1100, 1600), (400, 100, 1000, 1000)
    part, moved = surroundings(frame, box, METADATA, KEPT_SIDE)
    assert max(part.shape) == KEPT_SIDE and longer_side(moved) == pytest.approx(900 * KEPT_SIDE / 1100, rel=0.05)
    for name, crop in variants(part, moved, METADATA).items():
        if "JPEG" not in name:
            assert np.abs(crop.astype(int) - variants(frame, box, METADATA)[name]).mean() < 4, name


def test_of_a_crowd_the_most_suspicious_are_kept():
    scores = (0.3, 0.9, 0.2, 0.8, 0.5, 0.4, 0.7)
    faces = [Face((9 * n, 0, 9 * n + 70, 70), 0.9, p, "unsure") for n, p in enumerate(scores)]
    kept = face_pixels(noise(80, 300), faces, METADATA)
    assert [one is not None for one in kept] == [p > 0.35 for p in scores] and MAX_RESCORED == 5


# What it says


def test_a_real_face_that_does_not_hold_is_unsure_and_said_to_be(tmp_path, texture):
    """Stripes that JPEG drops at quality 50."""
    detector = Detector(texture, Faces(FACE))
    still = [stripes()] * 4
    clip = lossless(tmp_path / "clip.avi", still)
    assert judge_video(detector, clip, thorough=False).label == "real"
    verdict = judge_video(detector, clip, thorough=True)
    assert detector.predict([next(sample_frames(tmp_path / "clip.avi"))[1]])[0].label == "real"
    assert verdict.label == verdict.faces[0].label == "unsure" and verdict.p_fake < 0.1
    assert "unstable" in codes(verdict) and "uncertain" not in codes(verdict)
    said = next(reason.text for reason in verdict.reasons if reason.code == "unstable")
    assert "JPEG quality 50" in said and "face 1" in said
    assert verdict.stability[1].face.label == "real" and "JPEG quality 50" in verdict.stability[1].flips
    assert "stability" not in verdict.to_dict()


def test_the_scores_are_those_of_a_photograph_of_the_frame(tmp_path, detector):
    picture = open_picture("examples/real_nikola_tesla.jpg")[:400, :400]
    clip = lossless(tmp_path / "clip.avi", [picture] * 3)
    verdict = judge_video(detector, clip, thorough=True)
    frame = next(sample_frames(clip))[1]
    (face,) = detector.predict([frame])[0].faces
    (expected,) = rescore(detector.model, frame, [face])
    found, rule = verdict.stability[1], VideoRule.of(detector.metadata)

    def by_rule(p_fake: float) -> float:
        return rule.p_fake(float(log_odds([p_fake])[0]))

    shown = by_rule(face.p_fake)
    assert found.face == replace(face, p_fake=pytest.approx(shown), label=label_of(shown, rule.unsure_band))
    assert [(again.name, again.p_fake, again.label) for again in found.rescores] == [
        (again.name, pytest.approx(by_rule(again.p_fake)), label_of(by_rule(again.p_fake), rule.unsure_band))
        for again in expected.rescores
    ]


def test_of_three_frames_two_decide(texture):
    detector, judged = Detector(texture, Faces(FACE)), Face(FACE, 0.9, 0.01, "real")
    flips = FacePixels(stripes(), judged)
    firm = FacePixels(np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8), judged)
    assert rescored(detector, judged, [flips]).flips and rescored(detector, judged, [flips, firm, flips]).flips
    assert not rescored(detector, judged, [firm, flips, firm]).flips
    assert not rescored(detector, judged, [firm]).flips


def test_of_many_faces_the_most_suspicious_are_scored_again(tmp_path, by_colour):
    boxes = [(60 * n, 0, 60 * n + 90 - n, 90 - n) for n in range(8)]
    detector = Detector(by_colour.model, Faces(*boxes))
    frame = np.random.default_rng(0).integers(0, 256, (96, 600, 3), np.uint8)
    verdict = judge_video(detector, lossless(tmp_path / "clip.avi", [frame] * 3), thorough=True)
    worst = sorted(verdict.faces, key=lambda face: -face.p_fake)[:MAX_RESCORED]
    decided = [face for face in worst if label_of(face.p_fake, detector.metadata.unsure_band) != "unsure"]
    assert list(verdict.stability) == [face.number for face in decided] and len(decided) > 2


# Faces too small


@pytest.fixture(scope="module")
def headshot(person) -> Image.Image:
    return Image.fromarray(person).crop((30, 10, 240, 270))


def shown(portrait: Image.Image, side: int, colours: int = 1) -> np.ndarray:
    """A portrait whose face has about so many pixels; with colours -1, red and blue change places."""
    height = round(side / 0.43)
    small = portrait.resize((round(portrait.width * height / portrait.height), height), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(small)[..., ::colours])


def test_a_fake_seen_only_small_does_not_make_a_video_fake(tmp_path, by_colour, headshot):
    tiny, large = shown(headshot, 50), shown(headshot, 110)
    verdict = judge_video(by_colour, lossless(tmp_path / "tiny.avi", [scene((tiny, 200, 100))] * 4))
    assert max(longer_side(seen.faces[0].box) for seen in verdict.timeline) < MIN_FACE
    assert (verdict.label, verdict.faces[0].label) == ("unsure", "unsure") and verdict.p_fake > 0.9
    assert codes(verdict).count("face_too_small") == 1 and "uncertain" not in codes(verdict)
    both = judge_video(by_colour, lossless(tmp_path / "both.avi", [scene((tiny, 20, 20), (large, 220, 30))] * 4))
    assert both.label == "fake" and sorted(face.label for face in both.faces) == ["fake", "unsure"]
    grows = [scene((shown(headshot, 50 + 6 * n), 200, 60)) for n in range(6)]
    grown = judge_video(by_colour, lossless(tmp_path / "grows.avi", grows))
    assert len(grown.faces) == 1 and grown.label == "fake"  # it was large enough in some frames


def test_a_face_that_is_small_in_most_frames_is_said_to_be(tmp_path, by_colour, headshot):
    small = judge_video(by_colour, lossless(tmp_path / "a.avi", [scene((shown(headshot, 50, -1), 200, 100))] * 4))
    assert small.label == "real" and codes(small) == ["face_too_small"]
    for sizes, warned in (((50, 50, 50, 70, 90), True), ((50, 70, 90, 100, 110), False)):
        frames = [scene((shown(headshot, side), 200, 60)) for side in sizes]
        verdict = judge_video(by_colour, lossless(tmp_path / "b.avi", frames))
        assert len(verdict.faces) == 1 and ("face_too_small" in codes(verdict)) == warned, sizes


def test_a_headshot_in_a_screen_recording_is_judged_with_a_warning(tmp_path, detector, headshot):
    """Larger than MIN_FACE, yet of fewer pixels than the model looks at."""
    assert MIN_FACE < 72 < needed_side(detector.metadata)
    clip = lossless(tmp_path / "clip.avi", [scene((shown(headshot, 72), 400, 100), size=(640, 360))] * 4)
    verdict = judge_video(detector, clip)
    assert MIN_FACE <= longer_side(verdict.faces[0].box) < needed_side(detector.metadata) and "face_too_small" in codes(
        verdict
    )


def test_a_warning_holds_where_it_does_for_most_frames():
    face, small = Face((0, 0, 200, 200), 0.9, 0.5, "unsure"), Reason("face_too_small", "A face is only 9 pixels large.")

    def warned(*frames):
        seen = tuple(FaceInFrame(n / 10, face, 0.1, list(reasons), None, None) for n, reasons in enumerate(frames))
        return warnings([Followed(1, seen, VideoRule(METADATA.unsure_band))] * 2, METADATA)

    assert warned([BLURRED], [BLURRED, small], []) == [BLURRED]
    assert warned([BLURRED], [], [small]) == [] == warned([BLURRED], [])
