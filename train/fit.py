"""Training: data, model, fit, calibrate. A run is a folder; calling `fit` again on it goes on where it stopped.

runs/NAME/run.json             recipe, data and versions; holds later calls to the same run
runs/NAME/crops/               faces
runs/NAME/history.csv          loss, accuracy and learning rate per epoch
runs/NAME/curves.png           the same as a picture
runs/NAME/state/               weights, optimizer and average of the weights after the last finished epoch
runs/NAME/best.weights.h5      weights of the chosen epoch: the last, or the one of the lowest validation loss
runs/NAME/calibration.json     temperature and unsure band, from val; written last
"""

import csv
import json
import platform
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
import numpy as np

from detect.files import whole_file, write_text
from train.average import Average
from train.batches import Batches
from train.calibrate import calibrate
from train.crops import Crops, Framing, cached_crops
from train.curves import draw_curves
from train.data import DataError, data_sha256, read_samples
from train.network import build, save_weights, weights_sha256
from train.recipe import Recipe

COLUMNS = ("epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Run:
    """The folder of a run and what its run.json says."""

    folder: Path
    recipe: Recipe
    data: Path
    data_sha256: str
    weights_sha256: str  # of the backbone's file, or "imagenet"
    cache: Path | None = field(default=None, compare=False)  # of faces, where runs share one; else the run's own

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Read a run that `fit` has begun. Raises DataError where there is none."""
        file = Path(folder) / "run.json"
        if not file.is_file():
            raise DataError(f"{folder} is not the folder of a training run; make one with `python -m train fit`.")
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            recipe = Recipe.model_validate_json(json.dumps(values["recipe"]))
            return cls(Path(folder), recipe, Path(values["data"]), values["data_sha256"], values["weights_sha256"])
        except (ValueError, KeyError, TypeError):
            raise DataError(f"{file} was not written by this version of the program; train again.") from None

    @property
    def best_weights(self) -> Path:
        return self.folder / "best.weights.h5"

    @property
    def calibration(self) -> dict:
        """{"temperature": float, "unsure_band": [low, high]}; raises DataError before training has ended."""
        file = self.folder / "calibration.json"
        if not file.is_file():
            raise DataError(f"The training of {self.folder} has not ended; run `python -m train fit` on it again.")
        return json.loads(file.read_text(encoding="utf-8"))

    def crops(self, split: str, samples: list) -> Crops:
        """Faces of one split, from the run's cache."""
        chosen, framing = [sample for sample in samples if sample.split == split], Framing.of(self.recipe, split)
        return cached_crops(chosen, framing, self.recipe.resampling, self.cache or self.folder / "crops", split)


def fit(recipe: Recipe, data: Path, weights: str | Path, out: Path, cache: Path | None = None) -> Run:
    """Train a recipe's network on the train split of a data folder, choosing the epoch on val.

    Same seed, same data, same machine: same weights, also after any number of kills and resumptions.

    Args:
        recipe: see train/recipes.
        data: see `train.data.read_samples`.
        weights: of the backbone, see `train.network.build`.
        out: the run's folder.
        cache: folder of faces that several runs share; without it they are kept in the run's folder.

    Raises:
        DataError: the data cannot be used, `out` holds another run, or the loss is no longer a number.
        WeightsError: the backbone's weights cannot be had.
        RecipeError: the recipe keeps a layer that is not there.
    """
    data = data.resolve()  # so that the cache is found again from any folder
    samples = read_samples(data, recipe.seed)
    run = Run(out, recipe, data, data_sha256(data, samples), weights_sha256(weights), cache)
    begun = _has_begun(run)
    for epoch in recipe.kept or {}:
        build(recipe, None, epoch)  # lest a layer that is not there be found out when its epoch comes
    keras.utils.set_random_seed(recipe.seed)
    history = _resume_point(run)
    model = _model(run, history, weights)  # before the faces are cut, lest a wrong file cost minutes
    if not begun:
        _begin(run)
    train, val = run.crops("train", samples), run.crops("val", samples)
    _train(run, model, train, val, history)

    model = build(recipe)
    model.load_weights(run.best_weights)
    batches = Batches(val, recipe.batch_size, recipe.size)
    looks = [
        [model.predict_on_batch(pixels), model.predict_on_batch(np.ascontiguousarray(pixels[:, :, ::-1]))]
        for pixels, _ in (batches[number] for number in range(len(batches)))
    ]
    logits, mirrored = (np.concatenate(some) for some in zip(*looks, strict=True))
    temperature, band = calibrate(logits, mirrored, val.labels, recipe.decided_accuracy)
    write_text(
        run.folder / "calibration.json",
        json.dumps({"temperature": temperature, "unsure_band": band, "split": "val"}, indent=2) + "\n",
    )
    if band == (0.0, 1.0):
        print("On val no band reaches decided_accuracy on enough pictures: this model will always answer “Not sure”.")
    print(f"{out}: done; temperature {temperature:.3f}, unsure between {band[0]:.3f} and {band[1]:.3f}")
    return run


def _has_begun(run: Run) -> bool:
    """Whether the folder holds this run already. Raises DataError where it holds another one."""
    if not (run.folder / "run.json").is_file():
        return False
    if replace(Run.load(run.folder), data=run.data) != run:  # data may have moved, if it is still the same
        raise DataError(
            f"{run.folder} holds a run of another recipe, other data or other weights. Choose another --out, or "
            "delete it."
        )
    return True


def _begin(run: Run) -> None:
    values = {
        "recipe": run.recipe.model_dump(),
        "recipe_sha256": run.recipe.sha256,
        "data": str(run.data),
        "data_sha256": run.data_sha256,
        "weights_sha256": run.weights_sha256,
        "keras": keras.__version__,
        "backend": keras.config.backend(),
        "python": platform.python_version(),
    }
    (run.folder / "state").mkdir(parents=True, exist_ok=True)
    write_text(run.folder / "run.json", json.dumps(values, indent=2) + "\n")


def _model(run: Run, history: list[dict], weights: str | Path | None = None) -> keras.Model:
    """The network for the epoch after `history`, compiled, as the last epoch left it."""
    recipe = run.recipe
    epoch = min(len(history), recipe.epochs - 1)
    model = build(recipe, None if history else weights, epoch)
    anew = history and recipe.first_trained(epoch) != recipe.first_trained(len(history) - 1)
    if anew:  # fewer weights are trained: the optimizer begins again, the file's state of it is not read
        model.load_weights(_state(run, len(history)))
    rate, decay = recipe.rate(epoch), recipe.weight_decay
    optimizer = keras.optimizers.AdamW(rate, decay) if decay else keras.optimizers.Adam(rate)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    if history and not anew:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(_state(run, len(history)))
    return model


def _train(run: Run, model: keras.Model, train: Crops, val: Crops, history: list[dict]) -> None:
    """Epoch by epoch, each ending with a state on disk. Early stopping is a function of the history alone."""
    recipe = run.recipe
    if history:
        print(f"going on after epoch {len(history)} of {recipe.epochs}")
        _forget_before(run, len(history))  # a kill may have come between the last state and this
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: recipe.rate(epoch))
    average = recipe.average and Average(recipe.average, _average_file(run, len(history)) if history else None)
    for epoch in range(len(history), recipe.epochs):
        if _patience_is_over(recipe, history):
            print(f"early stopping after epoch {epoch}")
            break
        size = recipe.train_size(epoch)
        phases = [(recipe.train_size(e), recipe.first_trained(e)) for e in (max(0, epoch - 1), epoch)]
        if history and phases[0] != phases[1]:
            model = _model(run, history)
        _seed_layers(model, recipe.seed, epoch)
        batches = Batches(train, recipe.batch_size, size, recipe, epoch)
        callbacks = keras.callbacks.CallbackList(
            [schedule, *([average] if average else [])],
            add_progbar=True,
            model=model,
            epochs=recipe.epochs,
            steps=len(batches),
            verbose=1 if sys.stdout.isatty() else 2,
        )
        row = _epoch(model, batches, Batches(val, recipe.batch_size, size), epoch, callbacks)
        if not np.isfinite(row["val_loss"]):
            raise DataError(f"The loss of epoch {epoch + 1} is not a number: the learning rate is too high.")
        history.append({name: row[name] for name in COLUMNS if name in row} | {"epoch": epoch + 1})
        _save_epoch(run, model, history, average)


