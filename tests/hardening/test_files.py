"""The corpus through all that takes files: the library, the command line and the running page."""

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import corpus
import pytest
from corpus import EITHER, JUDGED, REFUSED, Entry
from pictures import for_people
from project import ROOT
from servers import serving
from waiting import LONG
from watching import MEGABYTES, SECONDS, Place, peak_megabytes, processor_seconds, without_rights

from bench.serving import Client
from deepfake_detect.model.onnx_model import LABELS
from deepfake_detect.verdict import UNSURE
from deepfake_detect.video.video_file import VIDEO_SUFFIXES
from page.batch import MAX_PICTURES

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux counts it")
HANGS = LONG  # seconds after which a file counts as never done
# An album may take as long as it does on this machine.
PATIENT = "from page import app, batch; batch.MAX_WORK_SECONDS = 10**6; raise SystemExit(app.main())"
EACH = f"""
import faulthandler, json, sys, time
from deepfake_detect import Detector, PictureError
from watching import peak_megabytes

detector = Detector({str(ROOT / "model.onnx")!r})
for path in map(json.loads, sys.stdin):
    faulthandler.dump_traceback_later({HANGS}, exit=True)
    wall, processor = time.perf_counter(), time.process_time()
    ((result, _),) = detector.stream([path])
    taken = time.perf_counter() - wall, time.process_time() - processor
    error = str(result) if isinstance(result, PictureError) else None
    print(json.dumps([error, *taken, peak_megabytes("self")]), flush=True)
"""


class Answer(NamedTuple):
    """What became of one file."""

    error: str | None
    seconds: float
    processor: float  # seconds
    peak: float  # megabytes that the process has held until now


@pytest.fixture(scope="module")
def made(small, tmp_path_factory, all_cases):
    """(the folder of all files, what they are); where no figures are written, one in five of every kind, and one in
    thirty of those that are damaged: tests/unit/test_bad_pictures.py reads more of them, in this process."""
    folder = tmp_path_factory.mktemp("corpus")
    entries = corpus.files(folder, small) if all_cases else corpus.files(folder, small, every=5, damaged=30)
    before = listing(folder)
    yield folder, entries
    assert listing(folder) == before, "something was left beside the pictures"
    (folder / "places" / corpus.CLOSED).chmod(0o700)  # for pytest, which deletes them


