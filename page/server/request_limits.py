"""ASGI middleware that bounds what a request may send, and closes routes of Gradio's that this page does not use."""

import asyncio
import errno
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from page import texts
from page.server.upload_folder import is_full

API = "/gradio_api"  # where Gradio's routes begin
# Those that this page does not use, and that take files or fetch addresses.
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


class RequestLimits:
    """Answers 404 to routes of CLOSED and to who asks for the answer to a call that there is not, 413 to requests that
    are too large, 408 to those that stall, and 503 to uploads for which there is no room.

    Gradio bounds the files of an upload, but reads everything else into memory, however large, and waits forever for
    the rest of a request whose client has lost its network.

    Args:
        app: what is behind.
        upload: bytes of one upload, with all its files.
        tool: bytes of a call of the Model Context Protocol, which carries its file within.
        other: bytes of any other request.
        folder: where uploads lie.
        max_stored: bytes that may lie there before another upload is refused.
        idle_timeout: seconds without a byte after which the rest of a request is not waited for.
    """

    def __init__(
        self, app: ASGIApp, upload: int, tool: int, other: int, folder: Path, max_stored: int, idle_timeout: float
    ):
        self.app, self.upload, self.tool, self.other = app, upload, tool, other
        self.folder, self.max_stored, self.idle_timeout = folder, max_stored, idle_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if any(f"{API}{route}" in scope["path"] for route in CLOSED):
            await _refuse(send, 404)
            return
        if scope.get("method") == "GET" and f"{API}/call/" in scope["path"] and not _is_known(scope):
            await JSONResponse({"detail": texts.NO_CALL}, 404)(scope, receive, send)
            return
        most = self._most(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            await _refuse(send, 413, self._too_large(most))
            return
        if most == self.upload and is_full(self.folder, self.max_stored):
            await _refuse(send, 503, texts.UPLOADS_FULL)
            return
        received, complete, answering = 0, False, False

        async def bounded_receive() -> dict:
            nonlocal received, complete
            message = await asyncio.wait_for(receive(), None if complete else self.idle_timeout)
            complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLarge
            return message

        async def noting_send(message: dict) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, bounded_receive, noting_send)
        except _TooLarge:
            if not answering:
                await _refuse(send, 413, self._too_large(most))
        except TimeoutError:
            if complete or answering:
                raise
            await _refuse(send, 408, texts.CUT_OFF)
        except ClientDisconnect:
            pass  # while it was still sending
        except OSError as error:
            if answering or error.errno not in DISK_FULL:
                raise
            await _refuse(send, 503, texts.UPLOADS_FULL)

    def _too_large(self, most: int) -> str:
        return texts.CALL_TOO_LARGE if most == self.other else texts.TOO_LARGE

    def _most(self, path: str) -> int:
        if path.endswith(f"{API}/upload"):
            return self.upload
        return self.tool if f"{API}/mcp" in path else self.other


def _is_known(scope: Scope) -> bool:
    """Whether the call whose answer is asked for goes on, or has an answer that nobody has fetched; to any other,
    Gradio would answer with a traceback in its log."""
    app: Starlette = scope["app"]
    call, queue = scope["path"].rpartition("/")[2], app.get_blocks()._queue
    waiting = queue.pending_event_ids_session.values()
    return call in queue.event_ids_to_events or any(call in calls for calls in waiting)


class _TooLarge(Exception):
    """The body of a request is larger than it may be."""


async def _refuse(send: Send, status: int, sentence: str = "") -> None:
    await PlainTextResponse(sentence, status)({"type": "http"}, None, send)