def _epoch(
    model: keras.Model, train: Batches, val: Batches, epoch: int, callbacks: keras.callbacks.CallbackList
) -> dict[str, float]:
    """One epoch, as `keras.Model.fit` runs it, but for one thing: batches are made between the steps by all cores, and
    not during them by a thread that takes a core away from the network.

    Returns:
        learning_rate (the schedule's), and loss, accuracy, val_loss and val_accuracy, each a mean over the epoch.
    """
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(epoch)
    pictures, sums = 0, {}
    for step in range(len(train)):
        callbacks.on_train_batch_begin(step)
        pixels, labels = train[step]
        for name, value in model.train_on_batch(pixels, labels, return_dict=True).items():  # of this batch alone
            sums[name] = sums.get(name, 0.0) + float(value) * len(labels)
        pictures += len(labels)
        logs = {name: total / pictures for name, total in sums.items()}
        callbacks.on_train_batch_end(step, logs)
    callbacks.on_test_begin()  # where `Average` puts its weights in place of the step's
    measured = model.evaluate(val, verbose=0, return_dict=True)
    callbacks.on_test_end()
    logs |= {f"val_{name}": float(value) for name, value in measured.items()}
    callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()
    return logs | {"learning_rate": float(model.optimizer.learning_rate)}


def _seed_layers(model: keras.Model, seed: int, epoch: int) -> None:
    """Saved weights do not hold the state of dropout's random numbers, so each epoch sets it anew."""
    generators = [layer.seed_generator for layer in model.layers if getattr(layer, "seed_generator", None)]
    for number, generator in enumerate(generators):
        states = np.random.default_rng([seed, epoch, number]).integers(2**31, size=2)
        generator.state.assign(states)


