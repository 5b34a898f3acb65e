"""Videos through the command `deepfake-detect`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import command
from films import actor, box, changed, film, scene
from PIL import Image

from deepfake_detect.cli.judge import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    return actor()


@pytest.fixture
def album(tmp_path, person, avatar) -> Path:
    """A folder: a picture, a fake video, a broken one, a picture, a real video, a text."""
    folder = tmp_path / "album"
    folder.mkdir()
    Image.fromarray(person).save(folder / "a.png")
    film(folder / "b.mp4", [scene((person, 150, 60))] * 3)
    (folder / "c.mkv").write_bytes(b"\x1a\x45\xdf\xa3 no video")
    Image.fromarray(np.ascontiguousarray(avatar)).save(folder / "d.png")
    film(folder / "e.avi", [scene((avatar, 150, 60))] * 3).rename(folder / "e.AVI")
    (folder / "notes.txt").write_text("nothing to see")
    return folder


LABELS = {"a.png": "fake", "b.mp4": "fake", "c.mkv": None, "d.png": "real", "e.AVI": "real"}


def test_json_lines_hold_pictures_and_videos_in_input_order(album, model, capsys):
    assert main([str(album), "--format", "jsonl", "--model", str(model)]) == 1
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {Path(record["path"]).name: record.get("label") for record in records} == LABELS
    assert [("timeline" in record) for record in records] == [False, True, False, False, True]
    assert list(records[2]) == ["path", "error", "error_code"] and "cannot be decoded" in records[2]["error"]
    assert records[1]["ms"] > 0 and len(records[1]["timeline"]) == 3
    wanted = [album / "e.AVI", album / "d.png", album / "*.mp4"]
    assert main([*map(str, wanted), "--format", "jsonl", "--model", str(model)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [Path(json.loads(line)["path"]).name for line in out] == ["e.AVI", "d.png", "b.mp4"]


def test_csv_and_table_have_one_line_per_video(album, model, capsys):
    assert main([str(album), "--format", "csv", "--model", str(model)]) == 1
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "path,label,p_fake,confidence,faces,reasons,ms,error,reason_codes,error_code,kind"
    assert len(lines) == 5
    assert [row["label"] for row in csv.DictReader([head, *lines])] == [label or "" for label in LABELS.values()]
    assert main([str(album), "--model", str(model)]) == 1
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [label or "error" for label in LABELS.values()]


def test_a_pipe_gets_the_records_and_nothing_of_what_the_decoder_thinks(album, model):
    video = album / "b.mp4"
    begin = box(video, b"mdat") + 2000
    changed(video, begin, b"\x07" * 2000)
    done = command("deepfake_detect", album, "--format", "jsonl", "--model", model)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 5)
    assert done.stderr == "Skipped 1 file that is neither a picture nor a video: 1 .txt.\n"
