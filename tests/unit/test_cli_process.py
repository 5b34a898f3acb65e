"""`deepfake-detect` as a process of its own: pipes, terminals, locales, a reader that has gone."""

import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from cli_folder import PASSED_OVER, mixed_folder, names, records
from commands import command
from PIL import Image
from project import ROOT
from waiting import LONG


@pytest.fixture
def album(portrait, tmp_path) -> Path:
    return mixed_folder(portrait, tmp_path)


@pytest.mark.slow
def test_the_shipped_model_judges_in_a_pipe_and_prints_nothing_else(album, portrait):
    odd_exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"\x12\x01\x03\0\xff\xff\xff\xff\xff\xff\0\0" * 2
    with Image.open(album / "b.png") as image:
        image.save(album / "odd.jpg", exif=odd_exif)
    header = bytearray((album / "b.png").read_bytes())
    header[16:24] = struct.pack(">II", 10_000, 10_000)  # also makes Pillow warn, in silence
    (album / "vast.png").write_bytes(header)
    os.mkfifo(album / "pipe.jpg")
    undecodable = os.fsencode(album) + b"/\xff\xfe.png"
    shutil.copyfile(os.fsencode(portrait), undecodable)
    done = subprocess.run(
        [sys.executable, "-m", "deepfake_detect", album, portrait, undecodable, "--format", "jsonl"],
        cwd=ROOT, capture_output=True, timeout=LONG, env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (1, PASSED_OVER)
    found = records(done.stdout.decode("utf-8"))
    assert [("error" in record) for record in found] == [True, False, False, False, True, True, False, False, False]
    assert os.fsencode(found[-1]["path"]) == undecodable


@pytest.mark.slow
def test_a_name_that_the_locale_cannot_write_is_printed_as_utf_8(model, album):
    shutil.copy(album / "b.png", album / "日本.png")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = command("deepfake_detect", album / "日本.png", "--model", model, env=environment, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "") and "日本.png" in done.stdout


@pytest.mark.slow
def test_a_terminal_shows_progress(model, album):
    terminal, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, 100))
    done = subprocess.run(
        [sys.executable, "-m", "deepfake_detect", album / "b.png", "--model", model, "--format", "jsonl"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=inner, timeout=LONG,
    )  # fmt: skip
    os.close(inner)
    shown = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert done.returncode == 0 and "1/1" in shown and "picture" in shown
    assert names(done.stdout.decode()) == ["b.png"]


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_causes_no_traceback(model, album):
    process = subprocess.Popen(
        [sys.executable, "-m", "deepfake_detect", *[album / "b.png"] * 3, "--model", model, "--format", "jsonl"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()  # as `head` does, only sooner
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(LONG) == 0


@pytest.mark.slow
def test_standard_output_that_is_full_is_reported(model, album):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deepfake_detect", album / "b.png", "--model", model],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=LONG,
        )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "cannot be written to standard output" in done.stderr
