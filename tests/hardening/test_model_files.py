"""A model file that cannot serve, given to the command line and to the page."""

import os
import socket
import subprocess
import sys

import numpy as np
import onnx
import pytest
from albums import REAL
from commands import here
from onnx import numpy_helper
from project import ROOT
from servers import free_port

from deepfake_detect.model.onnx_model import CONTRACT

SHIPPED = ROOT / "model.onnx"


def missing(path):
    return "no model file"


def truncated(path):
    path.write_bytes(SHIPPED.read_bytes()[:-1000])
    return "not a readable ONNX model"


def empty(path):
    path.write_bytes(b"")
    return "model"


def of_another_contract(path):
    model = onnx.load(SHIPPED)
    (contract,) = (entry for entry in model.metadata_props if entry.key == "contract")
    contract.value = str(CONTRACT + 1)
    onnx.save(model, path)
    return f"contract {CONTRACT + 1}"


def of_somebody_else(path):
    model = onnx.load(SHIPPED)
    del model.metadata_props[:]
    onnx.save(model, path)
    return "not a detector of this project"


def with_one_weight_that_is_no_number(path):
    model = onnx.load(SHIPPED)
    weights = max(model.graph.initializer, key=lambda weight: len(weight.raw_data))
    values = numpy_helper.to_array(weights).copy()
    values.flat[values.size // 2] = np.nan
    weights.raw_data = values.tobytes()
    onnx.save(model, path)
    return "not finite"


DAMAGES = (missing, truncated, empty, of_another_contract, of_somebody_else, with_one_weight_that_is_no_number)
COMMANDS = {
    "deepfake-detect": lambda file: ["-m", "deepfake_detect", REAL, "--model", file],
    "deepfake-detect scan": lambda file: [
        "-m", "deepfake_detect", "scan", REAL.parent, "--out", file.parent / "out.parquet", "--model", file,
    ],
    "python app.py": lambda file: ["app.py", "--model", file],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_model_file_that_cannot_serve_ends_in_one_sentence(command, tmp_path, record_property, all_cases):
    """Each time in a process of its own; where no figures are written, the page is given one of them alone, and of the
    others all but one are given to commands in this process."""
    for damage in DAMAGES if all_cases or command != "python app.py" else DAMAGES[:1]:
        file = tmp_path / damage.__name__ / "model.onnx"
        file.parent.mkdir()
        said, port = damage(file), free_port()
        told = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(file.parent / "uploads")}
        before = set(file.parent.iterdir())
        words = COMMANDS[command](file)
        if all_cases or damage is DAMAGES[0]:
            done = subprocess.run(
                [sys.executable, *map(str, words)], cwd=ROOT, env=os.environ | told, capture_output=True, text=True
            )
        else:
            done = here(*words[1:])
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        (line,) = done.stderr.splitlines()
        assert said in line
        assert line.endswith(".") and "Traceback" not in line
        with socket.socket() as free:
            free.bind(("127.0.0.1", port))
        assert {path for path in file.parent.iterdir() if path.name != "uploads"} == before
    tried = f"{len(DAMAGES)} files through `{command}`: " + ", ".join(d.__name__.replace("_", " ") for d in DAMAGES)
    record_property("survives", ["Model file", tried, "One sentence each, and exit status 2"])
