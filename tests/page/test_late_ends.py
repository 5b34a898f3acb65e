"""Networks on which the word that a stream of answers has ended comes late, in a real browser and for programs."""

import secrets
from collections.abc import Iterator
from time import monotonic

import httpx
import pytest
from photo_tab import REAL, VERDICT, answer, remove, upload
from stream_proxy import CLOSED, StreamProxy
from waiting import wait_until
from watching_pages import whole

from page.server.late_ends import SECONDS

pytestmark = pytest.mark.gradio
LATE = 1.0  # seconds; without `LateEnds`, the second question of a photograph is never answered then


@pytest.fixture
def network(server) -> Iterator[StreamProxy]:
    with StreamProxy(server[0], LATE).running() as proxy:
        yield proxy


@pytest.fixture
def page(network, browser):
    page = browser.new_page()
    page.goto(network.url)
    whole(page)
    yield page
    page.close()


def test_a_verdict_comes_although_the_end_of_the_stream_before_is_late(page, network):
    for _ in range(2):
        upload(page, REAL)
        assert VERDICT.search(answer(page))
        remove(page)
        page.locator("#card h2").wait_for(state="detached")
    wait_until(lambda: network.late)  # a stream ends all the same, once nothing is due


def seconds_open(address: str, browser_s: bool) -> float:
    """From an answer to the end of its stream."""
    url, session = f"{address}gradio_api", secrets.token_hex(8)
    listed = httpx.get(f"{address}config").raise_for_status().json()["dependencies"]
    (number,) = (each["id"] for each in listed if each["api_name"] == "analyze")
    asked = {"data": [None], "fn_index": number, "session_hash": session}
    httpx.post(f"{url}/queue/join", json=asked).raise_for_status()
    headers = {"sec-fetch-site": "same-origin"} if browser_s else {}
    done = ended = None
    with httpx.stream("GET", f"{url}/queue/data", params={"session_hash": session}, headers=headers) as stream:
        for line in stream.iter_lines():
            if '"msg":"process_completed"' in line:
                done = monotonic()
            if CLOSED.decode() in line:
                ended = monotonic()
    return ended - done


@pytest.mark.parametrize("browser_s", [True, False])
def test_a_stream_ends_at_once_for_a_program_and_later_for_a_browser(server, browser_s):
    # Again, where this machine was too busy to see the answer or the end as it came
    wait_until(lambda: (seconds_open(server[0], browser_s) > SECONDS / 2) == browser_s)
