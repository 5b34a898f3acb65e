"""The exported file: the contract, its metadata, parity with Keras, and that it serves."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import command
from onnx import numpy_helper

from detect import Detector, Model
from detect.crop import pixel_values


def test_the_file_keeps_the_contract(exported, run_folder, data):
    session = onnxruntime.InferenceSession(exported)
    (pixels,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (pixels.name, pixels.type, pixels.shape) == ("pixel_values", "tensor(float)", ["batch", 3, 32, 32])
    assert (logits.name, logits.type, logits.shape) == ("logits", "tensor(float)", ["batch", 2])
    properties = session.get_modelmeta().custom_metadata_map
    run = json.loads((run_folder / "run.json").read_text())
    calibration = json.loads((run_folder / "calibration.json").read_text())
    assert json.loads(properties["labels"]) == ["real", "fake"]
    assert json.loads(properties["temperature"]) == calibration["temperature"]
    assert json.loads(properties["unsure_band"]) == calibration["unsure_band"]
    assert json.loads(properties["recipe_sha256"]) == run["recipe_sha256"]
    assert json.loads(properties["data_sha256"]) == run["data_sha256"]
    assert json.loads(properties["metrics"])["split"] == "test"
    operators = {node.op_type for node in onnx.load(exported).graph.node}
    assert "Transpose" not in operators and "BatchNormalization" not in operators


def test_a_batch_of_any_size_gives_what_single_pictures_give(exported):
    model = Model(exported)
    batch = np.random.default_rng(0).random((5, 3, 32, 32), np.float32)
    singles = np.concatenate([model.logits(one[None]) for one in batch])
    assert np.allclose(model.logits(batch), singles, atol=1e-5)


def test_the_exported_model_tells_the_made_up_fakes_apart(exported, data):
    detector = Detector(exported)
    p = {
        label: [v.p_fake for v in detector.predict(sorted((data / "test" / label).iterdir()))]
        for label in ("real", "fake")
    }
    assert np.mean(p["fake"]) > np.mean(p["real"]) + 0.2


def test_a_file_that_computes_something_else_is_not_written(run_folder, exported, tmp_path, monkeypatch):
    """The real check on a really different model: one weight of the exported file is changed."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    from export.onnx import ExportError, check_parity
    from train.fit import Run
    from train.network import build

    run = Run.load(run_folder)
    keras_model = build(run.recipe)
    keras_model.load_weights(run.best_weights)
    crops = np.load(run_folder / "crops" / "val.npy")
    assert check_parity(keras_model, Model(exported), crops) <= 1e-4

    proto = onnx.load(exported)
    bias = next(w for w in proto.graph.initializer if list(w.dims) == [2])
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(2e-4), bias.name))
    changed = tmp_path / "changed.onnx"
    onnx.save(proto, changed)
    assert pixel_values(crops).shape[0] == len(crops)
    with pytest.raises(ExportError, match="nothing was written"):
        check_parity(keras_model, Model(changed), crops)


def test_a_run_that_has_not_ended_is_not_exported(run_folder, tmp_path):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "run.json").write_bytes((run_folder / "run.json").read_bytes())
    for folder, words in ((unfinished, "has not ended"), (tmp_path / "nowhere", "not the folder of a training run")):
        done = command("export", "onnx", folder, "--out", tmp_path / "out.onnx")
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.onnx"))
