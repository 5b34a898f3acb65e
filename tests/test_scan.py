"""`python -m detect scan` on one machine: its rows, copies, shards, and what it refuses."""

import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, command, here
from scans import fill, paths, rows, scan, shards, started
from test_model import write_model

from detect import Detector
from detect.scan import progress
from detect.scan import rows as written

WITHOUT = """
import sys


class Missing:
    def find_spec(name, *rest):
        if name.partition(".")[0] == "{0}":
            raise ModuleNotFoundError(name, name=name)


sys.meta_path.insert(0, Missing)
from detect.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
COLUMNS = ["position", "path", "sha256", "duplicate_of", "label", "p_fake", "confidence", "reasons", "faces",
           "faces_json", "error", "model_sha256"]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A small model that judges by colour: what is redder than blue is fake."""
    return write_model(tmp_path_factory.mktemp("model") / "m.onnx", weights=(200, 0, -200))


@pytest.fixture
def album(small, tmp_path) -> Path:
    """A folder: six pictures; in a folder inside it a copy of one, a broken one, and a video and a text."""
    album = tmp_path / "album"
    fill(album, 6, small)
    (album / "inner").mkdir()
    shutil.copy(album / "0003.jpg", album / "inner" / "copy.jpg")
    (album / "inner" / "broken.jpg").write_bytes((album / "0001.jpg").read_bytes()[:700])
    for name in ("clip.mp4", "notes.doc"):
        (album / "inner" / name).write_text("nothing to see")
    return album


# Rows


def test_every_picture_is_a_row_with_its_verdict_or_its_error(album, model, tmp_path):
    done = scan(album, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 1 and done.stdout == ""
    assert "Left out: 1 other file, 1 video. `python -m detect PATH` judges videos." in done.stderr
    assert "8 pictures: 3 Fake, 0 Not sure, 4 Real, 1 could not be read; 1 repeats an earlier one." in done.stderr
    found = rows(tmp_path / "out.parquet")
    assert [list(row) for row in found] == [COLUMNS] * 8
    assert [row["position"] for row in found] == list(range(1, 9))
    names = [*(f"{number:04d}.jpg" for number in range(6)), "inner/broken.jpg", "inner/copy.jpg"]
    assert [row["path"] for row in found] == [str(album / name) for name in names]
    detector = Detector(model)
    for row in found:
        assert row["model_sha256"] == detector.model.sha256 and len(row["sha256"]) == 64
        if row["error"]:
            assert row["path"].endswith("broken.jpg") and row["error"].endswith("Send the file again.")
            assert {row[name] for name in COLUMNS[3:10]} == {None}
            continue
        (verdict,) = detector.predict([row["path"]])
        assert (row["label"], row["p_fake"], row["confidence"]) == (verdict.label, verdict.p_fake, verdict.confidence)
        assert row["reasons"] == " ".join(verdict.reasons) and row["faces"] == len(verdict.faces)
        assert json.loads(row["faces_json"]) == json.loads(json.dumps(verdict.to_dict()["faces"]))


def test_the_result_is_read_by_pandas_and_duckdb_and_has_plain_types_alone(album, model, tmp_path):
    out = tmp_path / "out.parquet"
    scan(album, "--out", out, "--model", model, "--shard-rows", 3)
    frame = pd.read_parquet(out)
    assert list(frame.columns) == COLUMNS and len(frame) == 8 and frame.p_fake.notna().sum() == 7
    counted = duckdb.sql(f"SELECT label, count(*) FROM '{out}/*.parquet' GROUP BY label").fetchall()
    assert dict(counted) == {"fake": 3, "real": 4, None: 1}
    types = duckdb.sql(f"SELECT DISTINCT type, converted_type FROM parquet_schema('{out}/*.parquet') WHERE type != ''")
    assert {kind for kind, _ in types.fetchall()} <= {"INT64", "INT32", "DOUBLE", "BYTE_ARRAY"}
    assert sorted(name for name in os.listdir(out) if not name.startswith("part-")) == ["_listing.sqlite", "_scan.json"]


def test_shards_do_not_change_what_is_in_them(album, model, tmp_path):
    scan(album, "--out", tmp_path / "one.parquet", "--model", model)
    for number in (1, 3, 8):
        out = tmp_path / f"{number}.parquet"
        scan(album, "--out", out, "--model", model, "--shard-rows", number)
        assert len(shards(out)) == -(-8 // number) and rows(out) == rows(tmp_path / "one.parquet")


def test_pictures_with_the_same_bytes_are_judged_once(small, model, tmp_path, monkeypatch):
    names = fill(tmp_path / "a", 3, small)
    for number in range(20):
        os.link(names[number % 3], tmp_path / "a" / f"copy{number:02d}.jpg")
    for number in range(2):
        (tmp_path / "a" / f"empty{number}.png").touch()
    judged = []
    prepare = Detector.prepare
    monkeypatch.setattr(Detector, "prepare", lambda self, data: judged.append(data) or prepare(self, data))
    monkeypatch.setattr(written, "GROUP", 2)
    scan(tmp_path / "a", "--out", tmp_path / "out.parquet", "--model", model, "--shard-rows", 4)
    assert len(judged) == 4 == len(set(judged))
    found = rows(tmp_path / "out.parquet")
    assert len(found) == 25 and [row["duplicate_of"] for row in found[:3]] == [None] * 3
    for number, row in enumerate(found[3:23]):
        first = found[number % 3]
        own = {"position": row["position"], "path": row["path"], "duplicate_of": first["path"]}
        assert row == first | own
    assert [row["duplicate_of"] for row in found[23:]] == [None, found[23]["path"]]
    assert found[23]["error"] == found[24]["error"] == "The file is empty. Send the picture again."


def test_paths_are_those_that_were_named_and_any_name_is_a_row(album, model, tmp_path, monkeypatch):
    monkeypatch.chdir(album)
    for name in (b"\xff\xfe.jpg", "日本 ñ.jpg".encode(), b"line\nbreak.jpg"):
        shutil.copy(b"0000.jpg", name)
    scan(".", "--out", tmp_path / "out.parquet", "--model", model)
    found = {row["path"]: row for row in rows(tmp_path / "out.parquet")}
    assert {"./0000.jpg", "./日本 ñ.jpg", "./line\nbreak.jpg", "./??.jpg", "./inner/copy.jpg"} <= set(found)
    assert found["./??.jpg"]["duplicate_of"] == "./0000.jpg"


def test_memory_does_not_grow_with_the_number_of_pictures(album, model, tmp_path):
    peak = []
    for number in (500, 10_000):
        folder = tmp_path / str(number)
        folder.mkdir()
        for link in range(number):
            os.link(album / f"{link % 6:04d}.jpg", folder / f"{link}.jpg")
        process = started(folder, "--out", tmp_path / f"{number}.parquet", "--model", model)
        with process.stderr as said:
            assert f"{number} pictures" in said.read()
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        peak.append(used.ru_maxrss >> 10)
    assert peak[1] < peak[0] + 30, f"{peak} MB"


# Going on; the kills are in test_scan_kills.py


def test_resume_judges_what_is_missing_and_leaves_the_rest(album, model, tmp_path, monkeypatch):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 2, "--resume")
    assert scan(*words).returncode == 1  # begins it
    before = rows(out)
    for shard in ("part-000000.parquet", "part-000002.parquet"):
        (out / shard).unlink()
    kept = {name: (out / name).stat().st_mtime_ns for name in os.listdir(out)}
    judged = []
    prepare = Detector.prepare
    monkeypatch.setattr(Detector, "prepare", lambda self, data: judged.append(data) or prepare(self, data))
    assert scan(*words).returncode == 1
    assert len(judged) == 4 and rows(out) == before
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}
    assert scan(*words).returncode == 1 and len(judged) == 4


