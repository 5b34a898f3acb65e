"""What each part of a recipe is worth: short runs that differ in one thing, measured on val and cross."""

import csv
import re
from pathlib import Path

import keras
import numpy as np

from deepfake_detect.model.onnx_model import probability
from train.ablation_report import MEASURED, ablation_markdown, draw_ablation, variants
from train.batches import Batches
from train.crops import Framing, cached_crops
from train.data import DataError, Folders, Sample, data_sha256, folders_of, read_samples
from train.epoch import outputs_of
from train.fit import fit
from train.metrics import figures_by_source
from train.network import WeightsError, build
from train.recipe import Recipe
from train.report import check_marks, update_docs, write_report
from train.run import Run
from train.timing import seconds, timed


def ablate(recipe: Recipe, epochs: int, views: int | None, data: Folders, weights: str | Path, out: Path) -> list[dict]:
    """Train every variant (each goes on where it was cut off) and measure it.

    Returns:
        Per variant: name, minutes of training (without finding the faces), epochs, and under "val clean", "val web",
        "val hard", "cross clean", "cross hard" what `figures_by_source` gives at p(fake) = 0.5, calibrated on val.

    Raises:
        DataError: the data or the weights cannot be used.
    """
    samples = read_samples(data, recipe.seed, needed=("train", "val", "cross"))
    folders = tuple(folder.resolve() for folder in folders_of(data))
    rows = []
    for name, variant in variants(recipe, epochs, views).items():
        folder = out / "runs" / re.sub(r"\W+", "_", name)
        folder.mkdir(parents=True, exist_ok=True)
        print(name)
        clock = folder / "seconds.json"
        if not (folder / "calibration.json").is_file():
            alike = Framing.of(variant, "train") == Framing.of(recipe, "train")
            cache = out / "crops" if alike else folder / "crops"  # lest one variant find the others' faces anew
            for split in ("train", "val"):  # before the clock runs
                Run(out, variant, folders, "", "", cache).crops(split, read_samples(folders, recipe.seed))
            with timed(clock):
                fit(variant, data, weights, folder, cache)
        run = Run.load(folder)
        with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
            done = len(list(csv.DictReader(file)))
        rows.append(
            {
                "name": name,
                "minutes": seconds(clock) / 60,
                "epochs": done,
                **_measure(run, samples, out / "crops"),
            }
        )
    return rows


def _measure(run: Run, samples: list[Sample], cache: Path) -> dict[str, dict]:
    model = build(run.recipe)
    model.load_weights(run.best_weights)
    figures = {}
    for split, tier in MEASURED:
        chosen = [sample for sample in samples if sample.split == split]
        framing = Framing(run.recipe.crop_margin, 0.0, tier)
        crops = cached_crops(chosen, framing, run.recipe.resampling, cache, f"{split}_{tier}")
        batches = Batches(crops, 64, run.recipe.size)
        logits = np.concatenate([outputs_of(model, batches[n][0])["logits"] for n in range(len(batches))])
        p_fake = probability(logits, run.calibration["temperature"])
        figures[f"{split} {tier}"] = figures_by_source(p_fake, crops.labels, np.array(crops.sources), False)
    return figures


def run(
    recipe: Recipe,
    epochs: int,
    views: int | None,
    data: Folders,
    weights: str | Path,
    out: Path,
    docs: Path | None,
) -> int:
    """The command `python -m train ablate`; returns its exit status."""
    if recipe.sampling is None or recipe.degrade is None:
        raise DataError(f"{recipe.name} has no sampling or no degrade to leave out; give a recipe that has.")
    if epochs < 1:
        raise DataError("--epochs must be 1 or more.")
    if views is not None and views < 1:
        raise DataError("--views must be 1 or more.")
    if docs:
        check_marks(docs, "ablation")
    out.mkdir(parents=True, exist_ok=True)
    try:
        rows = ablate(recipe, epochs, views, data, weights, out)
    except WeightsError as error:
        raise DataError(str(error)) from None
    report = {"recipe": recipe.name, "recipe_sha256": recipe.sha256, "epochs": epochs}
    report |= {"views": views or recipe.views_per_epoch}
    report |= {"data_sha256": data_sha256(data, read_samples(data, recipe.seed))}
    report |= {"keras": keras.__version__, "rows": rows}
    print(ablation_markdown(report))
    draw_ablation(report, out / "ablation.png")
    write_report(out, "ablation", report, ablation_markdown(report))
    if docs:
        update_docs(docs, "ablation", ablation_markdown(report))
    return 0
