"""Names of files: exact for programs, safe for people."""

import csv
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT
from waiting import LONG

from deepfake_detect.errors import PictureError
from deepfake_detect.report.names import as_text, from_text, isolated, json_text, shown
from deepfake_detect.report.records import csv_writer, json_line, record_of

PERSIAN, HINDI, FAMILY = "می\u200cخواهم.jpg", "क्\u200dष.png", "👩\u200d👩\u200d👧.jpg"
MARKED, ARABIC = "a\u200e\u200fb.jpg", "صورة 12.jpg"
KEPT = [PERSIAN, HINDI, FAMILY, MARKED, ARABIC, "日本 ñ e\u0301.jpg", "🏴\U000e0067\U000e007f.png", "\ufeff\u00adx.jpg"]
BYTES = os.fsdecode(b"\xff\xfe caf\xe9.png")
DECEIVING = [
    ("gpj.\u202eexe", r"gpj.\u202eexe"), ("a\nb\x1b[31m\x7f\x85", r"a\x0ab\x1b[31m\x7f\x85"),
    ("\u2068x\u2069\u2066\u202a\u202c", r"\u2068x\u2069\u2066\u202a\u202c"), ("a\u2028b\u2029", r"a\u2028b\u2029"),
    (BYTES, r"\xff\xfe caf\xe9.png"), ("\ud800", r"\ud800"), ("tab\t", r"tab\x09"),
]  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_a_name_that_deceives_nobody_is_shown_as_it_is(name):
    assert shown(name) == name


@pytest.mark.parametrize(("name", "seen"), DECEIVING)
def test_what_could_deceive_is_escaped_where_it_is_seen(name, seen):
    assert shown(name) == seen and isolated(name) == seen


def test_names_that_run_from_the_right_are_isolated_and_others_are_left_alone():
    for name in (PERSIAN, ARABIC, MARKED, "שלום.png"):
        assert isolated(name) == f"\u2068{name}\u2069"
    for name in ("a.jpg", "日本 ñ.jpg", HINDI, FAMILY):
        assert isolated(name) == name


@pytest.mark.parametrize("name", [*KEPT, *(name for name, _ in DECEIVING), "=1+1", '"', "\\"])
def test_programs_get_every_name_back(name):
    record = record_of(name, PictureError("damaged", "Broken."), 0)
    line = json_line(record)
    assert json.loads(line.encode().decode())["path"] == name and len(line.splitlines()) == 1
    assert json.loads(json_text([record], indent=1)) == [record]
    out = io.StringIO()
    csv_writer(out)(record)
    (row,) = csv.DictReader(io.StringIO(out.getvalue().encode().decode(), newline=""))
    assert from_text(row["path"].removeprefix("'" if name.startswith("=") else "")) == name


def test_any_name_goes_to_text_and_back_and_no_two_are_the_same_text():
    pieces = ["\\", r"\u", "udcff", r"\udcff", "\udcff", "d", "é"]
    names = {"".join(chosen) for count in range(5) for chosen in itertools.product(pieces, repeat=count)}
    texts = {as_text(name) for name in names}
    assert len(texts) == len(names)
    assert all(from_text(as_text(name)) == name for name in names)
    assert all(text.encode("utf-8") for text in texts if text)


def test_ordinary_names_are_their_own_text():
    for name in (*KEPT, "C:\\my\\b.jpg", r"\x1b \n \u00e9"):
        assert as_text(name) == name == from_text(name)


@pytest.mark.slow
def test_the_command_line_gives_names_exactly_and_shows_them_isolated(tmp_path, model):
    names = [PERSIAN, HINDI, FAMILY, MARKED, BYTES, "a\u202eb.jpg", "a\x85\u2028b.jpg"]
    for name in names:
        shutil.copy(ROOT / "examples" / "real_eileen_collins.jpg", tmp_path / name)
    paths = sorted(str(tmp_path / name) for name in names)

    def out(style: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "deepfake_detect", tmp_path, "--model", model, "--format", style],
            cwd=ROOT, capture_output=True, check=True, timeout=LONG,
        )  # fmt: skip
        assert done.stderr == b""
        return done.stdout.decode("utf-8")

    assert [json.loads(line)["path"] for line in out("jsonl").splitlines()] == paths
    assert [from_text(row["path"]) for row in csv.DictReader(io.StringIO(out("csv")))] == paths
    table = out("table")
    assert f"{PERSIAN}\u2069" in table and HINDI in table and FAMILY in table and "\u202e" not in table
    assert r"\xff\xfe caf\xe9.png" in table and "?" not in table
    lines = [line.replace("\u2068", "").replace("\u2069", "") for line in table.splitlines()[1:]]
    columns = {re.search(" (real|fake|unsure) ", line).start() for line in lines}
    assert len(columns) == 1


@pytest.mark.slow
def test_an_upload_keeps_its_owners_name(tmp_path):
    from gradio.data_classes import ImageData

    from page.server.upload_folder import upload_folder
    from page.widgets.components import Photo, Upload, name_of

    path = str(upload_folder() / "x" / "stripped.jpg")
    upload = Photo().preprocess(ImageData(path=path, orig_name=PERSIAN))
    assert upload == path and isinstance(upload, Upload) and name_of(upload) == PERSIAN
    assert name_of(Photo().preprocess(ImageData(path=path))) == "stripped.jpg" and name_of("/a/b.jpg") == "b.jpg"
    assert Path(upload) == Path(path)
