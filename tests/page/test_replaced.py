"""A visitor who is quicker than the server: what belongs to one picture is never shown with another."""

import re
import time
from pathlib import Path
from threading import Event

import gradio as gr
import pytest
from gradio import SelectData
from photo_tab import remove
from project import ROOT
from servers import free_port
from tabs import photographs as photo_events
from waiting import LONG, wait_until
from watching_pages import whole

from deepfake_detect import Detector
from deepfake_detect.evidence.occlusion import occlusion_map
from deepfake_detect.evidence.robustness import Rescore, Stability
from deepfake_detect.report.sentences import holding
from page import app, runs, texts
from page.runs import RunEnded, Runs
from page.server.upload_folder import upload_folder
from page.tabs import album as many
from page.tabs import photo_result

EXAMPLES = ROOT / "examples"
REAL, GROUP = EXAMPLES / "real_eileen_collins.jpg", EXAMPLES / "group_portraits.jpg"


class Gated(Detector):
    """Judges no picture while its gate is closed, or fails."""

    def __init__(self, model: Path):
        super().__init__(model)
        self.gate = Event()
        self.gate.set()
        self.at_work = []
        self.forget()

    def forget(self):
        self.begun, self.judged, self.error = [], [], None

    def examine(self, *picture, **how):
        self.begun.append(picture)
        self.at_work.append(picture)
        try:
            assert self.gate.wait(LONG)
            if self.error:
                raise self.error
            examined = super().examine(*picture, **how)
            self.judged.append(picture)
            return examined
        finally:
            self.at_work.remove(picture)


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
    gated.forget()
    page = browser.new_page()
    page.goto(url)
    whole(page)
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
    remove(page)
    upload(page, file)


def said(page):
    return page.locator("#card article")


def test_nothing_of_a_photograph_stands_beside_the_next(page, gated):
    upload(page, REAL)
    page.locator("#evidence").wait_for()
    gated.gate.clear()
    replace(page, GROUP)
    page.locator("#card h2").get_by_text("Judging the photograph").wait_for()
    for part in ("#card figure", "#pick", "#evidence"):
        page.locator(part).wait_for(state="hidden")  # the browser says that it is judged before the server is asked
    gated.gate.set()
    said(page).wait_for()
    assert page.locator("#card .frame").count() == 3
    page.locator("#evidence").wait_for()


def test_the_last_of_several_photographs_has_the_last_word(page, gated):
    gated.gate.clear()
    upload(page, REAL)
    wait_until(lambda: gated.begun)
    replace(page, GROUP)
    gated.gate.set()
    page.locator("#card .frame").nth(2).wait_for()  # the first one's card may have come before the server heard of this
    page.locator("#evidence").wait_for()
    wait_until(lambda: len(gated.judged) >= 2 and not gated.at_work)
    page.wait_for_timeout(1000)
    assert page.locator("#card .frame").count() == 3 and page.locator("#evidence").is_visible()


def test_a_photograph_that_was_removed_leaves_nothing(page, gated):
    gated.gate.clear()
    upload(page, REAL)
    wait_until(lambda: gated.begun)
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    gated.gate.set()
    wait_until(lambda: gated.judged and not gated.at_work)
    page.wait_for_timeout(1000)
    assert page.locator("#card h2").count() == 0 and not page.locator("#evidence").is_visible()


def test_a_failure_of_the_server_takes_the_earlier_verdict_away(page, gated):
    upload(page, REAL)
    page.locator("#evidence").wait_for()
    gated.error = MemoryError()
    replace(page, GROUP)
    page.locator("#card h2").get_by_text("could not be judged").wait_for()
    assert "The server is busy or could not go on" in page.inner_text("#card")
    page.locator("#evidence").wait_for(state="hidden")
    assert not page.locator("#card figure").is_visible()
    gated.error = None
    replace(page, REAL)
    said(page).wait_for()


def test_the_face_that_was_chosen_last_is_shown(page, monkeypatch):
    def slowly(model, crop):
        time.sleep(2)
        return occlusion_map(model, crop)

    monkeypatch.setattr(photo_result, "occlusion_map", slowly)
    upload(page, GROUP)
    said(page).wait_for()
    page.locator("#pick label").nth(2).click()
    page.get_by_role("button", name=texts.HEAT_LABEL).click()
    page.locator("#face h3").get_by_text(re.compile("^Face 3: ")).wait_for()
    page.locator("#map img").wait_for()
    page.wait_for_timeout(3000)
    assert page.inner_text("#face h3").startswith("Face 3: ")


def test_pictures_that_were_removed_at_the_end_leave_nothing(page, monkeypatch, tmp_path):
    began = []

    def slowly(album, folder, write=many._csv_file):
        began.append(1)
        time.sleep(3)
        return write(album, folder)

    monkeypatch.setattr(many, "_csv_file", slowly)
    page.get_by_role("tab", name="Album").click()
    page.set_input_files("#album input[type=file]", [REAL, GROUP])
    wait_until(lambda: page.wait_for_timeout(50) or began)
    page.locator("#album").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#album-card h2").wait_for(state="detached")
    page.wait_for_timeout(4000)
    assert page.locator("#album-card h2").all_inner_texts() == []
    page.locator("#album-table").wait_for(state="hidden")


