"""The shipped model's row of an earlier comparison, anew: the others' figures do not depend on it."""

import json
from pathlib import Path

import onnx
from threadpoolctl import threadpool_limits

from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import Model, probability
from train.compare import (
    ROUNDS,
    THREADS,
    Contender,
    Converter,
    latency,
    logits_of,
    measure,
    shipped_contender,
    split_crops,
)
from train.data import DataError, Folders, data_sha256, folders_of, read_samples
from train.network import build
from train.recipe import Recipe
from train.timing import machine


def measured_again(recipe: Recipe, data: Folders, out: Path, model: Path, to_onnx: Converter) -> dict:
    """OUT/compare.json with the shipped model measured anew on the same test pictures.

    Its time is taken in turns with that of the paper's network, whose weights do not matter for it, and stated in the
    milliseconds of the machine on which the others were timed: as so many times those of the paper's network.

    Args:
        recipe: the paper's.
        data: of the earlier comparison.
        out: its folder.
        model: the shipped ONNX file.
        to_onnx: see `train.compare_command.run`.

    Raises:
        DataError: there is no earlier comparison, or it is of other data or of another recipe.
        ModelError: the shipped model cannot serve.
    """
    file = out / "compare.json"
    if not file.is_file():
        raise DataError(f"{file} is not there; compare without --shipped-only first.")
    report = json.loads(file.read_text(encoding="utf-8"))
    folders = tuple(folder.resolve() for folder in folders_of(data))
    samples = read_samples(folders, recipe.seed, needed=("test",))
    found = data_sha256(folders, samples)
    if (found, recipe.sha256) != (report["data_sha256"], report["recipe_sha256"]):
        raise DataError(f"{file} is of other data, or of another recipe; compare without --shipped-only.")
    shipped = Model(model)
    crops = split_crops(
        samples, "test", shipped.metadata.crop_margin, shipped.metadata.resampling, out / "shipped" / "crops"
    )
    contender = shipped_contender(shipped, crops, found)
    paper_file = out / "models" / "paper_untrained.onnx"
    paper_file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(build(recipe), recipe.size), paper_file)
    logits = logits_of(paper_file)
    paper = Contender(crops, recipe.size, pixel_values, lambda values: probability(logits(values), 1.0), {})
    with threadpool_limits(THREADS):
        beside, own = latency([paper, contender])
    before = next(row["milliseconds"] for row in report["models"] if row["name"] == recipe.name)
    row = measure(contender) | {"milliseconds": before * own / beside}
    report["models"] = [row if one["name"] == "shipped" else one for one in report["models"]]
    report["shipped_again"] = {"times_paper": own / beside, "rounds": ROUNDS, "machine": machine()}
    return report
