"""What is said of faces that are small, enlarged or blurred."""

import csv

import numpy as np
import pytest
from PIL import Image, ImageFilter

from detect.picture import open_reduced
from detect.quality import face_warnings, joined
from detect.stability import compressed


def test_a_good_portrait_has_no_warnings(by_colour, portrait):
    assert by_colour.predict([portrait])[0].reasons == ()


def test_a_small_face_is_warned_of(by_colour, person):
    canvas = Image.new("RGB", (500, 400), (120, 120, 120))
    canvas.paste(Image.fromarray(person).resize((96, 112)), (200, 100))
    verdict = by_colour.predict([canvas])[0]
    left, top, right, bottom = verdict.faces[0].box
    assert len(verdict.reasons) == 1 and verdict.label == "fake"
    assert f"only {max(right - left, bottom - top)} pixels" in verdict.reasons[0]


@pytest.mark.parametrize("quality", [None, 90])
def test_an_enlarged_face_is_warned_of(by_colour, person, quality):
    enlarged = Image.fromarray(person).resize((4 * person.shape[1], 4 * person.shape[0]), Image.Resampling.BICUBIC)
    enlarged = enlarged if quality is None else compressed(np.asarray(enlarged), quality)
    assert not by_colour.predict([person])[0].reasons
    (reason,) = by_colour.predict([enlarged])[0].reasons
    assert "enlarged" in reason


def test_most_enlarged_research_pictures_are_warned_of_and_few_others(by_colour, faces_data):
    rows = [row for row in csv.DictReader((faces_data / "manifest.csv").open()) if row["split"] == "val"]
    pictures = [Image.open(faces_data / row["path"]) for row in rows[:: len(rows) // 60]]
    larger = [compressed(np.asarray(p.resize((3 * p.width, 3 * p.height), Image.Resampling.BICUBIC)), 90)
              for p in pictures]  # fmt: skip
    warned = [
        sum(any("enlarged" in reason or "blurred" in reason for reason in verdict.reasons) for verdict in verdicts)
        for verdicts in (by_colour.predict(pictures), by_colour.predict(larger))
    ]
    assert warned[0] <= 0.1 * len(pictures) and warned[1] >= 0.75 * len(pictures)


def test_several_small_faces_are_warned_of_in_one_sentence():
    boxes = [(0, 0, 34, 30), (40, 0, 90, 59), (100, 0, 300, 200)]
    picture = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    warnings = [face_warnings(open_reduced(picture, None), box, picture[:96, :96]) for box in boxes]
    assert joined(boxes[:1], warnings[:1]) == ["A face is only 34 pixels large; under 64 the score says little."]
    assert joined(boxes, warnings) == ["2 faces are smaller than 64 pixels (34 to 59); on them the score says little."]


def test_a_blurred_face_is_warned_of(by_colour, person):
    blurred = Image.fromarray(person).filter(ImageFilter.GaussianBlur(5))
    verdict = by_colour.predict([blurred])[0]
    assert len(verdict.faces) == 1
    assert len(verdict.reasons) == 1 and "blurred" in verdict.reasons[0]


def test_a_warning_on_several_faces_is_given_once(by_colour, person):
    blurred = np.asarray(Image.fromarray(person).filter(ImageFilter.GaussianBlur(5)))
    verdict = by_colour.predict([np.hstack([blurred, blurred])])[0]
    assert len(verdict.faces) == 2
    assert [("blurred" in reason) for reason in verdict.reasons] == [True]
