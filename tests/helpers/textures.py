"""Pictures of fine detail, a model that looks at it, and a finder that finds the same faces everywhere."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_files import METADATA, save
from PIL import Image

from deepfake_detect import Model
from deepfake_detect.face.found import FoundFace


class Faces:
    """A face finder that finds the same faces in every picture."""

    def __init__(self, *boxes):
        self.faces = [FoundFace(box, 0.9, ()) for box in boxes]

    def find(self, picture):
        return self.faces


def stripes(side: int = 320) -> np.ndarray:
    """Rows that differ by 4 grey levels either way: detail that JPEG drops at quality 50 and keeps at 70."""
    rows = 128 + 4 * (-1) ** np.arange(side)
    return np.broadcast_to(rows[:, None, None], (side, side, 3)).astype(np.uint8)


def noise(height: int, width: int) -> np.ndarray:
    """Smooth noise with some grain."""
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 9 + 1, width // 9 + 1, 3), dtype=np.uint8))
    grain = rng.normal(0, 9, (height, width, 3))
    return (np.asarray(coarse.resize((width, height))) + grain).clip(0, 255).astype(np.uint8)


def texture_model(path: Path) -> Model:
    """Write a model for which fine detail of 4 grey levels is real, and less than a quarter of it fake."""
    size, full = 192, 16 / 255  # a Laplacian makes 4 times the amplitude of it
    laplacian = np.zeros((3, 1, 3, 3), np.float32)
    laplacian[:, 0] = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["pixel_values", "laplacian"], ["detail"], group=3),
            helper.make_node("Abs", ["detail"], ["strength"]),
            helper.make_node("GlobalAveragePool", ["strength"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Gemm", ["means", "weights", "bias"], ["logits"]),
        ],
        "texture",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [
            numpy_helper.from_array(laplacian, "laplacian"),
            numpy_helper.from_array(np.array([[0, -32 / full / 3]] * 3, np.float32), "weights"),
            numpy_helper.from_array(np.array([0, 8], np.float32), "bias"),
        ],
    )
    save(graph, replace(METADATA, size=size, crop_margin=0.25).to_properties(), path)
    return Model(path)
