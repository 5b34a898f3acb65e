"""A graphics card that is of no use, or is lost: what it costs, and what the next visit knows of it. And the real build
for a card, which takes most of a minute where the card is software.
"""

import pytest
from onnx_files import write_cut_model
from project import ROOT
from web_gpu import BINARY, PORTRAIT, chance_of, counted, engine_of, told
from web_site import EXAMPLES, READY, judge, needed, opened, site_of

from deepfake_detect import Detector, Model
from export.web import GPU_RUNTIME
from scripts.web_serving import serving

ASKED = "?engine=webgpu"  # for the card, be it faster or not
GROUP = next(path for path in EXAMPLES if path.stem == "group_portraits")


@pytest.mark.parametrize(
    ("way", "why", "next_visit"),
    [
        ("late", "slower", True),
        ("others", "disagrees", True),
        ("others of many", "disagrees", False),
        ("not a number", "disagrees", False),
        ("none", "failed", True),
        ("never", "failed", False),
        ("not loaded", "failed", False),
    ],
)
def test_a_card_that_is_no_better_is_left_alone(played, way, why, next_visit):
    """And where that is to stay so, the next visit neither loads nor tries it, which is seen once for each reason."""
    asked = []
    with played(way, asked=asked) as page:
        judge(page, PORTRAIT)
        told(page, why)
        judge(page, PORTRAIT)
        assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly"] * 2
        assert set(GPU_RUNTIME) <= set(asked)
        if not next_visit:
            return
        asked.clear()
        page.reload()
        judge(page, PORTRAIT)
        told(page, why)
        assert bool(set(GPU_RUNTIME) & set(asked)) == (why == "failed")


def test_the_address_has_a_card_tried_again_that_was_of_no_use(played):
    asked = []
    with played("others", asked=asked) as page:
        judge(page, PORTRAIT)
        told(page, "disagrees")
        asked.clear()
        page.goto(f"{page.url.partition('?')[0]}{ASKED}")
        judge(page, PORTRAIT)
        told(page, "disagrees")
        assert BINARY in asked


def test_a_card_that_is_faster_judges_from_then_on(played):
    with played("at once", slow=500) as page:
        judge(page, PORTRAIT)
        told(page, "fast")
        judge(page, PORTRAIT)
        assert [engine_of(page, number) for number in (0, 1)] == ["WebAssembly", "WebGPU"]
        page.evaluate("new BroadcastChannel('lose').postMessage('')")
        told(page, "lost")
        judge(page, PORTRAIT)
        assert engine_of(page, 2) == "WebAssembly" and page.locator(".card[data-label]").count() == 3


@pytest.mark.parametrize(
    "way", ["none afterwards", "never afterwards", "not a number afterwards", "infinite kinds afterwards"]
)
def test_a_card_that_is_lost_while_it_judges_costs_no_verdict(played, way, small_detector):
    with played(way, ASKED) as page:
        judge(page, PORTRAIT)
        told(page, "asked")
        page.evaluate("new BroadcastChannel('after').postMessage('')")
        judge(page, PORTRAIT)
        told(page, "lost")
        assert engine_of(page, 1) == "WebAssembly"
        assert chance_of(page, 1) == pytest.approx(small_detector.predict_one(PORTRAIT).p_fake, abs=1e-3)


def test_a_photograph_that_both_judged_says_so(played):
    """Of many faces, the first of which the card judges before it is lost."""
    with played("not after the first", ASKED) as page:
        judge(page, PORTRAIT)
        told(page, "asked")
        page.evaluate("new BroadcastChannel('after').postMessage('')")
        judge(page, GROUP)
        told(page, "lost")
        assert engine_of(page, 1) == "WebGPU, WebAssembly"
        assert chance_of(page, 1)  # whose JSON says the same


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
