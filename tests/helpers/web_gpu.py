"""A graphics card for the page in web/: one played by SwiftShader, which Chromium has for tests, with onnxruntime's
build for WebGPU; or, where its answers or pace are to be chosen, a module in that build's place, which runs the network
in WebAssembly.
"""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import LONG
from web_site import EXAMPLES, opened

from deepfake_detect import Detector, Model
from export.web import GPU_RUNTIME, RUNTIME
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
export const env = { wasm: {}, webgpu: { device: Promise.resolve({ lost }) } };
[real.wasm.numThreads, real.wasm.wasmPaths] = [1, new URL("./", import.meta.url).href];
let [after, runs] = [false, 0];
new BroadcastChannel("after").onmessage = () => (after = true);
const known = new Map();
export const InferenceSession = { async create(address) {
  const session = await Real.create(address, { executionProviders: ["wasm"] });
  const once = async (...words) => {
    const key = words[0].pixel_values.dims.join();
    if (!known.has(key)) known.set(key, await session.run(...words));
    return known.get(key);
  };
  return { run: async (...words) => { ANSWER } };
} };
"""
ANSWERS = {
    "at once": "return once(...words);",
    # Four runs come before those that are timed.
    "late": "if (++runs > 4) await new Promise((done) => setTimeout(done, 1000)); return once(...words);",
    "others": "const found = await session.run(...words); found.logits.data[3] += 0.01; return found;",
    "others of many": "const found = await session.run(...words);"
    " if (found.logits.dims[0] === 4) found.logits.data[7] += 0.01; return found;",
    "not a number": "const found = await session.run(...words); found.logits.data[0] = NaN; return found;",
    "none": "throw new Error('So.');",
    "never": "return new Promise(() => {});",
    "not loaded": "",
    "none afterwards": "if (after) throw new Error('So.'); return once(...words);",
    "never afterwards": "return after ? new Promise(() => {}) : once(...words);",
    "not a number afterwards": "if (!after) return once(...words);"
    " const found = await session.run(...words); found.logits.data.fill(NaN); return found;",
    "infinite kinds afterwards": "if (!after) return once(...words);"
    " const found = await session.run(...words); found.kinds.data[1] = Infinity; return found;",
    "not after the first": "if (after === 2) throw new Error('So.'); if (after) after = 2; return once(...words);",
}
# What web/model/gpu.js is changed in: how long it waits, and where it times runs of the card (n = 0) and of WebAssembly
LIMITS = "FIRST] = [20, 10000, 600000]"
FIRST = "this.limit = FIRST;"
TIMED = "      await model.outputs(crops);"
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
def small_detector(small_site) -> Detector:
    """Python's detector on the network of `small_site`."""
    return Detector(Model(small_site / "model.onnx"))


@pytest.fixture
def played(small_site, with_card, tmp_path):
    """A page with a card that answers in one of the ways of ANSWERS. `asked`: see `counted`; `more`: for its worker;
    `slow`: milliseconds more that WebAssembly takes for a run that is timed, as no card beats it with the tiny network.
    Only a card that is not to answer is waited for so shortly that one on a busy machine might come too late."""

    @contextmanager
    def page(way: str, path: str = "", asked: list | None = None, more: str = "", slow: int = 0):
        copy = tmp_path / "site"
        shutil.copytree(small_site, copy)
        hangs = "await new Promise(() => {});" if way == "not loaded" else ""
        (copy / "vendor" / MODULE).write_text(hangs + STAND_IN.replace("ANSWER", ANSWERS[way]))
        first = 2000 if way in ("never", "not loaded") else LONG * 1000
        least = 3000 if way == "never afterwards" else LONG * 1000
        trial = copy / "model" / "gpu.js"
        replace_once(trial, LIMITS, f"FIRST] = [20, {least}, {LONG * 1000}]")
        replace_once(trial, FIRST, f"this.limit = {first};")
        if slow:
            replace_once(trial, TIMED, f"if (n) await new Promise((done) => setTimeout(done, {slow}));{TIMED}")
        (copy / "page" / "worker.js").write_text(CARD + more + (copy / "page" / "worker.js").read_text())
        # The service worker would not let the changed files pass.
        with (
            serving(copy, counted(copy, [] if asked is None else asked)) as address,
            opened(with_card, address, path, service_workers="block") as found,
        ):
            yield found

    return page


def replace_once(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def told(page, why: str) -> None:
    """Wait for what the page says of where the network runs."""
    from playwright.sync_api import expect

    engine = "webgpu" if why in ("fast", "asked") else "wasm"
    sentence = PAGE["engine"].replace("{}", PAGE["engines"][engine], 1).replace("{}", PAGE["engine_why"][why])
    expect(page.locator("#engine")).to_have_text(sentence, timeout=LONG * 1000)


def engine_of(page, number: int) -> str:
    """Which one judged a card's photograph, or which ones, by its facts."""
    facts = page.locator(".card").nth(number).locator(".facts")
    return facts.locator(f"dt:has-text('{PAGE['fact_names']['engines']}') + dd").text_content()


def chance_of(page, number: int) -> float:
    """Of a card, by its JSON, which says as well what judged."""
    with page.expect_download() as download:
        page.get_by_role("button", name=PAGE["json"]).nth(number).click()
    report = json.loads(download.value.path().read_text())
    assert ", ".join(PAGE["engines"][name] for name in report["engines"]) == engine_of(page, number)
    return report["verdict"]["p_fake"]


def counted(site, asked: list) -> dict:
    """What a server gives of onnxruntime-web; the names of what was asked for come to `asked`."""

    def given(name: str):
        def data() -> bytes:
            asked.append(name)
            return (site / "vendor" / name).read_bytes()

        return data

    return {f"/vendor/{name}": given(name) for name in RUNTIME + GPU_RUNTIME}