@pytest.mark.parametrize("damage", [b"", b"PAR1 no table PAR1", "too few", "pages"])
def test_a_damaged_shard_is_made_again(album, model, tmp_path, damage):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 3)
    scan(*words)
    before, file = rows(out), out / "part-000001.parquet"
    if damage == "too few":
        pq.write_table(pq.read_table(file).slice(1), file)
    elif damage == "pages":
        whole = file.read_bytes()
        file.write_bytes(whole[:4] + b"\xff" * 600 + whole[604:])
    else:
        file.write_bytes(damage)
    kept = {name: (out / name).stat().st_mtime_ns for name in shards(out) if name != file.name}
    assert scan(*words, "--resume").returncode == 1 and rows(out) == before
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}


def test_pictures_that_could_not_be_read_are_read_by_the_next_resume(album, model, tmp_path):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 3)
    os.mkfifo(album / "pipe.jpg")  # which no resume will change
    (album / "0004.jpg").rename(album / "away")
    (album / "0004.jpg").symlink_to(album / "back")
    scan(*words)
    assert rows(out)[4]["error"] == "There is no such file."
    kept = {name: (out / name).stat().st_mtime_ns for name in shards(out) if name != "part-000001.parquet"}
    (album / "away").rename(album / "back")
    scan(*words, "--resume")
    assert rows(out)[4]["label"] and [bool(row["error"]) for row in rows(out)].count(True) == 2
    assert kept == {name: (out / name).stat().st_mtime_ns for name in kept}


