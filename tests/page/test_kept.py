"""What was judged stays, whatever happens to the files that are made of it; and nobody guesses where those lie."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from albums import GROUP, REAL
from films import film
from PIL import Image
from tabs import album, videos

from deepfake_detect.report.card_texts import HEADLINES
from page import texts
from page.batch import Named
from page.report_files import write_reports
from page.server.upload_folder import new_folder, upload_folder
from page.tabs import album as album_module
from page.tabs import video as video_module
from page.widgets.components import accepted_file

VERDICT = re.compile("|".join(HEADLINES.values()))
UNGUESSABLE = re.compile(r"[0-9a-f]{40}")


@pytest.fixture
def clip(tmp_path) -> str:
    return str(film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 4))


def watched(events, sent) -> list[dict]:
    """What is shown of a run, one after the other."""
    return list(events.watch(sent, events.runs.open()))


def failing(error: Exception):
    def fail(*given):
        raise error

    return fail


@pytest.mark.parametrize("part", ["save_whole", "video_pdf", "write_reports"])
@pytest.mark.parametrize(("error", "sentence"), [
    (RuntimeError("fpdf"), texts.SERVER_FAILED), (OSError(28, "full"), texts.NO_ROOM),
])  # fmt: skip
def test_a_video_keeps_its_card_where_the_rest_fails(part, error, sentence, detector, clip, monkeypatch):
    events = videos(detector)
    monkeypatch.setattr(video_module, part, failing(error))
    shown = watched(events, clip)
    view, last = events.view, shown[-1]
    (first,) = [each for each in shown if VERDICT.search(each[view.card]) and each is not last][:1]
    assert last[view.card].startswith(first[view.card]) and sentence in last[view.card]
    assert last[view.again]["visible"] and not last[view.stop]["visible"]
    assert all(last[part] == shown[-2][part] for part in (view.area, *view.results)), "what was shown is taken away"
    monkeypatch.undo()
    report, sheet = (watched(events, clip)[-1][component]["value"] for component in view.results[-2:])
    assert Path(report).is_file() and Path(sheet).is_file()


def test_a_video_that_is_deleted_while_it_is_judged_has_its_files(detector, clip, monkeypatch):
    events, timeline = videos(detector), video_module._timeline
    monkeypatch.setattr(video_module, "_timeline", lambda *of: Path(clip).unlink() or timeline(*of))
    last = watched(events, clip)[-1]
    report, sheet = (last[component]["value"] for component in events.view.results[-2:])
    assert json.loads(Path(report).read_text())["video"]["bytes"] and Path(sheet).is_file()
    (gone,) = watched(events, clip)
    assert texts.GONE in gone[events.view.card] and not gone[events.view.again]["visible"]


def test_a_verdict_on_a_video_outlives_a_stop_that_comes_too_late(detector, clip):
    events = videos(detector)
    run = events.runs.open()
    steps = events.watch(clip, run)
    first = next(each for each in steps if VERDICT.search(each[events.view.card]))
    assert events.stop(run)
    (last,) = steps
    assert last[events.view.card] == first[events.view.card] and last[events.view.again]["visible"]


@pytest.mark.parametrize(("error", "sentence"), [
    (RuntimeError("csv"), texts.SERVER_FAILED), (OSError(28, "full"), texts.NO_ROOM),
])  # fmt: skip
def test_an_album_keeps_its_rows_where_its_files_fail(error, sentence, detector, monkeypatch):
    events = album(detector)
    monkeypatch.setattr(album_module, "_csv_file", failing(error))
    *_, rows, last = watched(events, [Named(str(file), file.name) for file in (REAL, GROUP)])
    assert GROUP.name in rows[events.view.results[0]] and rows[events.view.area]["visible"]
    assert "2 files: " in last[events.view.card] and sentence in last[events.view.card]
    assert last[events.view.again]["visible"]
    assert all(last[part] == rows[part] for part in (events.view.area, *events.view.results)), "what was shown is gone"


def test_a_stopped_album_keeps_its_rows_where_its_files_find_no_room(detector, monkeypatch):
    events = album(detector)
    monkeypatch.setattr(album_module, "_csv_file", failing(OSError(28, "full")))
    run = events.runs.open()
    steps = events.watch([Named(str(REAL), "a.jpg")] * 20, run)
    next(steps)
    events.stop(run)
    (last,) = steps
    assert texts.STOPPED in last[events.view.card] and texts.NO_ROOM in last[events.view.card]
    assert "a.jpg" in last[events.view.results[0]] and last[events.view.area]["visible"]


def test_nobody_guesses_where_results_and_what_was_sent_lie(detector):
    picture = io.BytesIO()
    Image.open(REAL).resize((40, 50)).save(picture, "JPEG")
    url = "data:image/jpeg;base64," + base64.b64encode(picture.getvalue()).decode()
    rows = watched(album(detector), [Named(str(REAL), "a.jpg")])[-1]
    table = next(update["value"] for update in rows.values() if "verdicts.csv" in str(update))
    for path in (*write_reports("a", "b", {}, b""), accepted_file(url)["path"], table):
        folder = Path(path).relative_to(upload_folder()).parts[0]
        assert UNGUESSABLE.fullmatch(folder), path
    assert new_folder().stat().st_mode & 0o777 == 0o700
