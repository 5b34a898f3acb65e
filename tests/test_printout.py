"""The result to keep: everything in the JSON report, and a page on which the answer and the faces can be seen."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from conftest import ROOT
from PIL import ImageColor

from detect import Detector, open_picture
from detect.claims import CREDENTIALS, Claim
from detect.explain import explain
from detect.model import in_band
from detect.printout import HEIGHT, MARGIN, WIDTH, Picture, printout, result
from detect.show import COLOURS, FRAMES
from detect.stability import examine

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def judged():
    detector = Detector(ROOT / "model.onnx")
    file = ROOT / "examples" / "group_portraits.jpg"
    picture = open_picture(file)
    return detector.model, picture, Picture.of("group.jpg", file.read_bytes(), picture), *examine(detector, picture)


def test_the_report_says_all_of_it(judged):
    model, picture, facts, verdict, stability = judged
    claims = (Claim("camera", "EXIF", "A camera"),)
    report = json.loads(json.dumps(result(facts, verdict, stability, claims, model, WHEN)))
    height, width = picture.shape[:2]
    digest = hashlib.sha256((ROOT / "examples" / "group_portraits.jpg").read_bytes()).hexdigest()
    assert report["picture"] == {"name": "group.jpg", "sha256": digest, "width": width, "height": height}
    said, faces = json.loads(json.dumps(verdict.to_dict())), report["verdict"]["faces"]
    assert {**report["verdict"], "faces": 0} == {**said, "faces": 0}
    assert [face.pop("number") for face in faces] == [1, 2, 3] == [t["number"] for t in report["stability"]]
    assert faces == sorted(said["faces"], key=lambda face: -face["p_fake"])
    assert report["explanation"] == explain(verdict, model.metadata)
    looks = [5 if in_band(face["p_fake"], model.metadata.unsure_band) else 6 for face in faces]
    assert [len(tested["rescores"]) for tested in report["stability"]] == looks
    assert report["claims"] == [{"kind": "camera", "source": "EXIF", "text": "A camera"}] and report["claims_caveat"]
    assert report["model"]["sha256"] == model.sha256 and report["time"] == "2026-01-02T03:04:05+00:00"


def has(page, colour: str, rows: slice) -> bool:
    return bool((np.asarray(page)[rows] == ImageColor.getrgb(colour)).all(axis=-1).any())


def test_the_page_shows_answer_picture_and_model(judged):
    model, picture, facts, verdict, stability = judged
    page = printout(picture, facts, verdict, stability, (), model, WHEN)
    assert page.size == (WIDTH, HEIGHT)
    assert has(page, COLOURS[verdict.label], slice(MARGIN, MARGIN + 60))
    for face in verdict.faces:
        assert has(page, FRAMES[face.label], slice(MARGIN + 80, HEIGHT))
    written = np.asarray(page.convert("L")) < 200
    assert written[HEIGHT - MARGIN : HEIGHT - MARGIN + 30].any() and not written[HEIGHT - 30 :].any()
    assert not written[:, : MARGIN - 2].any() and not written[:, WIDTH - MARGIN + 2 :].any()


def test_too_much_to_say_is_cut_off_above_the_foot(judged):
    model, picture, facts, verdict, stability = judged
    tall = np.repeat(np.repeat(picture, 6, axis=0), 2, axis=1)
    wordy = replace(verdict, reasons=("Words, words and more words. " * 12,) * 9)
    page = np.asarray(printout(tall, facts, wordy, stability, (), model, WHEN).convert("L"))
    assert (page[HEIGHT - MARGIN - 25 : HEIGHT - MARGIN] == 255).all()


def test_what_the_file_says_of_ai_stands_in_the_explanation_and_on_the_page(judged):
    model, picture, facts, verdict, stability = judged
    claims = (Claim("generator", "PNG text", "settings of ComfyUI"), Claim("credentials", "C2PA", CREDENTIALS))
    report = result(facts, verdict, stability, claims, model, WHEN)
    assert "settings of ComfyUI" in report["explanation"][0] and "not proof" in report["explanation"][0]
    assert report["explanation"][1:] == explain(verdict, model.metadata, claims[1:])  # credentials alone are not of AI
    silent, claiming = (printout(picture, facts, verdict, stability, said, model, WHEN) for said in ((), claims))
    assert silent != claiming


def test_a_small_picture_is_enlarged_and_a_long_name_stays_on_the_page(judged):
    model, picture, facts, verdict, stability = judged
    small = picture[::4, ::4]
    faces = tuple(replace(face, box=tuple(edge // 4 for edge in face.box)) for face in verdict.faces)
    page = np.asarray(
        printout(small, replace(facts, name="n" * 200), replace(verdict, faces=faces), stability, (), model, WHEN)
    )
    coloured = np.ptp(page.astype(int), axis=-1) > 60
    assert np.flatnonzero(coloured[250:500].any(axis=0)).max() > 2.5 * small.shape[1]
    assert (page[:, WIDTH - MARGIN + 2 :] == 255).all()
