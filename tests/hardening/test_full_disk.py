"""A disk that is full: whoever wanted to write there gets a sentence, and nothing is left half written."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from albums import REAL
from commands import command, here
from films import film
from photo_tab import remove
from PIL import Image
from project import ROOT
from servers import serving
from tabs import photographs
from waiting import LONG

from bench.serving import Client
from deepfake_detect.report.card_texts import HEADLINES
from deepfake_detect.report.sentences import WORDS
from page import texts
from page.server.bootstrap import UPLOADS
from page.server.upload_folder import upload_folder

SIZE = 16 * 2**20  # bytes of the disk; what the page shows by itself takes less than one of them
PAGE = 4096  # bytes; a file takes whole ones of these


class Disk:
    """A disk of its own, which can be filled to the last byte."""

    def __init__(self, folder: Path):
        self.folder, self.filler = folder, folder / "filler"

    def fill(self, *leaving: Path) -> None:
        """So that there is room for copies of these files, and for nothing else."""
        with self.filler.open("ab", buffering=0) as out:
            out.seek(0, os.SEEK_END)
            try:
                while True:
                    out.write(bytes(PAGE))
            except OSError:
                left = sum(-(-file.stat().st_size // PAGE) for file in leaving)
                os.ftruncate(out.fileno(), out.tell() - left * PAGE)

    def make_room(self) -> None:
        self.filler.unlink(missing_ok=True)

    def files(self) -> dict[Path, int]:
        """What else lies there, and how large it is."""
        return {file: file.stat().st_size for file in self.folder.rglob("*") if file.is_file() and file != self.filler}


@pytest.fixture(scope="module")
def mounted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    if not shutil.which("mount"):
        pytest.skip("there is no command that mounts a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def disk(mounted):
    disk = Disk(mounted)
    yield disk
    disk.make_room()


@pytest.fixture(scope="module")
def crowded(mounted, tmp_path_factory):
    """A server whose uploads lie on the small disk."""
    with serving(tmp_path_factory.mktemp("crowded"), GRADIO_TEMP_DIR=mounted) as started:
        yield started
        assert "Traceback" not in started.log.read_text()


@pytest.fixture
def clip(tmp_path) -> Path:
    return film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 3)


def opened(browser, server, tab, box):
    """The page on a tab whose box waits for a file."""
    page = browser.new_page()
    page.goto(server.url)
    if tab:
        page.get_by_role("tab", name=tab).click()
    page.wait_for_selector(f"{box} input[type=file]", state="attached")
    return page


def test_an_upload_that_finds_no_room_is_refused_with_a_sentence(disk, crowded, browser, record_property):
    disk.fill()
    before, began = disk.files(), time.monotonic()
    with REAL.open("rb") as file:
        answer = httpx.post(f"{crowded.url}gradio_api/upload", files={"files": file})
    seconds = time.monotonic() - began
    assert (answer.status_code, answer.text) == (503, texts.UPLOADS_FULL)
    page = opened(browser, crowded, None, "#photo")
    page.set_input_files("#photo input[type=file]", REAL)
    page.get_by_text(texts.UPLOADS_FULL).first.wait_for()
    page.close()
    assert disk.files() == before
    disk.make_room()
    client = Client(crowded.url)
    assert client.ask("predict", client.upload(REAL))["label"] in WORDS.values()
    outcome = f"Refused with a sentence after {seconds:.1f} s, on the page too; nothing of it stayed"
    record_property(
        "survives", ["Disk", "An upload to a server whose disk is full", f"{outcome}; taken once there was room"]
    )


def test_results_that_find_no_room_end_in_a_sentence(disk, crowded, browser, clip, tmp_path, record_property):
    """What was sent fits on the disk to the byte; what is to be shown of it does not."""
    tabs = (
        (None, "#photo", REAL, "#card"),
        ("Album", "#album", REAL, "#album-card"),
        ("Video", "#film", clip, "#film-card"),
    )
    for number, (tab, box, sample, headline) in enumerate(tabs):
        sent = tmp_path / f"{number}{sample.suffix}"
        sent.write_bytes(sample.read_bytes() + bytes([number]))  # a file that the server has not seen yet
        page = opened(browser, crowded, tab, box)
        disk.fill(sent)
        before = disk.files()
        page.set_input_files(f"{box} input[type=file]", sent)
        page.get_by_text(texts.NO_ROOM).first.wait_for()
        after = disk.files()
        assert {file.name: size for file, size in after.items() if file not in before} == {
            sent.name: sent.stat().st_size
        }
        disk.make_room()
        if tab:
            page.get_by_role("button", name=re.compile("again")).click()
        else:
            remove(page)
            page.set_input_files(f"{box} input[type=file]", sent)
        page.locator(f"{headline} h2").get_by_text(re.compile("|".join(["^1 file: ", *HEADLINES.values()]))).wait_for()
        page.close()
    outcome = (
        f"{len(tabs)} of {len(tabs)} tabs said so in a sentence; no file was half written; judged once there was room"
    )
    record_property("survives", ["Disk", "Results of the page for which there is no room", outcome])


def test_the_report_on_a_photograph_finds_no_room(disk, detector, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(disk.folder))
    events = photographs(detector)
    judged = events.show((events.runs.open(), str(REAL)))[events.view.judged]
    upload_folder()  # makes the folder
    disk.fill()
    before = disk.files()
    assert events.write_files(judged) == {events.view.claims: texts.NO_ROOM} and disk.files() == before


def test_programs_are_answered_by_a_server_that_cannot_write(disk, crowded, clip):
    client = Client(crowded.url)
    picture, video = client.upload(REAL), client.upload(clip)
    disk.fill()
    before = disk.files()
    assert client.ask("predict", picture)["label"] in WORDS.values()
    assert client.ask("analyze", picture, True)["faces"]
    (answer,) = client.ask("analyze_batch", [picture])
    assert answer["label"] in WORDS
    assert client.ask("analyze_video", video)["frames"] == 3
    assert disk.files() == before


def test_the_command_that_finds_no_room_leaves_the_older_file(disk, record_property):
    formats = ("table", "jsonl", "csv")
    for style in formats:
        output = disk.folder / f"verdicts.{style}"
        output.write_text("older")
        disk.fill()
        run = command if style == formats[0] else here
        done = run("deepfake_detect", ROOT / "examples", "--format", style, "--output", output)
        assert done.returncode == 2 and done.stdout == ""
        assert re.fullmatch(
            r"Skipped 1 file .*\n(\d folders? inside .*\n)?"
            r"deepfake-detect: The result cannot be written to \S+: No space left on device\.\n",
            done.stderr,
        )
        assert {file.name: size for file, size in disk.files().items() if file.parent == disk.folder} == {
            output.name: 5
        }
        disk.make_room()
        assert here("deepfake_detect", ROOT / "examples", "--format", style, "--output", output).returncode == 0
        assert output.stat().st_size > 5
        output.unlink()
    disk.fill()
    with (disk.folder / "verdicts.jsonl").open("w") as out:
        words = [sys.executable, "-m", "deepfake_detect", ROOT / "examples", "--format", "jsonl"]
        done = subprocess.run(words, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, timeout=LONG)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "\ndeepfake-detect: The result cannot be written to standard output: No space left on device.\n"
    )
    tried = f"`deepfake-detect` in {len(formats)} formats, and redirected, onto a full disk"
    record_property("survives", ["Disk", tried, "A sentence each time; the older file stayed whole"])


def test_the_page_does_not_start_without_room_and_starts_when_what_was_left_is_old(mounted, tmp_path, record_property):
    """A killed server may have left the disk full of uploads."""
    folder = mounted / "other"
    folder.mkdir()
    left = Disk(folder)
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder)}
    left.filler = folder / UPLOADS.name / "left.jpg"
    left.filler.parent.mkdir()
    left.fill()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG
    )
    seconds = time.monotonic() - began
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"app.py: {texts.NO_START.format(left.filler.parent, 'No space left on device')}\n"
    hasty = "from page import app; app.KEEP_SECONDS = 0; raise SystemExit(app.main())"
    with serving(tmp_path, "-c", hasty, GRADIO_TEMP_DIR=folder):
        assert not left.filler.exists()
    outcome = f"A sentence after {seconds:.0f} s; once the uploads that filled it were old, the next start deleted them"
    record_property("survives", ["Disk", "Starting the page with its disk full", outcome])
