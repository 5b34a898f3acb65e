"""Clients that go without a word: what they held, the next one has within seconds."""

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import NamedTuple

import httpx
import numpy as np
import pytest
from albums import REAL
from films import film
from gradio_client import Client, handle_file
from PIL import Image
from servers import free_port, half_an_upload
from tools import data_url, in_session
from waiting import LONG, PATIENCE, wait_until

from page import app, texts
from page.server import disconnects
from page.tabs import album as many
from page.tabs import video as videos

ABANDONED = disconnects.ABANDONED_SECONDS
ABANDONED_SECONDS = 2  # in their place
# Of a program that waits as long as it takes
CALL = "import sys; from gradio_client import *; u, e, p, f = sys.argv[1:]; " \
       "client = Client(u, httpx_kwargs={'timeout': None}); file = handle_file(f); " \
       "client.predict(**{p: [file] if p == 'images' else file}, api_name=e)"  # fmt: skip


@contextmanager
def hasty():
    """A server that gives jobs up early: from when its client is there, or is to be gone, however slow that was."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(disconnects, "ABANDONED_SECONDS", ABANDONED_SECONDS)
        yield


class Endless:
    """A long job that only ends when it is given up."""

    def __init__(self):
        self.begun, self.ended = Event(), Event()

    def __call__(self, *words: object, **options: object):
        self.ended.clear()
        self.begun.set()
        try:
            while True:
                yield 0, 1, None
                time.sleep(0.05)
        finally:
            self.begun.clear()
            self.ended.set()

    def seconds_until_given_up(self) -> float:
        since = time.monotonic()
        with hasty():
            assert self.ended.wait(PATIENCE), "the job goes on for nobody"
        taken = time.monotonic() - since
        wait_until(lambda: not disconnects._listening)  # lest the next one takes such a connection for its own
        return taken

    def goes_on(self) -> bool:
        """Whether it does, longer than one that is abandoned, from when its client listens."""
        wait_until(lambda: disconnects._listening)
        with hasty():
            return not self.ended.wait(ABANDONED_SECONDS + 1)


class Long(NamedTuple):
    """A server whose long jobs of one kind never end, and how it is asked."""

    url: str
    job: Endless
    name: str
    endpoint: str
    parameter: str
    tab: str
    box: str
    busy: str
    file: Path

    def values(self) -> list:
        with self.file.open("rb") as data:
            (path,) = httpx.post(f"{self.url}gradio_api/upload", files={"files": data}).json()
        sent = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return [[sent] if self.parameter == "images" else sent]

    def ask(self) -> str:
        """The address at which the answer is to be had."""
        asked = httpx.post(f"{self.url}gradio_api/call/{self.endpoint}", json={"data": self.values()})
        return f"{self.url}gradio_api/call/{self.endpoint}/{asked.json()['event_id']}"


@pytest.fixture(
    scope="module",
    params=[
        ("video", "analyze_video", "video", "Video", "#film", texts.VIDEO_BUSY, videos, "judge_frames"),
        ("album", "analyze_batch", "images", texts.ALBUM_TAB, "#album", texts.ALBUM_BUSY, many.Album, "judge_all"),
    ],
    ids=lambda param: param[0],
)
def long(request, detector, tmp_path_factory):
    *asked, place, name = request.param
    clip = film(tmp_path_factory.mktemp("long") / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 3)
    with pytest.MonkeyPatch.context() as patched:
        job = Endless()
        patched.setattr(place, name, job)
        patched.setattr(many, "_answer", lambda judged: judged)
        patched.setattr(many, "_results", lambda *of: ("", None, None))
        patched.setattr(disconnects, "ABANDONED_SECONDS", LONG)
        demo = app.build(detector)
        own = app.LAUNCH | {"app_kwargs": dict(app.LAUNCH["app_kwargs"])}  # to which Gradio adds the server of tools
        _, url, _ = demo.launch(
            prevent_thread_lock=True, server_port=free_port(), quiet=True, mcp_server=place is videos, **own
        )
        yield Long(url, job, *asked, clip if place is videos else REAL)
        demo.close()


def a_killed_program(long, browser):
    words = [sys.executable, "-c", CALL, long.url, f"/{long.endpoint}", long.parameter, str(long.file)]
    with subprocess.Popen(words) as program:
        assert long.job.begun.wait(LONG)
        assert not long.job.ended.wait(1)
        program.kill()


def a_closed_connection(long, browser):
    with httpx.stream("GET", long.ask(), timeout=PATIENCE):
        assert long.job.begun.wait(PATIENCE)


def a_closed_tab(long, browser):
    page = browser.new_page()
    page.goto(long.url)
    page.get_by_role("tab", name=long.tab).click()
    page.set_input_files(f"{long.box} input[type=file]", long.file)
    try:
        assert long.job.begun.wait(PATIENCE)
        assert long.job.goes_on()
    finally:
        page.close()


def an_answer_never_fetched(long, browser):
    address = long.ask()
    assert long.job.begun.wait(PATIENCE)
    return address


def an_abandoned_tool_call(long, browser):
    """Over the Model Context Protocol."""

    async def leave(session):
        sent = {long.parameter: data_url(long.file, "video/mp4")}
        calling = asyncio.create_task(session.call_tool(long.endpoint, sent))
        assert await asyncio.to_thread(long.job.begun.wait, PATIENCE)
        assert await asyncio.to_thread(long.job.goes_on)
        calling.cancel()

    in_session(f"{long.url}gradio_api/mcp/", leave)


def test_the_turn_of_a_client_that_has_gone_is_the_next_ones(long, browser, record_property):
    ways, seconds = [a_killed_program, a_closed_connection, a_closed_tab, an_answer_never_fetched], []
    if long.parameter == "video":  # lists of files are no tool
        ways.insert(0, an_abandoned_tool_call)
    for leave in ways:
        address = leave(long, browser)
        seconds.append(long.job.seconds_until_given_up())
    answer = httpx.get(address, timeout=PATIENCE).text  # after all
    assert "event: error" in answer and texts.ABANDONED in answer
    said = ", ".join(
        f"{way.__name__.replace('_', ' ')} {taken:.1f} s" for way, taken in zip(ways, seconds, strict=True)
    )
    record_property("survives", [
        "Server", f"A client that goes while its {long.name} is judged, in {len(ways)} ways",
        f"The turn was the next one's after: {said}, of which {ABANDONED_SECONDS} s (on the page {ABANDONED}) were "
        "waited",
    ])  # fmt: skip


def test_what_a_program_cancels_is_given_up(long):
    client, file = Client(long.url, verbose=False), handle_file(long.file)
    sent = {long.parameter: [file] if long.parameter == "images" else file}
    job = client.submit(**sent, api_name=f"/{long.endpoint}")
    wait_until(job.outputs)  # until the client has heard of it
    assert job.cancel()
    long.job.seconds_until_given_up()


def test_who_fetches_an_answer_after_a_moment_is_served(long):
    address = long.ask()
    assert long.job.begun.wait(PATIENCE)
    time.sleep(1)
    with httpx.stream("GET", address, timeout=PATIENCE) as answer:
        lines = answer.iter_lines()  # closes the connection when it is forgotten
        assert "event: generating" in lines
        assert long.job.goes_on()
    long.job.seconds_until_given_up()


def test_the_places_of_those_who_waited_and_have_gone_are_free(long):
    with ExitStack() as waiting:
        streams = []
        for _ in range(texts.MAX_WAITING + 1):
            streams.append(waiting.enter_context(httpx.stream("GET", long.ask(), timeout=PATIENCE)).iter_lines())
            assert "event: generating" in streams[-1]
        assert long.busy in httpx.get(long.ask(), timeout=PATIENCE).text
    deadline = time.monotonic() + PATIENCE
    while True:
        with hasty():
            time.sleep(ABANDONED_SECONDS + 0.5)
        with httpx.stream("GET", long.ask(), timeout=PATIENCE) as stream:
            if "event: generating" in stream.iter_lines():
                break
        assert time.monotonic() < deadline
    long.job.seconds_until_given_up()


@pytest.mark.usefixtures("no_traceback")
def test_of_an_upload_that_is_cut_off_nothing_stays(server):
    url, uploads, _ = server

    def parts():
        return {file for file in uploads.rglob("tmp*") if file.is_file()}

    before = parts()
    with half_an_upload(url, REAL.read_bytes()):
        wait_until(lambda: parts() - before)
    wait_until(lambda: not parts() - before)
    assert httpx.get(url).status_code == 200
