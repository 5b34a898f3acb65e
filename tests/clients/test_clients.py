"""The model repository in transformers with Optimum and in transformers.js: the same numbers, the same labels."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from client_files import int8, needed, with_int8
from onnx_files import write_model
from PIL import Image
from project import FACES, ROOT
from waiting import LONG

from deepfake_detect import Detector, Model
from export.clients import clients_markdown
from export.repository import FLOAT_SHA256, INT8, write_client_files
from scripts import clients
from scripts.clients import REPORT, agreement, ask, pictures_of_test, some, write_crops

pytestmark = pytest.mark.slow

PICTURES = 100
TOLERANCE = 1e-3  # on logits
SAME = 0.99  # of the labels


@pytest.fixture(scope="module")
def crops(detector, repository, tmp_path_factory):
    """Face crops of the test split or, without the data, of the examples: (folder, our logits, int8's of some)."""
    folder = tmp_path_factory.mktemp("crops")
    paths = pictures_of_test(FACES, PICTURES) if FACES.is_dir() else sorted((ROOT / "examples").glob("*.jpg"))
    ours = write_crops(detector, paths, folder)
    size = detector.metadata.size
    pixels = np.fromfile(folder / "pixels.f32", "<f4").reshape(-1, 3, size, size)
    quantized = Model(repository / "onnx" / "model_quantized.onnx")
    return folder, {"fp32": ours, "q8": quantized.logits(pixels)}


@pytest.fixture(scope="module")
def asked(crops, repository):
    """Both clients at work at the same time."""
    with ThreadPoolExecutor() as pool:
        yield {
            client: pool.submit(lambda c=client: ask(needed(c), repository, crops[0]))
            for client in (clients.optimum, clients.node)
        }


@pytest.fixture(scope="module")
def optimum(asked):
    return asked[clients.optimum].result()


@pytest.fixture(scope="module")
def node(asked):
    return asked[clients.node].result()


@pytest.fixture(params=["fp32", "q8"])
def dtype(request) -> str:
    """Which of the model files; the int8 one only where there is one, lest the float one be compared with itself."""
    if request.param == "q8":
        needed(int8)
    return request.param


def check_logits(answer, ours, dtype):
    expected = some(ours["fp32"]) if dtype == "fp32" else ours["q8"]
    assert len(expected) >= 7 and np.abs(np.array(answer["logits"][dtype]) - expected).max() <= TOLERANCE


def test_optimum_computes_the_same_logits(dtype, optimum, crops):
    check_logits(optimum, crops[1], dtype)
    assert optimum["config"] == "MobileNetV2Config"


def test_transformers_pipeline_gives_the_same_labels(optimum, crops):
    ours = crops[1]["fp32"]
    assert len(optimum["scores"]["own"]) == len(ours) >= 7
    assert agreement(ours, optimum["scores"]["own"]) >= SAME
    softmax = np.exp(ours) / np.exp(ours).sum(1, keepdims=True)
    assert np.abs(softmax - optimum["scores"]["own"]).max() < 0.01  # not only the larger one


def test_transformers_js_computes_the_same_logits(dtype, node, crops):
    check_logits(node, crops[1], dtype)


def test_transformers_js_pipeline_gives_the_same_labels_after_resize_mjs(node, crops):
    ours = crops[1]["fp32"]
    assert agreement(ours, node["scores"]["resized"]) >= SAME
    softmax = np.exp(ours) / np.exp(ours).sum(1, keepdims=True)
    assert np.abs(softmax - node["scores"]["resized"]).max() < 0.01


def test_both_clients_load_a_model_with_a_second_output(detector, tmp_path):
    kinds = {"names": ["real", "gan", "edited"], "temperature": 0.8, "least": {"gan": 0.7}}
    for name in ("model.onnx", INT8):
        write_model(tmp_path / name, (3, 0, -3), (0.5, 0), kind_weights=np.eye(3), kinds=kinds)
    proto = onnx.load(tmp_path / INT8)
    proto.metadata_props.add(key=FLOAT_SHA256, value=json.dumps(Model(tmp_path / "model.onnx").sha256))
    onnx.save(proto, tmp_path / INT8)
    repository, crops = tmp_path / "repository", tmp_path / "crops"
    repository.mkdir()
    crops.mkdir()
    write_client_files(repository, tmp_path, Model(tmp_path / "model.onnx"))
    config = json.loads((repository / "config.json").read_text())
    assert config["mobile_deepfake_detector"]["kinds"] == kinds and config["id2label"] == {"0": "real", "1": "fake"}
    examples = sorted((ROOT / "examples").glob("*.jpg"))
    ours = write_crops(Detector(tmp_path / "model.onnx", detector.face_finder), examples, crops)
    for client in (clients.optimum, clients.node):
        answer = ask(needed(client), repository, crops)
        assert np.abs(np.array(answer["logits"]["fp32"]) - ours).max() <= 1e-5
        assert np.abs(np.array(answer["logits"]["q8"]) - ours).max() <= 1e-5
        assert [len(scores) for scores in answer["scores"]["own"]] == [2] * len(examples)


def test_transformers_js_resizes_otherwise_by_itself(node, crops):
    """Why there is a resize.mjs; once this fails because they agree, it can go."""
    if len(crops[1]["fp32"]) < PICTURES:
        pytest.skip("too few pictures to tell")
    assert 0.9 <= agreement(crops[1]["fp32"], node["scores"]["own"]) < SAME


def test_the_report_on_the_clients_is_of_the_shipped_model():
    report = json.loads(REPORT.read_text())
    assert report["model_sha256"] == Model(ROOT / "model.onnx").sha256
    reached = {row["name"]: row["same_label"] for row in report["clients"]}
    assert min(reached["transformers and Optimum"], reached["the same with resize.mjs"]) >= SAME


RESIZE = """
const { resize } = await import(process.argv[1]);
class Picture {
  constructor(data, width, height, channels) { Object.assign(this, { data, width, height, channels }); }
}
let input = "";
for await (const part of process.stdin) input += part;
console.log(JSON.stringify(JSON.parse(input).map(([data, width, height, side]) =>
  [...resize(new Picture(Uint8Array.from(data), width, height, 3), side).data])));
"""


def test_resize_mjs_is_pillow_to_the_bit():
    rng = np.random.default_rng(5)
    sizes = [(2, 525, 7), (3, 400, 40), (525, 2, 7), (1, 101, 101), (1, 101, 150), (2, 200, 9), (160, 160, 160)]
    sizes += [(*map(int, rng.integers(1, 200, 2)), int(rng.integers(7, 60))) for _ in range(60)]
    pictures = [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for width, height, _ in sizes]
    given = [(p.ravel().tolist(), *size) for p, size in zip(pictures, sizes, strict=True)]
    words = [needed(clients.javascript), "--input-type=module", "--eval", RESIZE, ROOT / "export" / "resize.mjs"]
    done = subprocess.run(words, input=json.dumps(given), capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    for picture, (width, height, side), ours in zip(pictures, sizes, json.loads(done.stdout), strict=True):
        pillow = Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR)
        assert np.array_equal(np.asarray(pillow).ravel(), ours), (width, height, side)


def test_the_clients_are_measured_whatever_the_reports_are_of(tmp_path, data, monkeypatch):
    """As after a new training, when reports/ is of the model before it."""
    root = with_int8(tmp_path)
    (root / "reports").rename(root / "gone")
    asked = []

    def answer(words, repository, crops):
        asked.append(sorted(path.name for path in repository.iterdir()))
        model = Model(repository / "onnx" / "model.onnx")
        pixels = np.fromfile(crops / "pixels.f32", "<f4").reshape(-1, 3, *[model.metadata.size] * 2)
        logits = model.logits(pixels).tolist()
        scores = [[1, 0]] * len(list(crops.glob("*.png")))
        return {"versions": {}, "logits": {"fp32": logits}, "scores": {"own": scores, "resized": scores}}

    for name, value in {"optimum": list, "node": list, "ask": answer}.items():
        monkeypatch.setattr(clients, name, value)
    report = clients.measure(data, root)
    assert asked == [["config.json", "onnx", "preprocessor_config.json", "resize.mjs"]] * 2
    assert report["pictures"] == 32 and [row["logits_difference"] for row in report["clients"]] == [0, 0, 0]


@pytest.mark.parametrize("missing", ["PYTHON", "NODE"])
def test_without_a_client_the_report_ends_in_a_sentence(missing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(clients, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(clients, missing, tmp_path / "nothing")
    assert clients.main(["--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "installed: " in said and "`make clients`" in said and said.count("\n") == 1


def test_where_there_is_no_int8_file_its_numbers_are_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("client_files.ROOT", tmp_path)
    monkeypatch.delenv("REQUIRE_CLIENTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no model_int8\.onnx: run `python -m export quantize`"):
        needed(int8)
    monkeypatch.setenv("REQUIRE_CLIENTS", "1")
    with pytest.raises(pytest.fail.Exception, match=r"no model_int8\.onnx"):
        needed(int8)


def test_the_table_flatters_no_client():
    row = {"name": "x", "versions": {"y": "1"}, "same_label": 0.98999, "logits_difference": 1.1e-6}
    table = clients_markdown({"pictures": 3, "clients": [row]})
    assert "| x | 98.9 % | 0.000002 | y 1 |" in table and "all 3 pictures" in table
