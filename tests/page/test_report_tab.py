"""The tab with the figures in a real browser."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
from PIL import Image
from project import ROOT
from servers import free_port, wait_for
from viewports import on_both
from waiting import PATIENCE, wait_until

from deepfake_detect.model.onnx_model import Model
from deepfake_detect.report import evaluation_texts
from deepfake_detect.report.evaluation import REPORTS, TIERS, class_sizes, operating_point, read_report
from page import texts


@pytest.fixture
def page(first_tab):
    open_tab(first_tab)
    return first_tab


def open_tab(page):
    page.get_by_role("tab", name=texts.REPORT_TAB).click()
    page.wait_for_selector("#report h2")


@pytest.fixture
def unfolded(page):
    """The tab with all of it unfolded."""
    for title in (texts.MEASURED_TITLE, texts.POINT_TITLE, texts.RELIABILITY_TITLE, texts.DEGRADATION_TITLE,
                  texts.SOURCES_TITLE, texts.GROUPS_TITLE, texts.MORE_TITLE):  # fmt: skip
        page.locator("#report").get_by_role("button", name=title.lstrip("# ")).click()
    page.locator("#groups table").wait_for()
    page.get_by_text("Community tab").wait_for()
    return page


def test_one_screen_says_what_matters(page):
    report = read_report(REPORTS / "test", Model(ROOT / "model.onnx").sha256)
    decided, table = report["tiers"]["clean"]["decided"], page.locator("#outcomes table")
    photographs, fakes = class_sizes(report, "clean")
    table.locator("tbody tr").first.wait_for()
    rows = [row.inner_text() for row in table.locator("tbody tr").all()]
    assert f"{photographs:,} real" in rows[0] and f"), {decided['said_fake']['wrong']}" in rows[0]
    missed = [row for row in rows if row.startswith(f"{fakes:,} fakes")]
    assert f"), {decided['said_real']['wrong']}" in missed[0]
    said = page.inner_text("#report")
    assert len(said.split()) < 400 and "video calls" in said
    assert page.locator("#untested").bounding_box()["y"] < 900


@on_both
def test_the_first_table_fits_and_titles_keep_off_their_arrows(page):
    wide, shown = page.locator("#outcomes .figures").evaluate(
        "({scrollWidth, clientWidth}) => [scrollWidth, clientWidth]"
    )
    assert wide <= shown
    for cell in page.locator("#outcomes :is(th, td)").all():
        assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), cell.inner_text()
    titles = page.locator("#report .label-wrap").evaluate_all(
        """titles => titles.map(title => {
            const words = document.createRange(), arrow = title.querySelector(".icon").getBoundingClientRect();
            words.selectNodeContents(title.querySelector("span"));
            const lines = [...words.getClientRects()];
            return [Math.max(...lines.map(line => line.left)) - title.getBoundingClientRect().left,
                    arrow.left - Math.max(...lines.map(line => line.right))];
        })"""
    )
    assert len(titles) == 7
    assert all(abs(start - titles[0][0]) < 1 and gap >= 8 for start, gap in titles)


@on_both
def test_text_tables_and_charts_are_there(unfolded):
    page = unfolded
    said = page.inner_text("#report")
    for part in (
        "This model was measured on",
        "were missed",
        "What it is not for",
        "Never tested",
        "Community tab",
        "non-commercial",
    ):
        assert part in said
    for table, name in (
        ("#sources", "StyleGAN"),
        ("#cross", "StyleGAN2"),
        ("#groups", "female"),
        ("#counts", "fakes, clean"),
        ("#kinds", "edited"),
        ("#photographs", "portraits"),
    ):
        assert page.locator(f"{table} table").get_by_role("rowheader", name=re.compile(rf"^{name}\b")).is_visible()
        assert page.locator(f"{table} [role=region][aria-label]").count() == 1
    charts = page.locator("#report .chart > svg[role=img]")
    assert charts.count() == 4 and page.locator("#report img").count() == 0
    for chart in charts.all():
        assert len(chart.get_attribute("aria-label")) > 40
        box = chart.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]


def test_the_slider_and_the_state_change_the_sentence(unfolded):
    page = unfolded
    report = read_report(REPORTS / "test", Model(ROOT / "model.onnx").sha256)
    said, slider = page.locator("#operating-point"), page.locator("#alarms input[type=range]")
    assert said.get_attribute("aria-live") == "polite"
    assert "5 of 100 real photographs" in said.inner_text()
    before = page.locator("#curve circle").get_attribute("cx")
    for _ in range(3):
        slider.press("ArrowRight")
    said.get_by_text("8 of 100 real photographs").wait_for()
    assert f"{operating_point(report, 'clean', 0.08).found:,} were found" in said.inner_text()
    page.wait_for_function("cx => document.querySelector('#curve circle').getAttribute('cx') != cx", arg=before)
    for tier in TIERS[1:]:
        page.locator("#state").get_by_text(tier, exact=True).click()
        said.get_by_text(f"fakes, {tier}").wait_for()
        assert f"{operating_point(report, tier, 0.08).found:,} were found" in said.inner_text()


@pytest.mark.parametrize("first_tab", [(390, 844)], ids=["phone"], indirect=True)
def test_a_table_that_scrolls_sideways_is_seen_to(unfolded):
    """What stands at its right edge is shaded until the end is reached."""
    page = unfolded
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
def test_nothing_is_wider_than_the_screen(unfolded):
    page = unfolded
    page.locator("#criteria table").wait_for()
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
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--model", tmp_path / "model.onnx"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
        page = browser.new_page()
        try:
            wait_for(f"http://127.0.0.1:{port}/", process, log)
            page.goto(f"http://127.0.0.1:{port}/")
            open_tab(page)
            said = page.inner_text("#report")
            assert evaluation_texts.FOREIGN_REPORT in said and "%" not in said
            assert page.locator("#report img, #report input").count() == 0
        finally:
            page.close()
            process.terminate()
            process.wait(PATIENCE)
