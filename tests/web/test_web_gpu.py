"""The network on a graphics card: only where there is one that gives the same numbers and is no slower.

A card is played by SwiftShader, which Chromium has for tests, with the build for WebGPU; where its answers or pace are
to be chosen, by a module in that build's place, which runs the network in WebAssembly.
"""

import json
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from waiting import LONG, wait_until
from web_site import EXAMPLES, READY, judge, opened

from export.web import GPU_RUNTIME, RUNTIME, build_web
from export.web_texts import PAGE
from scripts.web_serving import serving

PORTRAIT = next(path for path in EXAMPLES if path.stem == "real_eileen_collins")
SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
MODULE, _, BINARY = GPU_RUNTIME
# In place of onnxruntime-web's build with WebGPU: `answer(run)` is what comes of an input, `run` the network itself.
STAND_IN = """
import { InferenceSession as Real, Tensor, env as real } from "./ort.wasm.min.mjs";
export { Tensor };
const lost = new Promise((resolve) => (new BroadcastChannel("lose").onmessage = () => resolve({ message: "So." })));
export const env = { wasm: real.wasm, webgpu: { device: Promise.resolve({ lost }) } };
let count = 0;
const known = new Map();
export const InferenceSession = { async create(address) {
  const session = await Real.create(address, { executionProviders: ["wasm"] });
  const once = async (...words) => {
    const key = words[0].pixel_values.dims.join();
    if (!known.has(key)) known.set(key, await session.run(...words));
    return known.get(key);
  };
  return { run: async (...words) => { count += 1; ANSWER } };
} };
"""
ANSWERS = {
    "at once": "return once(...words);",
    "late": "await new Promise((done) => setTimeout(done, 5000)); return once(...words);",
    "others": "const found = await session.run(...words); found.logits.data[3] += 0.01; return found;",
    "not a number": "const found = await session.run(...words); found.logits.data[0] = NaN; return found;",
    "none": "throw new Error('So.');",
    "none from the third on": "if (count > 2) throw new Error('So.'); return once(...words);",
    "never from the third on": "return count > 2 ? new Promise(() => {}) : once(...words);",
}
# A card that says of itself that it is none in software
CARD = (
    "Object.defineProperty(navigator, 'gpu',"
    " { value: { requestAdapter: async () => ({ info: { isFallbackAdapter: false } }) } });"
)


@pytest.fixture(scope="module")
def with_card(chromium):
    driver, start = chromium
    instance = driver.launch(**{**start, "args": [*start["args"], *SWIFTSHADER]})
    yield instance
    instance.close()


@pytest.fixture
def played(site, with_card, tmp_path):
    """A page with a card that answers in one of the ways of ANSWERS."""

    @contextmanager
    def page(way: str, path: str = ""):
        copy = tmp_path / "site"
        shutil.copytree(site, copy)
        (copy / "vendor" / MODULE).write_text(STAND_IN.replace("ANSWER", ANSWERS[way]))
        for file, more in (("page/worker.js", CARD), ("model/gpu.js", "")):
            text = (copy / file).read_text().replace("LEAST] = [20, 10000]", "LEAST] = [20, 100]")
            (copy / file).write_text(more + text)
        # The service worker would not let the changed files pass.
        with serving(copy, {}) as address, opened(with_card, address, path, service_workers="block") as found:
            yield found

    return page


def told(page, why: str) -> None:
    """Wait for what the page says of where the network runs."""
    engine = "webgpu" if why in ("fast", "asked") else "wasm"
    sentence = PAGE["engine"].replace("{}", PAGE["engines"][engine], 1).replace("{}", PAGE["engine_why"][why])
    expect(page.locator("#engine")).to_have_text(sentence, timeout=LONG * 1000)


def engine_of(page, number: int) -> str:
    """Which one judged a card's photograph, by its facts."""
    facts = page.locator(".card").nth(number).locator(".facts")
    return facts.locator(f"dt:has-text('{PAGE['fact_engine']}') + dd").text_content()


def chance_of(page, number: int) -> float:
    """Of a card, by its JSON, which says as well which one judged."""
    with page.expect_download() as download:
        page.get_by_role("button", name=PAGE["json"]).nth(number).click()
    report = json.loads(download.value.path().read_text())
    assert PAGE["engines"][report["engine"]] == engine_of(page, number)
    return report["verdict"]["p_fake"]


def test_nothing_of_it_is_loaded_without_a_card(site, private_browser, with_card):
    """With one in software, which would be slower, it is as without."""
    for browser in (private_browser, with_card):
        asked = []
        with serving(site, counted(site, asked)) as address, opened(browser, address) as page:
            judge(page, PORTRAIT)
            told(page, "no_gpu")
            judge(page, PORTRAIT)
            assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly"] * 2
            assert set(RUNTIME) <= set(asked) and not set(GPU_RUNTIME) & set(asked)


def counted(site, asked: list) -> dict:
    """What a server gives of onnxruntime-web; the names of what was asked for come to `asked`."""

    def given(name: str):
        def data() -> bytes:
            asked.append(name)
            return (site / "vendor" / name).read_bytes()

        return data

    return {f"/vendor/{name}": given(name) for name in RUNTIME + GPU_RUNTIME}


@pytest.mark.timeout(900)
def test_onnxruntime_on_a_card_gives_the_verdicts_of_python(site, with_card, detector):
    """The build itself, under the page's policy: loaded after the first verdict and kept; its numbers; a lost card."""
    asked = []
    with serving(site, counted(site, asked)) as address, opened(with_card, address, "?engine=webgpu") as page:
        page.set_default_timeout(LONG * 1000)
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
        expected = detector.predict_one(PORTRAIT).p_fake
        assert [chance_of(page, number) for number in (0, 1)] == pytest.approx([expected] * 2, abs=1e-3)


@pytest.mark.parametrize(
    ("way", "why"), [("late", "slower"), ("others", "disagrees"), ("not a number", "disagrees"), ("none", "failed")]
)
def test_a_card_that_is_no_better_is_left_alone(played, way, why):
    with played(way) as page:
        judge(page, PORTRAIT)
        told(page, why)
        judge(page, PORTRAIT)
        assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly"] * 2


def test_a_card_that_is_faster_judges_from_then_on(played):
    with played("at once") as page:
        judge(page, PORTRAIT)
        told(page, "fast")
        judge(page, PORTRAIT)
        assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly", "WebGPU"]
        page.evaluate("new BroadcastChannel('lose').postMessage('')")
        told(page, "lost")
        judge(page, PORTRAIT)
        assert engine_of(page, 2) == "WebAssembly" and page.locator(".card[data-label]").count() == 3


@pytest.mark.parametrize("way", ["none from the third on", "never from the third on"])
def test_a_card_that_is_lost_while_it_judges_costs_no_verdict(played, way, detector):
    with played(way) as page:
        judge(page, PORTRAIT)
        told(page, "fast")
        judge(page, PORTRAIT)
        told(page, "lost")
        assert engine_of(page, 1) == "WebAssembly"
        assert chance_of(page, 1) == pytest.approx(detector.predict_one(PORTRAIT).p_fake, abs=1e-3)


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
