"""Other clients on the model repository's folder: what they are given, how they are run, how far they agree with us.

As a command, after `make clients`, it writes reports/clients/clients.json:
PYTHONPATH=. .venv-test/bin/python tests/clients.py --data DIR
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from detect import Detector, open_picture
from detect.crop import crop_box, cut, pixel_values
from detect.detector import BATCH
from detect.files import write_text
from export.clients import clients_markdown
from export.repository import INT8, build_model_repo
from train.data import read_samples
from train.report import update_readme

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
NODE = ROOT / "tests" / "node_clients"
REPORT = ROOT / "reports" / "clients" / "clients.json"


def pictures_of_test(data: Path, count: int | None = None) -> list[Path]:
    """Pictures of the test split, evenly spread over its sources and classes."""
    paths = [sample.path for sample in read_samples(data, 0, needed=("test",)) if sample.split == "test"]
    return paths if count is None else [paths[n * len(paths) // count] for n in range(count)]


def write_crops(detector: Detector, paths: list[Path], folder: Path) -> np.ndarray:
    """Write what the clients get: the largest face of every picture, cut out at its own resolution, as PNG, and
    pixels.f32: some of these crops as the model's input, see `some`.

    Returns:
        Our logits [N, 2] of all these crops.
    """
    m, values = detector.metadata, []
    for number, path in enumerate(paths):
        picture = open_picture(path)
        height, width = picture.shape[:2]
        faces = detector.face_finder.find(picture)
        region = crop_box(faces[0].box, m.crop_margin, width, height) if faces else (0, 0, width, height)
        left, top, right, bottom = map(round, region)
        crop = picture[top:bottom, left:right]
        Image.fromarray(crop).save(folder / f"{number:04}.png")
        values.append(cut(crop, (0, 0, crop.shape[1], crop.shape[0]), m.size, m.resampling))
    pixels = pixel_values(np.stack(values))
    some(pixels).tofile(folder / "pixels.f32")
    return np.concatenate([detector.model.logits(pixels[n : n + BATCH]) for n in range(0, len(pixels), BATCH)])


def some(rows: np.ndarray) -> np.ndarray:
    """At most about 32 of rows [N, ...], from everywhere, of which the logits are compared."""
    return rows[:: max(1, len(rows) // 32)]


def ask(words: Sequence[str | Path], repository: Path, crops: Path) -> dict:
    """Run one client: {"versions", "logits": {"fp32", "q8": [M, 2] of pixels.f32}, "scores": {way: [N, 2] of the PNGs
    through its own pipeline}}."""
    out = crops / f"{words[1].stem}.json"  # clients may run at the same time
    done = subprocess.run(
        [*map(str, words), repository, crops, out], capture_output=True, text=True, timeout=280,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text())


def with_optimum() -> list:
    """The command of the Python client; skips the test where `make clients` has not been run."""
    return [_there(PYTHON, PYTHON.is_file()), ROOT / "tests" / "client_optimum.py"]


def with_node() -> list:
    """The command of the Node.js client; skips the test where `make clients` has not been run, or there is no Node."""
    node = shutil.which("node")
    return [_there(node, bool(node) and (NODE / "node_modules").is_dir()), NODE / "client.mjs"]


def _there(what, found: bool):
    if not found:
        missing = "the other clients are not installed: run `make clients`, with Node.js"
        assert not os.environ.get("REQUIRE_CLIENTS"), missing
        pytest.skip(missing)
    return what


def agreement(ours: np.ndarray, scores: list) -> float:
    """Share of pictures with the same larger score."""
    return float((ours.argmax(1) == np.array(scores).argmax(1)).mean())


def with_int8(folder: Path) -> Path:
    """What the model repository is made of, put together in an empty folder; where the project has no int8 file, the
    float one stands in for it."""
    for name in ("model.onnx", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "reports").mkdir()
    for report in (ROOT / "reports").iterdir():
        if report.name != REPORT.parent.name:  # which may be of the model before this one
            (folder / "reports" / report.name).symlink_to(report)
    int8 = ROOT / INT8
    shutil.copyfile(int8 if int8.is_file() else ROOT / "model.onnx", folder / INT8)
    return folder


def measure(data: Path) -> dict:
    """How far the clients agree with `detect` on every picture of the test split."""
    detector = Detector(ROOT / "model.onnx")
    with TemporaryDirectory() as place:
        crops, source = Path(place) / "crops", Path(place) / "source"
        crops.mkdir()
        source.mkdir()
        repository = build_model_repo(Path(place) / "repository", root=with_int8(source))
        ours = write_crops(detector, pictures_of_test(data), crops)
        rows = []
        for words, ways in (
            (with_optimum(), {"own": "transformers and Optimum"}),
            (with_node(), {"own": "transformers.js in Node.js", "resized": "the same with resize.mjs"}),
        ):
            answer = ask(words, repository, crops)
            rows += [
                {
                    "name": name,
                    "versions": answer["versions"],
                    "same_label": agreement(ours, answer["scores"][way]),
                    "logits_difference": float(np.abs(np.array(answer["logits"]["fp32"]) - some(ours)).max()),
                }
                for way, name in ways.items()
            ]
    return {"model_sha256": detector.model.sha256, "pictures": len(ours), "clients": rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    report = measure(parser.parse_args().data)
    REPORT.parent.mkdir(exist_ok=True)
    write_text(REPORT, json.dumps(report, indent=1) + "\n")
    update_readme(ROOT / "README.md", "clients", clients_markdown(report))
    print(clients_markdown(report))
