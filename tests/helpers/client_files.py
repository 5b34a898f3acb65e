"""What the tests of other clients need of this machine, and the files that those are given."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from project import ROOT

from deepfake_detect.model.onnx_model import Model
from export.repository import FLOAT_SHA256, INT8
from scripts.clients import REPORT, Missing


def needed(find: Callable):
    """What `find` gives; where it is missing, skips the test, or fails it under REQUIRE_CLIENTS."""
    try:
        return find()
    except Missing as missing:
        if os.environ.get("REQUIRE_CLIENTS"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def int8() -> Path:
    """The project's int8 file; raises Missing."""
    if not (ROOT / INT8).is_file():
        raise Missing(f"there is no {INT8}: run `python -m export quantize`.")
    return ROOT / INT8


def with_int8(folder: Path) -> Path:
    """What the model repository is made of, put together in an empty folder; where the project has no int8 file, the
    float one stands in for it, so ask `needed(int8)` before looking at its numbers."""
    (folder / "model.onnx").symlink_to(ROOT / "model.onnx")
    (folder / "reports").mkdir()
    for report in (ROOT / "reports").iterdir():
        if report.name != REPORT.parent.name:  # which may be of the model before this one
            (folder / "reports" / report.name).symlink_to(report)
    if (ROOT / INT8).is_file():
        shutil.copyfile(ROOT / INT8, folder / INT8)
    else:
        write_int8(folder / INT8)
    return folder


def write_int8(file: Path, **properties: object) -> None:
    """Write the shipped model as what `python -m export quantize` would make of it, but in float32, with these
    properties changed; None leaves one out."""
    model, proto = Model(ROOT / "model.onnx"), onnx.load(ROOT / "model.onnx")
    values = model.sessions[0].get_modelmeta().custom_metadata_map | {FLOAT_SHA256: json.dumps(model.sha256)}
    values |= {name: json.dumps(value) for name, value in properties.items()}
    onnx.helper.set_model_props(proto, {name: value for name, value in values.items() if value != "null"})
    onnx.save(proto, file)