def test_albums_that_fail_can_be_judged_again(page, monkeypatch):
    monkeypatch.setattr(many, "_spaced", None)  # whatever may break before anything is judged
    page.get_by_role("tab", name="Album").click()
    page.set_input_files("#album input[type=file]", [REAL, GROUP])
    page.locator("#album-card h2").get_by_text("could not be judged").wait_for()
    monkeypatch.undo()
    page.get_by_role("button", name="Judge them again").click()
    page.locator("#album-card h2").get_by_text("2 files:").wait_for()


# The events themselves


SKIPPED = gr.skip()


def test_evidence_is_of_the_newest_photograph_only(detector):
    events = photo_events(detector)
    view = events.view
    started = events.begin(str(REAL), None)[events.started]
    shown = events.show(started)
    judged, choice = shown[view.judged], shown[view.choice]
    assert choice == (started[0], 0) and shown[view.claims]
    assert shown[view.evidence_area]["visible"] and shown[view.face_area]["visible"]
    written = events.write_files(judged)
    assert all(written[file]["visible"] and Path(written[file]["value"]).is_file() for file in view.files)
    assert "<img" in events.show_heat(judged, choice)[view.heat]["value"]
    assert events.settle(started, judged) == SKIPPED

    newer = events.begin(str(GROUP), started)[events.started]
    assert events.show(started) == SKIPPED and events.write_files(judged) == SKIPPED
    assert events.show_heat(judged, choice) == SKIPPED
    assert "Judging" in events.settle(newer, judged)[view.card] and events.settle(None, judged)[view.card] == ""
    other = events.show(newer)[view.judged]
    assert events.show_heat(other, choice) == SKIPPED  # a choice among the faces of another picture
    chosen = [events.choose(other, SelectData(None, {"index": index, "value": ""})) for index in (2, 3, -1, "0", None)]
    assert chosen[0] == (newer[0], 2) and chosen[1:] == [SKIPPED] * 4
    assert "Face 3: " in events.look(other, chosen[0])[view.face]["value"]
    assert events.look(judged, choice) == SKIPPED and events.look(other, choice) == SKIPPED
    assert events.choose(other, gr.EventData(None, "x")) == SKIPPED
    assert events.show(None) == SKIPPED and events.write_files(None) == SKIPPED


def test_a_photograph_is_read_once_and_its_map_computed_once(detector, tmp_path, monkeypatch):
    file, maps = tmp_path / "a.jpg", []
    file.write_bytes(GROUP.read_bytes())
    monkeypatch.setattr(photo_result, "occlusion_map", lambda *of: maps.append(of) or occlusion_map(*of))
    events = photo_events(detector)
    shown = events.show(events.begin(str(file), None)[events.started])
    judged, choice = shown[events.view.judged], shown[events.view.choice]
    file.unlink()  # all else comes of what was kept
    events.show_heat(judged, choice)
    events.write_files(judged)
    events.show_heat(judged, choice)
    assert len(maps) == 1 and [tested.face for tested in judged.stability] == judged.faces
    assert sum(crop.nbytes for crop in judged.crops) < 2**20


def test_an_upload_that_is_gone_is_said_to_be(detector, tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(REAL.read_bytes())
    events = photo_events(detector)
    begun = events.begin(str(file), None)[events.started]
    judged = events.show(begun)[events.view.judged]
    Path(judged.view).unlink()
    assert "was deleted" in events.write_files(judged)[events.view.claims]
    again = events.begin(str(file), begun)[events.started]
    file.unlink()
    assert "was deleted" in events.show(again)[events.view.card]
    last = events.begin(str(file), again)[events.started]
    events.begin(str(REAL), last)
    assert events.show(last) == SKIPPED  # nor does the failure of an earlier one stand beside the next


def test_a_browser_that_calls_twice_has_the_photograph_examined_once(detector, monkeypatch):
    events, examined, examine = photo_events(detector), [], detector.examine
    monkeypatch.setattr(detector, "examine", lambda *of, **how: examined.append(of) or examine(*of, **how))
    begun = events.begin(str(REAL), None)[events.started]
    assert events.show(begun)[events.view.judged] and events.show(begun) == SKIPPED and len(examined) == 1


def test_a_face_that_does_not_hold_is_said_to_have_kept_its_verdict_where_it_has(detector):
    (verdict,) = detector.predict([REAL])
    flips = Stability(verdict.faces[0], (Rescore("mirrored", 0.9, "fake"), Rescore("JPEG quality 50", 0.1, "real")))
    decided = Stability(type(verdict.faces[0])((0, 0, 200, 200), 1.0, 0.95, "fake"), flips.rescores)
    assert "this face is “Not sure”" in holding(decided, "unsure")
    assert "does not take that in" in holding(decided, "fake")


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
