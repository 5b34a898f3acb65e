"""A server that is killed in the middle of its work, and the next one."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import numpy as np
import psutil
from albums import REAL, heavy_files
from films import film
from PIL import Image
from servers import half_an_upload, serving
from waiting import PATIENCE, wait_until

from bench.serving import Client
from page.server.bootstrap import UPLOADS

HASTY = "from page import app; app.KEEP_SECONDS = app.SWEEP_SECONDS = 1; raise SystemExit(app.main())"  # not minutes


def listened(client: Client, endpoint: str, values: tuple, begun: Event) -> None:
    """Ask again and again, and read the answers as they come: `begun` at the first step."""
    while True:
        event = client.http.post(f"call/{endpoint}", json={"data": values}).raise_for_status().json()["event_id"]
        with client.http.stream("GET", f"call/{endpoint}/{event}") as stream:
            for line in stream.iter_lines():
                if line == "event: generating":
                    begun.set()


def asked_again_and_again(client: Client, values: tuple, begun: Event) -> None:
    while client.ask("analyze", *values)["faces"]:
        begun.set()


def processes(session: int) -> list[int]:
    """Those that still belong to a session, zombies among them."""
    found = []
    for process in psutil.pids():
        try:
            if os.getsid(process) == session:
                found.append(process)
        except ProcessLookupError:  # gone meanwhile
            continue
    return found


def lying_in(folder: Path) -> set[Path]:
    """All files; a folder may be swept meanwhile."""
    return {Path(parent, name) for parent, _, names in os.walk(folder) for name in names}


def test_a_server_that_is_killed_at_work_leaves_nothing_that_the_next_one_minds(tmp_path, record_property):
    album, temporary = tmp_path / "album", tmp_path / "temporary"
    album.mkdir()
    temporary.mkdir()
    large = heavy_files(album)[0]
    face = tmp_path / "face.jpg"
    face.write_bytes(REAL.read_bytes() + b"!")  # not the file of the example, which stays
    clip = film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 400)
    with ThreadPoolExecutor(3) as pool, serving(tmp_path, TMPDIR=temporary) as first:
        uploads = first.uploads / UPLOADS.name
        own = lying_in(uploads)  # of the page
        client, begun = Client(first.url), [Event() for _ in range(3)]
        picture, pictures, video = client.upload(face), [client.upload(large)] * 60, client.upload(clip)
        expected = client.ask("analyze", picture, False)
        at_work = [
            pool.submit(asked_again_and_again, Client(first.url), (picture, True), begun[0]),
            pool.submit(listened, Client(first.url), "analyze_batch", (pictures,), begun[1]),
            pool.submit(listened, Client(first.url), "analyze_video", (video,), begun[2]),
        ]
        for event in begun:
            assert event.wait(PATIENCE)
        with half_an_upload(first.url, face.read_bytes()) as connection:
            wait_until(lambda: [file for file in lying_in(uploads) if file.name.startswith("tmp")])
            first.process.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            assert first.process.wait(PATIENCE) == -signal.SIGKILL
            errors = [job.exception(timeout=PATIENCE) for job in at_work]
            try:
                assert not connection.recv(1)
            except ConnectionResetError:
                pass
            told = time.monotonic() - killed
        assert all(isinstance(error, httpx.TransportError) for error in errors), errors
        wait_until(lambda: not processes(first.process.pid))
    left = lying_in(uploads) - own
    assert {face.name, large.name, clip.name} < {file.name for file in left}

    began = time.monotonic()
    port = httpx.URL(first.url).port
    with serving(tmp_path, TMPDIR=temporary, GRADIO_SERVER_PORT=port) as second:
        client = Client(second.url)
        picture = client.upload(REAL)
        assert client.ask("analyze", picture, False) == expected
        answered = time.monotonic() - began
        again = client.ask("analyze_batch", [picture] * 3)
        assert [found["label"] for found in again] == [expected["label"]] * 3
    with serving(tmp_path, "-c", HASTY, TMPDIR=temporary) as third:
        wait_until(lambda: not lying_in(uploads) & left)
    assert "Traceback" not in third.log.read_text()  # which is that of all three
    assert not os.listdir(temporary)
    record_property("survives", [
        "Server", "kill -9 during a request, an album of 60, a video and an upload",
        f"All 4 clients were told within {told:.1f} s; no process was left; the next server answered at the same port "
        f"{answered:.0f} s after its start, and deleted the {len(left)} files that were left when they were old",
    ])  # fmt: skip
