"""Pictures to verdicts: with the shipped model, and with small models whose numbers are known."""

import io
import json
import math
import re

import numpy as np
import pytest
from onnx_files import write_model
from PIL import Image
from project import ROOT

from deepfake_detect import Detector, Face, Model, Verdict
from deepfake_detect.detector import DISAGREE, NO_FACE
from deepfake_detect.verdict import label_of

BAND = re.compile(r"The score lies between \d\d and \d\d in 100, where too many verdicts were wrong .*")


@pytest.fixture
def detector(tmp_path):
    """A detector that gives every picture the same logits, or others by other options of `write_model`."""
    return lambda **options: Detector(write_model(tmp_path / "m.onnx", **options))


def noise(seed: int = 0, side: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def close(a: Verdict, b: Verdict) -> bool:
    """Whether two verdicts are the same but for the last digits."""
    same_faces = [f.box for f in a.faces] == [f.box for f in b.faces]
    return same_faces and a.reasons == b.reasons and a.label == b.label and abs(a.p_fake - b.p_fake) < 1e-5


# What is asked and what is answered


def test_no_pictures_give_no_verdicts(shipped):
    assert shipped.predict([]) == [] and list(shipped.stream([])) == []


def test_a_portrait_gets_a_verdict_on_its_face(shipped, portrait):
    verdict = shipped.predict([portrait])[0]
    assert len(verdict.faces) == 1
    face = verdict.faces[0]
    assert verdict.label == face.label == label_of(face.p_fake, shipped.metadata.unsure_band)
    assert verdict.p_fake == face.p_fake
    assert verdict.confidence == max(face.p_fake, 1 - face.p_fake)
    assert NO_FACE not in verdict.reasons


def test_the_same_picture_gets_the_same_verdict_again(shipped, person):
    first = shipped.predict([person, noise(), person])
    assert shipped.predict([person, noise(), person]) == first
    assert close(first[0], first[2])


def test_a_batch_gives_what_single_pictures_give(shipped, person, avatar):
    pictures = [person, noise(), avatar, np.hstack([person, avatar]), person[:, ::-1], noise(1)]
    together = shipped.predict(pictures)
    assert all(close(verdict, shipped.predict([picture])[0])
               for verdict, picture in zip(together, pictures, strict=True))  # fmt: skip


def test_every_kind_of_source_gives_the_same_verdict(shipped, person, tmp_path):
    path = tmp_path / "portrait.png"
    Image.fromarray(person).save(path)
    with Image.open(path) as image:
        verdicts = shipped.predict([path, str(path), path.read_bytes(), image, person])
    assert all(close(verdict, verdicts[0]) for verdict in verdicts)


def test_the_layout_of_an_array_does_not_matter(shipped, person):
    locked = person.copy()
    locked.flags.writeable = False
    mirrored = np.ascontiguousarray(person[:, ::-1])[:, ::-1]
    swapped = np.ascontiguousarray(person[..., ::-1])[..., ::-1]
    strided = person.repeat(2, axis=0).repeat(2, axis=1)[::2, ::2]
    planes = np.ascontiguousarray(person.transpose(2, 0, 1)).transpose(1, 2, 0)
    expected, before = shipped.predict([person])[0], person.copy()
    for verdict in shipped.predict([locked, mirrored, swapped, strided, planes, np.asfortranarray(person)]):
        assert close(verdict, expected)
    assert np.array_equal(person, before)


def test_a_loaded_model_serves_as_well_as_a_path(shipped, person):
    assert close(Detector(Model(ROOT / "model.onnx")).predict([person])[0], shipped.predict([person])[0])


# Labels


@pytest.mark.parametrize(("logit", "label"), [(-5, "real"), (-0.5, "real"), (0, "unsure"), (0.5, "fake"), (5, "fake")])
def test_the_label_follows_the_probability_and_the_band(detector, person, logit, label):
    verdict = detector(bias=(1, 1 + logit)).predict([person])[0]
    assert verdict.label == verdict.faces[0].label == label
    assert verdict.p_fake == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)
    assert verdict.confidence == pytest.approx(max(verdict.p_fake, 1 - verdict.p_fake))
    assert any(BAND.fullmatch(reason.text) for reason in verdict.reasons) == (label == "unsure")


@pytest.mark.parametrize(("band", "label"), [((0.4, 0.6), "unsure"), ((0.5, 0.6), "real"), ((0.4, 0.5), "fake"),
                                             ((0.5, 0.5), "fake"), ((0.0, 1.0), "unsure")])  # fmt: skip
def test_a_probability_on_the_edge_of_the_band_is_decided(detector, person, band, label):
    verdict = detector(unsure_band=band).predict([person])[0]
    assert (verdict.p_fake, verdict.label) == (0.5, label)


@pytest.mark.parametrize(("temperature", "label"), [(1.0, "fake"), (10.0, "unsure")])
def test_the_temperature_moves_a_verdict(detector, person, temperature, label):
    assert detector(bias=(0, 2), temperature=temperature).predict([person])[0].label == label


