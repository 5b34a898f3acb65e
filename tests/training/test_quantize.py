"""The int8 file: its contract, its gate, its report, and that the one that ships belongs to model.onnx."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from commands import here
from onnx import TensorProto, numpy_helper
from project import ROOT
from quantizing import LOOSE

from deepfake_detect import Detector, Model
from export import ExportError, quantize
from export.quantize_report import quantize_markdown
from export.rounding import LEVELS
from train.data import read_samples
from train.evaluate import evaluate, headline, tier_report
from train.recipe import load_recipe
from train.report_check import compare
from train.scored_set import judge

pytestmark = pytest.mark.slow

REPORT = json.loads((ROOT / "reports" / "quantize" / "quantize.json").read_text(encoding="utf-8"))
SHIPPED = ROOT / "model_int8.onnx"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def integers(path):
    """Weights in int8 of a file, by their names."""
    constants = onnx.load(path).graph.initializer
    return {c.name: numpy_helper.to_array(c) for c in constants if c.data_type == TensorProto.INT8 and len(c.dims) > 1}


@pytest.fixture(scope="module")
def words(exported, data, recipe_file):
    """The command on the miniature model, without its outputs."""
    return ["export", "quantize", "--model", exported, "--data", data, "--recipe", recipe_file]


@pytest.fixture(scope="module")
def quantized(words, tmp_path_factory):
    """(int8 file of the miniature model, its report)."""
    folder = tmp_path_factory.mktemp("quantized")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (LOOSE | {"ROUNDS": 3, "TURNS": 2}).items():
            patch.setattr(quantize, name, value)
        done = here(*words, "--out", folder / "small_int8.onnx", "--report", folder / "report")
    assert done.returncode == 0, done.stderr
    assert "one crop, 2 threads: fp32" in done.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["report", "small_int8.onnx"]
    return folder / "small_int8.onnx", json.loads((folder / "report" / "quantize.json").read_text())


def test_the_file_keeps_the_contract(quantized, exported):
    file, _ = quantized
    session = onnxruntime.InferenceSession(file)
    (pixels,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (pixels.name, pixels.type, pixels.shape) == ("pixel_values", "tensor(float)", ["batch", 3, 32, 32])
    assert (logits.name, logits.type, logits.shape) == ("logits", "tensor(float)", ["batch", 2])
    model, before = Model(file), Model(exported)
    own = {key: getattr(before.metadata, key) for key in ("temperature", "unsure_band", "kinds", "metrics")}
    assert replace(model.metadata, **own) == before.metadata
    batch = np.random.default_rng(0).random((5, 3, 32, 32), np.float32)
    singles = np.concatenate([model.logits(one[None]) for one in batch])
    assert np.isfinite(singles).all() and np.allclose(model.logits(batch), singles, atol=1e-4)


@pytest.mark.parametrize("which", ["miniature", "shipped"])
def test_weights_are_int8_that_no_processor_s_16_bits_overflow_with(which, request):
    file = SHIPPED if which == "shipped" else request.getfixturevalue("quantized")[0]
    proto, weights = onnx.load(file), integers(file)
    assert [opset.domain for opset in proto.opset_import] == [""]  # the standard's operators alone
    convolutions = [node for node in proto.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == {"miniature": 3, "shipped": 52}[which] < len(weights)
    assert all(np.abs(values.astype(int)).max() <= LEVELS for values in weights.values())
    assert 2 * 255 * LEVELS < 2**15


def test_a_network_of_full_depth_is_converted_and_the_quantizer_changes_no_weight_that_was_rounded(
    recipe_file, tmp_path, monkeypatch
):
    """Rounding and onnxruntime's quantizer must agree on the levels, or biases would be corrected for nothing."""
    from export.onnx import to_onnx
    from train.network import build

    network, pixels = build(load_recipe(recipe_file)), np.random.default_rng(0).random((8, 3, 32, 32), np.float32)
    network.set_weights([weights + 0.01 for weights in network.get_weights()])  # that no bias is zero, and left out
    onnx.save(to_onnx(network, 32), tmp_path / "whole.onnx")
    (logits,) = onnxruntime.InferenceSession(tmp_path / "whole.onnx").run(["logits"], {"pixel_values": pixels})
    assert np.allclose(logits, network(pixels.transpose(0, 2, 3, 1), training=False), atol=1e-4)
    rounded = {}
    round_weights = quantize.round_weights

    def watched(proto, batches):
        round_weights(proto, batches)
        rounded.update({c.name: numpy_helper.to_array(c) for c in proto.graph.initializer})

    monkeypatch.setattr(quantize, "round_weights", watched)
    proto = quantize.to_int8(tmp_path / "whole.onnx", pixels)
    onnx.save(proto, tmp_path / "int8.onnx")
    constants = {c.name: numpy_helper.to_array(c) for c in proto.graph.initializer}
    compared = 0
    for name, values in integers(tmp_path / "int8.onnx").items():
        if values.ndim == 4:
            scale = constants[name.removesuffix("_quantized") + "_scale"].reshape(-1, 1, 1, 1)
            assert np.allclose(values * scale, rounded[name.removesuffix("_quantized")], atol=1e-3 * scale.max())
            compared += 1
    assert compared == 52


