"""The PDF of a photograph's result: one page, whose text can be read back, with everything on it."""

import io
import logging
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from project import ROOT
from pypdf import PdfReader

from deepfake_detect import Detector
from deepfake_detect.evidence.occlusion import occlusion_map
from deepfake_detect.picture.decode import open_downscaled
from deepfake_detect.picture.provenance import Claim
from deepfake_detect.report import heat_texts
from deepfake_detect.report import pdf_report as module
from deepfake_detect.report.card import card_of, shipped_rates
from deepfake_detect.report.card_texts import FACTS
from deepfake_detect.report.paper import FONT, INK, Paper
from deepfake_detect.report.pdf_report import pdf_report
from deepfake_detect.report.printable import Picture
from deepfake_detect.report.sentences import CAVEAT, CREDENTIALS_WORTH, NO_CLAIMS
from deepfake_detect.report.sheet import MORE
from deepfake_detect.verdict import Reason, suspicious

pytestmark = pytest.mark.slow

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GROUP = ROOT / "examples" / "group_portraits.jpg"


@pytest.fixture(scope="module")
def judged():
    detector = Detector(ROOT / "model.onnx")
    verdict, stability, crops = detector.examine(GROUP, with_stability=True)
    facts = Picture.of("group.jpg", GROUP.read_bytes(), crops.picture)
    number = verdict.faces.index(suspicious(verdict.faces)[0])
    heat = crops.crops[number], occlusion_map(detector.model, crops.crops[number])
    return {"picture": crops.picture, "facts": facts, "verdict": verdict, "stability": stability, "claims": (),
            "model": detector.model, "when": WHEN, "heat": heat}  # fmt: skip


def page_of(data: bytes):
    document = PdfReader(io.BytesIO(data))
    (page,) = document.pages
    assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842], "A4"
    return page


def text_of(data: bytes) -> str:
    return " ".join(page_of(data).extract_text().split())


def test_everything_stands_on_the_page(judged):
    verdict, model, stability = judged["verdict"], judged["model"], judged["stability"]
    text = text_of(pdf_report(**judged, address="https://example.org/page"))
    place = [face.box for face in suspicious(verdict.faces)].index(stability[0].face.box)
    card = card_of(verdict, model.metadata.unsure_band, shipped_rates(model.sha256), stability)
    for said in (
        card.headline, card.said, card.gauge.words, card.why, card.error_rate,
        *map(str, verdict.reasons), "What the score of face 1 reacted",
        f"Does it hold? Face {place + 1}", *(again.name for again in
        stability[0].rescores), NO_CLAIMS, "group.jpg", "768 x 342", judged["facts"].sha256, model.metadata.recipe,
        model.sha256, "2026-01-02 03:04:05 +0000", "https://example.org/page", "it recognises nobody",
    ):  # fmt: skip
        assert said in text, said
    assert text.index(card.said) < text.index(FACTS) < text.index(model.sha256), "in the order of reading"


def test_picture_and_map_are_on_the_page_with_a_text_for_those_who_do_not_see_them(judged):
    data = pdf_report(**judged)
    wide, square = sorted((image.image.size for image in page_of(data).images), key=lambda size: -size[0])
    assert wide[0] / wide[1] == pytest.approx(768 / 342, rel=0.01) and square[0] == square[1]
    document = PdfReader(io.BytesIO(data))
    assert document.trailer["/Root"]["/Lang"] == "en" and document.metadata.title.endswith("group.jpg")
    told = {str(item.get_object().get("/Alt")) for item in document.trailer["/Root"]["/StructTreeRoot"]["/K"][0]["/K"]}
    assert told == {module.PICTURE_ALT, heat_texts.ALT}


def test_the_same_result_and_date_make_the_same_bytes(judged):
    assert pdf_report(**judged) == pdf_report(**judged)
    assert pdf_report(**judged) != pdf_report(**judged | {"when": WHEN.replace(year=2027)})


def test_the_map_is_computed_where_it_is_not_given(judged):
    assert pdf_report(**judged) == pdf_report(**judged | {"heat": None})


