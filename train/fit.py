"""Training: data, model, fit, calibrate. A run is a folder; calling `fit` again on it goes on where it stopped.

runs/NAME/run.json             recipe, data and versions; holds later calls to the same run
runs/NAME/crops/               faces
runs/NAME/removed.csv          what was left out of train because another split holds it, where the recipe asks for that
runs/NAME/history.csv          loss, accuracy and learning rate per epoch
runs/NAME/curves.png           the same as a picture
runs/NAME/val.csv              AUC and false alarms on val per epoch, by kind and by source, of a recipe with kinds
runs/NAME/state/               weights, optimizer and average of the weights after the last finished epoch
runs/NAME/best.weights.h5      weights of the chosen epoch: the last, or the one of the lowest validation loss
runs/NAME/calibration.json     looks, temperature, unsure band and kinds, from val, see train.recalibrate; the last
"""

import json
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from deepfake_detect.atomic_files import write_text
from train.average import Average
from train.batches import Batches
from train.calibrate import needed_splits
from train.checkpoint import Checkpoint, read_checkpoint
from train.crops import Crops
from train.curves import draw_curves
from train.data import DataError, Folders, data_sha256, folders_of, read_samples
from train.epoch import Progress, Rates, run_epoch, seed_layers
from train.network import build, save_weights, weights_sha256
from train.recalibrate import calibrate_run, calibration_text
from train.recipe import Recipe
from train.run import COLUMNS, Run
from train.validation import note_epoch


def fit(
    recipe: Recipe,
    data: Folders,
    weights: str | Path,
    out: Path,
    cache: Path | None = None,
    resume_from: Path | None = None,
) -> Run:
    """Train a recipe's network on the train split of a data folder, choosing the epoch on val.

    Same seed, same data, same machine: same weights, also after any number of kills and resumptions.

    Args:
        recipe: see train/recipes.
        data: see `train.data.read_samples`.
        weights: of the backbone, see `train.network.build`.
        out: the run's folder.
        cache: folder of faces that several runs share; without it they are kept in the run's folder.
        resume_from: a checkpoint that `train.checkpoint.write_checkpoint` made of a run of the same network: a run that
            has not begun goes on after its epochs, with this recipe, which may differ in all but the network.

    Raises:
        DataError: the data cannot be used, `out` holds another run, or the loss is no longer a number.
        WeightsError: the backbone's weights cannot be had.
        RecipeError: the recipe keeps a layer that is not there.
    """
    folders = tuple(folder.resolve() for folder in folders_of(data))  # so that the cache is found again from anywhere
    samples = read_samples(folders, recipe.seed, needed=needed_splits(recipe))
    run = Run(out, recipe, folders, data_sha256(folders, samples), weights_sha256(weights), cache)
    begun = _has_begun(run)
    for epoch in recipe.first_trained_layer or {}:
        build(recipe, None, epoch)  # lest a layer that is not there be found out when its epoch comes
    keras.utils.set_random_seed(recipe.seed)
    if resume_from is not None and not begun:
        _begin_from(run, read_checkpoint(resume_from, recipe))
        begun = True
    history = run.history()
    model = _model(run, history, weights)  # before the faces are cut, lest a wrong file cost minutes
    if not begun:
        _begin(run)
    train, val = run.crops("train", samples), run.crops("val", samples)
    _train(run, model, train, val, history)

    print(f"{out}: done\n{calibration_text(calibrate_run(run, samples))}")
    return run


def _has_begun(run: Run) -> bool:
    """Whether the folder holds this run already. Raises DataError where it holds another one."""
    if not (run.folder / "run.json").is_file():
        return False
    begun = Run.load(run.folder)
    # Data may have moved, if it is still the same; and what is asked of the band may have changed
    same = replace(begun, data=run.data, recipe=run.recipe) == run and begun.recipe.sha256 == run.recipe.sha256
    if not same:
        raise DataError(
            f"{run.folder} holds a run of another recipe, other data or other weights. Choose another --out, or "
            "delete it."
        )
    return True


def _begin(run: Run, checkpoint: Checkpoint | None = None) -> None:
    values = {
        "recipe": run.recipe.model_dump(),
        "recipe_sha256": run.recipe.sha256,
        "data": [str(folder) for folder in run.data],
        "data_sha256": run.data_sha256,
        "weights_sha256": run.weights_sha256,
        "keras": keras.__version__,
        "backend": keras.config.backend(),
        "python": platform.python_version(),
    }
    if checkpoint:
        values["resumed_from"] = checkpoint.facts
    (run.folder / "state").mkdir(parents=True, exist_ok=True)
    write_text(run.folder / "run.json", json.dumps(values, indent=2) + "\n")


def _begin_from(run: Run, checkpoint: Checkpoint) -> None:
    """Make a run as if it had trained the checkpoint's epochs itself, but for the optimizer, which begins anew."""
    done = len(checkpoint.history)
    if done >= run.recipe.epochs:
        raise DataError(f"The checkpoint has trained {done} epochs, and the recipe ends after {run.recipe.epochs}.")
    model = build(run.recipe, None, done)
    checkpoint.load_weights(model)
    compile_model(model, run.recipe, done)
    model.optimizer.build(model.trainable_variables)
    (run.folder / "state").mkdir(parents=True, exist_ok=True)
    run.write_history(checkpoint.history)
    if run.recipe.average:
        shutil.copyfile(checkpoint.average, run.average(done))
    save_weights(model, run.state(done))
    _begin(run, checkpoint)


