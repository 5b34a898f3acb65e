"""The page that judges in the browser, made once and served; a page of a real Chromium on it."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from made_once import made_once
from PIL import Image
from project import ROOT
from waiting import LONG

from scripts.web_parity import judged
from scripts.web_serving import serving

AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = sorted((ROOT / "examples").glob("*.jpg"))
READY = "#files:enabled"
# The network of `small_site`: output -> [weights of the means of red, green and blue, bias]
SMALL = {"logits": [[[0, 1], [0, -1], [0, 0.5]], [0, 0.2]], "kinds": [[[0, 1, 2], [1, 0, 0], [0, 0, 0]], [0, 0, 0]]}


def needed(there: bool, missing: str) -> None:
    """Skip where something is not there; fail where REQUIRE_NODE says that it has to be."""
    if not there:
        assert not os.environ.get("REQUIRE_NODE"), missing
        pytest.skip(missing)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of the page, with the shipped model."""
    needed((ROOT / "web" / "node_modules").is_dir(), "the packages of web are not installed")
    from export.web import build_web

    return made_once(tmp_path_factory, "site", lambda folder: build_web(folder / "site")) / "site"


@pytest.fixture(scope="session")
def small_site(tmp_path_factory) -> Path:
    """The folder of the page with a tiny network in place of the model, which takes no time: for tests of the page
    around it. Its file is `model.onnx` as well."""
    needed((ROOT / "web" / "node_modules").is_dir(), "the packages of web are not installed")
    from onnx_files import write_model

    from deepfake_detect.model.onnx_model import Looks

    kinds = {"names": ["real", "swap_or_reenactment", "gan"], "temperature": 0.5, "least": {"gan": 0.6}}
    (weights, bias), (kind_weights, _) = SMALL.values()
    fake = [of_fake for _, of_fake in weights]

    def make(folder: Path) -> None:
        model = write_model(folder / "model.onnx", fake, bias, kind_weights=kind_weights, kinds=kinds,
                            looks=Looks((1.0,), True))  # fmt: skip
        site_of(model, folder / "site")

    return made_once(tmp_path_factory, "small_site", make) / "site"


def site_of(model: Path, folder: Path) -> Path:
    """The folder of the page with this file in place of the shipped model."""
    from deepfake_detect import Model
    from export import web

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(web, "Model", lambda path: Model(model))
        return web.build_web(folder)


@contextmanager
def opened(private_browser, address: str, query: str = "", **options) -> Iterator:
    """A page in a context of its own, with nothing kept from others; `query`: of its address, with "?". What breaks its
    policy, goes to another host, or is not caught, fails the test."""
    context = private_browser.new_context(**options)
    wrong = []
    page = context.new_page()
    page.set_default_timeout(LONG * 1000)
    context.on("request", lambda asked: None if asked.url.startswith((address, "blob:")) else wrong.append(asked.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(f"{address}/{query}")
    try:
        yield page
    finally:
        context.close()
    assert not wrong, "requests to other hosts, errors, or what the policy forbids"


def judge(page, *files: object) -> None:
    """Choose files and wait for a card of each."""
    before = page.locator(".card").count()
    page.set_input_files("#files", list(files))
    page.locator(".card:not([aria-busy])").nth(before + len(files) - 1).wait_for()


@pytest.fixture(scope="module")
def asked(site, private_browser):
    """What `scripts.web_parity.judged` asks: a page, the address of its server, and what that gives of pictures."""
    made = {}
    page = private_browser.new_page()
    page.set_default_timeout(LONG * 1000)
    with serving(site, made) as address:
        yield page, address, made
    page.close()


@pytest.fixture(scope="module")
def ask(asked):
    """Ask the browser for its verdict on a file's bytes."""
    page, address, made = asked

    def verdict(data: bytes, thorough: bool | None = None) -> dict:
        made["/picture"] = lambda: data
        return judged(page, address, "/picture", thorough)

    return verdict


def png(picture: Image.Image | np.ndarray) -> bytes:
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, "PNG")
    return file.getvalue()


def assert_same(here, there: dict, name: str) -> None:
    told = here.to_dict()
    assert list(there) == list(told), name
    assert [face["box"] for face in there["faces"]] == [list(face["box"]) for face in told["faces"]], name
    same = ("reasons", "reason_codes", "label", "faces_found", "faces_left_out")
    assert {key: there[key] for key in same} == {key: told[key] for key in same}, name
    assert [face["label"] for face in there["faces"]] == [face["label"] for face in told["faces"]], name
    for key in ("p_fake", "confidence"):
        assert there[key] == pytest.approx(told[key], abs=1e-3), name
    for one, other in zip(there["faces"], told["faces"], strict=True):
        assert one["p_fake"] == pytest.approx(other["p_fake"], abs=1e-3), name
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
