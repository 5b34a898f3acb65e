"""Many photographs: their order and records, the endpoint, and the tab in a real browser."""

import csv
import io
import json
import re
import shutil
import time
from pathlib import Path

import gradio as gr
import httpx
import pytest
from albums import FORMULA, GROUP, MARKUP, REAL
from gradio import SelectData
from gradio.data_classes import ListFiles
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from tabs import album as album_events
from waiting import LONG, PATIENCE

from deepfake_detect import Face, PictureError, Verdict
from deepfake_detect.report.records import csv_writer, record_of
from page import texts
from page.batch import MAX_PICTURES, TOO_SLOW, VIEW_SIDE, Album, BatchItem, Named, summary, worst_first
from page.jobs import NotJudged
from page.server.upload_folder import upload_folder
from page.tabs.album import _table
from page.widgets.components import MAX_NAME, PhotoFiles

# Judging


def test_an_album_is_judged_in_order_as_single_pictures_are(detector, mixed, tmp_path):
    views = tmp_path / "views"
    views.mkdir()
    files = [Named(str(file), file.name) for file in mixed] * 2  # more than one step
    album = list(Album(detector).judge_all(files, views))
    assert [judged.name for judged in album] == [sent.name for sent in files]
    for sent, judged in zip(files, album, strict=True):
        if sent.name == "broken.jpg":
            assert isinstance(judged.result, PictureError) and judged.view is None
            assert judged.record == {"path": "broken.jpg", "error": str(judged.result), "error_code": "damaged"}
            continue
        (alone,) = detector.predict([sent.path])
        assert judged.result.label == alone.label and judged.result.p_fake == pytest.approx(alone.p_fake, abs=1e-4)
        assert judged.seconds > 0
        with Image.open(judged.view) as view, Image.open(sent.path) as picture:
            assert max(view.size) == VIEW_SIDE and view.format == "JPEG"
            assert view.width / view.height == pytest.approx(picture.width / picture.height, rel=0.05)


def test_an_album_that_takes_too_long_is_judged_as_far_as_the_time_goes(detector, monkeypatch):
    monkeypatch.setattr("page.batch.MAX_WORK_SECONDS", -1)
    late = list(Album(detector).judge_all([Named(str(REAL), "a")] * 5))
    assert [str(judged.result) for judged in late] == [TOO_SLOW] * 5


def test_without_a_folder_there_are_no_views(detector, tmp_path):
    assert [judged.view for judged in Album(detector).judge_all([Named(str(REAL), "a")])] == [None]
    (gone,) = Album(detector).judge_all([Named(str(REAL), "a")], tmp_path / "gone")  # a folder that cannot be written
    assert gone.view is None and isinstance(gone.result, Verdict)


def judged(label, p_fake=0.5, faces=1):
    if label is None:
        return BatchItem("x", PictureError("damaged", "Broken."), 0.0, None)
    found = (Face((0, 0, 90, 90), 0.9, p_fake, label),) * faces
    return BatchItem("x", Verdict(label, p_fake, max(p_fake, 1 - p_fake), (), found), 0.1, None)


def test_the_worst_come_first_and_the_unread_last():
    album = [judged(None), judged("real", 0.1), judged("unsure", 0.9), judged("fake", 0.9), judged("fake", 0.95),
             judged("real", 0.2), judged("unsure", 0.4)]  # fmt: skip
    order = [(j.result.label, j.result.p_fake) for j in worst_first(album)[:-1]]
    assert order == [("fake", 0.95), ("fake", 0.9), ("unsure", 0.9), ("unsure", 0.4), ("real", 0.2), ("real", 0.1)]
    assert isinstance(worst_first(album)[-1].result, PictureError)


def test_pictures_without_a_face_stand_behind_all_that_were_judged_in_the_order_in_which_they_came():
    cheetah, cup = judged("unsure", 0.997, faces=0), judged("unsure", 0.999, faces=0)
    fake, unsure, real, broken = judged("fake", 0.9), judged("unsure", 0.3), judged("real", 0.1), judged(None)
    album = [cheetah, broken, real, cup, fake, unsure]
    assert list(map(id, worst_first(album))) == list(map(id, [fake, unsure, real, cheetah, cup, broken]))
    assert summary(album) == "6 files: 1 Fake, 1 Not sure, 1 Real, 2 No face, 1 could not be read"
    table = _table(album)
    rows = ["⚠ Likely fake", "? Not sure", "✓ No sign of a fake", "– No face", "– No face", "– Unread"]
    assert [" ".join(row) for row in re.findall(r">(.)</span> ([\w ]+)</strong>", table)] == rows
    chips = ["⚠ Fake 1", "? Not sure 1", "✓ Real 1", "– No face 2", "– Unread 1"]
    assert [" ".join(chip) for chip in re.findall(r">(.)</span> ([\w ]+)</button>", table)] == chips
    names = ["All 6", "Fake 1: Likely fake", "Not sure 1", "Real 1: No sign of a fake", "No face 2", "Unread 1"]
    assert re.findall(r'data-kind.* aria-label="([^"]+)"', table.replace("<", "\n")) == names
    assert re.findall(r"(\d+) in 100", table) == ["90", "30", "10"]  # of the others there is no chance of anything


