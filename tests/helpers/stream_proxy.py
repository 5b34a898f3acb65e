"""A network between a page and its server on which streams of answers end late, are refused, or are cut."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

from servers import free_port

CLOSED = b'"msg":"close_stream"'
STREAM = b"GET /gradio_api/queue/data"
RECEIPT_READ = b"GET /receipt-read"
REFUSED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# For a page before it opens, which alone knows when the receipt of a question has been read.
TELL_RECEIPTS = """
const ask = window.fetch, read = Response.prototype.json;
Response.prototype.json = async function () {
    const said = await read.call(this);
    if (this.url.includes("/queue/join")) setTimeout(() => ask("/receipt-read"));
    return said;
};
"""


class StreamProxy:
    """Passes on what comes, and what holds CLOSED only when the page has read the receipt of its next question.

    Of the streams that the page asks for, counted from 1, it answers 502 for those in `refused`; those in `cut` end as
    they begin, with nothing wrong in how they are sent."""

    def __init__(self, server: str):
        self.port, self.server = free_port(), urlsplit(server).port
        self.url = f"http://127.0.0.1:{self.port}/"
        self.refused: set[int] = set()
        self.cut: set[int] = set()
        self.streams = 0
        self._receipt_read = asyncio.Event()
        self._passing: set[asyncio.Task] = set()

    async def _connected(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", self.server)
        cut = asyncio.Event()
        both = {
            asyncio.create_task(self._ask(read, asks, write, cut)),
            asyncio.create_task(self._answer(answers, write, cut)),
        }
        self._passing |= both
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            asks.close()
            write.close()

    async def _ask(
        self, read: asyncio.StreamReader, asks: asyncio.StreamWriter, write: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await read.read(2**16):
            if data.startswith(RECEIPT_READ):
                self._receipt_read.set()
            if data.startswith(STREAM):
                self.streams += 1
                if self.streams in self.refused:
                    write.write(REFUSED)
                    await write.drain()
                    return
                if self.streams in self.cut:
                    cut.set()
            asks.write(data)
            await asks.drain()

    async def _answer(self, answers: asyncio.StreamReader, write: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        while data := await answers.read(2**16):
            if cut.is_set():
                head, blank, _ = data.partition(b"\r\n\r\n")
                write.write(head + blank + b"0\r\n\r\n")
                await write.drain()
                return
            if CLOSED in data:  # what stands before goes on at once
                before, found, after = data.partition(CLOSED)
                write.write(before)
                self._receipt_read.clear()
                await self._receipt_read.wait()
                data = found + after
            write.write(data)
            await write.drain()

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _stop(self, serving: asyncio.Server) -> None:
        serving.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    @contextmanager
    def running(self) -> Iterator["StreamProxy"]:
        """In a thread, for Playwright has a loop in this one."""
        loop = asyncio.new_event_loop()
        thread = Thread(target=loop.run_forever)
        thread.start()
        serving = asyncio.run_coroutine_threadsafe(self._serve(), loop).result()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(serving), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
