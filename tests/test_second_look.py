"""Inside the unsure band the mirrored face is looked at as well."""

import math
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from test_model import METADATA, save

from detect import Detector
from detect.detector import Prepared


def test_the_doubtful_are_looked_at_in_the_mirror(tmp_path):
    """A model that sees the left half of a crop only: red there is fake, blue is real."""
    size = 96
    left = np.zeros((1, 3, size, size), np.float32)
    left[..., : size // 2] = 2
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["pixel_values", "left"], ["half"]),
            helper.make_node("GlobalAveragePool", ["half"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        ],
        "left",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2])],
        [
            numpy_helper.from_array(left, "left"),
            numpy_helper.from_array(np.array([[0, 4], [0, 0], [0, -4]], np.float32), "weights"),
        ],
    )
    properties = replace(METADATA, size=size, temperature=1.0, unsure_band=(0.2, 0.8)).to_properties()
    save(graph, properties, tmp_path / "left.onnx")
    looker = Detector(tmp_path / "left.onnx")

    def halves(left_red: float, right_red: float) -> np.ndarray:
        picture = np.zeros((size, size, 3), np.uint8)
        picture[:, : size // 2, 0], picture[:, size // 2 :, 0] = left_red, right_red
        return picture

    def p_fake(*reds: float) -> list[float]:
        found = [Prepared((), halves(*pair)[None]) for pair in reds]
        return [verdict.p_fake for verdict in looker.judge(found)]

    sigmoid = [1 / (1 + math.exp(-4 * red / 255)) for red in (51, 255, 153)]
    doubtful, sure, doubtful_too = p_fake((51, 255), (255, 51), (51, 51))
    assert doubtful == pytest.approx(sigmoid[2], abs=1e-5)  # of the mean of 51 and 255
    assert sure == pytest.approx(sigmoid[1], abs=1e-5)  # one look was enough
    assert doubtful_too == pytest.approx(sigmoid[0], abs=1e-5)