def test_the_summary_counts_every_file():
    album = [judged("fake")] * 3 + [judged("unsure")] * 5 + [judged("real")] * 4
    assert summary(album) == "12 files: 3 Fake, 5 Not sure, 4 Real"
    assert summary([*album, judged(None)]) == "13 files: 3 Fake, 5 Not sure, 4 Real, 1 could not be read"
    assert summary([judged("real")]) == "1 file: 0 Fake, 0 Not sure, 1 Real"
    assert summary([judged(None)] * 2) == "None of 2 files could be read"
    assert summary([judged(None)]) == "The file could not be read"


@pytest.mark.parametrize("name", ["=1+1.jpg", "+1.jpg", "-1.jpg", "@SUM(A1).jpg", "\t=1.jpg", " =1.jpg", "＝1.jpg"])
def test_a_path_in_csv_is_no_formula(name):
    out = io.StringIO()
    csv_writer(out)(record_of(name, PictureError("damaged", "Broken."), 0))
    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["path"] == f"'{name}" and row["error"] == "Broken."


def test_a_semicolon_in_a_path_begins_no_cell():
    out = io.StringIO()
    csv_writer(out)(record_of("a;=1+1.jpg", PictureError("damaged", "Broken."), 0))
    assert '"a;=1+1.jpg"' in out.getvalue()


def test_a_name_is_kept_but_not_the_folders_and_signs_around_it():
    path = str(upload_folder() / "x" / "y.jpg")

    def named(name):
        meta = {"_type": "gradio.FileData"}
        return PhotoFiles().preprocess(ListFiles.model_validate([{"path": path, "orig_name": name, "meta": meta}]))

    for sent, kept in (
        (MARKUP, MARKUP), (None, "y.jpg"), ("../../etc/a.jpg", "a.jpg"), ("C:\\my\\b.jpg", "b.jpg"),
        ("日本 ñ.jpg", "日本 ñ.jpg"), ("a\\b.jpg", "a\\b.jpg"), ("a\n\x1b\u202e.jpg",) * 2, ("n" * 999, "n" * MAX_NAME),
    ):  # fmt: skip
        assert named(sent) == [(path, kept)]
    assert PhotoFiles().preprocess(None) == []


def test_a_closed_run_gives_its_turn_back_and_too_many_are_told_so(detector):
    many = album_events(detector)
    card = many.view.card
    files = [Named(str(REAL), "a.jpg")] * 20
    runs = [many.watch(files, many.runs.open()) for _ in range(texts.MAX_WAITING + 1)]
    assert "1 of 20" in next(runs[0])[card] and "Waiting" in next(runs[1])[card]
    for run in runs[2:]:
        next(run)
    refused = next(many.watch(files, many.runs.open()))
    assert "could not be judged" in refused[card] and "Try again in a few minutes" in refused[card]
    runs[0].close()
    assert "1 of 20" in next(runs[1])[card]
    for run in runs[1:]:
        run.close()
    *_, answers = many.judge(files[:1])
    assert answers[0]["label"]


def test_those_who_hear_the_page_are_told_of_quarters_alone(detector):
    many, files = album_events(detector), [Named(str(REAL), "a.jpg")] * 20
    told = [shown[many.view.card] for shown in many.watch(files, many.runs.open())]
    said = list(dict.fromkeys(re.search('data-say="([^"]*)"', card)[1] for card in told))
    assert said[-1].startswith("20 files: ") and len(said) <= 6
    assert set(said[:-1]) <= {texts.SAID_AT.format(texts.ALBUM_JUDGING, share) for share in (0, 25, 50, 75, 100)}


def test_a_run_that_is_stopped_says_so_and_one_that_is_replaced_says_nothing(detector):
    many, files = album_events(detector), [Named(str(REAL), "a.jpg")] * 20
    number = many.runs.open()
    run = many.watch(files, number)
    next(run)
    assert "Stopping" in many.stop(number)[many.view.card]
    (last,) = run
    assert "Stopped" in last[many.view.card]
    table, rows, records = (last[component] for component in many.view.results)
    done = len(json.loads(Path(records["value"]).read_text()))
    assert done and f"Real {done}<" in table and rows["visible"] and f"{done} of 20" in last[many.view.card]
    number = many.runs.open()
    run = many.watch(files, number)
    next(run)
    assert many.begin(files, number)[many.run] != number
    assert list(run) == [gr.skip()]
    assert many.stop(number) == gr.skip()  # too late
    earlier = many.begin(files, None)[many.run]
    many.begin(files, earlier)
    assert list(many.watch(files, earlier)) == [gr.skip()]  # replaced before it went on
    assert list(many.watch([], many.begin([], None)[many.run])) == []  # nothing was begun


