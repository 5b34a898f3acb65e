"""The network on a graphics card: only where there is one that gives the same numbers and is no slower."""

import json

from waiting import LONG, wait_until
from web_gpu import BINARY, MODULE, PORTRAIT, counted, engine_of, told
from web_site import judge, opened

from export.web import GPU_RUNTIME, RUNTIME, build_web
from export.web_texts import PAGE
from scripts.web_serving import serving


def test_nothing_of_it_is_loaded_without_a_card(small_site, private_browser, with_card):
    """With one in software, which would be slower, it is as without."""
    for browser in (private_browser, with_card):
        asked = []
        with serving(small_site, counted(small_site, asked)) as address, opened(browser, address) as page:
            judge(page, PORTRAIT)
            told(page, "no_gpu")
            judge(page, PORTRAIT)
            assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly"] * 2
            assert set(RUNTIME) <= set(asked) and not set(GPU_RUNTIME) & set(asked)


def test_a_visitor_who_saves_data_is_not_made_to_load_it(played):
    saving = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } });"
    asked = []
    with played("at once", asked=asked, more=saving) as page:
        judge(page, PORTRAIT)
        told(page, "save_data")
        assert not set(GPU_RUNTIME) & set(asked)
        page.goto(f"{page.url}?engine=webgpu")
        judge(page, PORTRAIT)
        told(page, "asked")


def test_a_file_that_is_not_what_it_should_be_is_not_put_down_to_the_card(small_site, with_card):
    for made in ({f"/vendor/{BINARY}": lambda: b"other"}, {f"/vendor/{MODULE}": lambda: b"throw new Error('So.');"}):
        with serving(small_site, made) as address:
            context = with_card.new_context()
            page = context.new_page()
            page.set_default_timeout(LONG * 1000)
            page.goto(f"{address}/?engine=webgpu")
            judge(page, PORTRAIT)
            told(page, "not_fetched")
            judge(page, PORTRAIT)
            assert engine_of(page, 1) == "WebAssembly"
            context.close()


def test_the_address_can_ask_for_webassembly(played):
    with played("at once", "?engine=wasm") as page:
        judge(page, PORTRAIT)
        sentence = page.locator("#engine")
        wait_until(lambda: sentence.get_attribute("data-why") == "asked")
        assert PAGE["engines"]["wasm"] in sentence.inner_text() and engine_of(page, 0) == "WebAssembly"


def test_the_int8_model_comes_without_it(tmp_path):
    out = build_web(tmp_path / "site", int8=True)
    assert json.loads((out / "model.json").read_text())["gpu"] is None
    assert not set(GPU_RUNTIME) & {path.name for path in out.rglob("*")}
