"""The tab with the figures in a real browser."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
from conftest import ROOT, on_both
from PIL import Image
from servers import free_port, wait_for
from waiting import wait_until

from detect import texts
from detect.figures import REPORTS, TIERS, operating_point, read_report
from detect.model import Model


@pytest.fixture
def page(first_tab):
    open_tab(first_tab)
    return first_tab


def open_tab(page):
    page.get_by_role("tab", name=texts.REPORT_TAB).click()
    page.wait_for_selector("#report h2")


@on_both
def test_text_tables_and_pictures_are_there(page):
    said = page.inner_text("#report")
    for part in ("This model was measured on", "were missed", "What it is not for", "Community tab", "non-commercial"):
        assert part in said
    for table, name in (("#sources", "StyleGAN"), ("#cross", "StyleGAN2"), ("#groups", "female")):
        assert page.locator(f"{table} table").get_by_role("rowheader", name=re.compile(rf"^{name}\b")).is_visible()
        assert page.locator(f"{table} [role=region][aria-label]").count() == 1
    pictures = page.locator("#report img")
    assert pictures.count() == 3
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
        assert len(picture.get_attribute("alt")) > 40


def test_the_slider_and_the_state_change_the_sentence(page):
    report = read_report(REPORTS / "test", Model(ROOT / "model.onnx").sha256)
    said, slider = page.locator("#operating-point"), page.locator("#alarms input[type=range]")
    assert said.get_attribute("aria-live") == "polite"
    assert "5 of 100 real photographs" in said.inner_text()
    before = page.locator("#curve circle").get_attribute("cx")
    for _ in range(3):
        slider.press("ArrowRight")
    said.get_by_text("8 of 100 real photographs").wait_for()
    assert f"{operating_point(report, 'clean', 0.08).found} were found" in said.inner_text()
    page.wait_for_function("cx => document.querySelector('#curve circle').getAttribute('cx') != cx", arg=before)
    for tier in TIERS[1:]:
        page.locator("#state").get_by_text(tier, exact=True).click()
        said.get_by_text(f"fakes, {tier}").wait_for()
        assert f"{operating_point(report, tier, 0.08).found} were found" in said.inner_text()


@on_both
def test_charts_are_seen_whole_and_begin_where_the_text_does(page):
    text = page.locator("#report h2").first.bounding_box()["x"]
    for picture in page.locator("#report .chart img").all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
        across, up = picture.evaluate("({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight]")
        seen = picture.bounding_box()
        assert abs(seen["x"] - text) < 12 and seen["x"] + seen["width"] <= page.viewport_size["width"]
        assert seen["width"] / seen["height"] == pytest.approx(across / up, rel=0.05)  # neither cut nor padded


@pytest.mark.parametrize("first_tab", [(390, 844)], ids=["phone"], indirect=True)
def test_a_table_that_scrolls_sideways_is_seen_to(page):
    """What stands at its right edge is shaded until the end is reached."""
    table = page.locator("#sources .figures")
    table.scroll_into_view_if_needed()
    wide, shown = table.evaluate("({scrollWidth, clientWidth}) => [scrollWidth, clientWidth]")
    assert wide > shown

    def edge():
        with Image.open(io.BytesIO(table.screenshot())) as picture:  # once it has stopped moving
            return np.asarray(picture.convert("L"), float)[:, -3].mean()

    before = edge()
    table.evaluate("table => table.scrollTo(table.scrollWidth, 0)")
    wait_until(lambda: edge() - before > 40)


@on_both
def test_nothing_is_wider_than_the_screen(page):
    page.get_by_role("button", name=texts.BARS_LABEL).click()
    page.locator("#bars table").wait_for()
    for picture in page.locator("#report img").all():
        picture.scroll_into_view_if_needed()
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen
    reached = page.evaluate(
        "[...document.querySelectorAll('#report .figures, #report .md > *, #report .block')].map("
        "part => part.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert all(left >= 0 and right <= screen for left, right in reached)


def test_with_another_model_the_tab_shows_no_foreign_figures(browser, tmp_path):
    model = onnx.load(ROOT / "model.onnx")
    model.producer_version += " changed"
    onnx.save(model, tmp_path / "model.onnx")
    port, log = free_port(), tmp_path / "log.txt"
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    code = f"import app; app.default_model = lambda: {str(tmp_path / 'model.onnx')!r}; app.main()"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        page = browser.new_page()
        try:
            wait_for(f"http://127.0.0.1:{port}/", process, log)
            page.goto(f"http://127.0.0.1:{port}/")
            open_tab(page)
            said = page.inner_text("#report")
            assert texts.FOREIGN_REPORT in said and "%" not in said
            assert page.locator("#report img, #report input").count() == 0
        finally:
            page.close()
            process.terminate()
            process.wait(20)
