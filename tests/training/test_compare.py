"""The comparison: a whole miniature of it, and what its contenders are made of."""

import argparse
import json
import shutil

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from networks import shorten_backbone
from onnx import numpy_helper
from PIL import Image
from project import ROOT
from sklearn.ensemble import RandomForestClassifier

from deepfake_detect.errors import ModelError
from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import probability
from deepfake_detect.report.sentences import floor_percent
from train import backbones, classical, compare, compare_command
from train.__main__ import main
from train.backbones import Backbone
from train.batches import Batches
from train.compare_report import compare_markdown, draw_comparison
from train.crops import Framing, cached_crops
from train.data import DataError, read_samples
from train.metrics import binary_metrics
from train.recipe import load_recipe

pytestmark = pytest.mark.slow


def tiny(include_top, weights, input_shape, pooling):
    """Stands in for VGG and ResNet: converting those takes longer than all tests here together."""
    assert not include_top and weights is None
    pixels = keras.Input(input_shape)
    maps = keras.layers.Conv2D(12, 5, strides=8, activation="relu")(keras.layers.Rescaling(1 / 64)(pixels))
    return keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(maps) if pooling else maps)


@pytest.fixture(scope="module")
def world(data, recipe_file, short_weights, tmp_path_factory):
    """The command in a small world: 32 pixels, tiny backbones, random weights. Gives run(out, **changed arguments)."""
    from export.onnx import to_onnx

    folder = tmp_path_factory.mktemp("imagenet")
    small = {name: Backbone(tiny, backbone.pooling) for name, backbone in backbones.BACKBONES.items()}
    keras.utils.set_random_seed(3)
    for name, backbone in small.items():
        tiny(False, None, (32, 32, 3), backbone.pooling).save_weights(folder / f"{name}_imagenet_notop.weights.h5")

    def run(out, convert=to_onnx, **changed):
        words = {"data": data, "weights": folder, "model": ROOT / "model.onnx", "out": out, "views": 2, "docs": None,
                 "shipped_only": False}  # fmt: skip
        return compare_command.run(argparse.Namespace(**(words | changed)), convert)

    with pytest.MonkeyPatch.context() as patch:
        shorten_backbone(patch)
        shutil.copy(short_weights, folder / "mobilenet_v2_imagenet_notop.weights.h5")
        paper = load_recipe(recipe_file).model_copy(update={"epochs": 3})
        patch.setattr(compare_command, "load_recipe", lambda name: paper)
        patch.setattr(backbones, "BACKBONES", small)
        patch.setattr(compare, "BACKBONES", small)
        patch.setattr(compare, "ROUNDS", 3)
        patch.setattr(classical, "candidates", lambda seed: {"a forest": RandomForestClassifier(20, random_state=seed)})
        yield run


