"""Servers in processes of their own, as a user starts them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from project import ROOT
from waiting import LONG, PATIENCE


class Server(NamedTuple):
    """A server that answers."""

    url: str
    uploads: Path  # the folder that it was told of
    log: Path
    process: subprocess.Popen


@contextmanager
def serving(folder: Path, *words: str, **environment: object) -> Iterator[Server]:
    """`python app.py` on the shipped model, or Python with other words, at a free port; what it writes lies in a
    folder, unless the environment says otherwise."""
    port, log = environment.get("GRADIO_SERVER_PORT") or free_port(), folder / "log.txt"
    own = {"GRADIO_SERVER_PORT": port, "GRADIO_TEMP_DIR": folder / "uploads", **environment}
    told = os.environ | {name: str(value) for name, value in own.items()}
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, *(words or ["app.py"])], cwd=ROOT, env=told, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        server = Server(f"http://127.0.0.1:{port}/", Path(told["GRADIO_TEMP_DIR"]), log, process)
        try:
            wait_for(server.url, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


# Of each process of pytest-xdist its own, and below those that the system gives to connections (32768 and up): what was
# free stays so until a server has started.
_ports = count(os.getpid())


def free_port() -> int:
    own = 20_000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 12)
    for number in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", own + number % 1000))
            return own + number % 1000


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"no page at {url}: {log.read_text()}")


@contextmanager
def half_an_upload(url: str, data: bytes) -> Iterator[socket.socket]:
    """A connection on which the first half of a file has come."""
    head = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="cut.jpg"\r\n\r\n'
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        asking = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(head) + len(data)}\r\n"
        )
        connection.sendall(f"{asking}Content-Type: multipart/form-data; boundary=cut\r\n\r\n".encode() + head)
        connection.sendall(data[: len(data) // 2])
        yield connection
