"""The crop cache: cut once, cut again when anything it depends on has changed, and honest about what it skipped."""

import os
import re

import numpy as np
import pytest
from conftest import make_faces
from PIL import Image

from detect.crop import crop_face
from detect.faces import FaceFinder
from detect.picture import open_picture
from train.crops import Framing, cached_crops
from train.data import DataError, Sample

FRAMING = Framing(size=48, margin=0.3, resampling="bilinear")


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
    return cached_crops(samples, framing, tmp_path / "crops", "train")


def test_crops_are_what_the_run_time_cuts(samples, tmp_path):
    crops = cut(samples, tmp_path)
    assert crops.pixels.shape == (7, 48, 48, 3) and crops.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    picture = open_picture(samples[2].path)
    box = FaceFinder().find(picture)[0].box
    assert np.array_equal(crops.pixels[2], crop_face(picture, box, 0.3, 48, "bilinear"))


def test_faceless_and_broken_pictures_are_counted_and_named(samples, tmp_path, capsys):
    crops = cut(samples, tmp_path)
    output = capsys.readouterr().out
    with_face = [FaceFinder().find(open_picture(path)) for path in crops.paths]
    faceless = sum(not faces for faces in with_face)
    assert faceless >= 1 and f"studio: no face in {faceless} of 7" in output
    assert re.search(r"skipped .*fake/001\.png: This is not a picture", output) and "7 pictures, 1 skipped" in output
    assert "fake/001.png" in (tmp_path / "crops" / "train_skipped.csv").read_text()
    assert np.array_equal(crops.pixels[0], crop_face(open_picture(samples[0].path), None, 0.3, 48, "bilinear"))


def test_the_same_pictures_are_cut_once(samples, tmp_path, capsys):
    first = cut(samples, tmp_path)
    capsys.readouterr()
    again = cut(samples, tmp_path)
    assert capsys.readouterr().out == "" and np.array_equal(first.pixels, again.pixels)


def test_a_changed_picture_or_framing_is_cut_again(samples, tmp_path, capsys):
    cut(samples, tmp_path)
    capsys.readouterr()
    Image.new("RGB", (90, 90), "white").save(samples[3].path)
    os.utime(samples[3].path, ns=(1, 1))
    changed = cut(samples, tmp_path)
    assert "7 pictures" in capsys.readouterr().out and changed.pixels[3].min() == 255
    assert cut(samples, tmp_path, Framing(32, 0.3, "bilinear")).pixels.shape == (7, 32, 32, 3)


def test_a_class_without_a_readable_picture_ends_in_a_sentence(samples, tmp_path):
    for sample in samples:
        if sample.label:
            sample.path.write_bytes(b"not a picture")
    with pytest.raises(DataError, match="no readable picture"):
        cut(samples, tmp_path)
