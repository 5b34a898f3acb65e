"""What several tests need: a portrait, a small data set made of it, a training run, a server, a browser."""

import os
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from commands import fit_command, here
from data_sets import RECIPE, make_data
from made_once import made_once
from PIL import Image
from project import FACES, ROOT
from servers import serving
from waiting import LONG
from watching_pages import whole

from deepfake_detect import Detector, Model

pytest_plugins = ["unhurried", "other_host", "survived", "web_site", "web_gpu", "scan_fixtures"]

# What takes seconds to make: a training, a browser, the folder of a repository.
SLOW = {"chromium", "recipe_file", "short_backbone", "short_weights", "run_folder", "exported", "repository"}
SLOW_FILE = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "not slow"`, files that are slow as a whole are not even imported: many load TensorFlow or Gradio."""
    if config.getoption("markexpr") == "not slow" and collection_path.suffix == ".py":
        return True if SLOW_FILE.search(collection_path.read_text(encoding="utf-8")) else None
    return None


def pytest_collection_modifyitems(items):
    """Tests are slow by their marks, their fixtures or their folder. The files whose tests are all slow, or
    that start a browser or a training, come first: `make test` gives them out one by one to its processes, none of
    which is to wait long for another at the end."""
    for item in items:
        if item.path.parent.name != "unit" or SLOW & {*item.fixturenames}:
            item.add_marker(pytest.mark.slow)
    first = {item.path for item in items} - {item.path for item in items if not item.get_closest_marker("slow")}
    first |= {item.path for item in items if SLOW & {*item.fixturenames}}
    items.sort(key=lambda item: item.path not in first)


@pytest.fixture(autouse=True)
def ordinary_priority():
    """No library raises the priority of this process for good: see `video_coding.Coded.packets`."""
    yield
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) not in (os.SCHED_FIFO, os.SCHED_RR), "this thread has a real-time priority now"


@pytest.fixture(scope="session")
def all_cases(pytestconfig) -> bool:
    """Whether the hardening tests try everything, because their figures are written; otherwise they try a part of it,
    in which every kind of fault occurs."""
    return bool(pytestconfig.getoption("--figures"))


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A public-domain portrait with one face (Grace Hopper, US Navy)."""
    from matplotlib import get_data_path

    return Path(get_data_path(), "sample_data", "grace_hopper.jpg")


@pytest.fixture(scope="session")
def small(portrait) -> Image.Image:
    """The portrait at 152 x 178 pixels, of which its face has about 70."""
    with Image.open(portrait) as image:
        return image.convert("RGB").resize((152, 178))


@pytest.fixture(scope="session")
def person(portrait) -> np.ndarray:
    """The portrait at 256 x 300 pixels."""
    with Image.open(portrait) as image:
        return np.asarray(image.convert("RGB").resize((256, 300)))


@pytest.fixture(scope="session")
def data(portrait, tmp_path_factory) -> Path:
    """train and test splits of made-up real and fake faces, see `make_data`."""
    return made_once(tmp_path_factory, "data", partial(make_data, portrait))


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "small.yaml"
    file.write_text(RECIPE)
    return file


@pytest.fixture(scope="session")
def short_weights(tmp_path_factory) -> Path:
    """A .weights.h5 file of the first layers of MobileNetV2: random, because nothing is downloaded here."""

    def make(folder: Path) -> None:
        from networks import write_short_weights  # which loads TensorFlow

        write_short_weights(folder / "short.weights.h5")

    return made_once(tmp_path_factory, "weights", make) / "short.weights.h5"


@pytest.fixture
def short_backbone(monkeypatch, short_weights) -> Path:
    """A short network in place of MobileNetV2, whose graph takes TensorFlow many seconds; gives weights for it."""
    from networks import shorten_backbone

    shorten_backbone(monkeypatch)
    return short_weights


@pytest.fixture(scope="session")
def run_folder(data, recipe_file, short_weights, tmp_path_factory) -> Path:
    """A whole miniature training run of the short network, undisturbed; beside it, in `cut`, what lay on disk of it
    after two epochs."""

    def make(folder: Path) -> None:
        from networks import shorten_backbone

        from train import fit

        save = fit._save_epoch

        def save_and_copy(run, model, history, average):
            save(run, model, history, average)
            if len(history) == 2:
                shutil.copytree(folder / "small", folder / "cut")

        with pytest.MonkeyPatch.context() as patch:
            shorten_backbone(patch)
            patch.setattr(fit, "_save_epoch", save_and_copy)
            done = here(*fit_command(data, recipe_file, short_weights, folder / "small"))
        assert done.returncode == 0, done.stdout + done.stderr
        (folder / "small" / "output.txt").write_text(done.stdout)

    return made_once(tmp_path_factory, "run", make) / "small"


@pytest.fixture(scope="session")
def exported(run_folder, tmp_path_factory) -> Path:
    """The model file of the miniature run."""

    def make(folder: Path) -> None:
        from networks import shorten_backbone

        with pytest.MonkeyPatch.context() as patch:
            shorten_backbone(patch)
            done = here("export", "onnx", run_folder, "--out", folder / "small.onnx")
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "exported", make) / "small.onnx"


@pytest.fixture(scope="session")
def repository(tmp_path_factory) -> Path:
    """The folder of the model repository, of the shipped model."""

    def make(folder: Path) -> None:
        from client_files import with_int8

        from export.repository import build_model_repo

        (folder / "root").mkdir()
        build_model_repo(folder / "repository", root=with_int8(folder / "root"))

    return made_once(tmp_path_factory, "repository", make) / "repository"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """`python app.py` on the shipped model, as a user starts it: (url, folder of uploads, log file)."""
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started.url, started.uploads, started.log


@pytest.fixture
def no_traceback(server):
    """Nothing goes wrong in the server during this test."""
    _, _, log = server
    before = len(log.read_text())
    yield
    assert "Traceback" not in log.read_text()[before:]


CHROMIUM_FLAGS = """--no-sandbox --disable-gpu --disable-quic --disable-background-networking --disable-sync
    --disable-component-update --disable-extensions --no-first-run""".split()


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright: (the driver of it, how it is started)."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        assert not os.environ.get("REQUIRE_CHROMIUM"), "Chromium is not installed"
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium, {"executable_path": program, "args": CHROMIUM_FLAGS, "timeout": LONG * 1000}


@pytest.fixture(scope="session")
def browser(chromium, tmp_path_factory):
    """A context for all pages of one process. It is kept on disk, because Chromium then compiles Gradio's scripts once
    and not for every page, which halves what a page takes; the page itself keeps nothing there."""
    driver, start = chromium
    size = {"width": 1280, "height": 900}
    context = driver.launch_persistent_context(tmp_path_factory.mktemp("browser"), viewport=size, **start)
    context.set_default_timeout(LONG * 1000)
    yield context
    context.close()


@pytest.fixture(scope="session")
def private_browser(chromium):
    """Chromium for contexts that share nothing with each other."""
    driver, start = chromium
    instance = driver.launch(**start)
    yield instance
    instance.close()


@pytest.fixture
def first_tab(server, browser, request):
    """The page as it opens; on a desktop, or as `on_both` says."""
    width, height = getattr(request, "param", (1280, 900))
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    wrong = []
    page.on("request", lambda r: wrong.append(r.url) if r.url.startswith("http") and server[0] not in r.url else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(server[0])
    whole(page)
    yield page
    page.close()
    assert not wrong, "requests to other hosts, errors or dialogs"


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The detector on the shipped model."""
    return Detector(ROOT / "model.onnx")


@pytest.fixture(scope="session")
def shipped() -> Detector:
    """Another one on it, for files whose `detector` is of another model."""
    return Detector(ROOT / "model.onnx")


@pytest.fixture(scope="module")
def avatar(person) -> np.ndarray:
    """The portrait `person` of a test file with red and blue swapped: real, to `by_colour`."""
    return person[..., ::-1]


@pytest.fixture(scope="session")
def by_colour(tmp_path_factory) -> Detector:
    """A small model that judges by colour: a face redder than blue is fake, one bluer than red is real."""
    from onnx_files import write_model

    return Detector(write_model(tmp_path_factory.mktemp("model") / "m.onnx", weights=(200, 0, -200), size=96))


@pytest.fixture(scope="session")
def model(by_colour) -> Path:
    """The file of that model."""
    return by_colour.model.path


@pytest.fixture(scope="session")
def texture(tmp_path_factory) -> "Model":
    """A model that looks at fine detail, see `texture_model`."""
    from textures import texture_model

    return texture_model(tmp_path_factory.mktemp("texture") / "texture.onnx")


@pytest.fixture(scope="session")
def faces_data() -> Path:
    """The research pictures, where they are present."""
    if not FACES.is_dir():
        pytest.skip("the research pictures (shared/data/faces) are not on this machine")
    return FACES