def test_it_judges_about_as_the_float32_file_and_its_figures_are_its_own(quantized, exported, data):
    file, report = quantized
    detectors = [Detector(exported), Detector(file)]
    pictures = sorted((data / "test").rglob("*.png"))
    before, after = (np.array([v.p_fake for v in detector.predict(pictures)]) for detector in detectors)
    assert np.abs(before - after).mean() < 0.1 and np.corrcoef(before, after)[0, 1] > 0.9
    found = report["splits"]["test"]["clean"]
    assert found["difference"]["largest"] == pytest.approx(np.abs(before - after).max(), abs=1e-6)
    assert found["difference"]["mean"] == pytest.approx(np.abs(before - after).mean(), abs=1e-6)
    measured = headline(evaluate(detectors[1], read_samples(data, 7), "test", full=False))
    assert detectors[1].metadata.metrics == measured and measured["auc"] == found["int8"]["all"]["auc"]
    assert report["int8"]["sha256"] == sha256(file) and report["fp32"]["sha256"] == sha256(exported)


def test_a_file_that_fails_the_gate_is_not_written(words, tmp_path, monkeypatch):
    for name, value in (LOOSE | {"CROPS": 16, "MAX_AUC_LOST": -2}).items():
        monkeypatch.setattr(quantize, name, value)
    out = tmp_path / "int8.onnx"
    out.write_bytes(b"the old file")
    done = here(*words, "--out", out, "--report", tmp_path / "report")
    assert done.returncode == 2 and "On val, clean, the int8 file's AUC is" in done.stderr
    assert "nothing was written" in done.stderr and "Traceback" not in done.stderr
    assert out.read_bytes() == b"the old file" and [p.name for p in tmp_path.iterdir()] == ["int8.onnx"]


@pytest.mark.parametrize(
    ("auc", "ece", "size", "wrong"),
    [
        (0.9051, 0.0599, 2_700_000, None),
        (0.9049, 0.05, 1000, "web, the int8 file's AUC is 0.9049 where fp32 has 0.9100"),
        (0.95, 0.0601, 1000, "web, the int8 file's ECE is 0.0601 where fp32 has 0.0500"),
        (float("nan"), 0.05, 1000, "AUC is nan"),
        (0.95, 0.01, 2_700_001, "has 2700001 bytes"),
    ],
)
def test_every_tier_must_hold_the_limits(auc, ece, size, wrong):
    same = {"all": {"auc": 0.91, "ece": 0.05}}
    val = {"clean": {"fp32": same, "int8": same}, "web": {"fp32": same, "int8": {"all": {"auc": auc, "ece": ece}}}}
    if wrong is None:
        quantize.check_gate(val, size)
        return
    with pytest.raises(ExportError, match=wrong):
        quantize.check_gate(val, size)


