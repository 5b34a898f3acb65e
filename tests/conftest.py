"""What several tests need: a portrait, a small data set made of it, a training run, a server, a browser."""

import csv
import io
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from servers import ROOT, serving

from detect import Detector

pytest_plugins = ["survived"]
FACES = ROOT.parent / "shared" / "data" / "faces"

RECIPE = """
name: small
seed: 7
backbone: mobilenet_v2
frozen: true
size: 32
crop_margin: 0.3
resampling: bilinear
head: [{units: 64, batch_norm: false, dropout: 0.2}]
augment: {horizontal_flip: true, vertical_flip: false, rotation: 5, scale: 0.05, shift: 0.05}
batch_size: 8
epochs: 6
learning_rate: {0: 1.0e-3, 4: 1.0e-4}
early_stopping: {monitor: val_loss, patience: 6}
decided_accuracy: 0.9
"""


def pytest_collection_modifyitems(items):
    """The files that start a server, a browser, a training or another program come first: `make test` gives them out
    one by one to two processes, neither of which is to wait long for the other at the end."""
    long = {"server", "browser", "recipe_file", "short_backbone", "repository", "space"}
    first = {item.path for item in items if item.path.parent.name == "hardening" or long & {*item.fixturenames}}
    items.sort(key=lambda item: item.path not in first)


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A public-domain portrait with one face (Grace Hopper, US Navy)."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return Path(file.name)


@pytest.fixture(scope="session")
def small(portrait) -> Image.Image:
    """The portrait at 96 x 112 pixels."""
    with Image.open(portrait) as image:
        return image.convert("RGB").resize((96, 112))


@pytest.fixture(scope="session")
def person(portrait) -> np.ndarray:
    """The portrait at 256 x 300 pixels."""
    with Image.open(portrait) as image:
        return np.asarray(image.convert("RGB").resize((256, 300)))


def make_faces(portrait: Path, folder: Path, count: int, fake: bool, seed: int) -> None:
    """Write pictures with a face: jittered portraits, and, as fakes, ones whose red and blue are swapped."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    base = Image.open(portrait).convert("RGB").crop((100, 20, 440, 420))
    for number in range(count):
        left, top = rng.integers(0, 40, 2)
        picture = np.asarray(base.crop((left, top, left + 300, top + 360)).resize((150, 180))).astype(np.float32)
        picture = picture * rng.uniform(0.7, 1.1) + rng.normal(0, 4, picture.shape)
        if fake:
            picture = picture[..., ::-1]
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:03d}.png")


@pytest.fixture(scope="session")
def data(portrait, tmp_path_factory) -> Path:
    """train and test splits of made-up real and fake faces, with a manifest; val is held out by the reader."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for split, count in (("train", 40), ("test", 16)):
        for label in ("real", "fake"):
            make_faces(portrait, folder / split / label, count, label == "fake", seed=len(rows))
            for path in sorted((folder / split / label).iterdir()):
                source = "solo" if label == "fake" and len(rows) % 4 == 0 else "pairs"
                rows.append((path.relative_to(folder).as_posix(), split, label, source))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "split", "label", "source"), *rows])
    return folder


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "small.yaml"
    file.write_text(RECIPE)
    return file


@pytest.fixture(scope="session")
def backbone_weights(tmp_path_factory) -> Path:
    """A .weights.h5 file of MobileNetV2 without its top: random, because nothing is downloaded here."""
    import keras

    # Random, but so that pictures still come out different: ReLU6 is kept in its linear range, and one batch
    # of coloured blocks sets the BatchNorm statistics.
    keras.utils.set_random_seed(1)
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            if not layer.name.endswith("project_BN"):
                layer.beta.assign(2 + 0 * layer.beta)
    rng = np.random.default_rng(1)
    blocks = np.kron(rng.uniform(-0.5, 0.5, (64, 8, 8, 3)), np.ones((1, 4, 4, 1)))
    backbone((blocks + rng.uniform(-0.5, 0.5, (64, 1, 1, 3))).astype("float32"), training=True)
    file = tmp_path_factory.mktemp("weights") / "mobilenet_v2.weights.h5"
    backbone.save_weights(file)
    return file