def test_a_source_that_is_gone_stops_the_scan_and_costs_no_row(small, model, tmp_path):
    out = tmp_path / "out.parquet"
    fill(tmp_path / "a", 24, small)
    words = (tmp_path / "a", "--out", out, "--model", model, "--shard-rows", 12)
    scan(*words)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    (tmp_path / "a").rename(tmp_path / "b")
    refused("None of 12 pictures, from .*0012.jpg on, can be read: There is no such file", *words, "--resume")
    assert shards(out) == ["part-000000.parquet"]
    (tmp_path / "b").rename(tmp_path / "a")
    assert scan(*words, "--resume").returncode == 0 and rows(out) == before


def test_a_resumed_scan_goes_by_its_own_listing(album, model, tmp_path, small):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 2)
    scan(*words)
    before = paths(out)
    (out / "part-000000.parquet").unlink()
    fill(album / "new", 3, small)
    (album / "0001.jpg").unlink()
    assert scan(*words, "--resume").returncode == 1
    assert paths(out) == before and rows(out)[1]["error"] == "There is no such file."


def test_a_resumed_scan_may_be_asked_for_from_another_folder(album, model, tmp_path, monkeypatch):
    out = tmp_path / "out.parquet"
    monkeypatch.chdir(tmp_path)
    scan("album", "--out", out, "--model", model, "--shard-rows", 2)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    monkeypatch.chdir(album)
    assert scan("../album", "--out", out, "--model", model, "--resume").returncode == 1
    assert rows(out) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda album, model: ([album / "inner"], model), r"was begun of another source \(.*album\)"),
        (lambda album, model: ([album], write_model(model.with_name("n.onnx"), bias=(1, 0))), "with another model"),
        (lambda album, model: ([album, "--shard-rows", "5"], model), r"with other shards \(2\)"),
    ],
    ids=["source", "model", "shards"],
)
def test_a_resumed_scan_is_the_one_that_was_begun(album, model, tmp_path, change, sentence):
    out = tmp_path / "out.parquet"
    scan(album, "--out", out, "--model", model, "--shard-rows", 2)
    before = {file: file.read_bytes() for file in out.iterdir()}
    words, other = change(album, model)
    refused(sentence, *words, "--out", out, "--model", other, "--resume")
    assert before == {file: file.read_bytes() for file in out.iterdir()}


def test_of_many_sources_a_sentence_names_a_few(album, model, tmp_path):
    out, names = tmp_path / "out.parquet", sorted(album.glob("*.jpg"))
    scan(*names, "--out", out, "--model", model)
    refused(r"source \(.*0000.jpg, .*0001.jpg, .*0002.jpg and 3 more\)", *names[1:], "--out", out, "--model", model,
            "--resume")  # fmt: skip


def test_what_a_scan_killed_over_its_listing_has_left_is_begun_anew(album, model, tmp_path):
    for words in ((), ("--resume",)):
        out = tmp_path / f"out{len(words)}.parquet"
        out.mkdir()
        (out / ".partial-1-_listing.sqlite").write_bytes(b"half of it")
        assert scan(album, "--out", out, "--model", model, *words).returncode == 1
        assert len(rows(out)) == 8 and not list(out.glob(".partial*"))


# Refusals


