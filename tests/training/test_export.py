"""The exported file: the contract, its metadata, parity with Keras, and that it serves."""

import json
import os
import shutil
from dataclasses import replace
from threading import Event

import numpy as np
import onnx
import onnxruntime
import pytest
from commands import here
from gradio import route_utils
from gradio_client import Client, handle_file
from onnx import numpy_helper
from project import ROOT
from servers import free_port
from waiting import wait_until

from deepfake_detect import Detector, Model
from page import app
from train.identity import network_sha256

pytestmark = pytest.mark.slow

PORTRAIT = ROOT / "examples" / "real_eileen_collins.jpg"


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


def test_an_export_that_computes_something_else_fails_and_leaves_the_old_file(
    run_folder, short_backbone, tmp_path, monkeypatch
):
    """One bias of the converted graph is off by 2e-4, as a converter's fault might have it."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    import export.onnx as exporter

    convert = exporter.to_onnx

    def faulty(model, size):
        proto = convert(model, size)
        bias = next(w for w in proto.graph.initializer if list(w.dims) == [2])
        bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(2e-4), bias.name))
        return proto

    out = tmp_path / "model.onnx"
    out.write_bytes(b"the old file")
    monkeypatch.setattr(exporter, "to_onnx", faulty)
    with pytest.raises(exporter.ExportError, match="nothing was written"):
        exporter.export_onnx(run_folder, out)
    assert out.read_bytes() == b"the old file" and [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_data_that_has_changed_since_the_training_is_refused(run_folder, data, tmp_path):
    changed, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(data, changed)
    shutil.copytree(run_folder, run)
    manifest = (changed / "manifest.csv").read_text().splitlines()
    (changed / "manifest.csv").write_text("\n".join(manifest[:-4]) + "\n")
    values = json.loads((run / "run.json").read_text()) | {"data": str(changed)}
    (run / "run.json").write_text(json.dumps(values))
    done = here("export", "onnx", run)
    assert done.returncode == 2 and "has changed since" in done.stderr and not (run / "model.onnx").exists()


def test_a_run_that_has_not_ended_is_not_exported(run_folder, tmp_path):
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "run.json").write_bytes((run_folder / "run.json").read_bytes())
    for folder, words in ((unfinished, "has not ended"), (tmp_path / "nowhere", "not the folder of a training run")):
        done = here("export", "onnx", folder, "--out", tmp_path / "out.onnx")
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.onnx"))


def test_a_model_file_is_calibrated_again(exported, run_folder, data, tmp_path):
    """Its own calibration spoilt, it gets from the same pictures the one that the training gave it."""
    out, calibration = tmp_path / "model.onnx", json.loads((run_folder / "calibration.json").read_text())
    proto, metadata = onnx.load(exported), Model(exported).metadata
    spoilt = replace(metadata, temperature=9.0, unsure_band=(0.0, 1.0), metrics={}).to_properties()
    onnx.helper.set_model_props(proto, spoilt)
    onnx.save(proto, out)
    words = ["export", "calibrate", out, "--data", data, "--tier", "clean", "--accuracy"]
    before = out.read_bytes()
    refused = here(*words, 0.3)
    assert refused.returncode == 2 and "--accuracy 0.3 must be" in refused.stderr and out.read_bytes() == before
    done = here(*words, 0.9)
    assert done.returncode == 0, done.stderr
    found = Model(out).metadata
    assert found.temperature == pytest.approx(calibration["temperature"], rel=1e-3)
    assert found.unsure_band == tuple(calibration["unsure_band"])
    assert found.metrics["auc"] == pytest.approx(metadata.metrics["auc"]) and found.metrics["split"] == "test"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_the_figures_of_a_model_file_are_measured_again_and_nothing_else_changes(exported, data, tmp_path):
    out, metadata = tmp_path / "model.onnx", Model(exported).metadata
    proto = onnx.load(exported)
    onnx.helper.set_model_props(proto, replace(metadata, temperature=2.5, metrics={"auc": 0.1}).to_properties())
    onnx.save(proto, out)
    done = here("export", "measure", out, "--data", data)
    assert done.returncode == 0, done.stderr
    found = Model(out).metadata
    assert found.metrics["split"] == "test" and found.metrics["auc"] == pytest.approx(metadata.metrics["auc"])
    assert found == replace(metadata, temperature=2.5, metrics=found.metrics)
    assert network_sha256(out) == network_sha256(exported)


def test_a_miniature_model_serves_and_its_uploads_are_deleted(exported, tmp_path, monkeypatch):
    seen, delete = Event(), route_utils.delete_files_created_by_app

    def delete_later(*args):
        seen.wait()
        delete(*args)

    monkeypatch.setattr(route_utils, "delete_files_created_by_app", delete_later)
    monkeypatch.setattr(app, "KEEP_SECONDS", 1)
    monkeypatch.setattr(app, "SWEEP_SECONDS", 1)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    demo = app.build(Detector(exported))
    _, url, _ = demo.launch(prevent_thread_lock=True, server_port=free_port(), quiet=True, **app.LAUNCH)
    try:
        upload = tmp_path / "sent" / "by_a_visitor.jpg"
        upload.parent.mkdir()
        upload.write_bytes(PORTRAIT.read_bytes())
        answer = Client(url, verbose=False).predict(image=handle_file(upload), api_name="/analyze")
        assert answer == json.loads(json.dumps(Detector(exported).predict([PORTRAIT])[0].to_dict()))

        def kept() -> bool:
            return any(upload.name in files for _, _, files in os.walk(tmp_path / "kept"))

        assert kept()
        seen.set()
        wait_until(lambda: not kept())
    finally:
        seen.set()
        demo.close()
