"""`python -m detect scan --resume`, and the folders into which no scan writes; the kills are in test_scan_kills.py."""

import errno
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import command
from scans import fill, mixed_album, paths, refused, rows, scan, shards, started
from test_model import write_model

from detect import Detector
from detect.scan.listing import Listing
from detect.scan.rows import Rows


@pytest.fixture
def album(small, tmp_path) -> Path:
    return mixed_album(tmp_path / "album", small)


@pytest.fixture
def judged(monkeypatch) -> list[bytes]:
    """The pictures that have been judged so far."""
    judged, prepare = [], Detector.prepare
    monkeypatch.setattr(Detector, "prepare", lambda self, data: judged.append(data) or prepare(self, data))
    return judged


def times(out: Path) -> dict[str, int]:
    """When each shard was written."""
    return {name: (out / name).stat().st_mtime_ns for name in shards(out)}


def test_resume_judges_what_is_missing_and_leaves_the_rest(album, model, tmp_path, judged):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 2, "--resume")
    assert scan(*words).returncode == 1  # begins it
    before = rows(out)
    for shard in ("part-000000.parquet", "part-000002.parquet"):
        (out / shard).unlink()
    kept = {name: (out / name).stat().st_mtime_ns for name in os.listdir(out)}
    judged.clear()
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


def test_pictures_that_could_not_be_read_are_read_by_the_next_resume(album, model, tmp_path, judged):
    out = tmp_path / "out.parquet"
    words = (album, "--out", out, "--model", model, "--shard-rows", 3)
    os.mkfifo(album / "pipe.jpg")  # which no resume will change
    (album / "0004.jpg").rename(album / "away")
    (album / "0004.jpg").symlink_to(album / "back")
    scan(*words)
    before, kept = rows(out), times(out)
    assert before[4]["error"] == "There is no such file."
    judged.clear()
    assert scan(*words, "--resume").returncode == 1
    assert not judged and times(out) == kept and rows(out) == before
    (album / "away").rename(album / "back")
    assert scan(*words, "--resume").returncode == 1
    assert judged == [(album / "back").read_bytes()]
    after = rows(out)
    assert after.pop(4)["label"] and before.pop(4) and after == before
    assert [name for name, when in times(out).items() if when != kept[name]] == ["part-000001.parquet"]


def test_many_dead_names_in_a_shard_do_not_stop_a_resume(small, model, tmp_path):
    (name,) = fill(tmp_path / "a", 1, small)
    names = tmp_path / "list.txt"
    names.write_text("\n".join([name, *(f"{tmp_path}/gone/{number}.jpg" for number in range(12))]))
    words = (names, "--out", tmp_path / "out.parquet", "--model", model)
    assert scan(*words).returncode == 1
    before = rows(tmp_path / "out.parquet")
    assert scan(*words, "--resume").returncode == 1 and rows(tmp_path / "out.parquet") == before


@pytest.mark.parametrize("shard_rows", [3, 9])
def test_of_equal_pictures_the_one_that_was_read_first_stays_the_first(small, model, tmp_path, judged, shard_rows):
    album, out = tmp_path / "a", tmp_path / "out.parquet"
    names = [Path(name) for name in fill(album, 9, small)]
    os.replace(shutil.copy(names[3], tmp_path / "copy"), names[0])
    os.replace(shutil.copy(names[4], tmp_path / "copy"), names[7])
    lost = [names[place] for place in (0, 4, 7)]
    for name in lost:
        name.rename(f"{name}.away")
        name.symlink_to(f"{name}.back")
    words = (album, "--out", out, "--model", model, "--shard-rows", shard_rows)
    assert scan(*words).returncode == 1
    assert [row["position"] for row in rows(out) if row["error"]] == [1, 5, 8]
    for name in lost:
        Path(f"{name}.away").rename(f"{name}.back")
    judged.clear()
    assert scan(*words, "--resume").returncode == 0 and judged == [names[4].read_bytes()]
    found = rows(out)
    assert {row["position"]: row["duplicate_of"] for row in found if row["duplicate_of"]} == {
        1: str(names[3]),
        8: str(names[4]),
    }
    for place, first in ((0, 3), (7, 4)):
        own = {name: found[place][name] for name in ("position", "path", "duplicate_of")}
        assert found[place] == found[first] | own and found[place]["label"]


