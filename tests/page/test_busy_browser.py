"""Answers that come in several parts, in a browser too busy to show each before the next one is there."""

import json

import numpy as np
import pytest
from films import film
from PIL import Image
from project import ROOT

from page import texts

REAL = ROOT / "examples" / "real_eileen_collins.jpg"
# Most of the time the page does nothing else, so that messages gather; it goes on when it has shown what gathered.
BUSY = """() => {
    const block = () => {
        for (const start = performance.now(); performance.now() - start < 1200;);
        requestIdleCallback(() => setTimeout(block, 100));
    };
    block();
}"""
LISTEN = """() => {
    const ask = window.fetch;
    window.heard = [];
    window.fetch = async (what, how) => {
        const answer = await ask(what, how);
        if (!String(what.url ?? what).includes("queue/data")) return answer;
        const [shown, noted] = answer.body.tee();
        noted.pipeThrough(new TextDecoderStream())
            .pipeTo(new WritableStream({write: text => window.heard.push(text)})).catch(() => {});
        return new Response(shown, {status: answer.status, headers: answer.headers});
    };
}"""


@pytest.fixture
def page(first_tab):
    first_tab.evaluate(LISTEN)
    first_tab.evaluate(BUSY)
    return first_tab


def changes(page):
    """What the server has sent as changes of an earlier part: (what is done, where, the value)."""
    said = "".join(page.evaluate("heard")).split("\n\n")[:-1]  # the last may not be whole
    messages = [json.loads(message.removeprefix("data:")) for message in said]
    parts = [message["output"]["data"] for message in messages if message["msg"] == "process_generating"]
    return [change for part in parts for value in part if isinstance(value, list) for change in value]


def test_the_timeline_of_a_video_is_shown_in_a_busy_browser(page, tmp_path):
    page.get_by_role("tab", name=texts.VIDEO_TAB).click()
    portrait = np.asarray(Image.open(REAL).convert("RGB"))
    page.set_input_files("#film input[type=file]", film(tmp_path / "clip.mp4", [portrait] * 4))
    page.locator("#film-sheet").wait_for()
    page.locator("#timeline svg").first.wait_for()
    page.locator("#stills img").first.wait_for()
    sent = changes(page)
    assert sent and not [change for change in sent if change[0] == "delete"]


def test_the_table_of_an_album_is_shown_in_a_busy_browser(page):
    page.get_by_role("tab", name=texts.ALBUM_TAB).click()
    page.set_input_files("#album input[type=file]", [REAL, ROOT / "examples" / "fake_swap.jpg"])
    page.locator("#album-csv").wait_for()
    assert page.locator("#album-table tr img").count() == 2
    sent = changes(page)
    assert sent and not [change for change in sent if change[0] == "delete"]
