"""A scan that is killed, for real and at the worst moments, and gone on with: each picture exactly once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT
from scans import fill, rows, scan, shards, started
from waiting import LONG

pytestmark = pytest.mark.slow

PICTURES, SHARD = 60, 5
# Sends a signal to its own process at the n-th renaming of a file, before it or after it.
KILLED = """
import os, signal, sys
from deepfake_detect.cli.judge import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in a shell's background does not have
sign, moment, number, *words = sys.argv[1:]
left, rename = int(number), os.replace


def replace(*names):
    global left
    left -= 1
    if moment == "after" or left:
        rename(*names)
    if not left:
        os.kill(os.getpid(), int(sign))


os.replace = replace
sys.exit(main(words))
"""


@pytest.fixture(scope="module")
def album(small, tmp_path_factory) -> Path:
    """Pictures that all differ, some copies of them far away in the listing, and a broken one."""
    album = tmp_path_factory.mktemp("album")
    names = fill(album, PICTURES - 12, small)
    for number in range(11):
        os.link(names[number], album / f"x{number:02d}.jpg")
    (album / "0020a.jpg").write_bytes(b"no picture")
    return album


@pytest.fixture(scope="module")
def undisturbed(album, model, tmp_path_factory) -> list[dict]:
    out = tmp_path_factory.mktemp("undisturbed") / "out.parquet"
    scan(album, "--out", out, "--model", model)
    return rows(out)


def check(out: Path, undisturbed: list[dict], *words: object) -> None:
    """Go on to the end, and find every picture once, as if nothing had been."""
    before = {name: (out / name).stat().st_mtime_ns for name in shards(out)}
    assert scan(*words, "--out", out, "--resume").returncode == 1
    assert rows(out) == undisturbed and len(shards(out)) == PICTURES // SHARD
    assert before == {name: (out / name).stat().st_mtime_ns for name in before}
    assert not [name for name in os.listdir(out) if "partial" in name]


def test_killed_around_every_renaming_of_a_file(album, model, undisturbed, tmp_path):
    out = tmp_path / "out.parquet"
    words = [album, "--model", model, "--shard-rows", SHARD]
    # The listing and the manifest are renamed first; runs that go on rename shards alone.
    moments = [("before", 1, 0), ("after", 1, 0), ("after", 2, 0), ("before", 1, 0), ("after", 1, 1), ("before", 4, 4)]
    for moment, number, done in moments:
        killed = signalled(signal.SIGKILL, moment, number, *words, "--out", out, "--resume")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert len(shards(out)) == done
    assert [name for name in os.listdir(out) if "partial" in name]
    check(out, undisturbed, *words)


def test_killed_while_what_could_not_be_read_is_read_again(album, model, undisturbed, tmp_path):
    out = tmp_path / "out.parquet"
    words = [album, "--model", model, "--shard-rows", SHARD, "--out", out, "--resume"]
    lost = [album / f"{number:04d}.jpg" for number in (12, 23, 41, 42)]  # in three shards
    for name in lost:
        name.rename(tmp_path / name.name)
        name.symlink_to("nowhere")
    scan(*words)
    before = rows(out)
    for name in lost:
        (tmp_path / name.name).rename(name)
    for moment, number, left in (("before", 1, 4), ("after", 1, 3), ("before", 2, 2)):
        killed = signalled(signal.SIGKILL, moment, number, *words)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        found = rows(out)
        assert [row["error"] for row in found].count("There is no such file.") == left
        assert all(row in (old, new) for row, old, new in zip(found, before, undisturbed, strict=True))
    assert scan(*words).returncode == 1 and rows(out) == undisturbed


def signalled(sign: signal.Signals, moment: str, number: int, *words: object) -> subprocess.CompletedProcess:
    """A scan that sends itself a signal."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(int(sign)), moment, str(number), "scan", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip


def test_killed_from_outside(album, model, undisturbed, tmp_path):
    words = (album, "--model", model, "--shard-rows", SHARD)
    for attempt in range(10):  # a scan may end before it is hit
        out = tmp_path / f"{attempt}.parquet"
        with started(*words, "--out", out) as process:
            while process.poll() is None and not (out.is_dir() and shards(out)):
                pass
            process.kill()
            process.communicate(timeout=LONG)
        if len(shards(out)) < PICTURES // SHARD:
            break
    assert process.returncode == -signal.SIGKILL and 0 < len(shards(out)) < PICTURES // SHARD
    check(out, undisturbed, *words)


def test_ctrl_c_is_a_sentence(album, model, undisturbed, tmp_path):
    out = tmp_path / "out.parquet"
    words = (album, "--model", model, "--shard-rows", SHARD)
    done = signalled(signal.SIGINT, "after", 3, *words, "--out", out)
    assert (done.returncode, done.stderr) == (130, "Stopped. The same command with --resume goes on.\n")
    assert not [name for name in os.listdir(out) if "partial" in name] and len(shards(out)) < PICTURES // SHARD
    check(out, undisturbed, *words)
