"""The weights of a model.onnx of this project, to go on training from them."""

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import numpy_helper

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def load_onnx_weights(network: keras.Model, file: str | Path) -> None:
    """Give a network the weights of an ONNX file: convolution by convolution, then the dense layer.

    Args:
        network: its convolutions have biases and no BatchNorm behind them, see `train.network.without_batch_norm`;
            after them comes one dense layer.
        file: exported from such a network, or from one whose BatchNorm layers follow its convolutions.

    Raises:
        ValueError: the file is not such a network.
        OSError: it cannot be read.
    """
    layers = [layer for layer in _flat(network) if isinstance(layer, (*CONVOLUTIONS, keras.layers.Dense))]
    try:
        graph = onnx.load(file).graph
    except OSError:
        raise
    except Exception as error:  # a dozen types, all for bytes that are no ONNX model
        raise ValueError(f"not an ONNX model: {error}") from None
    found = _weights(graph)
    if len(found) != len(layers):
        raise ValueError(f"it has {len(found)} layers with weights instead of {len(layers)}")
    for layer, (kernel, bias) in zip(layers, found, strict=True):
        if kernel.ndim == 4:  # [out, in, h, w] -> [h, w, in, out]; depthwise [C, 1, h, w] -> [h, w, C, 1]
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        if kernel.shape != layer.kernel.shape:
            raise ValueError(f"layer {layer.name} is {kernel.shape} instead of {tuple(layer.kernel.shape)}")
        layer.set_weights([kernel, bias])


def _flat(network: keras.Model) -> list[keras.layers.Layer]:
    nested = (_flat(layer) if isinstance(layer, keras.Model) else [layer] for layer in network.layers)
    return [layer for layers in nested for layer in layers]


def _weights(graph: onnx.GraphProto) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of every convolution and matrix product, in the order in which they run.

    A product or sum with a constant right behind one, left of its BatchNorm or bias, is taken into it.
    """
    constants = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    layers = []
    for node in graph.node:
        if node.op_type not in ("Conv", "MatMul", "Gemm"):
            continue
        if not all(name in constants for name in node.input[1:]):
            raise ValueError(f"the weights of {node.name or node.op_type} are not stored as they are")
        kernel, *bias = (constants[name] for name in node.input[1:])
        outputs = kernel.shape[0] if node.op_type == "Conv" else kernel.shape[-1]
        bias = bias[0] if bias else np.zeros(outputs, np.float32)
        behind = users.get(node.output[0], [])
        while len(behind) == 1 and behind[0].op_type in ("Mul", "Add"):
            values = [constants[name] for name in behind[0].input if name in constants]
            if not values or values[0].size != outputs:
                break
            value = values[0].reshape(-1)
            if behind[0].op_type == "Mul":
                kernel, bias = kernel * value.reshape(-1, *[1] * (kernel.ndim - 1)), bias * value
            else:
                bias = bias + value
            behind = users.get(behind[0].output[0], [])
        layers.append((kernel, bias))
    return layers
