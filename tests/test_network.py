"""The network without BatchNorm, and the one that goes on from a model.onnx."""

import keras
import numpy as np
import onnx
import pytest

from export.onnx import to_onnx
from train.network import WeightsError, build, without_batch_norm
from train.recipe import Recipe, RecipeError, load_recipe

SMALL = {"size": 32, "sizes": None, "kept": None}


def recipe(name: str, **change) -> Recipe:
    return load_recipe(name).model_copy(update=SMALL | change)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).random((6, 32, 32, 3), np.float32)


@pytest.fixture(scope="module")
def whole(backbone_weights) -> keras.Model:
    """The first half's network, its BatchNorm layers among the rest, with a last layer that tells pictures apart."""
    network = build(recipe("base"), backbone_weights)
    last = network.get_layer("logits")
    last.set_weights([np.random.default_rng(1).normal(0, 0.2, last.kernel.shape), np.array([0.3, -0.7])])
    return network


def test_folding_changes_nothing_but_the_layers(backbone_weights, pictures):
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    backbone.load_weights(backbone_weights)
    rng = np.random.default_rng(2)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            shifted = [gamma * rng.uniform(0.5, 1.5, gamma.shape), beta + 0.1, mean + 0.1, variance * 1.3]
            layer.set_weights(shifted)
    backbone.get_layer("block_1_expand").trainable = False
    folded = without_batch_norm(backbone)
    expected, found = (model.predict_on_batch(pictures) for model in (backbone, folded))
    assert expected.std(0).max() > 0.01  # the pictures do come out different
    assert np.allclose(expected, found, atol=1e-3 * np.abs(expected).max())
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    frozen = [layer.name for layer in folded.layers if layer.weights and not layer.trainable]
    assert frozen == ["block_1_expand"]


@pytest.mark.parametrize("first", ["base", "shipped"])
def test_training_goes_on_from_a_model_file(whole, pictures, tmp_path, first, backbone_weights):
    """From one exported with its BatchNorm layers, and from one exported without."""
    network = whole
    if first == "shipped":
        network = build(recipe("shipped"), backbone_weights)
        network.get_layer("logits").set_weights(whole.get_layer("logits").get_weights())
    file = tmp_path / "model.onnx"
    onnx.save(to_onnx(network, 32), file)
    expected = network.predict_on_batch(pictures)
    assert np.ptp(expected[:, 0]) > 1e-3
    found = build(recipe("shipped"), file).predict_on_batch(pictures)
    assert np.allclose(expected, found, atol=1e-3 * np.abs(expected).max())


def test_a_model_file_of_another_network_is_refused(whole, tmp_path, backbone_weights):
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    other = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
    )
    onnx.save(to_onnx(other, 32), tmp_path / "other.onnx")
    quantized = onnx.load(tmp_path / "other.onnx")
    quantized.graph.initializer[0].name = "kernel before it is dequantized"
    onnx.save(quantized, tmp_path / "quantized.onnx")
    for name in ("broken", "other", "quantized", "missing"):
        with pytest.raises(WeightsError, match=f"{name}.onnx is not a model.onnx of this network"):
            build(recipe("shipped"), tmp_path / f"{name}.onnx")
    for change in ({"fold_batch_norm": None}, {"head": load_recipe("paper").head}):
        with pytest.raises(RecipeError, match="fold_batch_norm"):
            build(recipe("shipped", **change), tmp_path / "other.onnx")


def test_a_layer_to_keep_must_exist():
    with pytest.raises(RecipeError, match="no layer block_99"):
        build(recipe("base", kept={0: "block_99"}), None, 0)