def test_an_interrupted_command_leaves_nothing(words, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(quantize, "CROPS", 16)
    monkeypatch.setattr(quantize, "calibrated", interrupted)  # the file has been written, under its partial name
    done = here(*words, "--out", tmp_path / "int8.onnx", "--report", tmp_path / "report")
    assert done.returncode == 130 and "no file was written" in done.stderr and not list(tmp_path.iterdir())


def test_what_cannot_be_quantized_gets_a_sentence(words, quantized, exported, data, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(exported.read_bytes()[:2000])
    own = tmp_path / "model.onnx"
    shutil.copy(exported, own)
    command, recipe = ["export", "quantize", "--data", data, "--model"], words[-2:]
    for given, sentence in (
        ([*command, tmp_path / "none.onnx"], "There is no model file"),
        ([*command, damaged], "is not a readable ONNX model"),
        ([*command, own], "There is no recipe small"),
        ([*command, own, "--recipe", "shipped"], "was not trained by the recipe shipped; give --recipe the file"),
        (["export", "quantize", "--data", tmp_path / "none", "--model", own, *recipe], "There is no folder"),
        ([*command, quantized[0], *recipe], "is quantized already; give --model the float32 file"),
    ):
        done = here(*given, "--out", tmp_path / "int8.onnx", "--report", tmp_path / "report")
        assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["damaged.onnx", "model.onnx"]


def test_the_shipped_int8_file_belongs_to_the_shipped_model():
    before, after = Model(ROOT / "model.onnx"), Model(SHIPPED)
    for name, model in (("fp32", before), ("int8", after)):
        assert REPORT[name] == {
            "sha256": model.sha256,
            "bytes": model.path.stat().st_size,
            "temperature": model.metadata.temperature,
            "unsure_band": list(model.metadata.unsure_band),
        }
    own = {key: getattr(before.metadata, key) for key in ("temperature", "unsure_band", "kinds", "metrics")}
    assert replace(after.metadata, **own) == before.metadata
    assert after.path.stat().st_size < 0.4 * before.path.stat().st_size
    assert REPORT["recipe_sha256"] == before.metadata.recipe_sha256
    assert REPORT["data_sha256"] == before.metadata.data_sha256


def test_its_figures_are_those_of_its_report():
    test = REPORT["splits"]["test"]
    figures = headline({"split": "test", "tiers": {"clean": test["clean"]["int8"]}})
    assert Model(SHIPPED).metadata.metrics == figures
    written = (ROOT / "reports" / "quantize" / "quantize.md").read_text(encoding="utf-8")
    assert written == quantize_markdown(REPORT)
    shipped = json.loads((ROOT / "reports" / "shipped" / "test" / "report.json").read_text(encoding="utf-8"))
    for tier, found in test.items():
        for key in ("all", "macro", "decided"):
            assert [line for line in compare(found["fp32"][key], shipped["tiers"][tier][key])
                    if "the report says None" not in line] == []  # intervals are not measured here  # fmt: skip


def test_it_holds_the_limits_of_its_gate():
    quantize.check_gate(REPORT["splits"]["val"], SHIPPED.stat().st_size)
    gate = {"auc_lost": quantize.MAX_AUC_LOST, "ece_gained": quantize.MAX_ECE_GAINED, "bytes": quantize.MAX_BYTES}
    assert REPORT["gate"] == gate


def test_the_shipped_int8_file_is_measured_again(faces_data):
    """Two whole sources of val, as a sample of them all would only give an AUC near that of the report."""
    sources = ("ciplab", "lfw-faceswap")
    samples = [s for s in read_samples(faces_data) if s.split == "val" and s.source in sources]
    found = tier_report(judge(Detector(SHIPPED), samples), with_intervals=False)["sources"]
    expected = REPORT["splits"]["val"]["clean"]["int8"]["sources"]
    assert set(found) == set(sources)
    assert compare({name: expected[name] for name in sources}, found) == []
