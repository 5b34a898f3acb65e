"""What the page refuses to work with: changed files, changed pixels, changed numbers, other hosts."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error
from waiting import LONG
from web_site import EXAMPLES, READY, judge, opened

from export.repository import INT8
from export.web import build_web
from export.web_texts import FAULTS, PAGE
from scripts.web_serving import serving


@pytest.mark.parametrize("name", ["yunet.onnx", "face/finder.js"])
def test_a_changed_file_stops_the_page(small_site, private_browser, name):
    changed = {f"/{name}": lambda: (small_site / name).read_bytes() + b"\n"}
    with serving(small_site, changed) as address:
        context = private_browser.new_context()
        page = context.new_page()
        page.set_default_timeout(LONG * 1000)
        page.goto(address + "/")
        page.locator("#alert:not(:empty)").wait_for()
        assert page.locator("#alert").inner_text() == FAULTS["ASSET_CHANGED"].format(name)
        assert page.locator(READY).count() == 0
        context.close()


@pytest.mark.parametrize("way", ["as a file", "without its program"])
def test_a_page_that_cannot_start_says_so(small_site, private_browser, way):
    with serving(small_site, {}) as address:
        context = private_browser.new_context()
        page = context.new_page()
        page.set_default_timeout(LONG * 1000)
        if way == "as a file":
            page.goto((small_site / "index.html").as_uri())
            expected = PAGE["as_file"]
        else:
            page.route("**/page/app.js", lambda asked: asked.abort())
            page.goto(address + "/")
            expected = PAGE["not_loaded"]
        page.locator("#alert:not(:empty)").wait_for()
        assert page.locator("#alert").inner_text() == expected
        assert not page.locator("#choose").is_visible()
        context.close()


def noisy(site) -> bytes:
    """The self-test's picture as a browser gives it that adds a little noise to what a page reads."""
    pixels = np.asarray(Image.open(site / "self_test.png")).copy()
    pixels[7, 11, 1] ^= 1
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def other_numbers(site) -> bytes:
    described = json.loads((site / "model.json").read_text())
    described["self_test"]["logits"][0] += 0.02
    return json.dumps(described).encode()


@pytest.mark.parametrize(
    ("name", "make", "fault"),
    [("self_test.png", noisy, "PIXELS_CHANGED"), ("model.json", other_numbers, "LOGITS_CHANGED")],
)
def test_a_browser_that_changes_pixels_or_numbers_is_refused(small_site, private_browser, name, make, fault):
    with (
        serving(small_site, {f"/{name}": lambda: make(small_site)}) as address,
        opened(private_browser, address, service_workers="block") as page,  # which would find the changed file first
    ):
        page.locator("#alert:not(:empty)").wait_for()
        assert page.locator("#alert").inner_text() == FAULTS[fault]
        assert page.locator(READY).count() == 0


def test_without_a_service_worker_it_judges_all_the_same(small_site, private_browser):
    with serving(small_site, {}) as address, opened(private_browser, address, service_workers="block") as page:
        page.locator(READY).wait_for(state="attached")
        assert page.locator("#offline").inner_text() == PAGE["not_offline"]
        judge(page, EXAMPLES[-1])
        assert page.locator(".card[data-label]").count() == 1


def test_the_int8_model_passes_the_self_test_and_judges(private_browser, tmp_path_factory, site):
    small = build_web(tmp_path_factory.mktemp("int8") / "site", int8=True)
    with serving(small, {}) as address, opened(private_browser, address) as page:
        page.locator(READY).wait_for(state="attached")
        judge(page, EXAMPLES[-1])
        assert page.locator(".card[data-label]").count() == 1
        assert INT8 in page.locator("#version").inner_text()


def test_the_policy_forbids_every_other_host(small_site, private_browser, elsewhere):
    other, asked = elsewhere
    with serving(small_site, {}) as address:
        context = private_browser.new_context()
        page = context.new_page()
        page.set_default_timeout(LONG * 1000)
        page.goto(address + "/")
        for attempt in (
            "(url) => fetch(url)",
            "(url) => new Promise((resolve, reject) => {"
            " const image = new Image(); image.onload = resolve; image.onerror = reject; image.src = url; })",
            "(url) => import(url)",
        ):
            with pytest.raises(Error):
                page.evaluate(attempt, other)
        context.close()
    assert asked == []
