"""Who still waits for an answer: long jobs for nobody are given up, so that the next one's turn comes."""

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

from detect import texts
from page.uploads import API

UNHEARD_SECONDS = 10  # after which a job is given up; a program first sends its request, then asks for the answer
HEADER = "x-listener"  # with what a tool of the Model Context Protocol is sent, Gradio calls itself, headers and all
_listening: Counter[str] = Counter()  # connections that wait, by session, by call, or by the call of a tool


class Listeners:
    """ASGI middleware: counts who listens. A program's call is forgotten when the stream that answers it ends."""

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


def while_heard(job: Callable[..., Iterator]) -> Callable[..., Iterator]:
    """A job of many steps that is given up, with an error for whoever asks later, once nobody has listened for
    UNHEARD_SECONDS. A client that hangs up while it listens, Gradio notices itself."""

    @wraps(job)
    def steps(*values: object) -> Iterator:
        heard = monotonic()
        with closing(job(*values)) as going_on:
            for step in going_on:
                if _is_heard():
                    heard = monotonic()
                elif monotonic() - heard > UNHEARD_SECONDS:
                    raise gr.Error(texts.UNHEARD, print_exception=False)
                yield step

    return steps


def _is_heard() -> bool:
    """Whether somebody listens to the event that calls."""
    request = LocalContext.request.get()
    tool = request.headers.get(HEADER)
    if tool:
        return tool in _listening
    return LocalContext.event_id.get() in _listening or request.session_hash in _listening
