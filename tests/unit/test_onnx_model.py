"""Model files: the one that ships, small ones made here whose numbers are known, and ones that cannot serve."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_files import METADATA, write_model
from onnxruntime import InferenceSession
from project import ROOT

from deepfake_detect.errors import ModelError
from deepfake_detect.model.onnx_model import CONTRACT, LABELS, MICRO_BATCH, OPTIONAL, Metadata, Model, probability
from deepfake_detect.verdict import label_of


def refusal(path: Path) -> str:
    """The message of the error that a model file gives; it must name what is wrong and what to do."""
    with pytest.raises(ModelError) as caught:
        Model(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600 and message.endswith(".")
    assert not re.search(r"Traceback|\.py\b|0x", message)
    assert re.search(r"\b(Export|Use|Give|[Uu]pdate|export)\b", message), f"says not what to do: {message}"
    return message


def pixels(*colours: tuple[float, float, float], size: int = 32) -> np.ndarray:
    """Uniform pictures [N, 3, S, S] float32."""
    return np.ones((len(colours), 3, size, size), np.float32) * np.array(colours, np.float32)[:, :, None, None]


@pytest.fixture(scope="module")
def shipped() -> Model:
    return Model(ROOT / "model.onnx")


# The model that ships


def test_the_shipped_model_describes_itself(shipped):
    metadata = shipped.metadata
    assert metadata.labels == LABELS and metadata.contract == CONTRACT
    low, high = metadata.unsure_band
    assert 0 <= low <= 0.5 <= high <= 1 and metadata.temperature > 0
    assert metadata.recipe and re.fullmatch("[0-9a-f]{64}", metadata.recipe_sha256)
    assert shipped.sha256 == hashlib.sha256((ROOT / "model.onnx").read_bytes()).hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_what_is_no_probability_is_no_verdict(value):
    with pytest.raises(ValueError, match="no probability"):
        label_of(value, (0.3, 0.7))


def test_the_shipped_model_gives_a_probability_to_each_picture_of_a_batch(shipped):
    size = shipped.metadata.size
    batch = np.random.default_rng(0).random((5, 3, size, size), np.float32)
    logits = shipped.logits(batch)
    p_fake = probability(logits, shipped.metadata.temperature)
    assert logits.shape == (5, 2) and logits.dtype == np.float32 and np.isfinite(logits).all()
    assert p_fake.shape == (5,) and ((p_fake >= 0) & (p_fake <= 1)).all()
    single = np.concatenate([shipped.logits(picture[None]) for picture in batch])
    assert np.abs(single - logits).max() < 1e-4


def test_the_shipped_model_looks_at_the_picture(shipped):
    size = shipped.metadata.size
    black, noise = np.zeros((3, size, size), np.float32), np.random.default_rng(0).random((3, size, size), np.float32)
    logits = shipped.logits(np.stack([black, noise]))
    assert np.abs(logits[0] - logits[1]).max() > 0.01


@pytest.mark.parametrize("use_all_cores", [False, True])
def test_threads_share_one_model(shipped, use_all_cores):
    size = shipped.metadata.size
    batch = np.random.default_rng(0).random((2, 3, size, size), np.float32)
    expected = shipped.logits(batch)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: shipped.logits(batch, use_all_cores), range(16)))
    assert all(np.abs(result - expected).max() < 1e-4 for result in results)


def test_only_crops_that_are_alone_are_run_on_several_cores_one_caller_at_a_time(monkeypatch):
    model, runs = Model(ROOT / "model.onnx", threads=2), []
    run, one = InferenceSession.run, np.full((1, 3, *[model.metadata.size] * 2), 0.5, np.float32)

    def noted(session, *values):
        runs.append(model.sessions.index(session))
        if runs == [1]:
            model.logits(one, use_all_cores=True)  # as another thread might, meanwhile
        return run(session, *values)

    monkeypatch.setattr(InferenceSession, "run", noted)
    model.logits(one, use_all_cores=True)
    assert runs == [1, 0]
    model.logits(one)
    model.logits(np.repeat(one, MICRO_BATCH + 1, axis=0), use_all_cores=True)
    assert runs == [1, 0, 0, 0, 0]
    model.logits(one, use_all_cores=True)
    assert runs.pop() == 1


def test_where_there_is_one_core_the_network_is_loaded_once():
    assert len(Model(ROOT / "model.onnx", threads=1).sessions) == 1


# Numbers that are known


def test_the_inputs_are_planes_of_red_green_and_blue(tmp_path):
    model = Model(write_model(tmp_path / "m.onnx", weights=(1, 10, 100), bias=(5, 0.25)))
    logits = model.logits(pixels((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)))
    assert np.allclose(logits, [[5, 1.25], [5, 10.25], [5, 100.25], [5, 111.25]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 7.5])
def test_the_temperature_divides_the_logits(tmp_path, temperature):
    model = Model(write_model(tmp_path / "m.onnx", bias=(1, 3), temperature=temperature))
    p_fake = probability(model.logits(pixels((0, 0, 0))), model.metadata.temperature)
    assert p_fake == pytest.approx(1 / (1 + np.exp(-2 / temperature)), abs=1e-6)


def test_extreme_logits_give_probabilities_without_overflow():
    logits = np.array([[0, 3e38], [3e38, 0], [-3e38, 0], [7, 7]], np.float32)
    with np.errstate(all="raise"):
        p_fake = probability(logits, 0.001)
    assert 1 - 1e-15 < p_fake[0] == p_fake[2] < 1 and 0 < p_fake[1] < 1e-15 and p_fake[3] == 0.5


def test_probability_is_the_second_softmax():
    logits = np.random.default_rng(0).normal(0, 3, (20, 2)).astype(np.float32)
    powers = np.exp(logits.astype(float) / 1.7)
    assert np.allclose(probability(logits, 1.7), powers[:, 1] / powers.sum(axis=1))


# Metadata


def test_metadata_come_back_from_a_file_as_they_went_in(tmp_path):
    metadata = replace(METADATA, metrics={"auc": 0.75, "decided": {"coverage": 1.0}}, unsure_band=(0.25, 0.7),
                       resampling="lanczos", recipe="ünïcode “x”")  # fmt: skip
    assert Metadata.from_properties(metadata.to_properties()) == metadata
    assert Model(write_model(tmp_path / "m.onnx", properties=metadata.to_properties())).metadata == metadata


@pytest.mark.parametrize(("field", "value"), [
    ("labels", ("fake", "real")), ("labels", ("real", "fake", "other")), ("size", 8), ("size", 4096), ("size", 32.5),
    ("crop_margin", -0.1), ("crop_margin", 9), ("resampling", "nearest"), ("temperature", 0), ("temperature", -1),
    ("temperature", float("nan")), ("temperature", float("inf")), ("unsure_band", (0.6, 0.4)),
    ("unsure_band", (0.6, 0.8)), ("unsure_band", (-0.1, 0.6)), ("unsure_band", (float("nan"), 0.6)),
    ("contract", CONTRACT + 1), ("contract", 0),
])  # fmt: skip
def test_metadata_out_of_range_are_refused_by_name(field, value):
    with pytest.raises(ModelError, match=field):
        replace(METADATA, **{field: value})


@pytest.mark.parametrize(("field", "text"), [
    ("temperature", "warm"), ("temperature", "null"), ("temperature", '"1"'), ("labels", "3"), ("labels", "null"),
    ("unsure_band", "[0.5]"), ("unsure_band", '"ab"'), ("unsure_band", "[0.4, null]"), ("size", "[]"), ("size", ""),
    ("resampling", "[]"), ("crop_margin", "{}"), ("contract", '"1"'),
])  # fmt: skip
def test_metadata_that_are_damaged_give_a_model_error(tmp_path, field, text):
    refused = write_model(tmp_path / "m.onnx", properties=METADATA.to_properties() | {field: text})
    with pytest.raises(ModelError, match="metadata"):
        Model(refused)


@pytest.mark.parametrize("field", sorted(METADATA.to_properties().keys() - set(OPTIONAL)))
def test_each_missing_property_is_named(tmp_path, field):
    properties = METADATA.to_properties()
    del properties[field]
    assert field in refusal(write_model(tmp_path / "m.onnx", properties=properties))


def test_properties_of_others_are_ignored():
    assert Metadata.from_properties(METADATA.to_properties() | {"author": "someone"}) == METADATA


# Files that cannot serve


@pytest.mark.parametrize("name", ["gone.onnx", "a folder", "a\0b", "x" * 300])
def test_a_missing_file_is_refused(tmp_path, name):
    (tmp_path / "a folder").mkdir()
    assert "no model file" in refusal(tmp_path / name)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(tmp_path, share):
    whole = (ROOT / "model.onnx").read_bytes()
    (tmp_path / "m.onnx").write_bytes(whole[: int(len(whole) * share)])
    assert "m.onnx" in refusal(tmp_path / "m.onnx")


@pytest.mark.parametrize("data", [b"not a model at all", b"\0" * 5000, b"PK\x03\x04" + b"keras" * 99, b"<html></html>"])
def test_a_file_of_another_kind_is_refused(tmp_path, data, capfd):
    (tmp_path / "m.onnx").write_bytes(data)
    assert "not a readable ONNX model" in refusal(tmp_path / "m.onnx")
    assert capfd.readouterr() == ("", "")


def test_an_onnx_file_without_metadata_is_refused(tmp_path):
    assert "not a detector of this project" in refusal(write_model(tmp_path / "m.onnx", properties={}))


def test_an_unknown_contract_is_refused(tmp_path):
    properties = METADATA.to_properties() | {"contract": str(CONTRACT + 1)}
    assert f"contract {CONTRACT + 1}" in refusal(write_model(tmp_path / "m.onnx", properties=properties))


@pytest.mark.parametrize("options", [
    {"names": ("image", "logits")}, {"names": ("pixel_values", "scores")}, {"classes": 3}, {"side": 48},
])  # fmt: skip
def test_a_graph_of_another_form_is_refused(tmp_path, options):
    assert "instead of pixel_values and logits" in refusal(write_model(tmp_path / "m.onnx", **options))


def test_a_graph_for_one_picture_at_a_time_is_refused(tmp_path):
    assert "cannot be run" in refusal(write_model(tmp_path / "m.onnx", batch=1))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, number):
    assert "not finite" in refusal(write_model(tmp_path / "m.onnx", weights=(number, 0, 0)))


def test_no_score_is_certain_so_a_side_that_decides_nothing_never_does():
    extreme = probability(np.array([[0, 1e6], [1e6, 0]], np.float32), 0.01)
    assert 0 < extreme[1] < extreme[0] < 1
    assert [label_of(p, (0.0, 1.0)) for p in extreme] == ["unsure", "unsure"]
