"""Weights of convolutions -> few levels, such that every convolution still gives on average what it gave.

Rounding shifts what a convolution gives by (error of the weights) x (mean of its input). After ReLU6 that mean is far
from 0, and a depthwise filter has only nine weights for it to average out over: in MobileNetV2 most of the harm of
int8 comes from there. Source: section 4.2 of "Data-Free Quantization Through Weight Equalization and Bias Correction"
(Nagel et al., ICCV 2019).
"""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

LEVELS = 64  # either side of 0, of 7 bits; see `round_weights`


def round_weights(proto: onnx.ModelProto, batches: Sequence[np.ndarray]) -> None:
    """Round the weights of a graph's convolutions, and correct their biases for what that shifts; in place.

    Weights get 7 of int8's 8 bits: processors without VNNI add two products of a uint8 and an int8 in 16 bits, which
    overflow with larger weights, so that the same file would give other logits there (2 x 255 x 64 still fits).
    onnxruntime's quantizer, with `per_channel` and `reduce_range`, then finds every weight on a level already.

    Args:
        proto: the float32 graph; every convolution has a bias, batch normalisation being folded into it.
        batches: pixel values [N, 3, S, S] float32, as the graph takes them, to measure mean inputs on.
    """
    convolutions = [node for node in proto.graph.node if node.op_type == "Conv"]
    constants = {constant.name: constant for constant in proto.graph.initializer}
    means = _mean_inputs(proto, [node.input[0] for node in convolutions], batches)
    for node in convolutions:
        weights, bias = (numpy_helper.to_array(constants[name]) for name in node.input[1:3])
        rounded = nearest(weights)
        if weights.shape[1] == 1:
            rounded = keep_sums(weights, rounded)
        error = (rounded - weights).sum((2, 3))  # [out, in / groups]
        mean = means[node.input[0]].reshape(-1, weights.shape[1])  # [groups, in / groups]
        shift = (error * mean.repeat(len(weights) // len(mean), axis=0)).sum(1)
        for name, values in ((node.input[1], rounded), (node.input[2], bias - shift)):
            constants[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))


def nearest(weights: np.ndarray) -> np.ndarray:
    """Weights [out, in, height, width] on the nearest of the levels, which reach from -max to max of each [out]."""
    step = _step(weights)
    return np.rint(weights / step) * step


def keep_sums(weights: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """`nearest` weights, of which some are put on the next level, so that the sum of each [out] hardly changes.

    Those that had been rounded by the most go back. A filter that looks for edges has weights that add up to about
    0; with another sum it would see brightness.
    """
    step = _step(weights)
    levels, error = (((values / step).reshape(len(weights), -1)) for values in (rounded, rounded - weights))
    for level, wrong in zip(levels, error, strict=True):
        surplus = round(wrong.sum())
        level[np.argsort(-np.sign(surplus) * wrong)[: abs(surplus)]] -= np.sign(surplus)
    return np.rint(levels).reshape(weights.shape) * step


def _step(weights: np.ndarray) -> np.ndarray:
    """Distance of two levels [out, 1, 1, 1] float64; 1 where all weights are 0."""
    largest = np.abs(weights).max((1, 2, 3), keepdims=True).astype(np.float64)
    return np.where(largest > 0, largest, LEVELS) / LEVELS


def _mean_inputs(proto: onnx.ModelProto, names: list[str], batches: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Mean of each channel [C] float64 of these tensors of a graph, over all pictures and places."""
    names = list(dict.fromkeys(names))
    watched = onnx.ModelProto()
    watched.CopyFrom(proto)
    known = {value.name for value in (*proto.graph.input, *proto.graph.output)}
    watched.graph.output.extend(onnx.helper.make_empty_tensor_value_info(n) for n in names if n not in known)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    sums = dict.fromkeys(names, 0.0)
    for batch in batches:
        for name, values in zip(names, session.run(names, {"pixel_values": batch}), strict=True):
            sums[name] += values.mean((2, 3), dtype=np.float64).sum(0)
    pictures = sum(len(batch) for batch in batches)
    return {name: total / pictures for name, total in sums.items()}
