"""A network on which the word that a stream of answers is closed comes late, in a real browser."""

import asyncio
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlsplit

import pytest
from photo_tab import REAL, answer, upload
from servers import free_port

LATE = 0.5  # seconds
CLOSED = b"close_stream"


async def forward(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
    """Pass on what comes, and what holds CLOSED late."""
    try:
        while data := await read.read(2**16):
            if CLOSED in data:  # with the head of its chunk; what stands before goes on at once
                begin = data.rfind(b"\r\n", 0, data.rindex(b"\r\n", 0, data.index(CLOSED))) + 2
                write.write(data[: max(begin, 0)])
                await asyncio.sleep(LATE)
                data = data[max(begin, 0) :]
            write.write(data)
            await write.drain()
    except OSError:
        pass  # one of both sides has gone
    finally:
        write.close()


@pytest.fixture
def slow_url(server) -> Iterator[str]:
    """The address of a proxy before the server."""
    port, loop = free_port(), asyncio.new_event_loop()

    async def connected(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", urlsplit(server[0]).port)
        await asyncio.gather(forward(read, asks), forward(answers, write))

    async def serve() -> None:
        await asyncio.start_server(connected, "127.0.0.1", port)

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{port}/"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.mark.gradio
def test_a_verdict_comes_although_the_end_of_the_stream_before_is_late(slow_url, browser):
    page = browser.new_page()
    page.goto(slow_url)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    upload(page, REAL)
    assert answer(page)
    page.close()
