"""Folders into which `deepfake-detect scan` does not write: another scan's, or nobody's; and disks without room."""

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

import pytest
from commands import command
from scans import paths, refused, rows, scan, shards, started
from waiting import LONG

from deepfake_detect import Detector
from deepfake_detect.scan.listing import Listing
from deepfake_detect.scan.parquet_rows import Rows

pytestmark = pytest.mark.slow


def test_an_older_scan_or_anything_else_is_left_alone(mixed_album, model, tmp_path):
    out = tmp_path / "out.parquet"
    scan(mixed_album, "--out", out, "--model", model)
    (tmp_path / "link").symlink_to("nowhere")
    refused("There is a .* already. Add --resume to go on with it", mixed_album, "--out", out, "--model", model)
    for there in (mixed_album, model, tmp_path / "link"):
        for words in ((), ("--resume",)):
            said = r"There is a .* already\. It is no scan; name another\.$"
            refused(said, mixed_album, "--out", there, "--model", model, *words)
    assert len(shards(out)) == 1 and not (mixed_album / "_scan.json").exists()
    refused("No such file or directory", mixed_album, "--out", tmp_path / "no" / "out.parquet", "--model", model)


@pytest.mark.parametrize("damage", ["_scan.json", "_listing.sqlite", "other listing", "no listing"])
def test_a_folder_whose_files_do_not_belong_together_is_refused(mixed_album, model, tmp_path, damage):
    out, other = tmp_path / "out.parquet", tmp_path / "other.parquet"
    scan(mixed_album, "--out", out, "--model", model, "--shard-rows", 4)
    (out / "part-000001.parquet").unlink()
    if damage == "other listing":
        scan(mixed_album / "inner", "--out", other, "--model", model)
        shutil.copy(other / "_listing.sqlite", out)
    elif damage == "no listing":
        (out / "_listing.sqlite").unlink()
    else:
        (out / damage).write_bytes(b"{}")
    refused("Name a new folder with --out", mixed_album, "--out", out, "--model", model, "--resume")
    assert shards(out) == ["part-000000.parquet"]


def test_a_second_scan_does_not_write_into_the_first(mixed_album, model, tmp_path):
    from deepfake_detect.scan.manifest import Folder

    out = tmp_path / "out.parquet"
    scan(mixed_album, "--out", out, "--model", model)
    held = Folder(out)
    try:
        done = command("deepfake_detect", "scan", mixed_album, "--out", out, "--model", model, "--resume")
    finally:
        held.close()
    assert done.returncode == 2 and "Another scan is writing to" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("--resume",)])
def test_a_scan_that_still_lists_its_source_is_not_disturbed(mixed_album, model, tmp_path, words):
    out, pipe = tmp_path / "out.parquet", tmp_path / "list.txt"
    os.mkfifo(pipe)
    with started(pipe, "--out", out, "--model", model) as process:
        while not list(out.glob(".partial-*")):
            assert process.poll() is None
            time.sleep(0.02)
        with pipe.open("w") as names:
            refused("Another scan is writing to", mixed_album, "--out", out, "--model", model, *words)
            names.write(f"{mixed_album}/0002.jpg\n")
        said = process.communicate(timeout=LONG)[1]
    assert process.returncode == 0 and paths(out) == [f"{mixed_album}/0002.jpg"], said


def test_a_full_disk_is_a_sentence_and_resume_goes_on(mixed_album, model, tmp_path):
    out = tmp_path / "out.parquet"
    words = (mixed_album, "--out", out, "--model", model, "--shard-rows", 4, "--resume")

    def limited(size: int) -> subprocess.CompletedProcess:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
        return command("deepfake_detect", "scan", *words, preexec_fn=limit)

    done = limited(2000)  # bytes: no room for the listing
    assert done.returncode == 2 and not out.exists()
    said = rf"deepfake-detect scan: {out} cannot be written to: .* Make room, then add --resume\.\n"
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
def test_room_is_asked_for_where_there_is_none(mixed_album, model, tmp_path, monkeypatch, fails, hint):
    monkeypatch.setattr(Rows, "write", lambda *words: fails())
    done = scan(mixed_album, "--out", tmp_path / "out.parquet", "--model", model)
    assert done.returncode == 2
    assert done.stderr.endswith(f"deepfake-detect scan: {tmp_path / 'out.parquet'} cannot be written to: {hint}\n")


def test_whatever_is_written_meanwhile_is_in_the_scan_s_folder(mixed_album, model, tmp_path, monkeypatch):
    out, seen = tmp_path / "out.parquet", set()

    def watched(function):
        return lambda *words: seen.update(name.split("-", 2)[-1] for name in partial_files(out)) or function(*words)

    monkeypatch.setattr(Detector, "prepare", watched(Detector.prepare))
    monkeypatch.setattr(Listing, "_found", watched(Listing._found))
    assert scan(mixed_album, "--out", out, "--model", model).returncode == 1
    assert seen == {"_listing.sqlite", "unsorted", "digests"} and not partial_files(out)


def partial_files(out: Path) -> list[str]:
    return [name for name in os.listdir(out) if name.startswith(".partial-")]
