"""What each part of a recipe is worth: short runs that differ in one thing, measured on val and cross."""

import csv
import json
import re
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from detect.files import whole_file, write_text
from detect.model import probability
from train.batches import Batches
from train.crops import Framing, cached_crops
from train.data import DataError, Sample, data_sha256, read_samples
from train.fit import Run, fit
from train.metrics import figures_by_source
from train.network import WeightsError, build
from train.recipe import Recipe, load_recipe
from train.report import check_marks, figure, update_readme
from train.timing import seconds, timed

SHORT_SIZE = 96
MEASURED = (("val", "clean"), ("val", "web"), ("val", "hard"), ("cross", "clean"), ("cross", "hard"))


def variants(recipe: Recipe, epochs: int) -> dict[str, Recipe]:
    """The recipe, shortened and at 96 px, and the same with one thing changed each, where that is a change."""
    peak, last = max(recipe.learning_rate.values()), recipe.rate(recipe.epochs)
    rates = {0: peak, epochs - 1: last} if epochs > 1 else {0: peak}
    short = {"epochs": epochs, "size": SHORT_SIZE, "sizes": None, "learning_rate": rates}
    head = load_recipe("paper").head
    changes = {
        "shortened": {},
        "frozen backbone, the paper's head": {"frozen": True, "head": head, "learning_rate": {0: 1e-3}},
        f"at {recipe.size} px": {"size": recipe.size},
        "no degradation": {"degrade": None},
        "no self-blending": {"sampling": recipe.sampling.model_copy(update={"self_blend": 0.0})},
        "drawn as the data is": {"sampling": None},
    }
    first = recipe.model_copy(update=short)
    changed = {name: first.model_copy(update=change) for name, change in changes.items()}
    return {name: variant for name, variant in changed.items() if name == "shortened" or variant != first}


def ablate(recipe: Recipe, epochs: int, data: Path, weights: str | Path, out: Path) -> list[dict]:
    """Train every variant (each goes on where it was cut off) and measure it.

    Returns:
        Per variant: name, minutes of training (without finding the faces), epochs, and under "val clean", "val web",
        "val hard", "cross clean", "cross hard" what `figures_by_source` gives at p(fake) = 0.5, calibrated on val.

    Raises:
        DataError: the data or the weights cannot be used.
    """
    samples = read_samples(data, recipe.seed, needed=("train", "val", "cross"))
    for split in ("train", "val"):  # found before the clock runs; all variants frame faces alike
        Run(out, recipe, data.resolve(), "", "", out / "crops").crops(split, read_samples(data.resolve(), recipe.seed))
    rows = []
    for name, variant in variants(recipe, epochs).items():
        folder = out / "runs" / re.sub(r"\W+", "_", name)
        folder.mkdir(parents=True, exist_ok=True)
        print(name)
        clock = folder / "seconds.json"
        if not (folder / "calibration.json").is_file():
            with timed(clock):
                fit(variant, data, weights, folder, out / "crops")
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
        logits = model.predict(Batches(crops, 64, run.recipe.size), verbose=0)
        p_fake = probability(logits, run.calibration["temperature"])
        figures[f"{split} {tier}"] = figures_by_source(p_fake, crops.labels, np.array(crops.sources), False)
    return figures


def ablation_markdown(report: dict) -> str:
    """The table, with what was measured on what under it."""
    places = [f"{split} {tier}" for split, tier in MEASURED]
    lines = [
        f"| short runs, {report['epochs']} epochs at {SHORT_SIZE} px | minutes | "
        + " | ".join(f"AUC {place}" for place in places)
        + " | balanced accuracy val clean | val hard |",
        "|" + "---|" * (4 + len(places)),
    ]
    for row in report["rows"]:
        auc = [figure("auc", row[place]["macro"]["auc"]) for place in places]
        right = [figure("accuracy", row[f"val {tier}"]["macro"]["balanced_accuracy"]) for tier in ("clean", "hard")]
        minutes = f"{row['minutes']:.0f}"
        lines.append(f"| {' | '.join([row['name'], minutes, *auc, *right])} |")
    lines += [
        "",
        f"Means over sources, at one seed. The first run is `{report['recipe']}` shortened; each other differs from it "
        "in one thing, and the frozen one also in its learning rate. Chosen on val; the test split was not looked at. "
        "Minutes are of this machine at that hour.",
    ]
    return "\n".join(lines) + "\n"


def draw_ablation(report: dict, path: Path) -> None:
    """AUC of every variant on val and cross, as a PNG."""
    rows = report["rows"]
    canvas = Figure(figsize=(8, 1.2 + 0.55 * len(rows)), layout="constrained")
    axis = canvas.subplots()
    marks = (("val clean", "o", "#0072b2"), ("val hard", "^", "#d55e00"), ("cross clean", "s", "#009e73"))
    for place, marker, colour in marks:
        axis.plot([row[place]["macro"]["auc"] for row in rows], range(len(rows)), marker, color=colour, label=place)
    axis.set(yticks=range(len(rows)), yticklabels=[row["name"] for row in rows], xlabel="AUC, mean of sources")
    axis.grid(axis="x", color="0.9")
    axis.invert_yaxis()
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))  # beside the points, which it would cover
    with whole_file(path) as partial:
        canvas.savefig(partial, dpi=110, format="png")


def run(recipe: Recipe, epochs: int, data: Path, weights: str | Path, out: Path, readme: Path | None) -> int:
    """The command `python -m train ablate`; returns its exit status."""
    if recipe.sampling is None or recipe.degrade is None:
        raise DataError(f"{recipe.name} has no sampling or no degrade to leave out; give a recipe that has.")
    if epochs < 1:
        raise DataError("--epochs must be 1 or more.")
    if readme:
        check_marks(readme, "ablation")
    out.mkdir(parents=True, exist_ok=True)
    try:
        rows = ablate(recipe, epochs, data, weights, out)
    except WeightsError as error:
        raise DataError(str(error)) from None
    report = {"recipe": recipe.name, "recipe_sha256": recipe.sha256, "epochs": epochs}
    report |= {"data_sha256": data_sha256(data.resolve(), read_samples(data.resolve(), recipe.seed))}
    report |= {"keras": keras.__version__, "rows": rows}
    print(ablation_markdown(report))
    draw_ablation(report, out / "ablation.png")
    write_text(out / "ablation.md", ablation_markdown(report))
    write_text(out / "ablation.json", json.dumps(report, indent=1) + "\n")
    if readme:
        update_readme(readme, "ablation", ablation_markdown(report))
    return 0
