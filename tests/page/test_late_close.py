"""A network on which the word that a stream of answers is closed comes late, in a real browser."""

import asyncio
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlsplit

import pytest
from photo_tab import REAL, answer, remove, upload
from servers import free_port

from page.widgets.answer_stream import KEEP_LISTENING

LATE = 2  # seconds, within which a photograph is judged
CLOSED = b'"msg":"close_stream"'
# A server that answers what is asked, in this order; gives what the client reads of each stream. The event is asked for
# before the first of them, or after it.
CLIENT = """async ([script, streams, after]) => {
    const event = said => "data: " + JSON.stringify(said) + "\\n\\n";
    window.fetch = async address => address.endsWith("/queue/join")
        ? new Response('{"event_id": "b"}')
        : new Response(streams.shift().map(event).join(""));
    eval(`(${script})()`);
    const read = async () => [...(await (await fetch("https://page/queue/data")).text()).matchAll(/"msg":"(\\w+)"/g)];
    const join = () => fetch("https://page/queue/join");
    if (!after) await join();
    const first = await read();
    if (after) await join();
    const second = streams.length ? await read() : [];
    return [first, second].map(found => found.map(message => message[1]));
}"""
DONE_A, DONE_B, END = (
    {"msg": "process_completed", "event_id": "a"},
    {"msg": "process_completed", "event_id": "b"},
    {"msg": "close_stream", "event_id": None},
)


async def forward(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
    """Pass on what comes, and what holds CLOSED late."""
    try:
        while data := await read.read(2**16):
            if CLOSED in data:  # what stands before goes on at once
                before, found, after = data.partition(CLOSED)
                write.write(before)
                await asyncio.sleep(LATE)
                data = found + after
            write.write(data)
            await write.drain()
    except (OSError, asyncio.CancelledError):
        pass  # one of both sides has gone, or the test has ended
    finally:
        write.close()


@pytest.fixture
def slow_url(server) -> Iterator[str]:
    """The address of a proxy before the server."""
    port, loop, passing = free_port(), asyncio.new_event_loop(), set()

    async def connected(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", urlsplit(server[0]).port)
        both = {asyncio.create_task(forward(read, asks)), asyncio.create_task(forward(answers, write))}
        passing.update(both)
        await asyncio.wait(both)

    async def stop() -> None:
        proxy.close()
        for task in passing:
            task.cancel()
        await asyncio.wait(passing)

    thread = Thread(target=loop.run_forever)  # Playwright has a loop in this one
    thread.start()
    proxy = asyncio.run_coroutine_threadsafe(asyncio.start_server(connected, "127.0.0.1", port), loop).result()
    yield f"http://127.0.0.1:{port}/"
    asyncio.run_coroutine_threadsafe(stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.gradio
def test_a_verdict_comes_although_the_end_of_the_stream_before_is_late(slow_url, browser):
    page = browser.new_page()
    page.goto(slow_url)
    page.wait_for_selector("#photo input[type=file]", state="attached")
    upload(page, REAL)
    assert answer(page)
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    upload(page, REAL)  # which finds that the client still opens streams
    assert answer(page)
    page.close()


@pytest.mark.parametrize(
    ("streams", "after", "read"),
    [
        ([[DONE_A, END], [DONE_B, END]], False, [["process_completed", "process_completed", "close_stream"], []]),
        ([[DONE_B, END], [END]], True, [["process_completed", "close_stream"], ["close_stream"]]),
    ],
    ids=["an answer is due", "the answer came before the receipt of its question"],
)
def test_a_stream_goes_on_while_an_answer_is_due_and_no_longer(browser, streams, after, read):
    page = browser.new_page()
    assert page.evaluate(CLIENT, [KEEP_LISTENING, streams, after]) == read
    page.close()
