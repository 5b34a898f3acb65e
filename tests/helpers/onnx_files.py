"""Model files whose numbers are known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from deepfake_detect.model.onnx_model import LABELS, Metadata

METADATA = Metadata(LABELS, size=32, crop_margin=0.3, resampling="bilinear", temperature=1.0, unsure_band=(0.4, 0.6),
                    recipe="toy", recipe_sha256="0" * 64, seed=1, data_sha256="1" * 64, metrics={})  # fmt: skip


def write_model(
    path: Path,
    weights: tuple[float, float, float] = (0, 0, 0),
    bias: tuple[float, float] = (0, 0),
    properties: dict[str, str] | None = None,
    batch: str | int = "N",
    names: tuple[str, str] = ("pixel_values", "logits"),
    side: int | None = None,
    classes: int = 2,
    kind_weights: Sequence[Sequence[float]] | None = None,
    **metadata,
) -> Path:
    """An ONNX file whose logits are known: real = bias[0], fake = weights . mean red, green, blue + bias[1]; and its
    kinds, where [3, K] weights of the means are given."""
    described = replace(METADATA, **metadata)
    side = side or described.size
    gemm = np.zeros((3, classes), np.float32)
    gemm[:, 1] = weights
    nodes = [
        helper.make_node("GlobalAveragePool", [names[0]], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
        helper.make_node("Gemm", ["means", "weights", "bias"], [names[1]]),
    ]
    outputs = [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, [batch, classes])]
    constants = [
        numpy_helper.from_array(gemm, "weights"),
        numpy_helper.from_array(np.resize(np.array(bias, np.float32), classes), "bias"),
    ]
    if kind_weights is not None:
        of_kinds = np.array(kind_weights, np.float32)
        nodes.append(helper.make_node("MatMul", ["means", "kind_weights"], ["kinds"]))
        outputs.append(helper.make_tensor_value_info("kinds", TensorProto.FLOAT, [batch, of_kinds.shape[1]]))
        constants.append(numpy_helper.from_array(of_kinds, "kind_weights"))
    taken = helper.make_tensor_value_info(names[0], TensorProto.FLOAT, [batch, 3, side, side])
    graph = helper.make_graph(nodes, "toy", [taken], outputs, constants)
    save(graph, described.to_properties() if properties is None else properties, path)
    return path


def write_masked_model(path: Path, mask: np.ndarray, weights: Sequence[Sequence[float]], **metadata) -> Path:
    """An ONNX file whose logits are weights [3, 2] times the means of red, green and blue under a mask [1, 3, S, S]."""
    size = mask.shape[-1]
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["pixel_values", "mask"], ["seen"]),
            helper.make_node("GlobalAveragePool", ["seen"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        ],
        "masked",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [
            numpy_helper.from_array(mask.astype(np.float32), "mask"),
            numpy_helper.from_array(np.array(weights, np.float32), "weights"),
        ],
    )
    save(graph, replace(METADATA, size=size, **metadata).to_properties(), path)
    return path


def write_cut_model(source: Path, path: Path, size: int) -> Path:
    """The network of a model file for crops of fewer pixels: the same operations and weights, which need no other size
    before they are averaged over it."""
    model = onnx.load(source)
    for side in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = size
    del model.graph.value_info[:]
    for known in model.metadata_props:
        if known.key == "size":
            known.value = str(size)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def save(graph: onnx.GraphProto, properties: dict[str, str], path: Path) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    onnx.save(model, path)
