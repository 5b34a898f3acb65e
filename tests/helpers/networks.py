"""A network that is quick to train, and whether two files hold the same weights."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from train import network


def short_mobilenet(size: int, weights: Path | None) -> keras.Model:
    """The first layers of MobileNetV2, to put in place of `train.network._mobilenet_v2`: the graph of all of it takes
    TensorFlow many seconds to build in every phase of a training. tests/training/test_backbones.py holds them to it."""
    layers, same = keras.layers, {"padding": "same", "use_bias": False}

    def normed(name: str) -> keras.Layer:
        return layers.BatchNormalization(epsilon=1e-3, momentum=0.999, name=name)

    pixels = keras.Input((size, size, 3))
    maps = layers.Conv2D(32, 3, strides=(2, 2), name="Conv1", **same)(pixels)
    maps = layers.ReLU(6.0, name="Conv1_relu")(normed("bn_Conv1")(maps))
    maps = layers.DepthwiseConv2D(3, name="expanded_conv_depthwise", **same)(maps)
    maps = layers.ReLU(6.0, name="expanded_conv_depthwise_relu")(normed("expanded_conv_depthwise_BN")(maps))
    maps = normed("expanded_conv_project_BN")(layers.Conv2D(16, 1, name="expanded_conv_project", **same)(maps))
    backbone = keras.Model(pixels, maps, name=f"mobilenetv2_1.00_{size}")
    if weights:
        backbone.load_weights(weights)
    return backbone


def shorten_backbone(patch: pytest.MonkeyPatch) -> None:
    """Put the short network in place of MobileNetV2."""
    patch.setattr(network, "_mobilenet_v2", short_mobilenet)


def write_short_weights(file: Path, seed: int = 1) -> None:
    """A .weights.h5 file of the short network: random, after Glorot and Bengio (2010), but the same every time."""
    backbone, rng = short_mobilenet(32, None), np.random.default_rng(seed)

    def drawn(shape: tuple[int, ...]) -> np.ndarray:
        return rng.normal(0, (2 / (shape[0] * shape[1] * (shape[2] + shape[3]))) ** 0.5, shape)

    backbone.set_weights([w + 0.01 if w.ndim == 1 else drawn(w.shape) for w in backbone.get_weights()])
    backbone.save_weights(file)


def weights(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a .weights.h5 file by their names."""
    arrays = {}
    with h5py.File(file) as h5:
        h5.visititems(lambda name, node: arrays.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None)
    return arrays


def weights_apart(one: Path, other: Path) -> dict[str, float]:
    """The arrays that are not equal to the last bit in two .weights.h5 files, and how far they are apart at most."""
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    return {name: float(np.abs(a[name] - b[name]).max()) for name in a if not np.array_equal(a[name], b[name])}


def same_weights(one: Path, other: Path) -> bool:
    """Whether the arrays of two .weights.h5 files are equal to the last bit."""
    return not weights_apart(one, other)
