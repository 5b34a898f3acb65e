"""The end of a training: how its network looks at a face, and what its numbers mean, from val."""

import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from deepfake_detect.atomic_files import write_text
from deepfake_detect.model.onnx_model import Outputs
from train.calibrate import asked_by, calibrate
from train.data import DataError, Folders, Sample, data_sha256, read_samples
from train.epoch import outputs_of
from train.looks import Cutting, candidates, chosen, look_at, unseen_outputs
from train.network import build
from train.recipe import Recipe, RecipeError, load_recipe
from train.run import Run


def calibrate_run(run: Run, samples: list[Sample], recipe: Recipe | None = None) -> dict:
    """Choose the looks of a run's best weights on val, calibrate their mean, and write calibration.json.

    Args:
        run: with its best weights.
        samples: its data.
        recipe: gives what is asked of the unsure band and the tier of val; by default the run's own.

    Returns:
        What is written: see `train.calibrate.calibrate`; "looks", see `deepfake_detect.model.onnx_model.Looks`;
        "candidates", see `train.looks.candidates`; "split", "tier", and "asked" of the band.

    Raises:
        DataError: val has no readable picture of one class.
    """
    recipe = recipe or run.recipe
    model = build(run.recipe)
    model.load_weights(run.best_weights)
    tier = recipe.tier or "clean"
    cutting = Cutting(recipe.crop_margin, recipe.size, recipe.resampling, tier)
    looked = look_at([sample for sample in samples if sample.split == "val"], cutting, _network(model))
    rows, asked = candidates(looked), asked_by(recipe)
    looks = chosen(rows)
    unseen = unseen_outputs(samples, asked, cutting, _network(model), looks)
    values = calibrate(looked.mean(looks), looked.labels, looked.kinds, asked, unseen) | {
        "looks": {"framings": list(looks.framings), "mirrored": looks.mirrored},
        "candidates": rows,
        "split": "val",
        "tier": tier,
        "asked": asdict(asked),
    }
    write_text(run.folder / "calibration.json", json.dumps(values, indent=2) + "\n")
    if values["unsure_band"] == [0.0, 1.0]:
        print("On val no band holds what the recipe asks on enough pictures: this model will always answer “Not sure”.")
    return values


def _network(model: keras.Model):
    def outputs(crops: np.ndarray) -> Outputs:
        given = outputs_of(model, crops.astype(np.float32) / np.float32(255))
        return Outputs(given["logits"], given.get("kinds"))

    return outputs


def recalibrate(folder: Path, data: Folders | None = None) -> dict:
    """Calibrate a run that has ended, or has weights, again: `calibrate_run`, with what the recipe of the same name
    asks of the band by now, if it is the same recipe otherwise.

    Args:
        folder: of the run.
        data: where its data is now; by default where it was.

    Raises:
        DataError: no such run, it has no weights yet, or its data has changed.
    """
    run = Run.load(folder)
    if not run.best_weights.is_file():
        raise DataError(f"{folder} has not finished its first epoch.")
    samples = read_samples(data or run.data, run.recipe.seed)
    if data_sha256(data or run.data, samples) != run.data_sha256:
        raise DataError(f"This is not the data that {folder} was trained on.")
    try:
        now = load_recipe(run.recipe.name)
    except RecipeError:  # a recipe of somebody's own file
        now = run.recipe
    values = calibrate_run(run, samples, now if now.sha256 == run.recipe.sha256 else run.recipe)
    print(calibration_text(values))
    return values


def calibration_text(values: dict) -> str:
    """What was fitted, for people."""
    low, high = values["unsure_band"]
    lines = []
    for row in values["candidates"]:
        framings = " ".join(f"{framing:g}" for framing in row["framings"]) + ", mirrored" * row["mirrored"]
        figures = f"mean AUC {row['auc']:.4f}, worst kind {row['worst_auc']:.4f}, log loss {row['log_loss']:.4f}"
        lines.append(f"{'*' if row['chosen'] else ' '} {row['looks']} looks, {framings}: {figures}")
    alarms = [f"{kind} {found['false_alarms']:.3f}" for kind, found in values["photographs"].items()]
    lines.append(f"temperature {values['temperature']:.3f}, unsure between {low:.2f} and {high:.2f}")
    if alarms:
        lines.append(f"photographs called fake: {', '.join(alarms)}")
    if "kinds" in values:
        named = [f"{name} from {least:.2f}" for name, least in values["kinds"]["least"].items()]
        lines.append(f"kinds that are named: {', '.join(named) or 'none'}")
    return "\n".join(lines)
