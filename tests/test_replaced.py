"""A visitor who is quicker than the server: what belongs to one picture is never shown with another."""

import re
import time
from pathlib import Path
from threading import Event

import gradio as gr
import pytest
from conftest import ROOT
from gradio import SelectData
from servers import free_port
from waiting import wait_until

import app
from detect import Detector
from detect.explain import holds
from detect.heatmap import occlusion_map
from detect.stability import Rescore, Stability
from page import many, photographs, runs
from page.photographs import Photographs
from page.runs import RunEnded, Runs
from page.uploads import upload_folder

EXAMPLES = ROOT / "examples"
REAL, GROUP = EXAMPLES / "real_eileen_collins.jpg", EXAMPLES / "group_portraits.jpg"
VERDICT = re.compile("The image is|Not sure whether the image")


class Gated(Detector):
    """Judges no picture while its gate is closed, or fails."""

    begun, judged, error = 0, 0, None

    def __init__(self, model: Path):
        super().__init__(model)
        self.gate = Event()
        self.gate.set()

    def predict_one(self, picture):
        self.begun += 1
        assert self.gate.wait(60)
        if self.error:
            raise self.error
        verdict = super().predict_one(picture)
        self.judged += 1
        return verdict


@pytest.fixture(scope="module")
def gated_server(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        upload_folder()  # tells Gradio
        gated = Gated(ROOT / "model.onnx")
        demo = app.build(gated)
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_port=free_port(), **app.LAUNCH)
        yield gated, url
        demo.close()


@pytest.fixture
def page(gated_server, browser):
    gated, url = gated_server
    gated.begun, gated.judged, gated.error = 0, 0, None
    page = browser.new_page()
    page.set_default_timeout(30_000)
    page.goto(url)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    yield page
    page.close()
    gated.gate.set()  # for what is still at work


@pytest.fixture
def gated(gated_server):
    return gated_server[0]


def upload(page, file):
    page.set_input_files("#photo input[type=file]", file)


def replace(page, file):
    """Drop another photograph on the one that is there."""
    page.get_by_role("button", name="Remove Image").click()
    upload(page, file)


def said(page):
    return page.locator("#headline h2").get_by_text(VERDICT)


def test_nothing_of_a_photograph_stands_beside_the_next(page, gated):
    upload(page, REAL)
    page.locator("#evidence").wait_for()
    gated.gate.clear()
    replace(page, GROUP)
    page.locator("#headline h2").get_by_text("Judging the photograph").wait_for()
    for part in ("#label", "#faces", "#evidence"):
        assert not page.locator(part).is_visible()
    assert "found" not in page.inner_text("#why")
    gated.gate.set()
    said(page).wait_for()
    assert "3 faces were found" in page.inner_text("#why")
    page.locator("#evidence").wait_for()


def test_the_last_of_several_photographs_has_the_last_word(page, gated):
    gated.gate.clear()
    upload(page, REAL)
    wait_until(lambda: gated.begun)
    replace(page, GROUP)
    gated.gate.set()
    said(page).wait_for()
    assert "3 faces were found" in page.inner_text("#why")
    page.locator("#evidence").wait_for()
    wait_until(lambda: gated.judged == 2)
    page.wait_for_timeout(1000)
    assert "3 faces were found" in page.inner_text("#why") and page.locator("#evidence").is_visible()


def test_a_photograph_that_was_removed_leaves_nothing(page, gated):
    gated.gate.clear()
    upload(page, REAL)
    wait_until(lambda: gated.begun)
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#headline h2").wait_for(state="detached")
    gated.gate.set()
    wait_until(lambda: gated.judged == 1)
    page.wait_for_timeout(1000)
    assert page.locator("#headline h2").count() == 0 and not page.locator("#evidence").is_visible()


def test_a_failure_of_the_server_takes_the_earlier_verdict_away(page, gated):
    upload(page, REAL)
    page.locator("#evidence").wait_for()
    gated.error = MemoryError()
    replace(page, GROUP)
    page.locator("#headline h2").get_by_text("could not be judged").wait_for()
    assert "The server is busy or could not go on" in page.inner_text("#why")
    assert not page.locator("#evidence").is_visible() and not page.locator("#label").is_visible()
    gated.error = None
    replace(page, REAL)
    said(page).wait_for()


def test_the_face_that_was_chosen_last_is_shown(page, monkeypatch):
    def slowly(model, crop):
        time.sleep(2)
        return occlusion_map(model, crop)

    monkeypatch.setattr(photographs, "occlusion_map", slowly)
    upload(page, GROUP)
    said(page).wait_for()
    page.locator("#pick label").nth(2).click()
    page.get_by_role("button", name="Does the score hold?").click()
    page.locator("#holds").get_by_text(re.compile("^Face 3: ")).wait_for()
    page.wait_for_timeout(3000)
    assert page.inner_text("#holds").startswith("Face 3: ")


