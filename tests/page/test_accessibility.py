"""The page without a mouse, and for those who hear it: axe-core, and the keyboard alone, in a real browser."""

import os
import re

import numpy as np
import pytest
from films import film
from PIL import Image
from playwright.sync_api import TimeoutError
from project import ROOT
from waiting import PATIENCE
from watching_pages import whole

from page import texts

EXAMPLES = ROOT / "examples"
AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# Of Gradio: buttons whose names differ from their words, buttons in buttons, a gallery before its pictures are there.
GRADIOS = {"label-content-name-mismatch", "nested-interactive", "aria-prohibited-attr"}
FOCUSED = """(e => e == document.body ? '' :
    e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText || '')(document.activeElement)"""


@pytest.fixture(params=["light", "dark"])
def page(first_tab, request):
    if not AXE.is_file():
        assert not os.environ.get("REQUIRE_NODE"), "the packages of tests/node are not installed"
        pytest.skip("the packages of tests/node are not installed")
    first_tab.emulate_media(color_scheme=request.param)
    first_tab.reload()
    whole(first_tab)
    first_tab.add_script_tag(path=AXE)
    return first_tab


def violations(page):
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", STANDARD)
    assert found["passes"]
    return [
        (violation["id"], node["html"])
        for violation in found["violations"]
        for node in violation["nodes"]
        if violation["id"] not in GRADIOS
    ]


def test_no_tab_breaks_a_rule_of_accessibility(page, tmp_path):
    page.locator("#examples .gallery-item[aria-label]").first.wait_for()
    assert violations(page) == []
    page.set_input_files("#photo input[type=file]", EXAMPLES / "group_portraits.jpg")
    page.locator("#evidence").wait_for()
    for name in (texts.HEAT_LABEL, texts.HOLD_LABEL, texts.CLAIMS_LABEL, texts.REPORT_LABEL):
        page.get_by_role("button", name=name).click()
    page.locator("#map img").wait_for()
    assert violations(page) == []
    page.get_by_role("tab", name=texts.ALBUM_TAB).click()
    page.set_input_files("#album input[type=file]", [EXAMPLES / "group_portraits.jpg", EXAMPLES / "fake_swap.jpg"])
    page.locator("#album-table tr img").first.wait_for()
    assert violations(page) == []
    page.get_by_role("tab", name=texts.VIDEO_TAB).click()
    frame = np.asarray(Image.open(EXAMPLES / "real_eileen_collins.jpg").convert("RGB"))
    page.set_input_files("#film input[type=file]", film(tmp_path / "short.mp4", [frame] * 5))
    page.locator("#timeline svg").first.wait_for()
    assert violations(page) == []
    tiles = page.locator("#stills .thumbnail-lg")
    tiles.first.wait_for()
    names = tiles.evaluate_all("buttons => buttons.map(button => button.ariaLabel)")
    assert names and all(names), "a key frame has no name"
    page.get_by_role("tab", name=texts.REPORT_TAB).click()
    for title in (texts.POINT_TITLE, texts.RELIABILITY_TITLE, texts.GROUPS_TITLE):
        page.locator("#report").get_by_role("button", name=title.lstrip("# ")).click()
    page.locator("#operating-point").wait_for()
    assert violations(page) == []


def test_every_example_has_a_name(first_tab):
    names = first_tab.locator("#examples .gallery-item[aria-label]")
    expected = [texts.EXAMPLE_NAMES[file.stem] for file in sorted(EXAMPLES.glob("*.jpg"))]
    names.nth(len(expected) - 1).wait_for()
    assert names.evaluate_all("buttons => buttons.map(button => button.ariaLabel)") == expected
    first_tab.get_by_role("tab", name=texts.VIDEO_TAB).click()
    names = first_tab.locator("#film-examples .gallery-item[aria-label]")
    expected = [texts.VIDEO_NAMES[file.stem] for file in sorted(EXAMPLES.glob("videos/*"))]
    names.nth(len(expected) - 1).wait_for()
    assert names.evaluate_all("buttons => buttons.map(button => button.ariaLabel)") == expected


def go_to(page, words):
    """Press Tab until what is reached is called so, and is seen to be reached."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.search(words, page.evaluate(FOCUSED)):
            outline, width, shadow = page.evaluate(
                "(({outlineStyle, outlineWidth, boxShadow}) => [outlineStyle, outlineWidth, boxShadow])"
                "(getComputedStyle(document.activeElement))"
            )
            assert (outline != "none" and width != "0px") or shadow != "none", words
            return
    raise AssertionError(f"the keyboard does not reach {words}")


def choose(page, files):
    tries = 20
    for _ in range(tries):  # Gradio's box has just come, and takes a moment to answer
        try:
            with page.expect_file_chooser(timeout=1000 * PATIENCE / tries) as chooser:
                page.keyboard.press("Enter")
            chooser.value.set_files(files)
            return
        except TimeoutError:
            pass
    raise AssertionError("no files can be chosen with the keyboard")


def test_the_keyboard_alone_is_enough(first_tab):
    page, press = first_tab, first_tab.keyboard.press
    page.locator("#examples .gallery-item[aria-label]").first.wait_for()
    go_to(page, "Group: one of three")
    press("Enter")
    page.locator("#evidence").wait_for()
    page.locator("#pick label").nth(2).wait_for()
    go_to(page, "^3: ")
    press("Space")
    page.locator("#face h3").get_by_text(re.compile("^Face 3: ")).wait_for()
    go_to(page, re.escape(texts.HOLD_LABEL))
    press("Enter")
    page.locator("#scores tr").first.wait_for()
    go_to(page, f"^{texts.REPORT_LABEL}")
    press("Enter")
    page.locator("#report").wait_for()  # the files take longer than the verdict
    go_to(page, texts.JSON_REPORT)
    with page.expect_download() as report:
        press("Enter")
    assert report.value.suggested_filename == "group_portraits-verdict.json"
    go_to(page, texts.ANOTHER_PHOTO)
    press("Enter")
    page.locator("#card h2").wait_for(state="detached")
    go_to(page, "Drop an image file")
    choose(page, EXAMPLES / "fake_swap.jpg")
    page.locator("#evidence").wait_for()

    go_to(page, texts.ALBUM_TAB)
    press("Enter")
    page.locator("#album input[type=file]").wait_for(state="attached")
    go_to(page, "Click to upload")
    choose(page, [EXAMPLES / "group_portraits.jpg", EXAMPLES / "fake_swap.jpg"])
    page.locator("#album-csv").wait_for()  # after the verdicts
    go_to(page, re.escape(texts.CSV))
    with page.expect_download() as table:
        press("Enter")
    assert table.value.suggested_filename == "verdicts.csv"

    go_to(page, re.escape(texts.REPORT_TAB))
    press("Enter")
    page.locator("#report h2").first.wait_for()
    go_to(page, re.escape(texts.POINT_TITLE.lstrip("# ")))
    press("Enter")
    said = page.locator("#operating-point")
    said.wait_for()
    before = said.inner_text()
    page.locator("#alarms input[type=range]").wait_for()
    go_to(page, "range slider")
    for _ in range(3):
        press("ArrowRight")
    page.wait_for_function("before => document.getElementById('operating-point').innerText != before", arg=before)
