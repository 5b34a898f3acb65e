"""The service worker: without a network after the first visit, and no file that is not the one it should be."""

import json
from contextlib import ExitStack

from web_site import EXAMPLES, READY, judge, opened

from export.web import GPU_RUNTIME, POLICY
from export.web_texts import PAGE
from scripts.web_serving import serving


def test_it_judges_without_a_network_and_after_a_reload(small_site, private_browser):
    with serving(small_site, {}) as address, opened(private_browser, address) as page:
        page.locator(READY).wait_for(state="attached")
        assert page.locator("#offline").inner_text() == PAGE["offline"]
        page.context.set_offline(True)
        judge(page, EXAMPLES[-1])
        assert page.locator(".card[data-label]").count() == 1
        page.reload()
        page.locator(READY).wait_for(state="attached")
        judge(page, EXAMPLES[-1])
        assert page.locator(".card[data-label]").count() == 1


def test_a_reload_past_the_service_worker_starts_it_too(small_site, private_browser):
    with serving(small_site, {}) as address, opened(private_browser, address) as page:
        page.locator(READY).wait_for(state="attached")
        with page.expect_navigation():
            page.context.new_cdp_session(page).send("Page.reload", {"ignoreCache": True})
        assert page.evaluate("!navigator.serviceWorker.controller")
        page.locator(READY).wait_for(state="attached")
        judge(page, EXAMPLES[-1])
        assert page.locator(".card[data-label]").count() == 1


def test_it_goes_on_when_the_server_is_gone_for_good(small_site, private_browser):
    with ExitStack() as served:
        address = served.enter_context(serving(small_site, {}))
        with opened(private_browser, address) as page:
            page.locator(READY).wait_for(state="attached")
            served.close()
            page.reload()
            page.locator(READY).wait_for(state="attached")
            files = json.loads((small_site / "assets.json").read_text())["files"]
            kept = page.evaluate(
                "async () => (await (await caches.open((await caches.keys())[0])).keys()).map((asked) => asked.url)"
            )
            assert len(kept) == sum("later" not in file for file in files.values()) + 1
            policies = page.evaluate(
                "async (names) => Promise.all(names.map(async (name) =>"
                " (await fetch(name)).headers.get('content-security-policy')))",
                ["page/worker.js", "index.html"],
            )
            assert policies == [POLICY, POLICY]


def test_a_file_of_a_device_without_room_is_given_all_the_same(small_site, private_browser):
    """One that comes later, when all the others are kept; and a device on which these already find no room."""
    name = f"vendor/{GPU_RUNTIME[0]}"
    # Beside a page that is no HTML, Chromium asks for an icon.
    with serving(small_site, {"/favicon.ico": bytes}) as address:
        with opened(private_browser, address) as page:
            page.locator(READY).wait_for(state="attached")
            fill_up(page, address)
            size = page.evaluate(
                "async (name) => { const answer = await fetch(name); return (await answer.arrayBuffer()).byteLength; }",
                name,
            )
            assert size == (small_site / name).stat().st_size
            assert not page.evaluate("async (name) => !!(await caches.match(name))", name)
        with opened(private_browser, address, "package.json") as page:
            fill_up(page, address)
            page.goto(f"{address}/")
            page.locator(READY).wait_for(state="attached")
            assert page.locator("#offline").inner_text() == PAGE["not_offline"]
            judge(page, EXAMPLES[-1])
            assert page.locator(".card[data-label]").count() == 1


def fill_up(page, address: str) -> None:
    """Leave no room for what a page keeps."""
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": address, "quotaSize": 1})
