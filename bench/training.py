"""Training with its input pipeline, and on one batch that is kept in memory: what the pipeline costs."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from itertools import cycle
from pathlib import Path

import keras
import numpy as np

from bench.pictures import folder_of
from bench.serving import ROOT
from bench.timing import in_turns, median_ms
from train.backbones import BACKBONES, feature_extractor
from train.batches import Batches
from train.crops import Crops, Framing, cached_crops
from train.data import Sample
from train.fit import compile_model
from train.network import build
from train.recipe import Recipe, load_recipe

RECIPES = ("shipped", "paper")
PICTURES = 64  # of each class
MEGAPIXELS = 0.1  # faces of 130 to 270 pixels, as in research pictures
ROUNDS, WARM_UP = 7, 1
FED, KEPT, MADE = "with the pipeline", "with one batch in memory", "a batch made"

Step = Callable[[np.ndarray, np.ndarray], object]  # takes pixel values [B, S, S, 3] in 0..1 and labels [B]


def measure() -> list[dict]:
    """In a process of its own, whose memory and threads TensorFlow may have."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    words = [sys.executable, "-m", "bench.training"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=quiet)
    return json.loads(done.stdout.splitlines()[-1])


def in_this_process() -> list[dict]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        samples = _samples(Path(folder))
        for name in RECIPES:
            recipe = load_recipe(name)
            with redirect_stdout(sys.stderr):
                crops = cached_crops(samples, Framing.of(recipe, "train"), recipe.resampling, Path(folder, name), "train")
            for epoch in _phases(recipe):
                title = f"mobilenet_v2, recipe {name}, from epoch {epoch + 1} on"
                rows.append(_row(title, _mobilenet(recipe, epoch), crops, recipe, epoch))
        rows += [_row(f"{name}, frozen", _features(name, recipe), crops, recipe, 0) for name in BACKBONES]  # the paper's
    return [
        {
            "name": "steps",
            "title": f"Training steps with the input pipeline and on one batch that is kept in memory, median of "
            f"{ROUNDS} rounds in turns",
            "columns": ["network", "pixels a side", "pictures a step", "pictures/s", "step, ms",
                        "step on a batch in memory, ms", "making a batch alone, ms", "share lost"],
            "rows": rows,
        }
    ]  # fmt: skip


def _samples(folder: Path) -> list[Sample]:
    """The same portraits as real ones and as fakes: what a picture shows makes no step longer."""
    classes = ((label, folder_of(folder / str(label), PICTURES, MEGAPIXELS)) for label in (0, 1))
    return [Sample(file, label, "train", "", "") for label, files in classes for file in sorted(files.iterdir())]


def _phases(recipe: Recipe) -> list[int]:
    """Epochs from which on crops of another size are trained on, or other layers."""
    kinds = [(recipe.train_size(epoch), recipe.first_trained(epoch)) for epoch in range(recipe.epochs)]
    return [epoch for epoch, kind in enumerate(kinds) if epoch == 0 or kind != kinds[epoch - 1]]


def _mobilenet(recipe: Recipe, epoch: int) -> Step:
    model = build(recipe, None, epoch)
    compile_model(model, recipe, epoch)
    return model.train_on_batch


def _features(name: str, recipe: Recipe) -> Step:
    """All but a few seconds of the training of these: their features are computed once, see `train.backbones`."""
    model, _ = feature_extractor(name, recipe.size, None)
    return lambda pixels, labels: model.predict_on_batch(pixels)


def _row(title: str, step: Step, crops: Crops, recipe: Recipe, epoch: int) -> list:
    batches = Batches(crops, recipe.batch_size, recipe.train_size(epoch), recipe, epoch)
    numbers, kept = cycle(range(len(batches))), batches[0]
    work = {
        FED: lambda: step(*batches[next(numbers)]),
        KEPT: lambda: step(*kept),
        MADE: lambda: batches[next(numbers)],
    }
    fed, alone, made = map(median_ms, in_turns(work, ROUNDS, WARM_UP).values())
    keras.utils.clear_session()
    size, count = batches.size, batches.batch_size
    return [title, size, count, round(1000 * count / fed, 1), fed, alone, made, round(1 - alone / fed, 3)]


if __name__ == "__main__":
    print(json.dumps(in_this_process()))
