"""A recipe: every number of a training run, in one YAML file that is checked when it is loaded."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from detect.crop import RESAMPLING

RECIPES = Path(__file__).parent / "recipes"
Share = Annotated[float, Field(ge=0, lt=1)]


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DenseBlock(_Strict):
    """Dense + ReLU, then BatchNorm and dropout."""

    units: int = Field(ge=1)
    batch_norm: bool
    dropout: Share


class Augment(_Strict):
    """Random transformations of a training crop, in the paper's terms."""

    horizontal_flip: bool
    vertical_flip: bool
    rotation: float = Field(ge=0, le=20)  # degrees, either way
    scale: float = Field(ge=0, le=0.2)  # share, either way
    shift: float = Field(ge=0, le=0.2)  # share of the side, either way


class EarlyStopping(_Strict):
    monitor: Literal["val_loss"]
    patience: int = Field(ge=1)  # epochs


class Recipe(_Strict):
    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    seed: int = Field(ge=0)
    backbone: Literal["mobilenet_v2"]
    frozen: bool
    size: int = Field(ge=32, le=224)  # pixels
    crop_margin: float = Field(ge=0, le=2)  # see detect.crop.crop_box
    resampling: Literal[tuple(RESAMPLING)]
    head: list[DenseBlock]
    augment: Augment
    batch_size: int = Field(ge=2)
    epochs: int = Field(ge=1)
    learning_rate: dict[int, Annotated[float, Field(gt=0)]]  # epoch (from 0) -> Adam's rate from there on
    early_stopping: EarlyStopping
    decided_accuracy: float = Field(gt=0.5, le=1)  # see train.calibrate.unsure_band

    @field_validator("learning_rate")
    @classmethod
    def _by_epoch(cls, rates: dict) -> dict:
        return dict(sorted(rates.items()))  # so that the hash does not depend on the file's order

    @model_validator(mode="after")
    def _first_rate(self):
        if 0 not in self.learning_rate or min(self.learning_rate) < 0:
            raise ValueError("learning_rate must give the rate of epoch 0, and of no epoch before it")
        return self

    def rate(self, epoch: int) -> float:
        """Adam's learning rate in an epoch, counted from 0."""
        return self.learning_rate[max(start for start in self.learning_rate if start <= epoch)]

    @property
    def sha256(self) -> str:
        """Of the values, whatever the file's comments and order."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_recipe(name_or_file: str | Path) -> Recipe:
    """Load a recipe by its name in train/recipes/ or by the path of a YAML file.

    Raises:
        RecipeError: no such recipe, not YAML, or a key that is unknown, missing or of a wrong value.
    """
    path = Path(name_or_file)
    if path.suffix not in (".yaml", ".yml"):
        path = RECIPES / f"{name_or_file}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.yaml")))
        raise RecipeError(f"There is no recipe {name_or_file}. Known: {known}, or give a .yaml file.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold keys and values.")
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(f"{path}: {'; '.join(_sentence(e) for e in error.errors())}") from None


def _sentence(error: dict) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "recipe"
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}"
    return f"{key}: {error['msg']}"
