"""Faces scored again after small changes: against whole changed pictures, and with models whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from onnx_files import METADATA, write_model
from PIL import Image
from project import ROOT
from textures import Faces, noise, stripes

from deepfake_detect import Detector, Face, Verdict, open_picture
from deepfake_detect.evidence.robustness import (
    MAX_RESCORED,
    QUALITIES,
    Rescore,
    Stability,
    compressed,
    rescore,
    steady,
    variants,
)
from deepfake_detect.face.crop import crop_box, crop_face, cut
from deepfake_detect.model.onnx_model import Looks
from deepfake_detect.model.scoring import BATCH
from deepfake_detect.report.sentences import HELD, HELD_UNSURELY, UNDECIDED, holding
from deepfake_detect.verdict import Reason, label_of, suspicious
from train import tiers

JPEGS = [f"JPEG quality {quality}" for quality in QUALITIES]
NAMES = [*JPEGS, "half size", "cut tighter"]
ONE_LOOK = replace(METADATA, looks=Looks((1.0,), False))
BAND = (0.1, 0.9)
LARGE = (96, 96, 224, 224)  # a face whose crop with a margin of 0.25 is (64, 64, 256, 256)


def face(label: str, p_fake: float, left: int = 0, side: int = 200) -> Face:
    return Face((left, 0, left + side, side), 0.9, p_fake, label)


def scored(judged: Face, *scores: float, name: str = "mirrored") -> Stability:
    return Stability(judged, tuple(Rescore(name, p, label_of(p, BAND)) for p in scores))


def verdict_on(*faces: Face, label: str) -> Verdict:
    worst = max(f.p_fake for f in faces)
    return Verdict(label, worst, max(worst, 1 - worst), (Reason("blurred", "A warning."),), faces)


def test_a_score_holds_is_said_only_where_every_change_leaves_the_verdict():
    real = face("real", 0.05)
    assert holding(scored(real, 0.06, 0.08), "real") == HELD
    assert holding(scored(real, 0.06, 0.45), "real") == HELD_UNSURELY
    assert holding(scored(real, 0.06, 0.55), "real") not in (HELD, HELD_UNSURELY)
    assert holding(scored(face("unsure", 0.45), 0.45), "unsure") == UNDECIDED
    small = face("real", 0.05, side=100)  # of which half is too little to count
    assert holding(scored(small, 0.45, name="half size"), "real") == HELD


# What the changes do


@pytest.mark.parametrize("box", [(101, 83, 147, 139), (3, 2, 60, 70), (250, 190, 331, 277), (0, 0, 331, 277)])
def test_compressing_around_a_face_gives_the_pixels_of_the_whole_picture_compressed(box):
    picture = noise(277, 331)
    square = crop_box(box, METADATA.crop_margin, 331, 277)
    crops = variants(picture, box, METADATA)
    for quality, name in zip(QUALITIES, JPEGS, strict=True):
        assert np.array_equal(crops[name][0], cut(compressed(picture, quality), square, 32, "bilinear")), name


def test_compression_is_that_of_the_measured_tiers():
    picture = noise(60, 75)
    assert all(np.array_equal(compressed(picture, q), tiers.compressed(picture, q)) for q in QUALITIES)


def test_half_a_size_is_that_of_the_whole_picture():
    picture, box = noise(288, 320), (101, 83, 147, 139)
    small = np.asarray(Image.fromarray(picture).resize((160, 144), Image.Resampling.LANCZOS))
    square = tuple(edge / 2 for edge in crop_box(box, METADATA.crop_margin, 320, 288))
    difference = variants(picture, box, METADATA)["half size"][0].astype(int) - cut(small, square, 32, "bilinear")
    assert np.abs(difference).max() <= 1


def test_cut_tighter_shows_less_and_mirrored_the_same_the_other_way_round():
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    plain = crop_face(ramp, (100, 100, 160, 160), METADATA.crop_margin, 32, "bilinear")
    crops = variants(ramp, (100, 100, 160, 160), ONE_LOOK)
    assert list(crops) == [*NAMES, "mirrored"] and np.array_equal(crops["mirrored"][0], plain[:, ::-1])
    shown, before = np.ptp(crops["cut tighter"].astype(int)), np.ptp(plain.astype(int))
    assert shown == pytest.approx(0.9 * before, abs=2)


def test_a_huge_face_is_made_smaller_and_stays_the_same_face(monkeypatch):
    picture = np.kron(noise(52, 40), np.ones((50, 50, 1), np.uint8))
    sides = []
    monkeypatch.setattr(
        "deepfake_detect.evidence.robustness.compressed", lambda part, quality: sides.append(max(part.shape)) or part
    )
    crops, box = variants(picture, (200, 400, 1700, 2100), METADATA), (200, 400, 1700, 2100)
    plain = crop_face(picture, box, METADATA.crop_margin, 32, "bilinear").astype(int)
    assert sides == [1024] * 3
    assert all(np.abs(crops[name][0] - plain).mean() < 3 for name in (*JPEGS, "half size"))


@pytest.mark.parametrize(("shape", "box"), [((16, 400), (390, 0, 400, 16)), ((400, 16), (0, 0, 2, 2)),
                                            ((33, 17), (16, 32, 17, 33)), ((16, 16), (0, 0, 16, 16))])  # fmt: skip
def test_the_smallest_faces_are_changed_too(shape, box):
    crops = variants(noise(*shape), box, METADATA)
    assert list(crops) == NAMES
    assert all(crop.shape == (1, 32, 32, 3) and crop.dtype == np.uint8 for crop in crops.values())


# Scoring again


@pytest.mark.parametrize("name", ["real_grace_hopper", "fake_swap", "group_portraits"])
def test_a_score_is_that_of_the_changed_picture_itself(name):
    picture = open_picture(ROOT / "examples" / f"{name}.jpg")
    shipped = Detector(ROOT / "model.onnx")
    verdict = shipped.predict([picture])[0]
    stability = rescore(shipped.model, picture, suspicious(verdict.faces))
    assert sorted(t.face.box for t in stability) == sorted(f.box for f in verdict.faces)
    assert [t.face.p_fake for t in stability] == sorted((f.p_fake for f in verdict.faces), reverse=True)
    again = Detector(shipped.model, Faces(*(t.face.box for t in stability)))
    for number, quality in enumerate(QUALITIES):
        changed = again.predict([compressed(picture, quality)])[0]
        for t, expected in zip(stability, changed.faces, strict=True):
            assert t.rescores[number].p_fake == pytest.approx(expected.p_fake, abs=1e-4)
            assert t.rescores[number].label == expected.label
        assert [again.name for again in t.rescores] == NAMES  # and no mirror: each score is a mean over it already


def test_all_changes_of_the_most_suspicious_faces_go_through_the_network_together(tmp_path, monkeypatch):
    detector = Detector(write_model(tmp_path / "m.onnx", weights=(20, 0, -20)))
    boxes = [(x, 10, x + 70, 80) for x in range(10, 900, 140)]
    picture = np.full((100, 1020, 3), 99, np.uint8)
    for number, box in enumerate(boxes):
        picture[:, box[0] - 10 : box[2] + 10, 0] = 200 + 5 * number
    detector.face_finder = Faces(*boxes)
    verdict = detector.predict([picture])[0]
    runs, outputs = [], detector.model.outputs
    monkeypatch.setattr(detector.model, "outputs", lambda values, *more: runs.append(len(values)) or outputs(values))
    settled, stability, _ = detector.examine(picture, thorough=True)
    first, *more = runs  # each face and its mirror image
    assert first == 2 * len(boxes) and sum(more) == 2 * MAX_RESCORED * len(NAMES) and len(more) == 2
    assert max(runs) <= BATCH
    assert [t.face.box for t in stability] == boxes[: -MAX_RESCORED - 1 : -1]
    assert settled == verdict  # colours survive all of it


def test_without_a_face_nothing_is_scored_again(tmp_path):
    detector = Detector(write_model(tmp_path / "m.onnx"), Faces())
    verdict = detector.predict([noise(50, 50)])[0]
    assert rescore(detector.model, noise(50, 50), ()) == () and detector.examine(noise(50, 50), thorough=True)[:2] == (
        verdict,
        (),
    )


# Verdicts that flip


def test_a_verdict_that_flips_under_compression_becomes_unsure(texture):
    detector = Detector(texture, Faces(LARGE))
    verdict = detector.predict([stripes()])[0]
    assert verdict.label == "real" and verdict.p_fake < 0.01
    stability = rescore(detector.model, stripes(), verdict.faces)
    assert stability[0].flips == ("JPEG quality 50", "half size")
    band = detector.metadata.unsure_band
    settled = steady(verdict, stability, band)
    assert detector.examine(stripes(), thorough=True)[:2] == (settled, stability)
    assert detector.examine(stripes(), thorough=False, with_stability=True)[:2] == (verdict, stability)
    assert detector.predict([stripes()], thorough=True) == [settled]
    assert settled.label == settled.faces[0].label == "unsure"
    assert settled.reasons[:-1] == verdict.reasons
    assert "(JPEG quality 50, half size)" in settled.reasons[-1].text and settled.reasons[-1].code == "unstable"
    assert (settled.p_fake, settled.confidence) == (verdict.p_fake, verdict.confidence)
    assert steady(settled, rescore(detector.model, stripes(), settled.faces), band) is settled


def test_half_the_size_does_not_count_for_a_face_that_it_leaves_too_small(texture):
    detector = Detector(texture, Faces((96, 96, 216, 216)))
    verdict = detector.predict([stripes()])[0]
    stability = rescore(detector.model, stripes(), verdict.faces)
    assert stability[0].rescores[NAMES.index("half size")].p_fake > 0.5
    assert verdict.label == "real" and stability[0].flips == ("JPEG quality 50",)


@pytest.mark.parametrize(("label", "p_fake", "again", "flips"), [
    ("fake", 0.95, 0.89, False), ("fake", 0.95, 0.5, False), ("fake", 0.95, 0.49, True), ("fake", 0.95, 0.01, True),
    ("real", 0.05, 0.11, False), ("real", 0.05, 0.5, False), ("real", 0.05, 0.51, True), ("real", 0.05, 0.99, True),
    ("unsure", 0.7, 0.01, False), ("unsure", 0.3, 0.99, False),
])  # fmt: skip
def test_only_the_other_side_of_one_half_is_a_flip(label, p_fake, again, flips):
    judged = face(label, p_fake)
    stability = scored(judged, p_fake, again)
    assert stability.flips == (("mirrored",) if flips else ())
    settled = steady(verdict_on(judged, label=label), (stability,), BAND)
    assert settled.label == ("unsure" if flips else label)


@pytest.mark.parametrize(("faces", "scores", "label", "labels"), [
    (("fake", "fake"), (0.1, 0.9), "fake", ("unsure", "fake")),
    (("fake", "fake"), (0.1, 0.2), "unsure", ("unsure", "unsure")),
    (("fake", "real"), (0.1, 0.1), "unsure", ("unsure", "real")),
    (("fake", "real"), (0.9, 0.9), "fake", ("fake", "unsure")),
    (("real", "real"), (0.9, 0.1), "unsure", ("unsure", "real")),
    (("real", "unsure"), (0.1, 0.9), "unsure", ("real", "unsure")),
])  # fmt: skip
def test_the_picture_follows_from_its_faces(faces, scores, label, labels):
    judged = [face(name, {"fake": 0.95, "real": 0.05, "unsure": 0.5}[name], n * 300) for n, name in enumerate(faces)]
    before = next(name for name in ("fake", "unsure", "real") if name in faces)
    stability = tuple(scored(f, score) for f, score in zip(judged, scores, strict=True))
    settled = steady(verdict_on(*judged, label=before), stability, BAND)
    assert (settled.label, tuple(f.label for f in settled.faces)) == (label, labels)
    assert len(settled.reasons) == (1 if labels == faces else 2)


def test_a_change_that_flips_several_faces_is_named_once():
    faces = face("real", 0.05), face("real", 0.04, 300)
    flipped = tuple(scored(f, 0.9, name="JPEG quality 70") for f in faces)
    settled = steady(verdict_on(*faces, label="real"), flipped, BAND)
    assert settled.reasons[-1].text.count("JPEG quality 70") == 1
