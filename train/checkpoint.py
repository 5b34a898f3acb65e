"""A run -> a small folder from which another run of the same network goes on: what can be kept in git.

checkpoint.json        recipe, data and epochs of the run
weights.weights.h5     of the last finished epoch; the optimizer's state is left out, it begins anew
average.npz            the average of the weights, where the recipe has one
history.csv            of the run
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras

from deepfake_detect.atomic_files import atomic_write, write_text
from train.data import DataError
from train.network import build, save_weights
from train.recipe import Recipe
from train.run import Run, read_history

NETWORK = ("backbone", "head", "pooled", "kinds")  # keys of a recipe on which the shape of the weights depends


@dataclass(frozen=True)
class Checkpoint:
    """A folder that `write_checkpoint` has made."""

    folder: Path
    facts: dict
    history: list[dict]

    @property
    def average(self) -> Path:
        return self.folder / "average.npz"

    def load_weights(self, model: keras.Model) -> None:
        """Put the weights into a network that is not compiled. Raises DataError where they are of another one."""
        try:
            model.load_weights(self.folder / "weights.weights.h5")
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"The weights in {self.folder} do not fit the recipe's network ({reason}).") from None


def read_checkpoint(folder: Path, recipe: Recipe) -> Checkpoint:
    """Read a checkpoint for a run of a recipe. Raises DataError where there is none, or it is of another network."""
    try:
        facts = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        trained = Recipe.model_validate_json(json.dumps(facts["recipe"]))
    except OSError:
        raise DataError(
            f"{folder} holds no checkpoint; `python -m train checkpoint RUN --out DIR` makes one."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{folder / 'checkpoint.json'} was not written by this version of the program.") from None
    for key in NETWORK:
        before, now = getattr(trained, key), getattr(recipe, key)
        if (before is None) != (now is None) if key == "kinds" else before != now:
            raise DataError(
                f"The checkpoint in {folder} is of another network: its recipe has {key} {before}, this one {now}."
            )
    if recipe.average and not trained.average:
        raise DataError(f"The checkpoint in {folder} has no average of the weights, which this recipe asks for.")
    history = read_history(folder / "history.csv")
    return Checkpoint(folder, {"epochs": len(history), "recipe_sha256": facts["recipe_sha256"]}, history)


def write_checkpoint(run_folder: Path, out: Path) -> int:
    """Make a checkpoint of a run's last finished epoch, while the run goes on or later. Returns its epochs.

    Raises:
        DataError: no such run, or it has not finished an epoch.
    """
    run = Run.load(run_folder)
    history = run.history()
    if not history:
        raise DataError(f"{run_folder} has not finished its first epoch.")
    done = len(history)
    model = build(run.recipe, None, min(done, run.recipe.epochs - 1))
    model.load_weights(run.state(done))
    out.mkdir(parents=True, exist_ok=True)
    (out / "checkpoint.json").unlink(missing_ok=True)
    if run.recipe.average:
        with atomic_write(out / "average.npz") as partial:
            shutil.copyfile(run.average(done), partial)
    save_weights(model, out / "weights.weights.h5")
    with atomic_write(out / "history.csv") as partial:
        shutil.copyfile(run.folder / "history.csv", partial)
    values = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    values["data"] = [Path(folder).name for folder in values["data"]]  # where they lay is this machine's own matter
    write_text(out / "checkpoint.json", json.dumps(values | {"epochs": done}, indent=2) + "\n")  # last: it vouches
    return done