def _model(run: Run, history: list[dict], weights: str | Path | None = None) -> keras.Model:
    """The network for the epoch after `history`, compiled, as the last epoch left it."""
    recipe = run.recipe
    epoch = min(len(history), recipe.epochs - 1)
    model = build(recipe, None if history else weights, epoch)
    anew = history and recipe.first_trained(epoch) != recipe.first_trained(len(history) - 1)
    if anew:  # fewer weights are trained: the optimizer begins again, the file's state of it is not read
        model.load_weights(run.state(len(history)))
    compile_model(model, recipe, epoch)
    if history and not anew:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(run.state(len(history)))
    return model


def compile_model(model: keras.Model, recipe: Recipe, epoch: int) -> None:
    """Give a network the recipe's optimizer, at the rate of an epoch counted from 0, and the loss."""
    rate, decay = recipe.rate(epoch), recipe.weight_decay
    optimizer = keras.optimizers.AdamW(rate, decay) if decay else keras.optimizers.Adam(rate)
    loss = _smoothed_loss(recipe.label_smoothing)
    loss = _with_consistency(loss, recipe.consistency) if recipe.consistency else loss
    if recipe.kinds is None:
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
        return
    losses = {"logits": loss, "kinds": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    weights = {"logits": 1.0, "kinds": recipe.kinds}
    model.compile(optimizer=optimizer, loss=losses, loss_weights=weights, metrics={"logits": ["accuracy"]})


def _smoothed_loss(smoothing: float | None) -> Callable:
    if smoothing is None:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        """[B] of 0 and 1, [B, 2] -> [B]"""
        right = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), 2)
        return keras.losses.categorical_crossentropy(right, logits, from_logits=True, label_smoothing=smoothing)

    return loss


def _with_consistency(loss: Callable, weight: float) -> Callable:
    """The loss, and how far the two views of every picture are from each other, which stand side by side in a batch."""

    def both(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        """[B] of 0 and 1, [B, 2] -> [B]"""
        pairs = keras.ops.reshape(logits[:, 1] - logits[:, 0], (-1, 2))
        apart = keras.ops.square(pairs[:, 0] - pairs[:, 1])
        return keras.ops.reshape(loss(labels, logits), (-1,)) + weight * keras.ops.repeat(apart, 2)

    return both


def _train(run: Run, model: keras.Model, train: Crops, val: Crops, history: list[dict]) -> None:
    """Epoch by epoch, each ending with a state on disk. Early stopping is a function of the history alone."""
    recipe = run.recipe
    if history:
        print(f"going on after epoch {len(history)} of {recipe.epochs}")
        run.forget_before(len(history))  # a kill may have come between the last state and this
    schedule = Rates(recipe)
    average = recipe.average and Average(recipe.average, run.average(len(history)) if history else None)
    for epoch in range(len(history), recipe.epochs):
        if _patience_is_over(recipe, history):
            print(f"early stopping after epoch {epoch}")
            break
        size = recipe.train_size(epoch)
        phases = [(recipe.train_size(e), recipe.first_trained(e)) for e in (max(0, epoch - 1), epoch)]
        if history and phases[0] != phases[1]:
            model = _model(run, history)
        seed_layers(model, recipe.seed, epoch)
        batches = Batches(train, recipe.batch_size, size, recipe, epoch)
        callbacks = keras.callbacks.CallbackList(
            [schedule, Progress(), *([average] if average else [])],
            add_progbar=True,
            model=model,
            epochs=recipe.epochs,
            steps=len(batches),
            verbose=1 if sys.stdout.isatty() else 2,
        )
        row = run_epoch(model, batches, Batches(val, recipe.batch_size, size), epoch, callbacks)
        if recipe.kinds:
            note_epoch(run.folder / "val.csv", epoch + 1, val, row["val_logits"])
        if not np.isfinite(row["val_loss"]):
            raise DataError(f"The loss of epoch {epoch + 1} is not a number: the learning rate is too high.")
        history.append({name: row[name] for name in COLUMNS if name in row} | {"epoch": epoch + 1})
        _save_epoch(run, model, history, average)


def _save_epoch(run: Run, model: keras.Model, history: list[dict], average: Average | None) -> None:
    """The state goes last: until it is there, the epoch has not happened and is done again."""
    sizes = [run.recipe.train_size(row["epoch"] - 1) for row in history]
    rivals = [row["val_loss"] for row, size in zip(history, sizes, strict=True) if size == sizes[-1]]
    if run.recipe.choose == "last" or rivals[-1] == min(rivals):
        with average.applied(model) if average else nullcontext():
            save_weights(model, run.best_weights)
    run.write_history(history)
    draw_curves(history, run.folder / "curves.png")
    done = len(history)
    if average:
        average.save(run.average(done))
    save_weights(model, run.state(done))
    run.forget_before(done)


def _patience_is_over(recipe: Recipe, history: list[dict]) -> bool:
    if not (history and recipe.early_stopping):
        return False
    losses = [row[recipe.early_stopping.monitor] for row in history]
    return len(losses) - 1 - int(np.argmin(losses)) >= recipe.early_stopping.patience
