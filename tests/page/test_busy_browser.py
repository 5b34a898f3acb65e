"""Answers that come in several parts, in a browser too busy to show each before the next one is there."""

import numpy as np
import pytest
from films import film
from PIL import Image
from project import ROOT

from page import texts

REAL = ROOT / "examples" / "real_eileen_collins.jpg"
# Most of the time the page does nothing else, so that messages gather.
BUSY = """() => setInterval(() => {
    for (const start = performance.now(); performance.now() - start < 1200;);
}, 1300)"""


@pytest.fixture
def page(first_tab):
    first_tab.evaluate(BUSY)
    return first_tab


def test_the_timeline_of_a_video_is_shown_in_a_busy_browser(page, tmp_path):
    page.get_by_role("tab", name=texts.VIDEO_TAB).click()
    portrait = np.asarray(Image.open(REAL).convert("RGB"))
    page.set_input_files("#film input[type=file]", film(tmp_path / "clip.mp4", [portrait] * 4))
    page.locator("#film-sheet").wait_for()
    page.locator("#timeline svg").first.wait_for()
    page.locator("#stills img").first.wait_for()


def test_the_table_of_an_album_is_shown_in_a_busy_browser(page):
    page.get_by_role("tab", name=texts.ALBUM_TAB).click()
    page.set_input_files("#album input[type=file]", [REAL, ROOT / "examples" / "fake_swap.jpg"])
    page.locator("#album-csv").wait_for()
    assert page.locator("#album-table tr img").count() == 2
