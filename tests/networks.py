"""A network that is quick to train, and whether two files hold the same weights."""

from pathlib import Path

import h5py
import keras
import numpy as np


def short_mobilenet(size: int, weights: Path | None, last: str = "block_4_add") -> keras.Model:
    """MobileNetV2 up to a layer, to put in place of `train.network._mobilenet_v2`: the graph of all of it takes
    TensorFlow many seconds to build in every phase of a training."""
    whole = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(size, size, 3))
    backbone = keras.Model(whole.input, whole.get_layer(last).output, name=whole.name)
    if weights:
        backbone.load_weights(weights)
    return backbone


def weights(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a .weights.h5 file by their names."""
    arrays = {}
    with h5py.File(file) as h5:
        h5.visititems(lambda name, node: arrays.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None)
    return arrays


def same_weights(one: Path, other: Path) -> bool:
    """Whether the arrays of two .weights.h5 files are equal to the last bit."""
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
