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

import numpy as np

from bench.pictures import folder_of
from bench.serving import ROOT
from bench.timing import in_turns, median_ms
from train.crops import Crops, Framing, cached_crops
from train.data import Sample
from train.recipe import Recipe, load_recipe

RECIPES = ("shipped", "paper")
PICTURES = 64  # of each class
MEGAPIXELS = 0.1  # faces are then kept at 130 to 320 pixels a side, about as those of research pictures
ROUNDS, FEATURE_ROUNDS, WARM_UP = 15, 5, 1  # one step of VGG takes seconds

Step = Callable[[np.ndarray, np.ndarray], object]  # takes pixel values [B, S, S, 3] in 0..1 and labels [B]


def measure() -> list[dict]:
    """In a process of its own, whose memory and threads TensorFlow may have."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    words = [sys.executable, "-m", "bench.training"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=quiet)
    return json.loads(done.stdout.splitlines()[-1])


def in_this_process() -> list[dict]:
    """The networks one after another; of each, steps with and without the pipeline in turns."""
    from train.backbones import BACKBONES

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        samples = _samples(Path(folder))
        for name in RECIPES:
            recipe = load_recipe(name)
            framing = Framing.of(recipe, "train")
            with redirect_stdout(sys.stderr):
                crops = cached_crops(samples, framing, recipe.resampling, Path(folder, name), "train")
            for epoch in phases(recipe):
                title = f"mobilenet_v2, recipe {name}, from epoch {epoch + 1} on"
                rows.append(_row(title, _mobilenet(recipe, epoch), crops, recipe, epoch, ROUNDS))
        for name in BACKBONES:  # with the paper's recipe, which came last
            rows.append(_row(f"{name}, its features", _features(name, recipe), crops, recipe, 0, FEATURE_ROUNDS))
    return [
        {
            "name": "steps",
            "title": f"Training steps with the input pipeline and on one batch that is kept in memory, median of "
            f"{ROUNDS} rounds in turns, of {FEATURE_ROUNDS} for features",
            "columns": ["network", "pixels a side", "pictures a step", "pictures/s", "step, ms",
                        "step on a batch in memory, ms", "making a batch alone, ms", "share lost"],
            "rows": rows,
        }
    ]  # fmt: skip


def _samples(folder: Path) -> list[Sample]:
    """The same portraits as real ones and as fakes: what a picture shows makes no step longer."""
    classes = ((label, folder_of(folder / str(label), PICTURES, MEGAPIXELS)) for label in (0, 1))
    return [Sample(file, label, "train", "", "") for label, files in classes for file in sorted(files.iterdir())]


def phases(recipe: Recipe) -> list[int]:
    """Epochs, counted from 0, from which on crops of another size are trained on, or other layers."""
    kinds = [(recipe.train_size(epoch), recipe.first_trained(epoch)) for epoch in range(recipe.epochs)]
    return [epoch for epoch, kind in enumerate(kinds) if epoch == 0 or kind != kinds[epoch - 1]]


def _mobilenet(recipe: Recipe, epoch: int) -> Step:
    from train.fit import compile_model
    from train.network import build

    model = build(recipe, None, epoch)
    compile_model(model, recipe, epoch)
    return model.train_on_batch


def _features(name: str, recipe: Recipe) -> Step:
    """Most of the training of a frozen backbone that is compared, see `train.backbones`; the head sees no pictures."""
    from train.backbones import feature_extractor

    model, _ = feature_extractor(name, recipe.size, None)
    return lambda pixels, labels: model.predict_on_batch(pixels)


def _row(title: str, step: Step, crops: Crops, recipe: Recipe, epoch: int, rounds: int) -> list:
    import keras

    from train.batches import Batches

    batches = Batches(crops, recipe.batch_size, recipe.train_size(epoch), recipe, epoch)
    numbers, kept = cycle(range(len(batches))), batches[0]
    work = {
        "fed": lambda: step(*batches[next(numbers)]),
        "on a batch in memory": lambda: step(*kept),
        "making a batch": lambda: batches[next(numbers)],
    }
    fed, alone, made = map(median_ms, in_turns(work, rounds, WARM_UP).values())
    keras.utils.clear_session()
    size, count = batches.size, batches.batch_size
    return [title, size, count, round(1000 * count / fed, 1), fed, alone, made, round(1 - alone / fed, 3)]


if __name__ == "__main__":
    print(json.dumps(in_this_process()))
