"""The page's server: its start, requests of one and of many clients, albums, and whether its memory grows."""

import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gradio_client
import numpy as np
import psutil
from gradio_client import handle_file

from bench.pictures import folder_of
from bench.serving import EXAMPLES, Client, load, served
from bench.timing import in_turns, median_ms, percentile_ms
from deepfake_detect.cli.judge import judge
from deepfake_detect.detector import Detector, default_model
from page.batch import MAX_PICTURES

STARTS = 3
REQUESTS = {1: 10, 4: 20, 16: 48}  # in a series, by the number of clients; short ones, so that both meet the same noise
SERIES = 12  # that count, after one to warm up
ALBUM_SIZES, ALBUMS = (0.1, 0.8), 3  # megapixels; albums of each that count
FEW, MANY = 100, 2000  # requests before memory is looked at
ASKING = 4  # clients meanwhile


def measure() -> list[dict]:
    return [start(), requests(), albums(), memory()]


def predicting(url: str) -> Callable:
    """A client as people use it: it sends a file to `/predict` and waits for the answer."""
    return partial(gradio_client.Client(url, verbose=False).predict, api_name="/predict")


def start() -> dict:
    """From the command to the page, and to the first verdict."""
    rows = []
    for _ in range(STARTS):
        started = time.perf_counter()
        with served() as server:
            up = time.perf_counter() - started
            client = Client(server.url)
            client.ask("predict", client.upload(EXAMPLES[0]))
            rows.append([round(up, 2), round(time.perf_counter() - started, 2)])
    return {
        "name": "start",
        "title": "Seconds from `python app.py`, each a fresh process",
        "columns": ["page up", "first verdict"],
        "rows": rows,
    }


def requests() -> dict:
    """`/predict` beside a function that does nothing, in turns on two servers."""
    asked, rows = [(handle_file(file),) for file in EXAMPLES], []
    with served() as ours, served("--empty") as empty:
        for count, number in REQUESTS.items():
            clients = {server: [predicting(server.url) for _ in range(count)] for server in (ours, empty)}
            rates, taken = ({server: [] for server in clients} for _ in range(2))
            for series in range(1 + SERIES):
                for server, asking in clients.items():
                    rate, seconds = load(asking, asked, number if series else count)
                    if series:
                        rates[server].append(rate)
                        taken[server].append(seconds)
            seconds, nothing = np.concatenate(taken[ours]), np.concatenate(taken[empty])
            p50, p50_of_nothing = median_ms(seconds), median_ms(nothing)
            rows.append([count, round(float(np.median(rates[ours])), 1), p50, percentile_ms(seconds, 95),
                         round(float(np.median(rates[empty])), 1), p50_of_nothing,
                         percentile_ms(nothing, 95), round(p50 - p50_of_nothing, 2)])  # fmt: skip
    return {
        "name": "requests",
        "title": "Photographs sent to `/predict` by `gradio_client`, beside a Gradio function that does nothing",
        "columns": ["clients", "requests/s", "ms, p50", "ms, p95", "nothing: requests/s", "nothing: ms, p50",
                    "nothing: ms, p95", "p50 over nothing, ms"],
        "rows": rows,
    }  # fmt: skip


def albums() -> dict:
    """A full album of `/analyze_batch` beside the command line's own work on the same files, in turns."""
    detector, rows = Detector(default_model()), []
    with served() as server, tempfile.TemporaryDirectory() as folder:
        light, usual = Client(server.url), gradio_client.Client(server.url, verbose=False)
        for size in ALBUM_SIZES:
            files = sorted(folder_of(Path(folder, str(size)), MAX_PICTURES, size).iterdir())
            paths, sent = [str(file) for file in files], [light.upload(file) for file in files]
            work = {
                "command": lambda paths=paths: judge(detector, paths, "jsonl", io.StringIO()),
                "album": lambda sent=sent: light.ask("analyze_batch", sent),
                "sent": lambda paths=paths: usual.predict([*map(handle_file, paths)], api_name="/analyze_batch"),
            }
            taken = in_turns(work, ALBUMS, warm_up=1)
            command, album, whole = (MAX_PICTURES / float(np.median(seconds)) for seconds in taken.values())
            rows.append([size, round(command, 1), round(album, 1), round(album / command, 3), round(whole, 1)])
    return {
        "name": "albums",
        "title": f"{MAX_PICTURES} photographs through `/analyze_batch`, pictures a second, beside `deepfake-detect` "
        "once it has started",
        "columns": ["megapixels", "command line", "files there already", "over the command line",
                    "files sent by gradio_client"],
        "rows": rows,
    }  # fmt: skip


def memory() -> dict:
    """Of the server's process, after few requests and after many."""
    asked = [(handle_file(file),) for file in EXAMPLES]
    with served() as server:
        clients = [predicting(server.url) for _ in range(ASKING)]
        found = []
        for number in (FEW, MANY - FEW):
            load(clients, asked, number)
            found.append(psutil.Process(server.pid).memory_info().rss / 2**20)
    return {
        "name": "memory",
        "title": "Memory of the server, MB",
        "columns": [f"after {FEW} requests", f"after {MANY}", "growth"],
        "rows": [[*map(round, found), round(found[1] / found[0] - 1, 3)]],
    }