def test_pictures_that_were_removed_at_the_end_leave_nothing(page, monkeypatch, tmp_path):
    began = []

    def slowly(album, folder, write=many._csv_file):
        began.append(1)
        time.sleep(3)
        return write(album, folder)

    monkeypatch.setattr(many, "_csv_file", slowly)
    page.get_by_role("tab", name="Many").click()
    page.set_input_files("#many input[type=file]", [REAL, GROUP])
    while not began:
        page.wait_for_timeout(50)
    page.locator("#many").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#many-headline h2").wait_for(state="detached")
    page.wait_for_timeout(4000)
    assert page.locator("#many-headline h2").all_inner_texts() == []
    assert not page.locator("#many-table").is_visible()


def test_albums_that_fail_can_be_judged_again(page, monkeypatch):
    monkeypatch.setattr(many, "_csv_file", None)  # whatever else may break
    page.get_by_role("tab", name="Many").click()
    page.set_input_files("#many input[type=file]", [REAL, GROUP])
    page.locator("#many-headline h2").get_by_text("could not be judged").wait_for()
    monkeypatch.undo()
    page.get_by_role("button", name="Judge them again").click()
    page.locator("#many-headline h2").get_by_text("2 files:").wait_for()


# The events themselves


def skipped(values):
    return all(value == gr.skip() for value in values)


def test_evidence_is_of_the_newest_photograph_only(detector):
    events = Photographs(detector)
    *_, begun = events.begin(str(REAL), None)
    *_, judged, choice = events.show(begun)
    assert choice == (begun[0], 0)
    claims, report, sheet, behind, whole = events.evidence(judged)
    assert claims and Path(report).is_file() and Path(sheet).is_file() and behind["visible"] and whole["visible"]
    assert events.face_evidence(judged, choice)[2].startswith("Face 1: ")
    assert skipped(events.settle(begun, judged))

    *_, newer = events.begin(str(GROUP), begun)
    assert skipped(events.show(begun)) and skipped(events.evidence(judged))
    assert skipped(events.face_evidence(judged, choice))
    assert "Judging" in events.settle(newer, judged)[0] and events.settle(None, judged)[0] == ""
    *_, other, _ = events.show(newer)
    assert events.face_evidence(other, choice)[2] == ""  # a choice among the faces of another picture
    chosen = [events.choose(other, SelectData(None, {"index": index, "value": ""})) for index in (2, 3, -1, "0", None)]
    assert chosen[0] == (newer[0], 2) and skipped(chosen[1:])
    assert events.face_evidence(other, chosen[0])[2].startswith("Face 3: ")
    assert events.look(other, chosen[0])[2].startswith("**Face 3: ")
    assert skipped(events.look(judged, choice)) and skipped(events.look(other, choice))
    spots = [events.point(other, SelectData(None, {"index": spot, "value": None})) for spot in ([0, 0], 5, ["a", 1])]
    assert all(map(skipped, spots))
    assert skipped(events.show(None)) and skipped(events.evidence(None))


def test_an_upload_that_is_gone_is_said_to_be(detector, tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(REAL.read_bytes())
    events = Photographs(detector)
    *_, begun = events.begin(str(file), None)
    *_, judged, choice = events.show(begun)
    file.unlink()
    assert "was deleted" in events.evidence(judged)[0]
    assert "was deleted" in events.face_evidence(judged, choice)[2]
    assert "was deleted" in events.show(begun)[2]
    events.begin(str(REAL), begun)
    assert skipped(events.show(begun))  # nor does the failure of an earlier one stand beside the next


def test_a_face_that_was_tried_late_has_kept_its_verdict(detector):
    (verdict,) = detector.predict([REAL])
    flips = Stability(verdict.faces[0], (Rescore("mirrored", 0.9, "fake"), Rescore("JPEG quality 50", 0.1, "real")))
    decided = Stability(type(verdict.faces[0])((0, 0, 200, 200), 1.0, 0.95, "fake"), flips.rescores)
    assert "this face is “Not sure”" in holds(decided) and "has kept its verdict" in holds(decided, counted=False)


def test_runs_are_told_apart_and_the_oldest_forgotten(monkeypatch):
    registry = Runs()
    first, second = registry.open(), registry.open()
    registry.check(first)
    assert first != second and registry.stop(first)
    with pytest.raises(RunEnded, match="stopped"):
        registry.check(first)
    later = time.monotonic() + runs.KEEP_MINUTES * 60 + 1
    monkeypatch.setattr(runs.time, "monotonic", lambda: later)
    third = registry.open()
    with pytest.raises(RunEnded, match="replaced"):
        registry.check(second)
    registry.check(third)
