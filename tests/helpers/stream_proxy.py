"""A network between a page and its server on which the end of a stream of answers is late."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit

from servers import free_port

CLOSED = b'"msg":"close_stream"'


class StreamProxy:
    """Passes on what comes, and what holds CLOSED some seconds later, which it counts."""

    def __init__(self, server: str, seconds: float):
        self.port, self.server, self.seconds = free_port(), urlsplit(server).port, seconds
        self.url = f"http://127.0.0.1:{self.port}/"
        self.late = 0
        self._passing: set[asyncio.Task] = set()

    async def _connected(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", self.server)
        both = {asyncio.create_task(self._pass_on(read, asks)), asyncio.create_task(self._pass_on(answers, write))}
        self._passing |= both
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            asks.close()
            write.close()

    async def _pass_on(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        while data := await read.read(2**16):
            if CLOSED in data:  # what stands before goes on at once
                before, found, after = data.partition(CLOSED)
                write.write(before)
                self.late += 1
                await asyncio.sleep(self.seconds)
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
