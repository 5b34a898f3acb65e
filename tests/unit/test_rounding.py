"""Rounded weights: on few levels, sums kept, and biases that make up for what rounding shifts."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.rounding import LEVELS, keep_sums, nearest, round_weights


def steps(weights):
    return np.abs(weights).max((1, 2, 3), keepdims=True) / LEVELS


def test_weights_lie_on_levels_and_keep_their_sums():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(200, 1, 3, 3)).astype(np.float32)
    weights[7] = 0  # a channel that died in training
    step = np.maximum(steps(weights), 1e-12)
    plain = nearest(weights)
    kept = keep_sums(weights, plain)
    for rounded, reach in ((plain, 0.5), (kept, 1.0)):
        levels = rounded / step
        assert np.abs(levels - np.rint(levels)).max() < 1e-4 and np.abs(levels).max() <= LEVELS + 1e-4
        assert np.abs(levels).max((1, 2, 3))[weights.any((1, 2, 3))].min() > LEVELS - 1e-4  # so the step stays
        assert (np.abs(rounded - weights) <= (reach + 1e-4) * step).all()
    lost = [np.abs((rounded - weights).sum((1, 2, 3)) / step.ravel()) for rounded in (plain, kept)]
    assert lost[0].max() > 1.5 and lost[1].max() <= 0.5 + 1e-4
    assert not kept[7].any()


@pytest.mark.parametrize("groups", [1, 2, 8], ids=["full", "grouped", "depthwise"])
def test_a_convolution_gives_on_average_what_it_gave(groups):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(16, 8 // groups, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Pad", ["pixel_values", "pads"], ["inner"]),
        helper.make_node("Conv", ["inner", "weights", "bias"], ["logits"], group=groups),
    ]
    constants = {"weights": weights, "bias": rng.normal(size=16).astype(np.float32), "pads": np.zeros(8, np.int64)}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("pixel_values", "logits")]
    initializers = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "toy", ends[:1], ends[1:], initializers)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    means = rng.uniform(0, 4, (1, 8, 1, 1))  # one for each channel, the same at every place
    batches = [(means + rng.normal(size=(4, 8, 9, 9))).astype(np.float32) for _ in range(8)]

    def given():
        session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(None, {"pixel_values": batch})[0] for batch in batches]).mean((0, 2, 3))

    def constant(name):
        return next(c for c in proto.graph.initializer if c.name == name)

    before = given()
    round_weights(proto, batches)
    after, bias = given(), numpy_helper.to_array(constant("bias"))
    levels = numpy_helper.to_array(constant("weights")) / steps(weights)
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    shifted = np.abs(bias - constants["bias"])
    assert shifted.max() > 0.02 and np.abs(after - before).max() < 0.25 * shifted.max()
    constant("bias").CopyFrom(numpy_helper.from_array(constants["bias"], "bias"))
    assert np.abs(given() - before).mean() > 4 * np.abs(after - before).mean()  # without the correction
