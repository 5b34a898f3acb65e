"""The network on a graphics card: only where there is one that gives the same numbers and is no slower."""

import json

import pytest
from onnx_files import write_cut_model
from project import ROOT
from waiting import LONG, wait_until
from web_gpu import BINARY, MODULE, PORTRAIT, chance_of, counted, engine_of, told
from web_site import READY, judge, needed, opened, site_of

from deepfake_detect import Detector, Model
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


def test_onnxruntime_on_a_card_gives_the_verdicts_of_python(with_card, tmp_path):
    """The build itself, under the page's policy: loaded after the first verdict and kept; its numbers of the shipped
    network, for crops of fewer pixels, as SwiftShader takes a minute for those of the shipped size."""
    needed((ROOT / "web" / "node_modules").is_dir(), "the packages of web are not installed")
    model = write_cut_model(ROOT / "model.onnx", tmp_path / "model.onnx", 64)
    site, asked = site_of(model, tmp_path / "site"), []
    with serving(site, counted(site, asked)) as address, opened(with_card, address, "?engine=webgpu") as page:
        told(page, "first")
        page.locator(READY).wait_for(state="attached")
        assert not set(GPU_RUNTIME) & set(asked)
        judge(page, PORTRAIT)
        assert engine_of(page, 0) == "WebAssembly"
        told(page, "asked")
        assert [asked.count(name) for name in GPU_RUNTIME] == [1, 1, 1]
        kept = page.evaluate(
            "async (name) => !!(await (await caches.open((await caches.keys())[0])).match(name))", f"vendor/{BINARY}"
        )
        assert kept
        judge(page, PORTRAIT)
        assert engine_of(page, 1) == "WebGPU"
        expected = Detector(Model(model)).predict_one(PORTRAIT).p_fake
        assert [chance_of(page, number) for number in (0, 1)] == pytest.approx([expected] * 2, abs=1e-3)


def test_a_real_device_that_is_lost_leaves_the_judging_to_webassembly(small_site, with_card, small_detector):
    """The build itself, of which the page loses the device."""
    losing = "new BroadcastChannel('lose').onmessage = async () => (await ort.env.webgpu.device).destroy();"
    worker = (small_site / "model" / "gpu_worker.js").read_text() + losing
    with (
        serving(small_site, {"/model/gpu_worker.js": worker.encode}) as address,
        opened(with_card, address, "?engine=webgpu", service_workers="block") as page,
    ):
        judge(page, PORTRAIT)
        told(page, "asked")
        page.evaluate("new BroadcastChannel('lose').postMessage('')")
        told(page, "lost")
        judge(page, PORTRAIT)
        assert engine_of(page, 1) == "WebAssembly"
        assert chance_of(page, 1) == pytest.approx(small_detector.predict_one(PORTRAIT).p_fake, abs=1e-3)


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
