"""The card of a video, and its PDF of one page, whose text can be read back."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from project import ROOT
from pypdf import PdfReader

from deepfake_detect import Detector
from deepfake_detect.report import card_texts, video_report
from deepfake_detect.report.card import zones
from deepfake_detect.report.card_texts import FACTS
from deepfake_detect.report.printable import Film, video_result
from deepfake_detect.report.sentences import explain_video, face_name
from deepfake_detect.report.video_card import ADVICE, UNSURE_WHY, video_card
from deepfake_detect.report.video_error import NOT_MEASURED, video_error, video_rates
from deepfake_detect.report.video_report import video_pdf
from deepfake_detect.verdict import Reason, suspicious
from deepfake_detect.video.judge import judge_frames
from deepfake_detect.video.rule import VideoRule

pytestmark = pytest.mark.slow

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VIDEO = ROOT / "examples" / "videos" / "group_portraits.mp4"
RATES = dict.fromkeys(("fake", "real", "unsure"), "A rate.")


@pytest.fixture(scope="module")
def judged():
    detector = Detector(ROOT / "model.onnx")
    *_, (_, _, verdict) = judge_frames(detector, VIDEO, with_stability=True)
    return {"film": Film.of("group.mp4", VIDEO), "verdict": verdict, "model": detector.model, "when": WHEN}


def document_of(data: bytes) -> PdfReader:
    document = PdfReader(io.BytesIO(data))
    assert [[round(float(side)) for side in page.mediabox[2:]] for page in document.pages] == [[595, 842]], "one of A4"
    return document


def text_of(data: bytes) -> str:
    return " ".join(document_of(data).pages[0].extract_text().split())


def test_everything_stands_on_the_page(judged):
    verdict, model = judged["verdict"], judged["model"]
    document = document_of(video_pdf(**judged, address="https://example.org/page"))
    text = " ".join(document.pages[0].extract_text().split())
    card = video_card(verdict, VideoRule.of(model.metadata).unsure_band, video_rates(model.sha256))
    first = next(iter(verdict.stability))
    for said in (
        card.headline, card.said, card.gauge.words, card.why, card.error_rate, video_error(model.sha256), "4.0",
        "seconds", f"Does it hold? Face {first}", *(again.name for again in verdict.stability[first].rescores),
        "group.mp4", card_texts.BYTES.format(VIDEO.stat().st_size), judged["film"].sha256, model.sha256,
        model.metadata.recipe, "2026-01-02 03:04:05 +0000", "https://example.org/page", "it recognises nobody",
    ):  # fmt: skip
        assert said in text, said
    for face in verdict.faces:
        assert f"{face_name(face.number, face.label)}, at {face.key_seconds:.1f} s" in text
    assert text.index(card.said) < text.index(FACTS) < text.index(model.sha256), "in the order of reading"
    assert len(document.pages[0].images) == len(verdict.faces) == 3
    assert document.metadata.title.endswith("group.mp4") and document.trailer["/Root"]["/Lang"] == "en"


def test_the_same_result_and_date_make_the_same_bytes(judged):
    assert video_pdf(**judged) == video_pdf(**judged)
    assert video_pdf(**judged) != video_pdf(**judged | {"when": WHEN.replace(year=2027)})


def test_a_video_without_a_face_or_of_one_frame_has_a_page_too(judged):
    verdict = judged["verdict"]
    bare = replace(verdict, faces=(), stills=(), stability={}, timeline=(), label="unsure",
                   reasons=(Reason("no_face", "No face."),))  # fmt: skip
    document = document_of(video_pdf(**judged | {"verdict": bare}))
    text = document.pages[0].extract_text()
    assert card_texts.HEADLINES["no_face"] in text and "in 100 that it is fake" not in text
    assert not document.pages[0].images
    short = replace(verdict, timeline=verdict.timeline[:1], seconds=0.0, stability={})
    seen = {observed.face for observed in short.timeline[0].faces}
    kept = [place for place, face in enumerate(verdict.faces) if face.number in seen]
    short = replace(short, faces=tuple(verdict.faces[n] for n in kept), stills=tuple(verdict.stills[n] for n in kept))
    assert "0.0 seconds" in text_of(video_pdf(**judged | {"verdict": short}))


def test_more_faces_than_have_room_are_told_of(judged):
    verdict = judged["verdict"]
    faces = tuple(replace(face, number=face.number + 10 * n) for n in range(5) for face in verdict.faces)
    observed = tuple(
        replace(at, faces=tuple(replace(seen, face=seen.face + 10 * n) for n in range(5) for seen in at.faces))
        for at in verdict.timeline
    )
    crowd = replace(verdict, faces=faces, timeline=observed, stills=verdict.stills * 5)
    document = document_of(video_pdf(**judged | {"verdict": crowd}))
    assert "the 8 most suspicious of 15 faces" in document.pages[0].extract_text()
    assert len(document.pages[0].images) == 6


def test_the_json_says_all_of_it(judged):
    verdict, model = judged["verdict"], judged["model"]
    error = video_error(model.sha256)
    report = json.loads(json.dumps(video_result(judged["film"], verdict, error, model, WHEN)))
    assert report["video"] == {"name": "group.mp4", "sha256": judged["film"].sha256, "bytes": VIDEO.stat().st_size}
    assert report["verdict"] == json.loads(json.dumps(verdict.to_dict()))
    assert report["explanation"] == explain_video(verdict, error)
    assert [tested["number"] for tested in report["stability"]] == list(verdict.stability)
    assert report["model"]["sha256"] == model.sha256 and report["time"] == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize(("codes", "why"), [
    (["uncertain"], "uncertain"), (["uncertain", "contradicting_frames"], "contradicting_frames"),
    (["suspect_seldom_seen", "seldom_seen"], "suspect_seldom_seen"), (["uncertain", "seldom_seen"], "uncertain"),
])  # fmt: skip
def test_an_unsure_video_says_why_and_what_to_do(codes, why, judged):
    verdict = replace(
        judged["verdict"], label="unsure", p_fake=0.6, reasons=tuple(Reason(code, code) for code in codes)
    )
    card = video_card(verdict, (0.3, 0.9), RATES)
    assert (card.category, card.why, card.advice) == ("unsure", UNSURE_WHY[why], ADVICE)
    assert card.leaning == card_texts.LEANS["fake"] and card.gauge.chance == 0.6 and card.error_rate == "A rate."


def test_a_verdict_that_does_not_rest_on_the_score_shows_none(judged):
    unsure = replace(judged["verdict"], label="unsure", p_fake=0.1, reasons=(Reason("suspect_seldom_seen", ""),))
    card = video_card(unsure, (0.3, 0.9), RATES)
    assert card.gauge is None and card.leaning == ""
    nobody = tuple(replace(face, counts=False, label="unsure") for face in unsure.faces)
    seldom = replace(unsure, faces=nobody, reasons=(Reason("seldom_seen", ""),))
    assert video_card(seldom, (0.3, 0.9), RATES).why == UNSURE_WHY["seldom_seen"]


def test_the_rates_are_of_the_worse_split(tmp_path):
    row = {"clips": 20, "real": 10, "fake": 10, "decided": {"said_real": {"pictures": 8, "wrong": 1}, "said_fake": {
        "pictures": 7, "wrong": 2}}}  # fmt: skip
    worse = {"clips": 8, "real": 4, "fake": 4, "decided": {"said_real": {"pictures": 3, "wrong": 1}, "said_fake": {
        "pictures": 2, "wrong": 0}}}  # fmt: skip
    report = {"model": {"sha256": "abc"}, "splits": {"test": {"all": row}, "cross": {"all": worse}}}
    (tmp_path / "report.json").write_text(json.dumps(report))
    told = video_rates("abc", tmp_path)
    assert told["fake"].startswith("Of 10 real videos, 2 were called fake")
    assert told["real"].startswith("Of 4 fake videos, 1 passed as real")
    assert "to 3 of 8 videos" in told["unsure"]
    assert set(video_rates("other", tmp_path).values()) == {NOT_MEASURED}
    (tmp_path / "report.json").write_text('{"model": 5}')
    assert set(video_rates("abc", tmp_path).values()) == {NOT_MEASURED}


def test_a_split_without_real_videos_or_without_fakes_is_no_rate(tmp_path):
    def measured(**splits: dict) -> tuple[dict[str, str], str]:
        rows = {name: {"all": row} for name, row in splits.items()}
        (tmp_path / "report.json").write_text(json.dumps({"model": {"sha256": "abc"}, "splits": rows}))
        return video_rates("abc", tmp_path), video_error("abc", tmp_path)

    def row(real: int, fake: int) -> dict:
        alarms = {"rate": 0.0, "wrong": 0, "of": real} if real else None
        decided = {"coverage": 1.0, "accuracy": 1.0} if real + fake else {"coverage": 0.0, "accuracy": None}
        said = {"said_real": {"pictures": real, "wrong": 0}, "said_fake": {"pictures": fake, "wrong": 0}}
        return {"clips": real + fake, "real": real, "fake": fake, "false_alarms": alarms, "decided": decided | said}

    rates, error = measured(test=row(0, 4))
    assert rates["fake"] == NOT_MEASURED and rates["real"].startswith("Of 4 fake videos, 0 passed")
    assert "of 4 with people kept apart" in error and "called fake" not in error
    rates, error = measured(test=row(0, 4), cross=row(3, 0))
    assert rates["fake"].startswith("Of 3 real videos") and rates["real"].startswith("Of 4 fake videos")
    assert "0 of the 3 real ones called fake" in error
    rates, error = measured(test=row(0, 0))
    assert {*rates.values(), error} == {NOT_MEASURED}


def test_the_fake_among_the_examples_is_found_and_nobody_real_is_called_one(judged):
    """The middle one of the group is the fake, and the only one."""
    verdict, detector = judged["verdict"], Detector(ROOT / "model.onnx")
    worst, *others = suspicious(verdict.faces)
    assert verdict.label == worst.label == "fake"
    assert len(others) == 2 and {face.label for face in others} <= {"real", "unsure"}
    *_, (_, _, real) = judge_frames(detector, VIDEO.with_name("real_eileen_collins.mp4"))
    assert real.label in ("real", "unsure") and len(real.faces) == 1


def test_the_charts_in_print_are_on_the_scale_of_the_verdict_and_with_its_band(judged, monkeypatch):
    frames, bands = [], []
    monkeypatch.setattr(VideoRule, "frame_p_fake", lambda rule, p_fake: frames.append(rule) or 0.5)
    monkeypatch.setattr(video_report, "zones", lambda band: bands.append(band) or zones(band))
    monkeypatch.setattr(video_report.sheet, "stability_chart", lambda *words: bands.append(words[-1]))
    video_pdf(**judged)
    rule = VideoRule.of(judged["model"].metadata)
    assert rule.unsure_band != judged["model"].metadata.unsure_band
    assert set(frames) == {rule} and set(bands) == {rule.unsure_band} and len(bands) == 3
