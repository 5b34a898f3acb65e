"""`deepfake-detect scan` on one machine: its rows, copies, shards, and what it refuses."""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from commands import here
from project import ROOT
from scans import fill, refused, rows, scan, shards, started
from waiting import LONG

from deepfake_detect import Detector
from deepfake_detect.errors import ScanError
from deepfake_detect.scan import Totals, progress
from deepfake_detect.scan import parquet_rows as written
from deepfake_detect.scan import scan as scan_from_python

WITHOUT = """
import sys


class Missing:
    def find_spec(name, *rest):
        if name.partition(".")[0] == "{0}":
            raise ModuleNotFoundError(name, name=name)


sys.meta_path.insert(0, Missing)
from deepfake_detect.cli.judge import main
sys.exit(main(sys.argv[1:]))
"""
COLUMNS = ["position", "path", "sha256", "duplicate_of", "label", "p_fake", "confidence", "reasons",
           "reason_codes", "faces", "faces_json", "error", "error_code", "model_sha256", "kind"]  # fmt: skip


# Rows


def test_every_picture_is_a_row_with_its_verdict_or_its_error(mixed_album, model, tmp_path):
    done = scan(mixed_album, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 1 and done.stdout == ""
    assert "Left out: 1 other file, 1 video. `deepfake-detect PATH` judges videos." in done.stderr
    assert "8 pictures: 3 Fake, 0 Not sure, 4 Real, 1 could not be read; 1 repeats another one." in done.stderr
    found = rows(tmp_path / "out.parquet")
    assert [list(row) for row in found] == [COLUMNS] * 8
    assert [row["position"] for row in found] == list(range(1, 9))
    names = [*(f"{number:04d}.jpg" for number in range(6)), "inner/broken.jpg", "inner/copy.jpg"]
    assert [row["path"] for row in found] == [str(mixed_album / name) for name in names]
    detector = Detector(model)
    for row in found:
        assert row["model_sha256"] == detector.model.sha256 and len(row["sha256"]) == 64
        if row["error"]:
            assert row["path"].endswith("broken.jpg") and row["error"].endswith("Try another copy of the file.")
            assert {row[name] for name in COLUMNS[3:10]} == {None}
            continue
        (verdict,) = detector.predict([row["path"]])
        assert (row["label"], row["p_fake"], row["confidence"]) == (verdict.label, verdict.p_fake, verdict.confidence)
        assert row["reasons"] == " ".join(map(str, verdict.reasons)) and row["faces"] == len(verdict.faces)
        assert json.loads(row["faces_json"]) == json.loads(json.dumps(verdict.to_dict()["faces"]))


def test_the_result_is_read_by_pandas_and_duckdb_and_has_plain_types_alone(mixed_album, model, tmp_path):
    out = tmp_path / "out.parquet"
    scan(mixed_album, "--out", out, "--model", model, "--shard-rows", 3)
    frame = pd.read_parquet(out)
    assert list(frame.columns) == COLUMNS and len(frame) == 8 and frame.p_fake.notna().sum() == 7
    counted = duckdb.sql(f"SELECT label, count(*) FROM '{out}/*.parquet' GROUP BY label").fetchall()
    assert dict(counted) == {"fake": 3, "real": 4, None: 1}
    types = duckdb.sql(f"SELECT DISTINCT type, converted_type FROM parquet_schema('{out}/*.parquet') WHERE type != ''")
    assert {kind for kind, _ in types.fetchall()} <= {"INT64", "INT32", "DOUBLE", "BYTE_ARRAY"}
    assert sorted(name for name in os.listdir(out) if not name.startswith("part-")) == ["_listing.sqlite", "_scan.json"]


def test_shards_do_not_change_what_is_in_them(mixed_album, model, tmp_path):
    scan(mixed_album, "--out", tmp_path / "one.parquet", "--model", model)
    for number in (1, 3, 8):
        out = tmp_path / f"{number}.parquet"
        scan(mixed_album, "--out", out, "--model", model, "--shard-rows", number)
        assert len(shards(out)) == -(-8 // number) and rows(out) == rows(tmp_path / "one.parquet")


def test_pictures_with_the_same_bytes_are_judged_once(small, model, tmp_path, monkeypatch):
    names = fill(tmp_path / "a", 3, small)
    for number in range(20):
        os.link(names[number % 3], tmp_path / "a" / f"copy{number:02d}.jpg")
    for number in range(2):
        (tmp_path / "a" / f"empty{number}.png").touch()
    judged = []
    prepare = Detector.prepare
    monkeypatch.setattr(Detector, "prepare", lambda self, data, *more: judged.append(data) or prepare(self, data))
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


def test_paths_are_those_that_were_named_and_any_name_is_a_row(mixed_album, model, tmp_path, monkeypatch):
    monkeypatch.chdir(mixed_album)
    for name in (b"\xff\xfe.jpg", "日本 ñ.jpg".encode(), b"line\nbreak.jpg"):
        shutil.copy(b"0000.jpg", name)
    scan(".", "--out", tmp_path / "out.parquet", "--model", model)
    found = {row["path"]: row for row in rows(tmp_path / "out.parquet")}
    assert {"./0000.jpg", "./日本 ñ.jpg", "./line\nbreak.jpg", r"./\udcff\udcfe.jpg", "./inner/copy.jpg"} <= set(found)
    assert found[r"./\udcff\udcfe.jpg"]["duplicate_of"] == "./0000.jpg"


def test_a_scan_may_be_kept_under_any_name(mixed_album, model, tmp_path):
    out = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.parquet"))
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 2)
    assert scan(*words).returncode == 1
    (out / "part-000003.parquet").unlink()  # which holds a copy of a picture in another shard
    assert scan(*words, "--resume").returncode == 1
    out.rename(tmp_path / "plain.parquet")
    found = rows(tmp_path / "plain.parquet")
    assert len(found) == 8 and found[7]["duplicate_of"] == found[3]["path"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pictures(small, model, tmp_path):
    peak = []
    for number in (600, 1600):
        folder = tmp_path / str(number)
        for name in fill(folder, number, small):  # none a copy, which would not be judged
            os.truncate(name, 24_000)  # bytes, with zeros after the picture's end
        process = started(folder, "--out", tmp_path / f"{number}.parquet", "--model", model)
        with process.stderr as said:
            assert f"{number} pictures" in said.read()
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        peak.append(used.ru_maxrss >> 10)
    assert peak[1] < peak[0] + 10, f"{peak} MB"  # the files of the larger scan have 24 more


# Refusals


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
        here("deepfake_detect", "scan", *words)
    assert ended.value.code == 2, err.getvalue()


def test_a_folder_called_scan_is_still_reached(small, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "scan", 1, small)
    done = here("deepfake_detect", "./scan", "--model", model, "--format", "jsonl")
    assert done.returncode == 0 and json.loads(done.stdout)["path"] == "./scan/0000.jpg"


@pytest.mark.parametrize(
    ("words", "missing", "install"),
    [
        (["scan", "examples", "--out", "x"], "pyarrow", "pip install pyarrow fsspec"),
        (["scan", "examples", "--out", "x"], "fsspec", "pip install pyarrow fsspec"),
        (["scan", "examples", "--out", "x", "--engine", "ray"], "ray", 'pip install "ray[data]"'),
        (["summary", "x"], "pyarrow", "pip install pyarrow fsspec"),
    ],
)
def test_without_its_package_there_is_a_sentence(words, missing, install, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing), *words],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and done.stderr.endswith(f": {install}\n")
    assert not os.listdir(tmp_path)


def test_the_plain_command_goes_without_these_packages(mixed_album, model):
    words = ["-c", WITHOUT.format("pyarrow"), str(mixed_album / "0000.jpg"), "--model", str(model)]
    assert subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, timeout=LONG).returncode == 0


