"""Many programs at once for a while, some of whose files are bad: `make hardening` takes two minutes for it."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle, islice
from pathlib import Path
from threading import Event
from typing import NamedTuple

import numpy as np
import psutil
import pytest
from albums import bad_files
from servers import Server, serving
from waiting import LONG, PATIENCE

from bench.serving import EXAMPLES, Client
from deepfake_detect.report.sentences import WORDS
from page.server.bootstrap import UPLOADS

# Clients, seconds, the share by which memory may grow, as caches fill at first, and the seconds that uploads are kept,
# in place of minutes. Where the figures are written, by a machine that does nothing else, and otherwise.
WHOLE, SHORT = (16, 120, 0.1, 20), (4, 6, 0.5, PATIENCE)
SWEEP_SECONDS, LATE = 1, 30  # between two looks for what is old, and that those may be late
HASTY = "from page import app; app.KEEP_SECONDS, app.SWEEP_SECONDS = {}, {}; raise SystemExit(app.main())"
GOOD = 9  # files to one that is bad
ALBUM_EVERY = 12  # requests, of the few clients that send albums: no more than may wait
LEAST = ALBUM_EVERY  # requests of each client, however slow the machine: the first ones fill the caches
ALBUMS = 3  # such clients
ALBUM = 5  # pictures


class Soaked(NamedTuple):
    """What came of it."""

    requests: int
    pictures: int
    refused: int
    slowest: float  # seconds
    megabytes: list[float]  # over the time, of the server
    handles: list[int]  # open files and connections


class Sample(NamedTuple):
    """A file, and what has to come of it."""

    file: Path
    label: str = ""  # of what is judged
    closely: str = ""  # the same, where it is looked at as closely as on the page
    words: str = ""  # of what is refused: a part of the sentence

    def is_met_by(self, answer: dict, closely: bool) -> bool:
        if self.words:
            return self.words in answer.get("error", "")
        label = self.closely if closely else self.label
        return answer.get("label") in (label, WORDS[label])


@pytest.fixture
def samples(detector, tmp_path) -> list[Sample]:
    """Nine that are judged before each one that is refused."""
    folder = tmp_path / "bad"
    folder.mkdir()
    good = cycle(
        Sample(file, detector.predict_one(file).label, detector.predict_one(file, thorough=True).label)
        for file in EXAMPLES
    )
    bad = [Sample(file, words=words) for file, words in bad_files(folder)]
    return [sample for refused in bad for sample in [*islice(good, GOOD), refused]]


def ask(url: str, number: int, folder: Path, samples: list[Sample], until: float) -> list[tuple[int, int, float]]:
    """What one client does until the time is over, LEAST requests at least: pictures, refusals and seconds of each."""
    client, found = Client(url), []
    coming = islice(cycle(samples), number, None)
    for turn in count():
        if turn >= LEAST and time.monotonic() > until:
            return found
        album, closely = number < ALBUMS and turn % ALBUM_EVERY == 0, turn % 3 == 0
        taken = list(islice(coming, ALBUM if album else 1))
        since = time.monotonic()
        sent = [
            client.upload(fresh(sample.file, folder / f"{number}_{turn}_{place}")) for place, sample in enumerate(taken)
        ]
        if album:
            answers = client.ask("analyze_batch", sent)
        else:
            answers = [answer_of(client, *(("predict", *sent) if turn % 3 == 1 else ("analyze", *sent, closely)))]
        found.append((len(sent), sum(bool(sample.words) for sample in taken), time.monotonic() - since))
        for sample, answer in zip(taken, answers, strict=True):
            assert sample.is_met_by(answer, closely and not album), (sample, answer)


def fresh(sample: Path, name: Path) -> Path:
    """A copy that the server has not seen yet: what stands behind a picture's end is not looked at."""
    file = name.with_suffix(sample.suffix)
    data = sample.read_bytes()
    file.write_bytes(data and data + name.name.encode())
    return file


def answer_of(client: Client, *values: object) -> dict:
    """From an endpoint for one picture; a refusal as albums have it."""
    try:
        return client.ask(*values)
    except RuntimeError as error:
        return {"error": str(error)}


def soak(server: Server, folder: Path, samples: list[Sample], clients: int, seconds: float) -> Soaked:
    until, over = time.monotonic() + seconds, Event()
    process, memory, handles = psutil.Process(server.process.pid), [], []

    def watch() -> None:
        while not over.wait(0.25):
            memory.append(process.memory_info().rss / 2**20)
            handles.append(process.num_fds())

    with ThreadPoolExecutor(clients + 1) as pool:
        watching = pool.submit(watch)
        try:
            jobs = [pool.submit(ask, server.url, number, folder, samples, until) for number in range(clients)]
            found = [request for job in jobs for request in job.result(timeout=seconds + 4 * LONG)]
        finally:
            over.set()
        watching.result()
    pictures, refused, taken = zip(*found, strict=True)
    return Soaked(len(found), sum(pictures), sum(refused), max(taken), memory, handles)


def test_many_clients_for_a_while_are_all_answered_and_nothing_grows(tmp_path, samples, record_property, all_cases):
    clients, seconds, growth, keep = WHOLE if all_cases else SHORT
    sent = tmp_path / "sent"
    sent.mkdir()
    with serving(tmp_path, "-c", HASTY.format(keep, SWEEP_SECONDS)) as server:
        uploads = server.uploads / UPLOADS.name
        own = set(uploads.rglob("*"))
        soaked = soak(server, sent, samples, clients, seconds)
        now = time.time()
    left = {file: file.stat().st_ctime for file in set(uploads.rglob("*")) - own if file.is_file()}
    assert "Traceback" not in server.log.read_text()
    quarter = len(soaked.megabytes) // 4
    early, late = slice(quarter, 2 * quarter), slice(-quarter, None)
    before, after = np.median(soaked.megabytes[early]), np.median(soaked.megabytes[late])
    assert after < before * (1 + growth)
    assert max(soaked.handles[late]) < max(soaked.handles[early]) + clients
    assert left and {file.name for file in left} <= {file.name for file in sent.iterdir()}
    # In the short time nothing has to go
    assert not all_cases or all(now - came < keep + SWEEP_SECONDS + LATE for came in left.values())
    assert not all_cases or len(left) < soaked.pictures
    record_property("survives", [
        "Server", f"{clients} programs at once for {seconds} s: {soaked.requests} requests with {soaked.pictures} "
        f"files, {soaked.refused} of them bad",
        f"The bad files were refused with their sentences, all others judged as ever; the slowest request took "
        f"{soaked.slowest:.1f} s; the server held {before:.0f} MB in the second quarter of the time and {after:.0f} MB "
        f"in the last; of {soaked.pictures} uploads, {len(left)} were left, none older than it should be",
    ])  # fmt: skip