def _save_epoch(run: Run, model: keras.Model, history: list[dict], average: Average | None) -> None:
    """The state goes last: until it is there, the epoch has not happened and is done again."""
    rivals = [row["val_loss"] for row in history if _size(run, row) == _size(run, history[-1])]
    if run.recipe.choose == "last" or rivals[-1] == min(rivals):
        with average.applied(model) if average else nullcontext():
            save_weights(model, run.best_weights)
    with whole_file(run.folder / "history.csv") as partial, partial.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        rows.writerows(history)
    draw_curves(history, run.folder / "curves.png")
    done = len(history)
    if average:
        average.save(_average_file(run, done))
    save_weights(model, _state(run, done))
    _forget_before(run, done)


def _forget_before(run: Run, done: int) -> None:
    for old in (run.folder / "state").glob("[ae]*_*"):
        if old not in (_state(run, done), _average_file(run, done)):
            old.unlink()


def _size(run: Run, row: dict) -> int:
    return run.recipe.train_size(row["epoch"] - 1)


def _resume_point(run: Run) -> list[dict]:
    """The history up to the last epoch whose state is on disk."""
    states = sorted((run.folder / "state").glob("epoch_*.weights.h5"))
    if not states:
        return []
    done = int(states[-1].name.split(".")[0].removeprefix("epoch_"))
    with (run.folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = [{k: int(v) if k == "epoch" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return rows[:done]


def _state(run: Run, done: int) -> Path:
    return run.folder / "state" / f"epoch_{done:04d}.weights.h5"


def _average_file(run: Run, done: int) -> Path:
    return run.folder / "state" / f"average_{done:04d}.npz"


def _patience_is_over(recipe: Recipe, history: list[dict]) -> bool:
    if not (history and recipe.early_stopping):
        return False
    losses = [row[recipe.early_stopping.monitor] for row in history]
    return len(losses) - 1 - int(np.argmin(losses)) >= recipe.early_stopping.patience
