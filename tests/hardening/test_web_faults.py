"""What the page does when its worker fails: no verdict is lost, and what waits is judged all the same."""

import pytest
from waiting import LONG
from web_site import EXAMPLES, READY, judge, opened

from export.web_texts import FAULTS, PAGE
from scripts.web_serving import serving

PORTRAIT = next(path for path in EXAMPLES if path.stem == "real_eileen_collins")
# What the worker at hand does with the next picture in place of judging it
ANSWERS = {
    "says what is wrong": "postMessage({ id: data.id, error: { code: 'failed', text: 'So.' } })",
    "breaks down": "setTimeout(() => { throw new Error('So.'); })",
    "takes its time": "self.goOn = () => judge({ data }); postMessage({ id: data.id, progress: 0.5 })",
}


@pytest.fixture(scope="module")
def shared(small_site, private_browser):
    with serving(small_site, {}) as address, opened(private_browser, address) as page:
        page.locator(READY).wait_for(state="attached")
        yield page


@pytest.fixture
def page(shared):
    """The page, ready and without cards; with the worker that it had at first, or one in the place of that."""
    yield shared
    if shared.locator(".card[aria-busy]").count():  # a test failed, which the others need not wait for
        shared.reload()
        shared.locator(READY).wait_for(state="attached")
    if shared.locator("#clear").is_visible():
        shared.click("#clear")


def next_time(page, way: str) -> None:
    """Let the worker answer its next picture in one of these ways, and judge those after it."""
    page.workers[-1].evaluate(
        "() => { const judge = self.onmessage;"
        f" self.onmessage = ({{ data }}) => {{ self.onmessage = judge; {ANSWERS[way]}; }}; }}"
    )


def thorough(page):
    return page.get_by_role("button", name=PAGE["thorough"])


@pytest.mark.parametrize("way", ["says what is wrong", "breaks down"])
def test_a_thorough_check_that_fails_leaves_the_first_verdict(page, way):
    judge(page, PORTRAIT)
    card = page.locator(".card")
    before = [card.get_attribute(name) for name in ("data-label", "aria-label")]
    next_time(page, way)
    thorough(page).click()
    card.locator(".unchecked").wait_for()
    said = card.locator(".unchecked").inner_text()
    assert said.startswith(PAGE["thorough_failed"].partition("{")[0]) and "So." in said
    if way == "says what is wrong":  # a new worker says as well that it is ready
        assert page.locator("#status").text_content() == f"{PORTRAIT.name}: {said}"
    assert card.locator("progress").count() == 0 and card.get_attribute("aria-busy") is None
    assert [card.get_attribute(name) for name in ("data-label", "aria-label")] == before
    word = PAGE["words"][card.get_attribute("data-label")]
    assert card.locator(".frame").count() == 1 and word in card.locator("h2").inner_text()
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    thorough(page).click()
    card.locator("details", has_text=PAGE["holds"]["title"]).wait_for()
    assert card.locator(".unchecked").count() == 0 and thorough(page).count() == 0


def test_a_thorough_check_shows_how_far_it_is(page):
    judge(page, PORTRAIT)
    card = page.locator(".card")
    next_time(page, "takes its time")
    thorough(page).click()
    card.locator("progress[value='0.5']").wait_for()
    assert card.get_attribute("aria-busy") == "true" and thorough(page).is_disabled()
    assert card.evaluate("card => getComputedStyle(card).borderLeftStyle") == "dashed"
    assert card.locator("progress").get_attribute("aria-label") == PAGE["judging"].format(PORTRAIT.name)
    page.workers[-1].evaluate("() => goOn()")
    card.locator("details", has_text=PAGE["holds"]["title"]).wait_for()
    assert card.locator("progress").count() == 0 and card.get_attribute("aria-busy") is None


def test_a_worker_that_breaks_down_takes_one_photograph_with_it(page):
    next_time(page, "breaks down")
    judge(page, *EXAMPLES[:3])
    labels = [card.get_attribute("data-label") for card in page.locator(".card").all()]
    assert labels[0] is None and None not in labels[1:]
    before, after = FAULTS["FAILED"].split("{}")
    said = page.locator(".card").first.inner_text()
    assert before in said and "So." in said and after in said
    judge(page, PORTRAIT)
    assert page.locator(".card").last.get_attribute("data-label") in PAGE["words"]


def test_what_waits_is_told_when_no_worker_can_start(small_site, private_browser):
    """The second one finds no network, without which it cannot load the detector."""
    with serving(small_site, {}) as address:
        context = private_browser.new_context(service_workers="block")
        page = context.new_page()
        page.set_default_timeout(LONG * 1000)
        page.goto(address + "/")
        page.locator(READY).wait_for(state="attached")
        next_time(page, "breaks down")
        context.set_offline(True)
        judge(page, *EXAMPLES[:2])
        assert page.locator("#alert").inner_text().startswith(FAULTS["NO_START"].partition("{")[0])
        assert page.locator("#alert").inner_text() in page.locator(".card").last.inner_text()
        judge(page, PORTRAIT)
        assert page.locator("#alert").inner_text() in page.locator(".card").last.inner_text()
        context.close()