def test_more_than_are_judged_at_a_time_are_refused(detector):
    many = album_events(detector)
    files = [Named(str(REAL), "a.jpg")] * (MAX_PICTURES + 1)
    with pytest.raises(NotJudged, match="201 files; at most 200"):
        next(many.judge(files))
    (refused,) = many.watch(files, many.runs.open())
    assert "could not be judged" in refused[many.view.card]
    assert "201 files; at most 200" in refused[many.view.card]


def test_a_row_opens_its_own_picture_and_no_other(detector):
    many = album_events(detector)
    files = [Named(str(REAL), "a.jpg"), Named(str(GROUP), "می.jpg")]
    opened, tabs = many.open(files, SelectData(None, {"index": 1, "value": ""}))
    assert opened == str(GROUP) and opened.name == "می.jpg" and tabs.selected == texts.PHOTO_TAB
    for index in (2, -1, "0", None, True):
        assert many.open(files, SelectData(None, {"index": index, "value": ""})) == (gr.skip(), gr.skip())
    assert many.open(None, SelectData(None, {"index": 0, "value": ""})) == (gr.skip(), gr.skip())


# The endpoint


@pytest.fixture(scope="module")
def client(server):
    return Client(server[0], verbose=False)


def batch(url, files):
    """What the server answers to a raw request, without a client that would upload or clean anything."""
    event = httpx.post(f"{url}gradio_api/call/analyze_batch", json={"data": [files]}).json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/analyze_batch/{event}", timeout=PATIENCE).text


def uploaded(url, name=None):
    with REAL.open("rb") as file:
        (path,) = httpx.post(f"{url}gradio_api/upload", files={"files": file}).json()
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


@pytest.mark.usefixtures("no_traceback")
def test_the_endpoint_answers_in_order_and_a_broken_file_spoils_nothing(client, detector, mixed):
    answer = client.predict(images=[handle_file(file) for file in mixed], api_name="/analyze_batch")
    assert [entry["file"] for entry in answer[:4]] == [file.name for file in mixed[:4]]
    said = "The picture is damaged or cut short. Try another copy of the file."
    assert answer[2] == {"file": "broken.jpg", "error": said, "error_code": "damaged"}
    expected = json.loads(json.dumps(detector.predict([GROUP])[0].to_dict()))
    assert list(answer[1]) == ["file", *expected]
    assert answer[1]["p_fake"] == pytest.approx(expected["p_fake"], abs=1e-4)
    assert [face["box"] for face in answer[1]["faces"]] == [face["box"] for face in expected["faces"]]
    assert answer[3]["faces"] == [] and "No face was found" in answer[3]["reasons"][0]


def test_a_photograph_does_not_wait_for_an_album(client, heavy):
    album = heavy[:25]
    job = client.submit(images=[handle_file(file) for file in album], api_name="/analyze_batch")
    while job.status().code.name != "PROCESSING" and not job.done():
        time.sleep(0.05)
    assert client.predict(image=handle_file(REAL), api_name="/analyze")["faces"]
    assert not job.done()
    assert len(job.result(timeout=LONG)) == len(album)


def test_names_come_back_as_they_were_sent(server):
    answer = batch(server[0], [uploaded(server[0], name) for name in (MARKUP, FORMULA, f"/etc/{FORMULA}")])
    (entries,) = json.loads(answer.rpartition("data: ")[2])
    assert [entry["file"] for entry in entries] == [MARKUP, FORMULA, FORMULA] and all("label" in e for e in entries)


@pytest.mark.usefixtures("no_traceback")
def test_none_and_too_many_get_a_sentence(client, server):
    for nothing in (None, []):
        with pytest.raises(AppError, match="No pictures were sent"):
            client.predict(images=nothing, api_name="/analyze_batch")
    answer = batch(server[0], [uploaded(server[0])] * 201)
    assert "event: error" in answer and "201 files; at most 200" in answer and "label" not in answer


@pytest.mark.usefixtures("no_traceback")
def test_neither_addresses_nor_files_of_the_server_are_taken(server, elsewhere, tmp_path):
    address, asked = elsewhere
    secret = tmp_path / "secret.jpg"
    shutil.copy(REAL, secret)
    good, meta = uploaded(server[0]), {"_type": "gradio.FileData"}
    refused = batch(server[0], [good, {"path": address, "meta": meta}])
    assert "event: error" in refused and "not its address" in refused
    for bad in ({"path": address}, address, {"path": str(secret), "meta": meta}, str(secret),
                {"path": str(secret), "url": address}, [{"path": str(secret)}]):  # fmt: skip
        refused = batch(server[0], [good, bad])
        assert "event: error" in refused and "p_fake" not in refused, bad
    stream = batch(server[0], [{"path": address, "meta": meta, "is_stream": True}])
    assert "p_fake" not in stream
    stream = batch(server[0], [{"path": str(secret), "meta": meta, "is_stream": True}])
    assert "event: error" in stream and "p_fake" not in stream
    assert not asked
