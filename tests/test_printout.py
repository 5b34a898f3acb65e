"""The result to keep: everything in the JSON report, and a page on which the answer and the faces can be seen."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from conftest import ROOT
from PIL import ImageColor

from detect import Detector, open_picture
from detect.claims import Claim
from detect.explain import explain
from detect.printout import HEIGHT, MARGIN, WIDTH, printout, result
from detect.show import COLOURS
from detect.stability import examine

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def judged():
    detector = Detector(ROOT / "model.onnx")
    picture = open_picture(ROOT / "examples" / "group_portraits.jpg")
    return detector.model, picture, *examine(detector, picture)


def test_the_report_says_all_of_it(judged):
    model, _, verdict, stability = judged
    claims = (Claim("camera", "EXIF", "A camera"),)
    report = json.loads(json.dumps(result(verdict, stability, claims, model, WHEN)))
    assert report["verdict"] == json.loads(json.dumps(verdict.to_dict()))
    assert report["explanation"] == explain(verdict, model.metadata)
    assert [len(tested["rescores"]) for tested in report["stability"]] == [6] * len(verdict.faces)
    assert report["claims"] == [{"kind": "camera", "source": "EXIF", "text": "A camera"}] and report["claims_caveat"]
    assert report["model"]["sha256"] == model.sha256 and report["time"] == "2026-01-02T03:04:05+00:00"


def has(page, colour: str, rows: slice) -> bool:
    return bool((np.asarray(page)[rows] == ImageColor.getrgb(colour)).all(axis=-1).any())


def test_the_page_shows_answer_picture_and_model(judged):
    model, picture, verdict, stability = judged
    page = printout(picture, verdict, stability, model, WHEN)
    assert page.size == (WIDTH, HEIGHT)
    assert has(page, COLOURS[verdict.label], slice(MARGIN, MARGIN + 60))
    for face in verdict.faces:
        assert has(page, COLOURS[face.label], slice(MARGIN + 80, HEIGHT))
    written = np.asarray(page.convert("L")) < 200
    assert written[HEIGHT - MARGIN : HEIGHT - MARGIN + 30].any() and not written[HEIGHT - 30 :].any()
    assert not written[:, : MARGIN - 2].any() and not written[:, WIDTH - MARGIN + 2 :].any()


def test_too_much_to_say_is_cut_off_above_the_foot(judged):
    model, picture, verdict, stability = judged
    tall = np.repeat(np.repeat(picture, 6, axis=0), 2, axis=1)
    wordy = replace(verdict, reasons=("Words, words and more words. " * 12,) * 9)
    page = np.asarray(printout(tall, wordy, stability, model, WHEN).convert("L"))
    assert (page[HEIGHT - MARGIN - 25 : HEIGHT - MARGIN] == 255).all()
