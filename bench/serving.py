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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import httpx
import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.jpg"))
STUCK = 900  # seconds after which a server counts as one that will never start, answer or end


class Served(NamedTuple):
    """A server that runs."""

    url: str
    pid: int


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """`python app.py`, or, with words, `python -m bench.serving` with these."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    program = ["-m", "bench.serving", *words] if words else ["app.py"]
    with tempfile.TemporaryDirectory() as folder:
        own = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": folder}
        process = subprocess.Popen([sys.executable, *program], cwd=ROOT, env=own, stdout=subprocess.DEVNULL)
        try:
            _wait_for(url, process)
            yield Served(url, process.pid)
        finally:
            process.terminate()
            process.wait(STUCK)


def _wait_for(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + STUCK
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=STUCK).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The server did not start.")


class Client:
    """Asks one server over one connection, without a client library's own cost."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=f"{url}gradio_api/", timeout=STUCK)

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


def load(clients: Sequence[Callable], asked: Sequence[tuple], requests: int) -> tuple[float, np.ndarray]:
    """Have several clients ask at the same time, each for the next thing as soon as it has its answer.

    Args:
        clients: what each calls to ask.
        asked: values to ask with, taken in turns.
        requests: of all of them together.

    Returns:
        (requests a second, seconds [requests] that each took).
    """
    upcoming, lock = cycle(asked), Lock()

    def run(number: int) -> list[float]:
        taken = []
        for _ in range(number, requests, len(clients)):
            with lock:
                values = next(upcoming)
            started = time.perf_counter()
            clients[number](*values)
            taken.append(time.perf_counter() - started)
            bar.update()
        return taken

    started = time.perf_counter()
    with tqdm(total=requests, unit="request", disable=None) as bar, ThreadPoolExecutor(len(clients)) as pool:
        taken = [seconds for part in pool.map(run, range(len(clients))) for seconds in part]
    return requests / (time.perf_counter() - started), np.array(taken)


def main() -> None:
    """Serve the page, with another number of pictures at a time than it has, or an empty one."""
    from deepfake_detect import Detector
    from deepfake_detect.detector import default_model
    from page import app

    parser = argparse.ArgumentParser()
    parser.add_argument("--at-a-time", type=int, default=app.AT_A_TIME)
    parser.add_argument("--empty", action="store_true", help="one endpoint that takes a picture and does nothing")
    args = parser.parse_args()
    if args.empty:  # with the page's protection, and Gradio's own list of the API
        launch = app.LAUNCH | {"app_kwargs": app.LAUNCH["app_kwargs"] | {"routes": []}}
        empty_page(args.at_a_time).launch(quiet=True, **launch)
    else:
        app.build(Detector(default_model()), args.at_a_time).launch(quiet=True, **app.LAUNCH)


def empty_page(at_a_time: int):
    """What Gradio itself takes for a request: `/predict` as the page has it, with nothing in it."""
    import gradio as gr

    def nothing(image: str) -> None:
        pass

    with gr.Blocks(analytics_enabled=False) as page:
        photo, label = gr.Image(type="filepath"), gr.Label(visible=False)
        gr.Button(visible=False).click(nothing, photo, label, api_name="predict")
    return page.queue(max_size=64, default_concurrency_limit=at_a_time, api_open=False)


if __name__ == "__main__":
    main()