# Progress, and the same from Python


def test_progress_is_told_now_and_then_where_there_is_no_terminal(monkeypatch, capsys):
    now = iter(range(0, 10_000, 20))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(now)))
    with progress.ProgressBar() as bar:
        for done in range(100, 107):
            bar(progress.ScanProgress(done, 1000))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "102/1000" in lines[0] and "105/1000" in lines[1]
    assert "picture/s" in lines[0].replace("s/picture", "picture/s") and "<" in lines[0]


def test_a_program_scans_and_hears_of_every_picture(mixed_album, model, tmp_path):
    steps = []
    totals = scan_from_python(mixed_album, tmp_path / "out.parquet", model, progress=steps.append)
    assert (steps[0].done, steps[-1].done) == (0, steps[-1].total) and totals.pictures == steps[-1].total
    assert [step.done for step in steps] == sorted(step.done for step in steps) and steps[0].left_out.total() == 2
    again = scan_from_python([mixed_album], str(tmp_path / "out.parquet"), str(model), resume=True)
    assert isinstance(again, Totals) and again == totals and totals.unread == 1


def test_a_program_loads_the_packages_of_scans_with_the_first_scan_alone():
    code = """
import sys

import deepfake_detect.cli.judge, deepfake_detect.scan

assert not {"pyarrow", "ray"} & set(sys.modules)
from deepfake_detect.scan import scan

assert "pyarrow" in sys.modules and scan.__module__ == "deepfake_detect.scan.run"
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=LONG, check=True)


def test_a_program_without_the_packages_of_scans_is_told_which_to_install():
    code = WITHOUT.format("pyarrow").partition("from deepfake_detect")[0] + "from deepfake_detect.scan import scan"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=LONG, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].endswith("This needs the package pyarrow: pip install pyarrow fsspec")


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("stopped", [StoppedError, BrokenPipeError])  # as of a terminal that was closed
def test_a_scan_that_a_program_stops_goes_on_later(mixed_album, model, tmp_path, stopped):
    def stop(step):
        if step.done == 1:
            raise stopped

    with pytest.raises(stopped):
        scan_from_python(mixed_album, tmp_path / "out.parquet", model, progress=stop, shard_rows=1)
    with pytest.raises(ScanError) as refused:
        scan_from_python(mixed_album, tmp_path / "out.parquet", model)
    assert refused.value.code == "out_exists"
    totals = scan_from_python(mixed_album, tmp_path / "out.parquet", model, resume=True, shard_rows=1)
    assert totals.pictures == len(shards(tmp_path / "out.parquet"))


def test_an_engine_that_there_is_not_is_a_defect_of_the_program(mixed_album, tmp_path):
    with pytest.raises(ValueError, match="local, ray"):
        scan_from_python(mixed_album, tmp_path / "out.parquet", engine="spark")


def test_a_shard_of_no_pictures_is_a_defect_of_the_program(mixed_album, model, tmp_path):
    for number in (0, -1):
        with pytest.raises(ValueError, match=f"not {number}"):
            scan_from_python(mixed_album, tmp_path / "out.parquet", model, shard_rows=number)
    assert not (tmp_path / "out.parquet").exists()