def listing(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    assert place.left() == []


@pytest.fixture(scope="module")
def each(made, tmp_path_factory) -> dict[Path, Answer]:
    """Every file by itself through the library, in a process of its own."""
    _, entries = made
    place = Place(tmp_path_factory.mktemp("library"))
    environment = place.environment | {"PYTHONPATH": f"{ROOT}:{ROOT}/tests/helpers"}
    done = subprocess.run(
        [sys.executable, "-c", EACH], cwd=place.folder, env=os.environ | environment, capture_output=True, text=True,
        input="\n".join(json.dumps(str(entry.path)) for entry in entries), preexec_fn=without_rights,
    )  # fmt: skip
    answers = [Answer(*json.loads(line)) for line in done.stdout.splitlines()]
    assert len(answers) == len(entries), f"the process ended at {entries[len(answers)].path}: {done.stderr}"
    assert (done.returncode, done.stderr, place.left()) == (0, "", [])
    return {entry.path: answer for entry, answer in zip(entries, answers, strict=True)}


def test_each_file_through_the_library(made, each, record_property, all_cases):
    _, entries = made
    for entry in entries:
        answer = each[entry.path]
        check(entry, answer.error)
        assert answer.processor < SECONDS, entry
    peak = max(answer.peak for answer in each.values())
    assert peak < MEGABYTES
    kinds = Counter(entry.what for entry in entries)
    assert len(entries) >= (800 if all_cases else 100) and len(kinds) >= 15
    tried = "; ".join(f"{count} {what}" for what, count in kinds.items())
    slowest = max(answer.seconds for answer in each.values())
    outcome = (
        f"{summary([answer.error for answer in each.values()])}; the slowest took {slowest:.1f} s; {at_most(peak)}"
    )
    record_property("survives", ["Files", f"{len(entries)} files through `Detector.stream`: {tried}", outcome])


def check(entry: Entry, error: str | None) -> None:
    if error is not None:
        for_people(error)
    assert entry.outcome in (EITHER, JUDGED if error is None else REFUSED), (entry, error)


def summary(errors: list[str | None]) -> str:
    judged = errors.count(None)
    return f"{judged} judged, {len(errors) - judged} refused with a sentence each"


def at_most(peak: float) -> str:
    return f"{peak:.0f} MB of memory at most; no file was left behind"


def test_all_files_through_the_command_line(made, each, place, record_property, tmp_path_factory):
    folder, entries = made
    out, err = (tmp_path_factory.mktemp("command") / name for name in ("out", "err"))
    started, peak = time.monotonic(), 0.0
    with out.open("wb") as output, err.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "deepfake_detect", folder, "--recursive", "--format", "jsonl"],
            stdout=output, stderr=errors, cwd=place.folder, env=os.environ | place.environment,
            preexec_fn=without_rights,
        )  # fmt: skip
        while process.poll() is None:
            peak = max(peak, peak_megabytes(process.pid))
            time.sleep(0.02)
    seconds = time.monotonic() - started
    assert (process.returncode, err.read_text()) == (
        1, "1 link to a folder was not followed; name the folder itself.\n",
    )  # fmt: skip
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    expected = corpus.in_order(entries)
    assert [record["path"] for record in records] == [str(path) for path in expected]
    outcomes = {entry.path: entry for entry in entries}
    for path, record in zip(expected, records, strict=True):
        error = record.get("error")
        if path.suffix in VIDEO_SUFFIXES:  # as a video, here
            assert for_people(error)
        else:
            check(outcomes[path], error)
            assert error == each[path].error and (error or record["label"] in (*LABELS, UNSURE)), path
    assert peak < MEGABYTES
    errors = [record.get("error") for record in records]
    tried = f"the same folder in one `deepfake-detect`, which found {len(records)} files in it"
    outcome = f"{summary(errors)}; exit status {process.returncode} after {seconds:.0f} s; {at_most(peak)}"
    record_property("survives", ["Files", tried, outcome])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A server for these tests alone, whose memory is theirs."""
    place = Place(tmp_path_factory.mktemp("place"))
    with serving(tmp_path_factory.mktemp("page"), "-c", PATIENT, **place.environment) as server:
        beside = beside_the_program()
        yield server
        assert beside_the_program() == beside and place.left() == []
        assert "Traceback" not in server.log.read_text()


def beside_the_program() -> set[str]:
    """What lies in the repository, without what those programs put there that run tests."""
    return {*os.listdir(ROOT)} - {".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def test_all_files_through_the_running_page(made, each, page, record_property, all_cases):
    sent = [entry for entry in made[1] if can_be_sent(entry)]
    client, process = Client(page.url), page.process.pid
    uploads = {}
    for start in range(0, len(sent), MAX_PICTURES):
        lot = sent[start : start + MAX_PICTURES]
        uploads |= dict(zip([entry.path for entry in lot], upload(client, lot), strict=True))
        answers = client.ask("analyze_batch", [uploads[entry.path] for entry in lot])
        for entry, answer in zip(lot, answers, strict=True):
            check(entry, answer.get("error"))
            assert answer.get("error") == each[entry.path].error, entry
            assert ("label" in answer) != ("error" in answer)
    slowest = 0.0
    some = some_of_each(sent, 10 if all_cases else 2)
    for entry in some:
        started, processor = time.perf_counter(), processor_seconds(process)
        error = asked(client, uploads[entry.path])
        slowest = max(slowest, time.perf_counter() - started)
        assert processor_seconds(process) - processor < SECONDS, entry
        assert error == each[entry.path].error, entry
    peak = peak_megabytes(process)
    assert page.process.poll() is None and peak < MEGABYTES
    errors = [each[entry.path].error for entry in sent]
    tried = (
        f"{len(sent)} of them to the running page: all to `/analyze_batch` in lots of {MAX_PICTURES}, "
        f"{len(some)} also to `/analyze`"
    )
    outcome = f"{summary(errors)}; the slowest answer took {slowest:.1f} s; {at_most(peak)}; no traceback in its log"
    record_property("survives", ["Files", tried, outcome])


def can_be_sent(entry: Entry) -> bool:
    """A file, under a name that can be written in UTF-8."""
    return entry.what != corpus.PLACED and "\udcff" not in entry.path.name


def upload(client: Client, lot: list[Entry]) -> list[dict]:
    """As the page does: in one request."""
    files = [("files", (entry.path.name, entry.path.read_bytes())) for entry in lot]
    paths = client.http.post("upload", files=files).raise_for_status().json()
    meta = {"_type": "gradio.FileData"}
    return [{"path": path, "meta": meta, "orig_name": e.path.name} for path, e in zip(paths, lot, strict=True)]


def some_of_each(entries: list[Entry], count: int) -> list[Entry]:
    """About so many of each kind, evenly taken."""
    kinds = defaultdict(list)
    for entry in entries:
        kinds[entry.what].append(entry)
    return [entry for kind in kinds.values() for entry in kind[:: max(1, len(kind) // count)]]


def asked(client: Client, sent: dict) -> str | None:
    """The error with which `/analyze` refuses a file."""
    try:
        assert client.ask("analyze", sent, False)["label"]
    except RuntimeError as refused:
        return json.loads(str(refused).partition(": ")[2])["error"]
    return None
