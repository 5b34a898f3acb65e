"""A face is looked at in several framings and in the mirror, and judged by the mean of the logits, by every door."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from onnx_files import METADATA, write_masked_model, write_model
from textures import Faces, noise

from deepfake_detect import Detector, Model
from deepfake_detect.errors import ModelError
from deepfake_detect.evidence.robustness import JPEG, compressed, rescore, variants
from deepfake_detect.face.crop import Square, crop_box, cut, level_together
from deepfake_detect.face.face_crops import face_framings
from deepfake_detect.face.found import FoundFace
from deepfake_detect.model.onnx_model import Looks, Metadata, probability
from deepfake_detect.model.scoring import BATCH, crop_logits, mean_outputs, scores
from deepfake_detect.video.key_frames import face_pixels, rescored
from export.clients import input_text
from export.configs import model_config

SIX = Looks((0.8, 1.0, 1.2), True)
BOX = (40, 50, 120, 130)


def looker(folder, looks: Looks, size: int = 96, **metadata) -> Detector:
    """A model that sees the left half of a crop only: red there is fake, blue is real."""
    left = np.zeros((1, 3, size, size), np.float32)
    left[..., : size // 2] = 2
    weights = [[0, 4], [0, 0], [0, -4]]
    return Detector(write_masked_model(folder / "left.onnx", left, weights, looks=looks, **metadata), Faces(BOX))


def halves(left_red: float, right_red: float, size: int = 96) -> np.ndarray:
    picture = np.zeros((size, size, 3), np.uint8)
    picture[:, : size // 2, 0], picture[:, size // 2 :, 0] = left_red, right_red
    return picture


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(("mirrored", "expected"), [(True, (153, 153)), (False, (51, 255))])
def test_every_face_is_judged_by_the_mean_logit_of_it_and_its_mirror_image(tmp_path, mirrored, expected):
    detector = looker(tmp_path, Looks((1.0,), mirrored))
    found = detector.score(np.stack([halves(51, 255), halves(255, 51)]))
    assert found == pytest.approx([sigmoid(4 * red / 255) for red in expected], abs=1e-5)


def test_it_is_the_mean_of_logits_and_not_of_probabilities(tmp_path):
    detector = looker(tmp_path, Looks((1.0,), True), temperature=0.05)
    pixels = np.zeros((1, 96, 96, 3), np.uint8)
    pixels[0, :, :48, 0], pixels[0, :, 48:, 2] = 255, 245  # one side is surely fake, the other nearly as surely real
    of_one = probability(crop_logits(detector.model, np.concatenate([pixels, pixels[:, :, ::-1]])), 0.05)
    assert of_one[0] > 1 - 1e-12 and of_one[1] < 1e-12
    assert detector.score(pixels) == pytest.approx([sigmoid(4 * 5 / 255 / 0.05)], abs=1e-3)


def test_each_framing_is_cut_from_the_picture(tmp_path):
    detector = looker(tmp_path, SIX)
    picture = noise(220, 260)
    prepared = detector.prepare(picture)
    (face,) = prepared.faces
    assert prepared.framed.shape == (1, 3, 96, 96, 3) and np.array_equal(prepared.framed[0, 1], prepared.crops[0])
    for framing, square, crop in zip(SIX.framings, prepared.framings[0], prepared.framed[0], strict=True):
        expected = crop_box(face.box, METADATA.crop_margin, 260, 220, framing)
        assert square[:4] == expected and expected[2] - expected[0] == pytest.approx(80 * 1.6 * framing)
        assert np.array_equal(crop, cut(picture, expected, 96, METADATA.resampling))
    (judged,) = detector.predict_one(picture).faces
    views = np.concatenate([prepared.framed[0], prepared.framed[0, :, :, ::-1]])
    mean = crop_logits(detector.model, views).astype(np.float64).mean(0)
    assert judged.p_fake == pytest.approx(probability(mean[None], 1.0)[0], abs=1e-12)


def test_a_framing_stays_inside_the_picture_and_its_borders():
    box, frame = (0, 0, 60, 60), (10, 0, 210, 200)
    assert crop_box(box, 0.3, 260, 220, 1.2) == (0, 0, 60 * 1.6 * 1.2, 60 * 1.6 * 1.2)
    assert crop_box((20, 20, 200, 200), 0.3, 260, 220, 1.2) == (0, 0, 220, 220)
    face = FoundFace((150, 140, 208, 198), 0.9, (), 0.0, frame)
    ((*_, largest),) = face_framings([face], 0.3, SIX.framings, (260, 220))
    assert largest[2] <= 210 and largest[3] <= 200
    assert face_framings([], 0.3, SIX.framings, (260, 220)) == (((0, 0, 260, 220, 0.0),),)


def test_without_a_face_the_whole_picture_is_looked_at_once_and_in_the_mirror(tmp_path):
    detector = looker(tmp_path, SIX)
    detector.face_finder = Faces()
    prepared = detector.prepare(halves(51, 255))
    assert prepared.framed.shape == (1, 1, 96, 96, 3)
    assert detector.predict_one(halves(51, 255)).p_fake == pytest.approx(sigmoid(4 * 153 / 255), abs=1e-5)


def test_many_faces_are_looked_at_in_runs_of_few_and_each_has_the_score_of_it_alone(tmp_path, monkeypatch):
    detector = looker(tmp_path, SIX)
    framed = np.stack([np.stack([halves(n, 255 - n) for n in (k, k + 50, k + 100)]) for k in range(2 * BATCH)])
    sides, outputs = [], detector.model.outputs
    monkeypatch.setattr(detector.model, "outputs", lambda values, *more: sides.append(len(values)) or outputs(values))
    together = detector.score(framed)
    assert max(sides) <= BATCH and sum(sides) == len(framed) * SIX.count
    assert together == pytest.approx([detector.score(one[None])[0] for one in framed], abs=1e-5)
    assert detector.score(framed[:0]).shape == (0,)


def test_kinds_are_averaged_alike(tmp_path):
    kinds = {"names": ["real", "gan", "edited"], "temperature": 1.0, "least": {"gan": 0.5}}
    model = Model(
        write_model(tmp_path / "m.onnx", kind_weights=[[0, 9, 0], [0, 0, 9], [0, 0, 0]], kinds=kinds, looks=SIX)
    )
    framed = np.zeros((1, 3, 32, 32, 3), np.uint8)
    framed[0, 0, ..., 1], framed[0, 1:, ..., 0] = 255, 255  # like what was edited in one framing of three
    assert mean_outputs(model, framed).kinds == pytest.approx(np.array([[0, 6, 3]]), abs=1e-5)
    assert scores(model, framed).kinds == ("gan",) and scores(model, framed[:, :1]).kinds == (None,)


# Other doors


def test_a_face_scored_again_is_looked_at_in_the_same_framings(tmp_path):
    detector = looker(tmp_path, SIX)
    picture = noise(220, 260)
    verdict = detector.predict_one(picture)
    (tested,) = rescore(detector.model, picture, verdict.faces)
    assert "mirrored" not in [again.name for again in tested.rescores]
    for quality in (90, 50):
        changed = detector.predict_one(compressed(picture, quality))
        found = next(again for again in tested.rescores if again.name == JPEG.format(quality))
        assert found.p_fake == pytest.approx(changed.p_fake, abs=1e-9)


def test_what_is_kept_of_a_video_gives_the_scores_of_the_frame(tmp_path):
    detector = looker(tmp_path, SIX)
    frame = noise(300, 340)
    for box in (BOX, (0, 0, 90, 90), (240, 200, 338, 298)):
        detector.face_finder = Faces(box)
        (face,) = detector.predict_one(frame).faces
        (kept,) = face_pixels(frame, [face], detector.metadata)
        again = rescored(detector, face, [kept]).rescores
        expected = rescore(detector.model, frame, [face])[0].rescores
        assert [one.p_fake for one in again] == pytest.approx([one.p_fake for one in expected], abs=1e-9)


def test_framings_of_a_turned_face_are_turned_together(tmp_path):
    picture, angle = noise(300, 300), 30.0
    squares = [Square(*crop_box((110, 100, 190, 180), 0.3, 300, 300, framing), angle) for framing in SIX.framings]
    part, inner = level_together(picture, squares, 0.1)
    for square, found in zip(squares, inner, strict=True):
        assert found[2] - found[0] == pytest.approx(square.right - square.left)
        alone = cut(picture, square, 64, "bilinear").astype(int)
        assert np.abs(cut(part, found, 64, "bilinear") - alone).mean() < 3
    metadata = replace(METADATA, size=64, looks=SIX)
    assert variants(picture, (110, 100, 190, 180), metadata, squares)["half size"].shape == (3, 64, 64, 3)


# The file


def test_looks_go_through_the_file_and_into_the_configuration(tmp_path):
    metadata = replace(METADATA, looks=SIX)
    assert Metadata.from_properties(metadata.to_properties()) == metadata and SIX.count == 6
    assert Model(write_model(tmp_path / "m.onnx", looks=SIX)).metadata.looks == SIX
    shown = model_config(metadata)["mobile_deepfake_detector"]["looks"]
    assert shown == {"framings": (0.8, 1.0, 1.2), "mirrored": True}
    assert "squares of 0.8, 1, 1.2 times that side, cut from the picture, and at the mirror image of each: 6 looks" in (
        input_text(metadata)
    )


def test_a_file_that_does_not_say_is_looked_at_as_it_is_and_in_the_mirror(tmp_path):
    properties = METADATA.to_properties()
    del properties["looks"]
    assert Model(write_model(tmp_path / "m.onnx", properties=properties)).metadata.looks == Looks((1.0,), True)


@pytest.mark.parametrize(
    "looks", ['{"framings": [], "mirrored": true}', '{"framings": [0.1], "mirrored": true}', '{"framings": [1]}', "7",
              '{"framings": ["1"], "mirrored": true}', '{"framings": [1.0], "mirrored": 1}']
)  # fmt: skip
def test_looks_that_cannot_be_are_refused(tmp_path, looks):
    write = partial(write_model, tmp_path / "m.onnx", properties=METADATA.to_properties() | {"looks": looks})
    with pytest.raises(ModelError) as refused:
        Model(write())
    assert refused.value.code == "model_unsuitable"
