"""Other clients on the model repository's folder: what they are given, how they are run, how far they agree with us.

As a command (`make clients-report`), it writes reports/clients/clients.json:
.venv-test/bin/python -m scripts.clients --data DIR
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from deepfake_detect import Detector, open_picture
from deepfake_detect.atomic_files import write_text
from deepfake_detect.errors import ModelError
from deepfake_detect.face.crop import crop_box, cut, pixel_values
from deepfake_detect.model.scoring import BATCH
from export import ExportError
from export.clients import clients_markdown
from export.repository import write_client_files
from train.data import DataError, read_samples
from train.report import update_docs

SECONDS = 1800  # for one client, which loads a library and computes for a minute at most
ROOT = Path(__file__).resolve().parent.parent
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
        [*map(str, words), repository, crops, out], capture_output=True, text=True, timeout=SECONDS,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text())


class Missing(RuntimeError):
    """Something that a check asks for is not on this machine; the message says what to do."""


def optimum() -> list:
    """The command of the Python client; raises Missing."""
    if not PYTHON.is_file():
        raise Missing("transformers and Optimum are not installed: run `make clients`.")
    return [PYTHON, ROOT / "scripts" / "client_optimum.py"]


def javascript() -> str:
    """Node.js; raises Missing."""
    if found := shutil.which("node"):
        return found
    raise Missing("Node.js is not installed: install it with npm, and run `make clients`.")


def node() -> list:
    """The command of the Node.js client; raises Missing."""
    found = javascript()
    if not (NODE / "node_modules").is_dir():
        raise Missing("transformers.js is not installed: run `make clients`, with Node.js and npm.")
    return [found, NODE / "client.mjs"]


def agreement(ours: np.ndarray, scores: list) -> float:
    """Share of pictures with the same larger score."""
    return float((ours.argmax(1) == np.array(scores).argmax(1)).mean())


def measure(data: Path, root: Path = ROOT) -> dict:
    """How far the clients agree with `deepfake_detect` on every picture of the test split.

    Raises:
        Missing: a client is not installed.
        ExportError, ModelError, DataError: the model files or the pictures cannot be used.
    """
    commands = (
        (optimum(), {"own": "transformers and Optimum"}),
        (node(), {"own": "transformers.js in Node.js", "resized": "the same with resize.mjs"}),
    )
    detector = Detector(root / "model.onnx")
    with TemporaryDirectory() as place:
        crops, repository = Path(place) / "crops", Path(place) / "repository"
        crops.mkdir()
        repository.mkdir()
        write_client_files(repository, root, detector.model)  # the whole repository shows this very report
        ours = write_crops(detector, pictures_of_test(data), crops)
        rows = []
        for words, ways in commands:
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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        report = measure(args.data)
    except (DataError, ExportError, Missing, ModelError) as error:
        print(f"scripts.clients: {error}", file=sys.stderr)
        return 2
    REPORT.parent.mkdir(exist_ok=True)
    write_text(REPORT, json.dumps(report, indent=1) + "\n")
    update_docs(ROOT / "docs" / "publishing.md", "clients", clients_markdown(report))
    print(clients_markdown(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
