"""The crop cache: cut once, cut again when anything it depends on has changed, and honest about what it skipped."""

import os
import re

import numpy as np
import pytest
from data_sets import make_faces
from PIL import Image

from deepfake_detect.face.crop import crop_face
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture
from train import crops as crops_module
from train.crops import Framing, cached_crops
from train.data import DataError, Sample
from train.tiers import open_degraded

FRAMING = Framing(margin=0.3)


@pytest.fixture
def samples(portrait, tmp_path) -> list[Sample]:
    for label in ("real", "fake"):
        make_faces(portrait, tmp_path / label, 4, label == "fake", seed=3)
    Image.new("RGB", (90, 90), "grey").save(tmp_path / "real" / "000.png")
    (tmp_path / "fake" / "001.png").write_bytes(b"not a picture")
    return [
        Sample(path, label, "train", "studio", "")
        for label, name in enumerate(("real", "fake"))
        for path in sorted((tmp_path / name).iterdir())
    ]


def cut(samples, tmp_path, framing=FRAMING):
    return cached_crops(samples, framing, "bilinear", tmp_path / "crops", "train")


def test_crops_are_what_the_run_time_cuts(samples, tmp_path):
    crops = cut(samples, tmp_path)
    assert len(crops) == 7 and crops.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    picture = open_picture(samples[2].path)
    box = FaceFinder().find(picture)[0].box
    for size in (32, 48, 96):
        assert np.array_equal(crops.crop(2, size), crop_face(picture, box, 0.3, size, "bilinear"))


def test_slack_keeps_more_of_the_picture_and_the_same_crop(samples, tmp_path):
    tight, loose = cut(samples, tmp_path), cut(samples, tmp_path, Framing(0.1, slack=0.2))
    assert loose.region(2).shape[0] > cut(samples, tmp_path, Framing(0.1)).region(2).shape[0]
    picture = open_picture(samples[2].path)
    face = FaceFinder().find(picture)[0]
    assert np.array_equal(loose.crop(2, 48), crop_face(picture, face.box, 0.1, 48, "bilinear"))
    kept = loose.kept[2]
    offset = np.array(face.landmarks) - kept.face.landmarks
    assert np.allclose(offset, offset[0]) and kept.face.score == face.score
    left, top = np.rint(offset[0]).astype(int)
    expected = picture[top : top + kept.height, left : left + kept.width]
    assert np.array_equal(loose.region(2), expected) and tight.labels.tolist() == loose.labels.tolist()


def test_a_camera_photograph_is_kept_smaller_with_its_face_in_place(samples, tmp_path, monkeypatch):
    whole = cut(samples, tmp_path)
    monkeypatch.setattr(crops_module, "LONGEST", 60)
    small = cut(samples, tmp_path)
    assert max(small.region(2).shape) == 60 < max(whole.region(2).shape)
    zoom = small.region(2).shape[0] / whole.region(2).shape[0]
    assert np.allclose(np.array(small.kept[2].square), np.array(whole.kept[2].square) * zoom, atol=0.5)
    assert np.allclose(np.array(small.kept[2].face.landmarks), np.array(whole.kept[2].face.landmarks) * zoom, atol=0.5)
    assert np.abs(small.crop(2, 32).astype(int) - whole.crop(2, 32)).mean() < 8


def test_a_tier_is_applied_before_the_face_is_looked_for(samples, tmp_path):
    web, clean = cut(samples, tmp_path, Framing(0.3, tier="web")), cut(samples, tmp_path)
    picture = open_degraded(samples[2].path, "web")
    box = FaceFinder().find(picture)[0].box
    assert np.array_equal(web.crop(2, 48), crop_face(picture, box, 0.3, 48, "bilinear"))
    assert not np.array_equal(web.crop(2, 48), clean.crop(2, 48))


def test_faceless_and_broken_pictures_are_counted_and_named(samples, tmp_path, capsys):
    crops = cut(samples, tmp_path)
    output = capsys.readouterr().out
    with_face = [FaceFinder().find(open_picture(path)) for path in crops.paths]
    faceless = sum(not faces for faces in with_face)
    assert faceless >= 1 and f"studio: no face in {faceless} of 7" in output
    assert re.search(r"skipped .*fake/001\.png: This is not a picture", output) and "7 pictures, 1 skipped" in output
    assert "fake/001.png" in (tmp_path / "crops" / "train_skipped.csv").read_text()
    assert np.array_equal(crops.crop(0, 48), crop_face(open_picture(samples[0].path), None, 0.3, 48, "bilinear"))


def test_the_same_pictures_are_cut_once(samples, tmp_path, capsys):
    first = cut(samples, tmp_path)
    capsys.readouterr()
    again = cut(samples, tmp_path)
    assert capsys.readouterr().out == "" and np.array_equal(first.bytes, again.bytes)


def test_a_changed_picture_or_framing_is_cut_again(samples, tmp_path, capsys):
    cut(samples, tmp_path)
    capsys.readouterr()
    Image.new("RGB", (90, 90), "white").save(samples[3].path)
    os.utime(samples[3].path, ns=(1, 1))
    changed = cut(samples, tmp_path)
    assert "7 pictures" in capsys.readouterr().out and changed.crop(3, 48).min() == 255
    assert cut(samples, tmp_path, Framing(0.05)).region(1).shape[0] < changed.region(1).shape[0]


def test_a_cache_of_another_way_to_frame_faces_is_made_anew(samples, tmp_path, capsys, monkeypatch):
    cut(samples, tmp_path)
    capsys.readouterr()
    monkeypatch.setattr(crops_module, "VERSION", crops_module.VERSION + 1)
    cut(samples, tmp_path)
    assert "7 pictures" in capsys.readouterr().out


def test_a_class_without_a_readable_picture_ends_in_a_sentence(samples, tmp_path):
    for sample in samples:
        if sample.label:
            sample.path.write_bytes(b"not a picture")
    with pytest.raises(DataError, match="no readable picture"):
        cut(samples, tmp_path)