def test_the_crop_margin_of_the_file_is_used(detector, person):
    face = Detector(Model(ROOT / "model.onnx")).predict([person])[0].faces[0].box
    # only the face is bright; what is around it is no plain border, which would be left out
    framed = np.random.default_rng(1).integers(0, 60, person.shape, np.uint8)
    framed[face[1] : face[3], face[0] : face[2]] = person[face[1] : face[3], face[0] : face[2]]
    tight = detector(weights=(4, 4, 4), bias=(0, -3), crop_margin=0.0).predict([framed])[0]
    wide = detector(weights=(4, 4, 4), bias=(0, -3), crop_margin=1.0).predict([framed])[0]
    assert tight.faces and wide.faces
    assert tight.p_fake > wide.p_fake + 0.05


# Several faces, and none


def test_a_picture_is_fake_if_any_face_is(by_colour, person, avatar):
    for picture in (np.hstack([person, avatar]), np.hstack([avatar, person]), np.vstack([avatar, person])):
        verdict = by_colour.predict([picture])[0]
        assert verdict.label == "fake" and verdict.p_fake > 0.85
        assert sorted(face.label for face in verdict.faces) == ["fake", "real"]
        assert DISAGREE in verdict.reasons


def test_the_report_says_which_face_is_fake(by_colour, person, avatar):
    verdict = by_colour.predict([np.hstack([person, avatar])])[0]
    for face in verdict.faces:
        assert face.label == ("fake" if face.box[0] < person.shape[1] else "real")
        assert (face.p_fake > 0.5) == (face.label == "fake")


@pytest.mark.parametrize("label", ["real", "fake"])
def test_faces_that_agree_give_no_remark(by_colour, person, avatar, label):
    one = person if label == "fake" else avatar
    verdict = by_colour.predict([np.hstack([one, one])])[0]
    assert [face.label for face in verdict.faces] == [label, label]
    assert verdict.label == label and verdict.reasons == ()


def test_one_unsure_face_among_real_ones_makes_the_picture_unsure(by_colour, person, avatar):
    grey = np.dstack([person.mean(axis=2).astype(np.uint8)] * 3)
    verdict = by_colour.predict([np.hstack([avatar, grey])])[0]
    assert sorted(face.label for face in verdict.faces) == ["real", "unsure"]
    assert verdict.label == "unsure" and BAND.fullmatch(*map(str, verdict.reasons))
    assert verdict.p_fake == pytest.approx(0.4, abs=1e-4) and verdict.p_fake > 0.4  # not "real", whatever the others


def test_one_fake_face_among_unsure_ones_makes_the_picture_fake(by_colour, person):
    grey = np.dstack([person.mean(axis=2).astype(np.uint8)] * 3)
    verdict = by_colour.predict([np.hstack([grey, person])])[0]
    assert sorted(face.label for face in verdict.faces) == ["fake", "unsure"]
    assert verdict.label == "fake" and verdict.reasons == ()


def test_a_picture_without_a_face_is_never_decided(detector):
    verdict = detector(bias=(0, 20)).predict([noise()])[0]
    assert verdict.label == "unsure" and verdict.faces == () and verdict.reasons == (NO_FACE,)
    assert verdict.p_fake > 0.99 and verdict.confidence == verdict.p_fake


def test_without_a_face_the_whole_picture_is_scored(by_colour):
    blue_edge = np.full((100, 200, 3), 60, np.uint8)
    blue_edge[:, :20, 2] = 255
    assert by_colour.predict([blue_edge])[0].p_fake < 0.01


def test_the_smallest_and_thinnest_pictures_get_a_verdict(by_colour):
    for shape in ((16, 16), (16, 4000), (4000, 16), (20, 20_000)):
        verdict = by_colour.predict([np.full((*shape, 3), 90, np.uint8)])[0]
        assert verdict.label == "unsure" and verdict.faces == ()


# The verdict as JSON


def test_a_verdict_becomes_json_with_the_keys_of_the_contract(by_colour, person, avatar):
    verdict = by_colour.predict([np.hstack([person, avatar])])[0]
    record = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    assert list(record) == ["label", "p_fake", "confidence", "reasons", "reason_codes", "faces", "faces_left_out",
                            "faces_found", "kind"]  # fmt: skip
    assert (record["faces_found"], record["faces_left_out"]) == (2, 0)
    assert record["label"] == verdict.label and record["p_fake"] == verdict.p_fake
    assert record["reasons"] == [reason.text for reason in verdict.reasons] and all(
        reason.endswith(".") for reason in record["reasons"]
    )
    for face, found in zip(record["faces"], verdict.faces, strict=True):
        assert list(face) == ["box", "score", "p_fake", "label", "kind"]
        assert face["box"] == list(found.box) and face["label"] in ("real", "fake", "unsure")


def test_a_verdict_without_faces_becomes_json(shipped):
    record = json.loads(json.dumps(shipped.predict([noise()])[0].to_dict(), allow_nan=False))
    assert record["faces"] == [] and record["label"] == "unsure" and 0.5 <= record["confidence"] <= 1


def test_verdicts_and_faces_cannot_be_changed(shipped, person):
    verdict = shipped.predict([person])[0]
    with pytest.raises(AttributeError):
        verdict.label = "real"
    with pytest.raises(AttributeError):
        verdict.faces[0].label = "real"
    assert isinstance(verdict.faces[0], Face) and hash(verdict) == hash(shipped.predict([person])[0])


def test_boxes_are_in_pixels_of_the_upright_original(shipped, person):
    upright = shipped.predict([person])[0].faces[0].box
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(person).transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=exif)
    assert shipped.predict([buffer.getvalue()])[0].faces[0].box == upright