def test_a_source_that_is_gone_stops_the_scan_and_costs_no_row(small, model, tmp_path):
    out = tmp_path / "out.parquet"
    fill(tmp_path / "a", 24, small)
    words = (tmp_path / "a", "--out", out, "--model", model, "--shard-rows", 12)
    scan(*words)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    (tmp_path / "a").rename(tmp_path / "b")
    said = (
        r"None of 12 pictures, from .*0012.jpg on, can be read: There is no such file\. .* take them out of the source"
    )
    refused(said, *words, "--resume")
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


# Folders that are in use, or no scan's


def test_an_older_scan_or_anything_else_is_left_alone(album, model, tmp_path):
    out = tmp_path / "out.parquet"
    scan(album, "--out", out, "--model", model)
    (tmp_path / "link").symlink_to("nowhere")
    refused("There is a .* already. Add --resume to go on with it", album, "--out", out, "--model", model)
    for there in (album, model, tmp_path / "link"):
        for words in ((), ("--resume",)):
            said = r"There is a .* already\. It is no scan; name another\.$"
            refused(said, album, "--out", there, "--model", model, *words)
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
    said = rf"python -m detect scan: {out} cannot be written to: .* Make room, then add --resume\.\n"
    assert re.fullmatch(said, done.stderr)
    scan(*words)
    before = rows(out)
    (out / "part-000001.parquet").unlink()
    done = limited(2000)  # nor for a shard
    assert done.returncode == 2 and sorted(os.listdir(out)) == ["_listing.sqlite", "_scan.json", "part-000000.parquet"]
    assert re.fullmatch(said, done.stderr)
    assert scan(*words).returncode == 1 and rows(out) == before


def database_is_full() -> None:
    with closing(sqlite3.connect("")) as database:
        database.execute("PRAGMA max_page_count = 1")
        database.execute("CREATE TABLE one (x)")


def failing(code: int) -> None:
    raise OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("fails", "hint"),
    [
        (partial(failing, errno.ENOSPC), "No space left on device. Make room, then add --resume."),
        (partial(failing, errno.EDQUOT), "Disk quota exceeded. Make room, then add --resume."),
        (database_is_full, "database or disk is full. Make room, then add --resume."),
        (partial(failing, errno.EACCES), "Permission denied. What is done is kept; --resume goes on."),
    ],
    ids=["disk", "quota", "database", "locked"],
)
def test_room_is_asked_for_where_there_is_none(album, model, tmp_path, monkeypatch, fails, hint):
    monkeypatch.setattr(Rows, "write", lambda *words: fails())
    done = scan(album, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2
    assert done.stderr.endswith(f"python -m detect scan: {tmp_path / 'out.parquet'} cannot be written to: {hint}\n")


def test_whatever_is_written_meanwhile_is_in_the_scan_s_folder(album, model, tmp_path, monkeypatch):
    out, seen = tmp_path / "out.parquet", set()

    def watched(function):
        return lambda *words: seen.update(name.split("-", 2)[-1] for name in partial_files(out)) or function(*words)

    monkeypatch.setattr(Detector, "prepare", watched(Detector.prepare))
    monkeypatch.setattr(Listing, "_found", watched(Listing._found))
    assert scan(album, "--out", out, "--model", model).returncode == 1
    assert seen == {"_listing.sqlite", "unsorted", "firsts"} and not partial_files(out)


def partial_files(out: Path) -> list[str]:
    return [name for name in os.listdir(out) if name.startswith(".partial-")]
