"""What the page in web/ costs a visitor, in a real Chromium over loopback: bytes, and time to a verdict.

Takes a Chromium, playwright and onnxruntime-web from npm, which the tests' environment has. Bytes are counted as gzip
sends them, which most web servers do.
"""

import gzip
import json
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.serving import ROOT
from export.web import GPU_RUNTIME, RUNTIME, build_web
from scripts.web_serving import chromium, serving

PICTURE = ROOT / "examples" / "real_eileen_collins.jpg"
ROUNDS, WARM_UP = 15, 3
READY, REFUSED = "#files:enabled", "#alert:not(:empty)"
DIST = ROOT / "web" / "node_modules" / "onnxruntime-web" / "dist"
# onnxruntime-web's builds that have WebGPU: for browsers with JavaScript Promise Integration, and for all others
WITH_WEBGPU = {"WebGPU, some browsers": "ort-wasm-simd-threaded.jspi.wasm",
               "WebGPU, all browsers": "ort-wasm-simd-threaded.asyncify.wasm"}  # fmt: skip
# Milliseconds from choosing a photograph to its card on the screen, by the page's own clock.
WATCH = """() => {
    let started = null;
    window.taken = [];
    document.getElementById('files').addEventListener('change', () => { started = performance.now(); }, true);
    new MutationObserver(() => {
        if (started === null || !document.querySelector('.card[data-label]')) return;
        const since = started;
        started = null;
        requestAnimationFrame(() => setTimeout(() => window.taken.push(performance.now() - since)));
    }).observe(document.getElementById('cards'), { subtree: true, childList: true, attributes: true });
}"""
# Milliseconds of a verdict and of its steps, outside the page: {"all", "decoding", "faces", "network"}
STEPS = """async ([rounds, warmUp]) => {
    const { Detector } = await import('/detector.js');
    const { open } = await import('/picture/decode.js');
    const detector = await Detector.load();
    const file = await (await fetch('/picture')).blob();
    let spent = {};
    const timed = (object, name, step) => {
        const own = object[name].bind(object);
        object[name] = async (...words) => {
            const started = performance.now();
            const found = await own(...words);
            spent[step] = (spent[step] ?? 0) + performance.now() - started;
            return found;
        };
    };
    timed(detector.yunet, 'rows', 'faces');
    timed(detector.model, 'scores', 'network');
    const found = [];
    for (let n = 0; n < rounds + warmUp; n++) {
        spent = {};
        let started = performance.now();
        await open(file);
        spent.decoding = performance.now() - started;
        started = performance.now();
        await detector.judge(file);
        spent.all = performance.now() - started;
        if (n >= warmUp) found.push(spent);
    }
    return found;
}"""


def measure() -> list[dict]:
    visits, steps = [], []
    with TemporaryDirectory(prefix="web-") as folder:
        for name, int8 in (("float32", False), ("int8", True)):
            site = build_web(Path(folder) / name, int8=int8)
            visits.append([name, *_bytes(site), *_visit(site)])
            steps.append([name, *_steps(site)])
    return [
        {
            "name": "visits",
            "title": f"A first visit to the page in web/, then {ROUNDS} verdicts on a photograph of 512 x 512 pixels",
            "columns": ["model file", "MB", "MB with gzip", "s until it is ready", "s until the first verdict",
                        "ms of the next", "s until it is ready, without a network"],
            "rows": visits,
        },
        {
            "name": "steps",
            "title": "Where the time of such a verdict goes, ms",
            "columns": ["model file", "all", "decoding", "YuNet", "the network", "the rest"],
            "rows": steps,
        },
        {
            "name": "runtimes",
            "title": "onnxruntime-web's builds: the first is used, and the last as well where there is a graphics card",
            "columns": ["build", "MB", "MB with gzip"],
            "rows": [
                *([name, *_size(DIST / file)] for name, file in {"WebAssembly": RUNTIME[-1], **WITH_WEBGPU}.items()),
                ["all that a graphics card takes, loaded after the first verdict",
                 *_size(*(DIST / file for file in GPU_RUNTIME))],
            ],
        },
    ]  # fmt: skip


def _size(*files: Path) -> tuple[float, float]:
    """Megabytes as they are, and with gzip."""
    data = [file.read_bytes() for file in files]
    return sum(map(len, data)) / 1e6, sum(len(gzip.compress(each)) for each in data) / 1e6


def _bytes(site: Path) -> tuple[float, float]:
    files = json.loads((site / "assets.json").read_text(encoding="utf-8"))["files"]
    first = [name for name, file in files.items() if "later" not in file]
    return _size(*(site / name for name in (*first, "assets.json", "sw.js")))


def _visit(site: Path) -> tuple[float, ...]:
    """Seconds until the page is ready and until the first verdict, ms of the next; seconds without a network."""
    with serving(site, {}) as address, chromium() as page:
        page.goto(f"{address}/")
        ready = _ready(page)
        page.evaluate(WATCH)
        for number in range(ROUNDS + 1):
            page.set_input_files("#files", PICTURE)
            page.wait_for_function("(count) => window.taken.length > count", arg=number)
            page.click("#clear")
        first, *others = page.evaluate("window.taken")
        page.context.set_offline(True)
        page.reload()
        return ready, ready + first / 1000, median(others), _ready(page)


def _ready(page) -> float:
    """Seconds from the beginning of the page until it can judge. Raises RuntimeError where it refuses to."""
    page.locator(f"{READY}, {REFUSED}").first.wait_for(state="attached", timeout=120_000)
    if refusal := page.locator("#alert").inner_text():
        raise RuntimeError(refusal)
    return page.evaluate("performance.now()") / 1000


def _steps(site: Path) -> tuple[float, ...]:
    with serving(site, {"/picture": PICTURE.read_bytes}) as address, chromium() as page:
        page.goto(f"{address}/package.json")
        found = page.evaluate(STEPS, [ROUNDS, WARM_UP])
    middle = partial(_middle, found)
    whole, known = middle("all"), [middle(step) for step in ("decoding", "faces", "network")]
    return whole, *known, whole - sum(known)


def _middle(found: list[dict], step: str) -> float:
    return median(each[step] for each in found)
