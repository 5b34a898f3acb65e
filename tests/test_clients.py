"""The model repository in transformers with Optimum and in transformers.js: the same numbers, the same labels."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from clients import REPORT, agreement, ask, pictures_of_test, some, with_node, with_optimum, write_crops
from conftest import FACES, ROOT

from detect import Model
from export.clients import clients_markdown
from train.report import END, begin_mark

PICTURES = 200
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
    int8 = Model(repository / "onnx" / "model_quantized.onnx")
    return folder, {"fp32": ours, "q8": int8.logits(pixels)}


@pytest.fixture(scope="module")
def asked(crops, repository):
    """Both clients at work at the same time."""
    with ThreadPoolExecutor() as pool:
        yield {
            client: pool.submit(lambda c=client: ask(c(), repository, crops[0])) for client in (with_optimum, with_node)
        }


@pytest.fixture(scope="module")
def optimum(asked):
    return asked[with_optimum].result()


@pytest.fixture(scope="module")
def node(asked):
    return asked[with_node].result()


def check_logits(answer, ours):
    for dtype, expected in (("fp32", some(ours["fp32"])), ("q8", ours["q8"])):
        assert len(expected) >= 7 and np.abs(np.array(answer["logits"][dtype]) - expected).max() <= TOLERANCE, dtype


def test_optimum_computes_the_same_logits(optimum, crops):
    check_logits(optimum, crops[1])
    assert optimum["config"] == "MobileNetV2Config"


def test_transformers_pipeline_gives_the_same_labels(optimum, crops):
    ours = crops[1]["fp32"]
    assert len(optimum["scores"]["own"]) == len(ours) >= 7
    assert agreement(ours, optimum["scores"]["own"]) >= SAME
    softmax = np.exp(ours) / np.exp(ours).sum(1, keepdims=True)
    assert np.abs(softmax - optimum["scores"]["own"]).max() < 0.01  # not only the larger one


def test_transformers_js_computes_the_same_logits(node, crops):
    check_logits(node, crops[1])


def test_transformers_js_pipeline_gives_the_same_labels_after_resize_mjs(node, crops):
    ours = crops[1]["fp32"]
    assert agreement(ours, node["scores"]["resized"]) >= SAME
    softmax = np.exp(ours) / np.exp(ours).sum(1, keepdims=True)
    assert np.abs(softmax - node["scores"]["resized"]).max() < 0.01


def test_transformers_js_resizes_otherwise_by_itself(node, crops):
    """Why there is a resize.mjs; once this fails because they agree, it can go."""
    if len(crops[1]["fp32"]) < PICTURES:
        pytest.skip("too few pictures to tell")
    assert 0.9 <= agreement(crops[1]["fp32"], node["scores"]["own"]) < SAME


def test_the_report_on_the_clients_is_of_the_shipped_model_and_readme_shows_it():
    report = json.loads(REPORT.read_text())
    assert report["model_sha256"] == Model(ROOT / "model.onnx").sha256
    _, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition(begin_mark("clients"))
    assert rest.partition(END)[0].strip() == clients_markdown(report)
    reached = {row["name"]: row["same_label"] for row in report["clients"]}
    assert min(reached["transformers and Optimum"], reached["the same with resize.mjs"]) >= SAME


def test_the_table_flatters_no_client():
    row = {"name": "x", "versions": {"y": "1"}, "same_label": 0.98999, "logits_difference": 1.1e-6}
    table = clients_markdown({"pictures": 3, "clients": [row]})
    assert "| x | 98.9 % | 0.000002 | y 1 |" in table and "all 3 pictures" in table