@pytest.fixture
def short_backbone(monkeypatch, tmp_path) -> Path:
    """A short network in place of MobileNetV2; gives weights for it."""
    from networks import shorten_backbone  # which loads TensorFlow

    return shorten_backbone(monkeypatch, tmp_path)


def command(*words: object, **options) -> subprocess.CompletedProcess:
    """Run `python -m ...` from the repository's root."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=250, **options
    )


def here(*words: object) -> subprocess.CompletedProcess:
    """The same inside this process, which need not load TensorFlow again."""
    main = import_module(f"{words[0]}.__main__").main
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = main(list(map(str, words[1:])))
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def fit_command(data: Path, recipe: Path, weights: Path, out: Path) -> list[str]:
    return ["train", "fit", "--recipe", str(recipe), "--data", str(data), "--weights", str(weights), "--out", str(out)]


@pytest.fixture(scope="session")
def run_folder(data, recipe_file, backbone_weights, tmp_path_factory) -> Path:
    """A whole miniature training run, undisturbed."""
    out = tmp_path_factory.mktemp("runs") / "small"
    done = here(*fit_command(data, recipe_file, backbone_weights, out))
    assert done.returncode == 0, done.stdout + done.stderr
    (out / "output.txt").write_text(done.stdout)
    return out


@pytest.fixture(scope="session")
def exported(run_folder, tmp_path_factory) -> Path:
    """The model file of the miniature run."""
    out = tmp_path_factory.mktemp("exported") / "small.onnx"
    done = here("export", "onnx", run_folder, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def repository(tmp_path_factory) -> Path:
    """The folder of the model repository, of the shipped model."""
    from clients import with_int8

    from export.repository import build_model_repo

    return build_model_repo(
        tmp_path_factory.mktemp("hub") / "repository", root=with_int8(tmp_path_factory.mktemp("root"))
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """`python app.py` on the shipped model, as a user starts it: (url, folder of uploads, log file)."""
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started.url, started.uploads, started.log


@pytest.fixture
def no_traceback(server):
    """Nothing goes wrong in the server during this test. For each path that it refuses, in other tests, Gradio writes a
    traceback."""
    _, _, log = server
    before = len(log.read_text())
    yield
    assert "Traceback" not in log.read_text()[before:]


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by Playwright. One context for all pages: its cache spares each the loading of Gradio's
    scripts, and the page keeps nothing there."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        assert not os.environ.get("REQUIRE_CHROMIUM"), "Chromium is not installed"
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield instance.new_context(viewport={"width": 1280, "height": 900})
        instance.close()


# What Gradio's charts complain of when they are taken away while their size is looked at.
CHART_GONE = "Cannot read properties of null (reading 'offsetWidth')"
on_both = pytest.mark.parametrize("first_tab", [(1280, 900), (390, 844)], ids=["desktop", "phone"], indirect=True)


@pytest.fixture
def first_tab(server, browser, request):
    """The page as it opens; on a desktop, or as `on_both` says."""
    width, height = getattr(request, "param", (1280, 900))
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    page.set_default_timeout(30_000)
    wrong = []
    page.on("request", lambda r: wrong.append(r.url) if r.url.startswith("http") and server[0] not in r.url else None)
    page.on("pageerror", lambda error: None if str(error) == CHART_GONE else wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(server[0])
    page.wait_for_selector("#photo input[type=file]", state="attached")
    yield page
    page.close()
    assert not wrong, "requests to other hosts, errors or dialogs"


@pytest.fixture
def elsewhere():
    """A server that nothing here has a reason to ask: (address of a picture, the paths that were asked for)."""
    asked = []

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/face.jpg", asked
    server.shutdown()


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The detector on the shipped model."""
    return Detector(ROOT / "model.onnx")


@pytest.fixture(scope="session")
def by_colour(tmp_path_factory) -> Detector:
    """A small model that judges by colour: a face redder than blue is fake, one bluer than red is real."""
    from test_model import write_model

    return Detector(write_model(tmp_path_factory.mktemp("model") / "m.onnx", weights=(200, 0, -200), size=96))


@pytest.fixture(scope="session")
def model(by_colour) -> Path:
    """The file of that model."""
    return by_colour.model.path


@pytest.fixture(scope="session")
def faces_data() -> Path:
    """The research pictures, where they are present."""
    if not FACES.is_dir():
        pytest.skip("the research pictures (shared/data/faces) are not on this machine")
    return FACES
