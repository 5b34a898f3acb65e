"""The folder that becomes the model repository on the Hub."""

import json
import re
import shutil
from argparse import ArgumentParser
from pathlib import Path

from detect.files import write_text
from detect.model import Metadata, Model
from export import ExportError
from export.card import ROOT, add_name, card_text, find
from export.clients import NAME
from export.configs import model_config, preprocessor_config
from export.evaluation import SPLITS
from export.folders import copy, whole_folder
from export.sources import licence_text

INT8 = "model_int8.onnx"
SAME = ("labels", "size", "crop_margin", "resampling", "recipe_sha256", "data_sha256")  # of both model files


def build_model_repo(out: Path, name: str = NAME, space: str | None = None, root: Path = ROOT) -> Path:
    """Make the folder of the model repository.

    model.onnx, onnx/model.onnx (the same bytes), onnx/model_quantized.onnx, config.json, preprocessor_config.json,
    resize.mjs, README.md (the model card), LICENSE.md, reports/ as far as the card shows or links them, and
    manifest.json. It is made beside `out` and renamed, so it is whole or not there.

    Args:
        out: the folder; one that this made earlier, and nobody has changed since, is replaced.
        name: of the repository, "owner/name", for the card's snippets.
        space: of the Space; by default the same.
        root: the project's folder.

    Returns:
        `out`.

    Raises:
        ExportError: the int8 file is missing or of another network, a report does not fit, or `out` is taken.
        ModelError: a model file cannot serve.
    """
    found = find(root)
    metadata, card = found.metadata, card_text(found, name, space)
    check_int8(root, metadata)
    reports = [
        path.relative_to(root).as_posix()
        for split in SPLITS
        for path in sorted((root / "reports" / "shipped" / split).iterdir())
        if path.suffix in (".json", ".md", ".png")
    ]
    with whole_folder(out, root, "config.json") as folder:
        copy(root, folder, ["model.onnx", *reports, *linked(card)])
        (folder / "onnx").mkdir()
        for source, target in (
            (root / "model.onnx", "onnx/model.onnx"),
            (root / INT8, "onnx/model_quantized.onnx"),
            (Path(__file__).with_name("resize.mjs"), "resize.mjs"),
        ):
            shutil.copyfile(source, folder / target)
        for file, values in (
            ("config.json", model_config(metadata)),
            ("preprocessor_config.json", preprocessor_config(metadata)),
        ):
            write_text(folder / file, json.dumps(values, indent=2) + "\n")
        write_text(folder / "README.md", card)
        write_text(folder / "LICENSE.md", licence_text(found.audit["balance"]) + "\n")
    return out


def check_int8(root: Path, metadata: Metadata) -> None:
    """Raise ExportError unless the project has an int8 file of its model.onnx, which has this metadata."""
    file = root / INT8
    if not file.is_file():
        raise ExportError(f"There is no {INT8} beside model.onnx. Make it with `python -m export quantize`.")
    int8 = Model(file).metadata
    differ = [key for key in SAME if getattr(metadata, key) != getattr(int8, key)]
    if differ:
        raise ExportError(
            f"{INT8} was not made from model.onnx: they differ in {', '.join(differ)}. Run `python -m export quantize`."
        )


def linked(text: str) -> list[str]:
    """The files in reports/ that a Markdown text shows or links."""
    return sorted(set(re.findall(r"\]\((reports/[^)#]+)\)", text)))


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `python -m export repository`."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    add_name(parser)
