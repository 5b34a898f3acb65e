"""The page's own server in a process of its own, and clients that ask it."""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from threading import Lock

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@contextmanager
def served(*words: str) -> Iterator[str]:
    """`python -m bench.serving` with these words; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory() as folder:
        own = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": folder}
        process = subprocess.Popen([sys.executable, "-m", "bench.serving", *words], cwd=ROOT, env=own)
        try:
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The server did not start.")


class Client:
    """Asks one server over one connection, without a client library's own cost."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=f"{url}gradio_api/", timeout=120)

    def upload(self, file: Path) -> dict:
        """A file as the endpoints take it."""
        with file.open("rb") as data:
            (path,) = self.http.post("upload", files={"files": (file.name, data)}).raise_for_status().json()
        return {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": file.name}

    def ask(self, endpoint: str, *values: object) -> object:
        """What an endpoint answers. Raises RuntimeError with its words where it refuses."""
        event = self.http.post(f"call/{endpoint}", json={"data": values}).raise_for_status().json()["event_id"]
        answer = self.http.get(f"call/{endpoint}/{event}").text
        kind, _, data = answer.strip().rpartition("event: ")[2].partition("\ndata: ")
        if kind != "complete":
            raise RuntimeError(f"{endpoint}: {data}")
        return json.loads(data)[0]


def load(url: str, endpoint: str, asked: Sequence[tuple], clients: int, requests: int) -> tuple[float, np.ndarray]:
    """Have several clients ask at the same time, each for the next thing as soon as it has its answer.

    Args:
        url: of the server.
        endpoint: without the slash.
        asked: values to send, taken in turns.
        clients: that ask side by side.
        requests: of all of them together.

    Returns:
        (requests a second, seconds [requests] that each took).
    """
    upcoming, lock = cycle(asked), Lock()

    def run(number: int) -> list[float]:
        client, taken = Client(url), []
        for _ in range(number, requests, clients):
            with lock:
                values = next(upcoming)
            started = time.perf_counter()
            client.ask(endpoint, *values)
            taken.append(time.perf_counter() - started)
        return taken

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        taken = [seconds for part in pool.map(run, range(clients)) for seconds in part]
    return requests / (time.perf_counter() - started), np.array(taken)


def main() -> None:
    """Serve the page, with another number of pictures at a time than it has."""
    import app
    from detect import Detector
    from detect.detector import default_model

    parser = argparse.ArgumentParser()
    parser.add_argument("--at-a-time", type=int, default=app.AT_A_TIME)
    args = parser.parse_args()
    app.build(Detector(default_model()), args.at_a_time).launch(quiet=True, **app.LAUNCH)


if __name__ == "__main__":
    main()