@pytest.fixture(scope="module")
def out(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison") / "out"
    assert world(folder) == 0
    return folder


def test_json_table_and_picture_tell_the_same(out):
    report = json.loads((out / "compare.json").read_text())
    table = (out / "compare.md").read_text()
    assert table == compare_markdown(report) + "\n"
    names = ["small", "vgg16", "vgg19", "resnet50", "dfp", "classical", "shipped"]
    assert [model["name"] for model in report["models"]] == names
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(names) and all(len(row) == 10 for row in rows)
    for model, row in zip(report["models"], rows[1:], strict=True):
        test = model["test"]
        assert row[0] == model["title"] and test["pictures"] == report["pictures"]["test"] == 32
        assert row[1:3] == [floor_percent(test["precision"]), floor_percent(test["accuracy"])]
        assert test["f1"] - 0.001 < float(row[3]) <= test["f1"] and float(row[4]) <= test["auc"]
        assert float(row[6].removesuffix(" MB")) >= model["bytes"] / 1e6 and float(row[7]) >= model["milliseconds"] > 0
    by_name = {model["name"]: model for model in report["models"]}
    assert by_name["small"]["views"] == by_name["small"]["epochs"] and by_name["vgg16"]["views"] == 2
    assert by_name["shipped"]["training_minutes"] is None and by_name["dfp"]["training_minutes"] > 0
    assert max(model["test"]["auc"] for model in report["models"]) > 0.9  # red and blue are swapped in these fakes
    with Image.open(out / "compare.png") as picture:
        assert picture.width > 800 and len(set(picture.convert("RGB").resize((90, 48)).get_flattened_data())) > 20
    assert not list(out.rglob(".partial-*"))


def test_the_figures_are_those_of_the_files(out, data):
    """Read anew: the ONNX file, its size, and the test pictures."""
    report = json.loads((out / "compare.json").read_text())
    samples = [s for s in read_samples(data, report["seed"], ("train", "val", "test")) if s.split == "test"]
    crops = cached_crops(samples, Framing(0.3), "bilinear", out / "again", "test")
    pictures = np.stack([crops.crop(number, 32) for number in range(len(crops))])
    for model in report["models"]:
        if model["name"] in ("classical", "shipped"):
            continue
        file = out / "models" / f"{model['name']}.onnx"
        (logits,) = onnxruntime.InferenceSession(file).run(["logits"], {"pixel_values": pixel_values(pictures)})
        measured = binary_metrics(probability(logits, 1.0), crops.labels)
        assert measured["confusion"] == model["test"]["confusion"] and model["bytes"] == file.stat().st_size
        assert measured["auc"] == pytest.approx(model["test"]["auc"], abs=1e-6)
        assert model["parameters"] * 4 <= model["bytes"] <= model["parameters"] * 4 + 200_000


def test_a_comparison_that_was_cut_off_goes_on_and_ends_the_same(out, world, tmp_path, monkeypatch):
    again = tmp_path / "again"
    shutil.copytree(out, again)
    (again / "compare.json").unlink()
    for file in (*again.glob("features/vgg19-*/train1_*.npz"), *again.glob("models/resnet50-*.json")):
        file.unlink()
    computed = []
    original = Batches.__getitem__
    monkeypatch.setattr(Batches, "__getitem__", lambda self, n: computed.append(n) or original(self, n))
    assert world(again, lambda network, size: onnx.load(out / "models" / f"{network.name}.onnx")) == 0
    assert len(computed) == 64 // 8  # the missing view

    def lasting(folder):
        report = json.loads((folder / "compare.json").read_text())
        for model in report["models"]:
            del model["milliseconds"], model["training_minutes"]
        return report

    assert lasting(again) == lasting(out)


def test_the_shipped_model_is_measured_again_beside_what_was_measured(out, world, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    report = json.loads((out / "compare.json").read_text())
    *others, shipped = report["models"]
    report["models"][-1] = shipped | {"test": {}, "network_sha256": "of an earlier one", "milliseconds": 0}
    (again / "compare.json").write_text(json.dumps(report))
    assert world(again, shipped_only=True, weights=None) == 0
    renewed = json.loads((again / "compare.json").read_text())
    assert renewed["models"][:-1] == others
    timed = ("milliseconds",)
    assert {k: v for k, v in renewed["models"][-1].items() if k not in timed} == {
        k: v for k, v in shipped.items() if k not in timed
    }
    paper = renewed["models"][0]["milliseconds"]
    assert renewed["models"][-1]["milliseconds"] == pytest.approx(paper * renewed["shipped_again"]["times_paper"])
    assert "was measured again later" in (again / "compare.md").read_text()
    with pytest.raises(DataError, match="without --shipped-only first"):
        world(tmp_path, shipped_only=True)


def test_a_conversion_that_computes_something_else_is_not_measured(data, tmp_path):
    from export.onnx import to_onnx

    pixels = keras.Input((32, 32, 3), name="pixel_values")
    logits = keras.layers.Dense(2, bias_initializer="ones", name="logits")(keras.layers.Flatten()(pixels))
    network = keras.Model(pixels, logits, name="one")
    samples = [s for s in read_samples(data, 7) if s.split == "val"]
    crops = {"val": cached_crops(samples, Framing(0.3), "bilinear", tmp_path, "val"), "test": None}
    (tmp_path / "models").mkdir()

    def faulty(model, size):
        proto = to_onnx(model, size)
        kernel = next(w for w in proto.graph.initializer if len(w.dims) == 2)
        kernel.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(kernel) * np.float32(1.01), kernel.name))
        return proto

    facts = {"name": "one", "title": "One layer"}
    exact = compare._converted(network, 32, tmp_path, crops, to_onnx, dict(facts))
    assert exact.facts["parameters"] == 32 * 32 * 3 * 2 + 2 and exact.facts["onnx_difference"] < 1e-5
    with pytest.raises(DataError, match=r"One layer by .*it was not measured"):
        compare._converted(network, 32, tmp_path, crops, faulty, dict(facts))


@pytest.mark.parametrize("missing", ["mobilenet_v2", "vgg19"])
def test_missing_weights_end_in_one_sentence(world, missing, tmp_path):
    weights, out = tmp_path / "weights", tmp_path / "out"
    weights.mkdir()
    for name in {"mobilenet_v2", "vgg16", "vgg19", "resnet50"} - {missing}:
        (weights / f"{name}_imagenet_notop.weights.h5").touch()
    with pytest.raises(DataError, match=rf"{missing}_imagenet_notop.*--weights imagenet") as error:
        world(out, weights=weights)
    assert "\n" not in str(error.value) and not out.exists()


def test_what_cannot_be_compared_is_said(world, tmp_path):
    with pytest.raises(DataError, match="--views 0"):
        world(tmp_path / "out", views=0)
    with pytest.raises(ModelError, match="no model file"):
        world(tmp_path / "out", model=tmp_path / "none.onnx")
    assert not (tmp_path / "out").exists()


def test_good_figures_are_never_rounded_up_and_bad_ones_never_down(out, tmp_path):
    report = json.loads((out / "compare.json").read_text())
    model = report["models"][0]
    model["test"] |= {"accuracy": 0.8149, "precision": 0.29, "f1": 0.9999, "auc": 0.5}
    model |= {"parameters": 2_000_001, "bytes": 1_000_001, "milliseconds": 0.121, "training_minutes": 3.0, "views": 4}
    row = next(line for line in compare_markdown(report).splitlines() if line.startswith(f"| {model['title']}"))
    figures = "29.0 % | 81.4 % | 0.999 | 0.500 | 2.01 M | 1.1 MB | 0.13 | 3.0 min | 4"
    assert row == f"| {model['title']} | {figures} |"
    draw_comparison(report, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 10_000


def test_the_command_reaches_the_comparison_and_ends_in_one_sentence(data, tmp_path, monkeypatch, capfd):
    words = ["--data", data, "--weights", tmp_path / "nowhere", "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", ["train", "compare", *map(str, words)])
    monkeypatch.chdir(ROOT)
    status = main()  # which starts export.compare as another process
    said = capfd.readouterr().err
    assert status == 2 and "There is no weights file" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()