@pytest.mark.parametrize(("largest", "said"), [
    (0.2, heat_texts.FAINT), (-3.0, heat_texts.DISAGREES), (3.0, ""),
])  # fmt: skip
def test_where_the_map_does_not_show_what_a_fake_rests_on_that_is_said(largest, said, judged):
    """As beside the map on the page."""
    assert suspicious(judged["verdict"].faces)[0].label == "fake"
    map_ = np.zeros((7, 7))
    map_[3, 3] = largest
    text = text_of(pdf_report(**judged | {"heat": (judged["heat"][0], map_)}))
    assert [sentence for sentence in (heat_texts.FAINT, heat_texts.DISAGREES) if sentence in text] == [said] * bool(
        said
    )


def test_bold_letters_end_with_their_text():
    """Whatever the colour of the last shape was."""
    paper = Paper("", "", "", WHEN)
    paper.bar(0, 0, 1, 1, INK)
    paper.write("bold", 10, bold=True)
    paper.write("plain", 10)
    (page,) = PdfReader(io.BytesIO(paper.encoded())).pages
    drawn = page.get_contents().get_data()
    assert drawn.count(b" Tr") == 1 and b"Q" in drawn[drawn.index(b" Tr") :]


@pytest.mark.parametrize(("name", "told"), [
    ("Größe Łódź.jpg", "Größe Łódź.jpg"), ("Ελληνικά.jpg", "Ελληνικά.jpg"), ("Привет.jpg", "Привет.jpg"),
    ("شكل.jpg", "شكل"), ("عکس خانوادگی.jpg", "عکس خانوادگی"), ("חתול.jpg", "חתול"), ("e\u0301.jpg", "é.jpg"),
    ("全家福.jpg", "QuanJiaFu.jpg (written in Latin letters here)"), ("हिन्दी.jpg", "hindi.jpg"),
    ("👍🏽.jpg", ".jpg"), ("a\u202eb\x1b\udcff.jpg", r"a\u202eb\x1b\xff.jpg"), ("n" * 300, "n" * 80),
])  # fmt: skip
def test_names_are_readable_in_every_script(name, told, judged, caplog):
    with caplog.at_level(logging.WARNING):
        text = text_of(pdf_report(**judged | {"facts": replace(judged["facts"], name=name)}))
    assert told in text and judged["model"].sha256 in text
    assert not caplog.records, "a sign that the font lacks is told, and printed as a box"


def test_persian_letters_are_joined_and_run_from_the_right():
    paper = Paper("", "", "", WHEN)
    assert paper.width("عکس", 12) < 0.9 * sum(paper.width(letter, 12) for letter in "عکس")
    assert paper.width("abc", 12) == pytest.approx(sum(paper.width(letter, 12) for letter in "abc"))


def test_claims_stand_on_the_page_with_what_they_are_worth(judged):
    claims = (
        Claim("credentials", "C2PA", "not valid: the picture was changed after it was signed", "credentials_invalid"),
        Claim("software", "EXIF", "<b>GIMP</b> **2** 中", "software"),
    )
    text = text_of(pdf_report(**judged | {"claims": claims}))
    assert "Content Credentials (C2PA): not valid: the picture was changed after it was signed" in text
    assert "Software (EXIF): <b>GIMP</b> **2** Zhong" in text
    assert CAVEAT in text and CREDENTIALS_WORTH["credentials_invalid"] in text


def test_too_much_to_say_is_left_out_above_the_foot_and_that_is_said(judged):
    picture = judged["picture"]
    tall = open_downscaled(np.repeat(np.repeat(picture.pixels, 6, axis=0), 2, axis=1), None)
    wordy = replace(judged["verdict"], reasons=(Reason("blurred", "Words, words and more words. " * 12),) * 9)
    claims = (Claim("software", "EXIF", "word " * 24, "software"),) * 40
    text = text_of(pdf_report(**judged | {"picture": tall, "verdict": wordy, "claims": claims}))
    assert text.count(MORE) == 2 and judged["model"].sha256 in text and "Does it hold?" in text


def test_a_picture_without_a_face_has_no_gauge_no_map_and_no_chart(judged):
    bare = replace(judged["verdict"], faces=(), label="unsure", reasons=(Reason("no_face", "No face."),))
    data = pdf_report(**judged | {"verdict": bare, "stability": ()})
    text = text_of(data)
    assert "No face was found" in text and "in 100 that it is fake" not in text and "Does it hold?" not in text
    assert len(page_of(data).images) == 1


def test_the_font_comes_with_its_licence():
    assert "Bitstream Vera" in (FONT.parent / "LICENSE_DEJAVU.txt").read_text(encoding="utf-8")
