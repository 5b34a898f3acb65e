"""The stream of answers to a page ends a moment after the last of them, so that the page's next question finds it open.

Why: Gradio's server ends the stream, with the message `close_stream`, once no other answer is due. The page may ask its
next question before this message has come. Its client sees a stream that is still open and opens no other; then the
message comes, the stream ends, and the answer to that question waits on the server for ever.
Needed: tests/page/test_late_ends.py::test_a_verdict_comes_although_the_end_of_the_stream_before_is_late
Can go: when Gradio's client opens a stream again that was closed while it still waited for an answer.
"""

import asyncio
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.server.request_limits import API

SECONDS = 3.0  # that a stream stays open with nothing due; a page asks what follows from an answer at once
POLL_SECONDS = 0.05
END = b'"msg":"close_stream"'
BROWSER = b"sec-fetch-site"  # a header that no program sends: one that reads to the end is not to wait for it


class LateEnds:
    """ASGI middleware for the streams of answers that a browser reads: what ends one is held back for SECONDS. Where
    the page asks for something meanwhile, the stream goes on with that."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = scope["type"] == "http" and scope["path"].endswith(f"{API}/queue/data")
        if not is_stream or BROWSER not in dict(scope["headers"]):
            await self.app(scope, receive, send)
            return
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
        due = scope["app"].get_blocks()._queue.pending_event_ids_session
        has_begun, end = False, []

        async def hold_back_the_end(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start" and has_begun:
                return
            has_begun = True
            if end or END in message.get("body", b""):
                end.append(message)
            else:
                await send(message)

        while True:
            await self.app(dict(scope), receive, hold_back_the_end)
            if not end or not await _is_asked(due, session):
                break
            end.clear()
        for message in end:
            await send(message)


async def _is_asked(due: dict[str, set], session: str) -> bool:
    """Wait until an answer is due to a session, at most SECONDS; whether one is."""
    for _ in range(round(SECONDS / POLL_SECONDS)):
        if due.get(session):
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
