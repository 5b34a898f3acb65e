"""Long jobs whose clients have disconnected are cancelled, so that the next one's turn comes."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import wraps
from time import monotonic
from urllib.parse import parse_qs

import gradio as gr
from gradio.context import LocalContext
from starlette.types import ASGIApp, Receive, Scope, Send

from page import texts
from page.server.request_limits import API

ABANDONED_SECONDS = 10  # without a connection; a program first sends its request, then asks for the answer
HEADER = "x-listener"  # with what a tool of the Model Context Protocol is sent, Gradio calls itself, headers and all
_listening: Counter[str] = Counter()  # open connections by session, by call, or by the call of a tool


class ConnectionCounter:
    """ASGI middleware that counts the connections that wait for answers. The session of a program's call is forgotten
    when the stream that answers it ends."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        call = listener = None
        if path.endswith(f"{API}/queue/data"):
            listener = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [None])[0]
        elif f"{API}/call/" in path and scope["method"] == "GET":
            call = listener = path.rpartition("/")[2]
        elif f"{API}/mcp" in path:
            listener = secrets.token_hex(16)
            scope = scope | {"headers": [*scope["headers"], (HEADER.encode(), listener.encode())]}
        if listener is None:
            await self.app(scope, receive, send)
            return
        _listening[listener] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            _listening[listener] -= 1
            if not _listening[listener]:
                del _listening[listener]
                if call:
                    scope["app"].state_holder.forget(call)


def cancel_when_abandoned(job: Callable[..., Iterator]) -> Callable[..., Iterator]:
    """A job of many steps that is cancelled once no client has been connected for ABANDONED_SECONDS, with an error for
    one that asks later. A client that disconnects while it is sent the answer, Gradio notices itself."""

    @wraps(job)
    def steps(*values: object) -> Iterator:
        last_connected = monotonic()
        with closing(job(*values)) as running:
            for step in running:
                if _is_connected():
                    last_connected = monotonic()
                elif monotonic() - last_connected > ABANDONED_SECONDS:
                    raise gr.Error(texts.ABANDONED, print_exception=False)
                yield step

    return steps


def _is_connected() -> bool:
    """Whether a client waits for the event in which this is called."""
    request = LocalContext.request.get()
    tool = request.headers.get(HEADER)
    if tool:
        return tool in _listening
    return LocalContext.event_id.get() in _listening or request.session_hash in _listening
