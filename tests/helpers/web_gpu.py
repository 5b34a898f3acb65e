"""A graphics card for the page in web/: one played by SwiftShader, which Chromium has for tests, with onnxruntime's
build for WebGPU; or, where its answers or pace are to be chosen, a module in that build's place, which has the tiny
network of `small_site` in JavaScript.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import LONG
from web_site import EXAMPLES, SMALL, opened

from deepfake_detect import Detector, Model
from export.web import GPU_RUNTIME, RUNTIME
from export.web_texts import PAGE
from scripts.web_serving import serving

PORTRAIT = next(path for path in EXAMPLES if path.stem == "real_eileen_collins")
SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
MODULE, _, BINARY = GPU_RUNTIME
# In place of onnxruntime-web's build with WebGPU; an answer begins with `given`, what the network gives.
STAND_IN = """
const lost = new Promise((resolve) => (new BroadcastChannel("lose").onmessage = () => resolve({ message: "So." })));
export const env = { wasm: {}, webgpu: { device: Promise.resolve({ lost }) } };
export class Tensor { constructor(type, data, dims) { Object.assign(this, { data, dims }); } }
const outputs = NETWORK; // name -> [of red, green and blue their weights, bias] of the means of a crop
let [after, runs] = [false, 0];
new BroadcastChannel("after").onmessage = () => (after = true);
function network({ data, dims: [crops, , height, width] }) {
  const [pixels, given] = [height * width, {}];
  const mean = (n) => data.subarray(n * pixels, (n + 1) * pixels).reduce((a, b) => a + b) / pixels;
  for (const [name, [weights, bias]] of Object.entries(outputs)) {
    given[name] = { data: new Float32Array(crops * bias.length), dims: [crops, bias.length] };
    for (let crop = 0; crop < crops; crop++)
      bias.forEach((value, n) => {
        const seen = weights.map((of, colour) => of[n] * mean(3 * crop + colour));
        given[name].data[crop * bias.length + n] = seen.reduce((a, b) => a + b, value);
      });
  }
  return given;
}
async function run({ pixel_values }) {
  const given = network(pixel_values);
  ANSWER
}
export const InferenceSession = { create: async () => ({ run }) };
"""
ANSWERS = {
    "at once": "return given;",
    # Four runs come before those that are timed.
    "late": "if (++runs > 4) await new Promise((done) => setTimeout(done, 1000)); return given;",
    "others": "given.logits.data[3] += 0.01; return given;",
    "others of many": "if (given.logits.dims[0] === 4) given.logits.data[7] += 0.01; return given;",
    "not a number": "given.logits.data[0] = NaN; return given;",
    "none": "throw new Error('So.');",
    "never": "return new Promise(() => {});",
    "not loaded": "",
    "none afterwards": "if (after) throw new Error('So.'); return given;",
    "never afterwards": "return after ? new Promise(() => {}) : given;",
    "not a number afterwards": "if (after) given.logits.data.fill(NaN); return given;",
    "infinite kinds afterwards": "if (after) given.kinds.data[1] = Infinity; return given;",
    "not after the first": "if (after === 2) throw new Error('So.'); if (after) after = 2; return given;",
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
def played(small_site, with_card):
    """A page with a card that answers in one of the ways of ANSWERS. `asked`: see `counted`; `more`: for its worker;
    `slow`: milliseconds more that WebAssembly takes for a run that is timed, as no card beats it with the tiny network.
    Only a card that is not to answer is waited for so shortly that one on a busy machine might come too late."""

    @contextmanager
    def page(way: str, path: str = "", asked: list | None = None, more: str = "", slow: int = 0):
        hangs = "await new Promise(() => {});" if way == "not loaded" else ""
        first = 1000 if way in ("never", "not loaded") else LONG * 1000
        least = 3000 if way == "never afterwards" else LONG * 1000
        trial = (small_site / "model" / "gpu.js").read_text()
        trial = replaced(trial, LIMITS, f"FIRST] = [20, {least}, {LONG * 1000}]")
        trial = replaced(trial, FIRST, f"this.limit = {first};")
        if slow:
            trial = replaced(trial, TIMED, f"if (n) await new Promise((done) => setTimeout(done, {slow}));{TIMED}")
        module = hangs + STAND_IN.replace("NETWORK", json.dumps(SMALL)).replace("ANSWER", ANSWERS[way])
        worker = CARD + more + (small_site / "page" / "worker.js").read_text()
        build = {f"vendor/{MODULE}": module, f"vendor/{BINARY}": "none"}
        instead = {**build, "model/gpu.js": trial, "page/worker.js": worker}
        # The service worker would not let the changed files pass.
        with (
            serving(small_site, counted(small_site, [] if asked is None else asked, instead)) as address,
            opened(with_card, address, path, service_workers="block") as found,
        ):
            yield found

    return page


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


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


def counted(site: Path, asked: list, instead: dict[str, str] | None = None) -> dict:
    """What a server gives of onnxruntime-web, and `instead` of other files; the names of what was asked for come to
    `asked`, without their folders."""
    instead = instead or {}

    def given(path: str):
        def data() -> bytes:
            asked.append(path.rpartition("/")[2])
            return instead[path].encode() if path in instead else (site / path).read_bytes()

        return data

    return {f"/{path}": given(path) for path in [*instead, *(f"vendor/{name}" for name in RUNTIME + GPU_RUNTIME)]}
