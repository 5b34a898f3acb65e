"""The folder that becomes the model repository on the Hub."""

import json
import re
import shutil
from argparse import ArgumentParser
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from deepfake_detect.model.onnx_model import Model
from export import ExportError
from export.card import ROOT, add_names, card_text, find
from export.clients import NAME
from export.configs import model_config, preprocessor_config
from export.evaluation import SPLITS
from export.folders import copy, whole_folder
from export.sources import licence_text

INT8 = "model_int8.onnx"
SAME = ("labels", "size", "crop_margin", "resampling", "looks", "recipe_sha256", "data_sha256")  # of both model files
FLOAT_SHA256 = "float_sha256"  # the int8 file's property that names the float32 file it was made from


def build_model_repo(out: Path, name: str = NAME, space: str | None = None, root: Path = ROOT) -> Path:
    """Make the folder of the model repository.

    model.onnx, onnx/model.onnx (the same bytes), onnx/model_quantized.onnx, config.json, preprocessor_config.json,
    resize.mjs, README.md (the model card), LICENSE.md, reports/ as far as the card shows or links them, and
    manifest.json. It is made beside `out` and renamed, so it is whole or not there.

    Args:
        out: the folder; one that this made earlier, and nobody has changed since, is replaced.
        name: of the repository, "owner/name", for the card's snippets.
        space: of the Space, likewise; without it the card does not speak of one.
        root: the project's folder.

    Returns:
        `out`.

    Raises:
        ExportError: the int8 file is missing or of another network, a report does not fit, or `out` is taken.
        ModelError: a model file cannot serve.
    """
    found = find(root)
    card = card_text(found, name, space)
    reports = [
        path.relative_to(root).as_posix()
        for split in SPLITS
        for path in sorted((root / "reports" / "shipped" / split).iterdir())
        if path.suffix in (".json", ".md", ".png")
    ]
    with whole_folder(out, "config.json") as folder:
        copy(root, folder, ["model.onnx", *reports, *linked(card)])
        write_client_files(folder, root, found.model)
        write_text(folder / "README.md", card)
        write_text(folder / "LICENSE.md", licence_text(found.audit["balance"]) + "\n")
    return out


def write_client_files(folder: Path, root: Path, model: Model) -> None:
    """Write what other libraries read: onnx/, config.json, preprocessor_config.json and resize.mjs. No report is asked.

    Args:
        folder: a folder without them.
        root: the project's folder.
        model: its model.onnx.

    Raises:
        ExportError: the int8 file is missing or of another network.
        ModelError: the int8 file cannot serve.
    """
    check_int8(root, model)
    (folder / "onnx").mkdir()
    for source, target in (
        (model.path, "onnx/model.onnx"),
        (root / INT8, "onnx/model_quantized.onnx"),
        (Path(__file__).with_name("resize.mjs"), "resize.mjs"),
    ):
        shutil.copyfile(source, folder / target)
    for file, values in (
        ("config.json", model_config(model.metadata)),
        ("preprocessor_config.json", preprocessor_config(model.metadata)),
    ):
        write_text(folder / file, json.dumps(values, indent=2) + "\n")


def check_int8(root: Path, model: Model) -> None:
    """Raise ExportError unless the project has an int8 file that was made from this model, its model.onnx."""
    file = root / INT8
    if not file.is_file():
        raise ExportError(f"There is no {INT8} beside model.onnx. Make it with `python -m export quantize`.")
    int8 = Model(file)
    differ = [key for key in SAME if getattr(model.metadata, key) != getattr(int8.metadata, key)]
    properties = int8.sessions[0].get_modelmeta().custom_metadata_map
    if properties.get(FLOAT_SHA256) != json.dumps(model.sha256):  # the network itself, whatever its metadata say
        differ.append(FLOAT_SHA256)
    if differ:
        raise ExportError(
            f"{INT8} was not made from model.onnx: {', '.join(differ)} {'does' if len(differ) == 1 else 'do'} not fit. "
            "Run `python -m export quantize`."
        )


def linked(text: str) -> list[str]:
    """The files in reports/ that a Markdown text shows or links."""
    return sorted(set(re.findall(r"\]\((reports/[^)#]+)\)", text)))


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `python -m export repository`."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    add_names(parser)
