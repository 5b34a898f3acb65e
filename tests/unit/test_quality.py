"""What is said of faces that are small, enlarged or blurred."""

import csv

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deepfake_detect.crowd import SMALL
from deepfake_detect.evidence.robustness import compressed
from deepfake_detect.face.quality import BLURRED, ENLARGED, face_warnings, joined
from deepfake_detect.picture.decode import open_downscaled


def test_a_good_portrait_has_no_warnings(by_colour, portrait):
    assert by_colour.predict([portrait])[0].reasons == ()


def test_a_small_face_is_warned_of(by_colour, person):
    canvas = Image.new("RGB", (500, 400), (120, 120, 120))
    canvas.paste(Image.fromarray(person).resize((96, 112)), (200, 100))
    verdict = by_colour.predict([canvas])[0]
    _, top, _, bottom = verdict.faces[0].box
    assert verdict.label == verdict.faces[0].label == "unsure" and verdict.p_fake > 0.99
    assert verdict.reasons[0] == SMALL and [reason.code for reason in verdict.reasons] == ["face_too_small"] * 2
    assert verdict.reasons[1].text == f"A face is only {bottom - top} pixels large; under 64 the score says little."


@pytest.mark.parametrize("quality", [None, 90])
def test_an_enlarged_face_is_warned_of(by_colour, person, quality):
    enlarged = Image.fromarray(person).resize((4 * person.shape[1], 4 * person.shape[0]), Image.Resampling.BICUBIC)
    enlarged = enlarged if quality is None else compressed(np.asarray(enlarged), quality)
    assert not by_colour.predict([person])[0].reasons
    (reason,) = by_colour.predict([enlarged])[0].reasons
    assert reason == ENLARGED


def test_most_enlarged_research_pictures_are_warned_of_and_few_others(by_colour, faces_data):
    rows = [row for row in csv.DictReader((faces_data / "manifest.csv").open()) if row["split"] == "val"]
    pictures = [Image.open(faces_data / row["path"]) for row in rows[:: len(rows) // 60]]
    larger = [compressed(np.asarray(p.resize((3 * p.width, 3 * p.height), Image.Resampling.BICUBIC)), 90)
              for p in pictures]  # fmt: skip
    warned = [
        sum(not {BLURRED, ENLARGED}.isdisjoint(verdict.reasons) for verdict in verdicts)
        for verdicts in (by_colour.predict(pictures), by_colour.predict(larger))
    ]
    assert warned[0] <= 0.1 * len(pictures) and warned[1] >= 0.75 * len(pictures)


def test_several_small_faces_are_warned_of_in_one_sentence():
    boxes = [(0, 0, 34, 30), (40, 0, 90, 59), (100, 0, 300, 200)]
    picture = np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    warnings = [face_warnings(open_downscaled(picture, None), box, picture[:96, :96]) for box in boxes]
    alone, several = joined(boxes[:1], warnings[:1]), joined(boxes, warnings)
    assert [str(reason) for reason in alone] == ["A face is only 34 pixels large; under 64 the score says little."]
    said = "2 faces are smaller than 64 pixels (34 to 59); on them the score says little."
    assert [str(reason) for reason in several] == [said] and several[0].code == "face_too_small"


def test_a_blurred_face_is_warned_of(by_colour, person):
    blurred = Image.fromarray(person).filter(ImageFilter.GaussianBlur(5))
    verdict = by_colour.predict([blurred])[0]
    assert len(verdict.faces) == 1
    assert verdict.reasons == (BLURRED,)


def test_a_warning_on_several_faces_is_given_once(by_colour, person):
    blurred = np.asarray(Image.fromarray(person).filter(ImageFilter.GaussianBlur(5)))
    verdict = by_colour.predict([np.hstack([blurred, blurred])])[0]
    assert len(verdict.faces) == 2
    assert verdict.reasons == (BLURRED,)
