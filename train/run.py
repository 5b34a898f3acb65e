"""The folder of a training run: what is in it, and how far it has come."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from deepfake_detect.atomic_files import atomic_write
from train.crops import Crops, Framing, cached_crops
from train.data import DataError
from train.leaks import removed_paths
from train.recipe import Recipe

COLUMNS = ("epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Run:
    """The folder of a run and what its run.json says."""

    folder: Path
    recipe: Recipe
    data: tuple[Path, ...]
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
            data = values["data"] if isinstance(values["data"], list) else [values["data"]]
            data = tuple(map(Path, data))
            return cls(Path(folder), recipe, data, values["data_sha256"], values["weights_sha256"])
        except (ValueError, KeyError, TypeError):
            raise DataError(f"{file} was not written by this version of the program; train again.") from None

    @property
    def best_weights(self) -> Path:
        return self.folder / "best.weights.h5"

    @property
    def calibration(self) -> dict:
        """What `train.recalibrate.calibrate_run` has written; raises DataError before training has ended."""
        file = self.folder / "calibration.json"
        if not file.is_file():
            raise DataError(f"The training of {self.folder} has not ended; run `python -m train fit` on it again.")
        return json.loads(file.read_text(encoding="utf-8"))

    def crops(self, split: str, samples: list) -> Crops:
        """Faces of one split, from the run's cache."""
        chosen, framing = [sample for sample in samples if sample.split == split], Framing.of(self.recipe, split)
        crops = cached_crops(chosen, framing, self.recipe.resampling, self.cache or self.folder / "crops", split)
        if split != "train" or not self.recipe.deduplicate:
            return crops
        return crops.without(removed_paths(samples, self.folder / "removed.csv"))

    def state(self, done: int) -> Path:
        """Weights and optimizer after so many epochs."""
        return self.folder / "state" / f"epoch_{done:04d}.weights.h5"

    def average(self, done: int) -> Path:
        """The average of the weights after so many epochs."""
        return self.folder / "state" / f"average_{done:04d}.npz"

    def history(self) -> list[dict]:
        """The rows of history.csv up to the last epoch whose state is on disk."""
        states = sorted((self.folder / "state").glob("epoch_*.weights.h5"))
        if not states:
            return []
        done = int(states[-1].name.split(".")[0].removeprefix("epoch_"))
        return read_history(self.folder / "history.csv")[:done]

    def write_history(self, history: list[dict]) -> None:
        """Write history.csv."""
        with (
            atomic_write(self.folder / "history.csv") as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            rows = csv.DictWriter(file, COLUMNS)
            rows.writeheader()
            rows.writerows(history)

    def forget_before(self, done: int) -> None:
        """Delete the states of all epochs but the one after which so many are done."""
        for old in (self.folder / "state").glob("[ae]*_*"):
            if old not in (self.state(done), self.average(done)):
                old.unlink()


def read_history(file: Path) -> list[dict]:
    """The rows of a history.csv."""
    with file.open(encoding="utf-8", newline="") as rows:
        return [{k: int(v) if k == "epoch" else float(v) for k, v in row.items()} for row in csv.DictReader(rows)]
