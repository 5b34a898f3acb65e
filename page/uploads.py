"""Where uploads lie and how they go: faces are nobody's to keep."""

import asyncio
import errno
import getpass
import os
import sys
import tempfile
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from detect import texts

ENVIRONMENT = "GRADIO_TEMP_DIR"  # where Gradio looks for the folder
# Routes of Gradio's that this page does not use, and that take files or fetch addresses.
API = "/gradio_api"
CLOSED = (
    "/component_server",
    "/process_recording",
    "/vibe",
    "/undo-vibe",
    "/proxy=",
    "/file=http",
    "/file/",
    "/deep_link",
    "/stream/",
)
DISK_FULL = errno.ENOSPC, errno.EDQUOT


def upload_folder() -> Path:
    """The folder for uploads, which Gradio is told of: our own, which this user alone may read, inside the one that the
    environment names, or else the system's for such files. Always the same, so that what a killed server has left there
    is deleted by the next."""
    name = f"mobile-deepfake-detector-{getpass.getuser()}"
    folder = Path(os.environ.get(ENVIRONMENT) or tempfile.gettempdir()).resolve()
    if folder.name != name:
        folder = folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        folder = Path(tempfile.mkdtemp(), name)  # somebody else has taken the name
        folder.mkdir(mode=0o700)
    os.environ[ENVIRONMENT] = str(folder)
    return folder


class Sweeper:
    """Deletes old files of a folder, whoever wrote them, as a context manager around the server's life.

    Gradio deletes the uploads and results that it knows; this also deletes what was cut off on the way.

    Args:
        folder: everything in it may be deleted.
        age: seconds after which a file is deleted.
        every: seconds between two looks.
        kept: gives the paths of files that stay, such as those of the examples.
    """

    def __init__(self, folder: Path, age: float, every: float, kept: Callable[[], Set[str]] = frozenset):
        self.folder, self.age, self.every, self.kept, self._over = folder, age, every, kept, Event()

    def __enter__(self) -> "Sweeper":
        self.sweep()
        Thread(target=self._keep_sweeping, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()

    def sweep(self) -> None:
        """Delete now what is old enough, and the folders that are left empty."""
        before, kept = time.time() - self.age, self.kept()
        for parent, folders, files in os.walk(self.folder, topdown=False):
            for name in files:
                path = Path(parent, name)
                try:
                    if str(path) not in kept and path.lstat().st_ctime < before:
                        path.unlink()
                except FileNotFoundError:
                    pass  # Gradio was quicker
                except OSError as error:  # the next look may succeed, and the others are not to wait for it
                    print(f"An old upload could not be deleted: {error.strerror}.", file=sys.stderr)
            for name in folders:
                try:
                    if Path(parent, name).lstat().st_ctime < before:
                        Path(parent, name).rmdir()
                except OSError:
                    pass  # not empty, gone meanwhile, or a link

    def _keep_sweeping(self) -> None:
        while not self._over.wait(self.every):
            self.sweep()


class Gate:
    """ASGI middleware: routes of CLOSED are not found, and no request may be larger or slower than it has a reason to
    be.

    Gradio bounds the files of an upload, but reads everything else into memory, however large, and waits forever for
    the rest of what a telephone began to send before it lost its network.

    Args:
        app: what is behind.
        upload: bytes of one upload, with all its files.
        tool: bytes of a call of the Model Context Protocol, which carries its file within.
        other: bytes of any other request.
        folder: where uploads lie.
        room: bytes that may lie there before another upload is refused.
        silence: seconds without a byte after which the rest of a request is not waited for.
    """

    def __init__(self, app: ASGIApp, upload: int, tool: int, other: int, folder: Path, room: int, silence: float):
        self.app, self.upload, self.tool, self.other = app, upload, tool, other
        self.folder, self.room, self.silence = folder, room, silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if any(f"{API}{route}" in scope["path"] for route in CLOSED):
            await _refuse(send, 404)
            return
        most = self._most(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            await _refuse(send, 413, texts.TOO_LARGE)
            return
        if most == self.upload and _bytes_in(self.folder) > self.room:
            await _refuse(send, 503, texts.UPLOADS_FULL)
            return
        came, whole, begun = 0, False, False

        async def counted() -> dict:
            nonlocal came, whole
            message = await asyncio.wait_for(receive(), None if whole else self.silence)
            whole = not message.get("more_body", False)
            came += len(message.get("body", b""))
            if came > most:
                raise _TooLarge
            return message

        async def noted(message: dict) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _TooLarge:
            if not begun:
                await _refuse(send, 413, texts.TOO_LARGE)
        except TimeoutError:
            if whole or begun:
                raise
            await _refuse(send, 408, texts.CUT_OFF)
        except ClientDisconnect:
            pass  # in the middle of what it sent
        except OSError as error:
            if begun or error.errno not in DISK_FULL:
                raise
            await _refuse(send, 503, texts.UPLOADS_FULL)

    def _most(self, path: str) -> int:
        if path.endswith(f"{API}/upload"):
            return self.upload
        return self.tool if f"{API}/mcp" in path else self.other


class _TooLarge(Exception):
    """More has come than was announced, or than may come."""


def _bytes_in(folder: Path) -> int:
    found = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):  # deleted meanwhile
                found += Path(parent, name).lstat().st_size
    return found


async def _refuse(send: Send, status: int, sentence: str = "") -> None:
    await PlainTextResponse(sentence, status)({"type": "http"}, None, send)