def refused(sentence: str, *words: object) -> None:
    done = scan(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m detect scan: ") and done.stderr.count("\n") == 1
    assert re.search(sentence, done.stderr), done.stderr


def test_an_older_scan_or_anything_else_is_left_alone(album, model, tmp_path):
    out = tmp_path / "out.parquet"
    scan(album, "--out", out, "--model", model)
    (tmp_path / "link").symlink_to("nowhere")
    for there in (out, album, model, tmp_path / "link"):
        refused("There is a .* already. Add --resume", album, "--out", there, "--model", model)
    refused("There is a .* already", album, "--out", album, "--model", model, "--resume")
    assert len(shards(out)) == 1 and not (album / "_scan.json").exists()
    refused("No such file or directory", album, "--out", tmp_path / "no" / "out.parquet", "--model", model)


@pytest.mark.parametrize("damage", ["_scan.json", "_listing.sqlite", "other listing", "no listing"])
def test_a_folder_whose_files_do_not_belong_together_is_refused(album, model, tmp_path, damage):
    out, other = tmp_path / "out.parquet", tmp_path / "other.parquet"
    scan(album, "--out", out, "--model", model, "--shard-rows", 4)
    (out / "part-000001.parquet").unlink()
    if damage == "other listing":
        scan(album / "inner", "--out", other, "--model", model)
        shutil.copy(other / "_listing.sqlite", out)
    elif damage == "no listing":
        (out / "_listing.sqlite").unlink()
    else:
        (out / damage).write_bytes(b"{}")
    refused("Name a new folder with --out", album, "--out", out, "--model", model, "--resume")
    assert shards(out) == ["part-000000.parquet"]


def test_nothing_is_made_where_there_is_nothing_to_scan(tmp_path, model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "clip.mp4").touch()
    refused("No pictures in ", tmp_path / "empty", "--out", tmp_path / "out.parquet", "--model", model)
    refused("There is no .*gone", tmp_path / "gone", "--out", tmp_path / "out.parquet", "--model", model)
    refused("no model file", tmp_path, "--out", tmp_path / "out.parquet", "--model", "gone.onnx")
    assert os.listdir(tmp_path) == ["empty"]


@pytest.mark.parametrize(
    "words",
    [["x"], ["--out", "y"], ["x", "--out", "y", "--engine", "spark"], ["x", "--out", "y", "--shard-rows", "0"],
     ["x", "--out", "y", "--address", "auto"], ["x", "--out", "y", "--shard-rows", "many"],
     ["x", "--out", "y", "--shard-rows", "1" + "0" * 20]],
)  # fmt: skip
def test_bad_usage(words):
    with redirect_stderr(io.StringIO()) as err, pytest.raises(SystemExit) as ended:
        here("detect", "scan", *words)
    assert ended.value.code == 2, err.getvalue()


def test_a_folder_called_scan_is_still_reached(small, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "scan", 1, small)
    done = here("detect", "./scan", "--model", model, "--format", "jsonl")
    assert done.returncode == 0 and json.loads(done.stdout)["path"] == "./scan/0000.jpg"


@pytest.mark.parametrize(
    ("words", "missing", "install"),
    [
        (["scan", "examples", "--out", "x"], "pyarrow", "pip install -r requirements-scan.txt"),
        (["scan", "examples", "--out", "x"], "fsspec", "pip install -r requirements-scan.txt"),
        (["scan", "examples", "--out", "x", "--engine", "ray"], "ray", 'pip install "ray[data]"'),
        (["summary", "x"], "pyarrow", "pip install -r requirements-scan.txt"),
    ],
)
def test_without_its_package_there_is_a_sentence(words, missing, install, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing), *words],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.endswith(f": {install}\n")
    assert not os.listdir(tmp_path)


def test_the_plain_command_goes_without_these_packages(album, model):
    words = ["-c", WITHOUT.format("pyarrow"), str(album / "0000.jpg"), "--model", str(model)]
    assert subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, timeout=60).returncode == 0


def test_a_second_scan_does_not_write_into_the_first(album, model, tmp_path):
    from detect.scan.folder import Folder

    out = tmp_path / "out.parquet"
    scan(album, "--out", out, "--model", model)
    held = Folder(out)
    try:
        done = command("detect", "scan", album, "--out", out, "--model", model, "--resume")
    finally:
        held.close()
    assert done.returncode == 2 and "Another scan is writing to" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("--resume",)])
def test_a_scan_that_still_lists_its_source_is_not_disturbed(album, model, tmp_path, words):
    out, pipe = tmp_path / "out.parquet", tmp_path / "list.txt"
    os.mkfifo(pipe)
    with started(pipe, "--out", out, "--model", model) as process:
        while not list(out.glob(".partial-*")):
            assert process.poll() is None
            time.sleep(0.02)
        with pipe.open("w") as names:
            refused("Another scan is writing to", album, "--out", out, "--model", model, *words)
            names.write(f"{album}/0002.jpg\n")
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and paths(out) == [f"{album}/0002.jpg"], said


def test_a_full_disk_is_a_sentence_and_resume_goes_on(album, model, tmp_path):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 4, "--resume")

    def limited(size: int) -> subprocess.CompletedProcess:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
        return command("detect", "scan", *words, preexec_fn=limit)

    done = limited(2000)  # bytes: no room for the listing
    assert done.returncode == 2 and not out.exists()
    assert re.fullmatch(r"python -m detect scan: .* Make room, then add --resume\.\n", done.stderr)
    scan(*words)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    done = limited(2000)  # nor for a shard
    assert done.returncode == 2 and sorted(os.listdir(out)) == ["_listing.sqlite", "_scan.json", "part-000000.parquet"]
    assert re.fullmatch(r"python -m detect scan: .* Make room, then add --resume\.\n", done.stderr)
    assert scan(*words).returncode == 1 and rows(out) == before


# Progress


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(monkeypatch, capsys):
    now = iter(range(0, 1000, 25))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(now)))
    with progress.Progress(1000, 100) as told:
        for _ in range(6):
            told.advance()
        told.hashed(300, 900)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "103/1000" in lines[0] and "picture/s" in lines[0].replace("s/picture", "picture/s")
    assert "<" in lines[0] and "106/1000" in lines[1]
