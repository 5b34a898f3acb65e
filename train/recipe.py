"""A recipe: every number of a training run, in one YAML file that is checked when it is loaded."""

import hashlib
import math
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from deepfake_detect.face.crop import RESAMPLING
from train.kinds import KINDS, PHOTOGRAPHS

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


class Reframe(_Strict):
    """Random framings, cut out of the picture at its own resolution: nothing is interpolated twice."""

    scale: float = Field(ge=0, le=0.3)  # of the crop's side, share either way
    shift: float = Field(ge=0, le=0.3)  # share of the crop's side, either way
    rotation: float | None = Field(default=None, gt=0, le=45)  # degrees, either way
    rotated: Share | None = None  # of the views that are turned; the others are cut as the run time cuts them
    border: Share | None = None  # of the views: plain bars on some sides of the face, as of letterboxes and screenshots

    @model_validator(mode="after")
    def _rotated_with_rotation(self):
        if (self.rotation is None) != (self.rotated is None):
            raise ValueError("rotation and rotated go together")
        return self

    @property
    def slack(self) -> float:
        """How far a framing may reach beyond the crop, on each side, as a share of the crop's side."""
        if self.rotation is None:
            return self.scale / 2 + self.shift
        angle = math.radians(self.rotation)
        turned = (1 + self.scale) * (math.cos(angle) + math.sin(angle))
        return (turned - 1) / 2 + self.shift * (1 + self.scale)


class Degrade(_Strict):
    """What happens to pictures on the web, at their own resolution, before the crop is resized."""

    share: Share  # of the views; the others stay as they are
    resize: Share  # of those: made smaller, by any of four filters
    scale: float = Field(gt=0, le=1)  # down to this share of the side
    blur: Share  # of those: blurred by a Gaussian
    sigma: float = Field(gt=0, le=4)  # up to, in pixels
    sharpen: Share | None = None  # of those: an unsharp mask, so that crispness is no sign of either class
    amount: float | None = Field(default=None, gt=0, le=4)  # of the unsharp mask, up to; 1 doubles the detail
    noise: Share  # of those: grain
    noise_std: float = Field(gt=0, le=32)  # up to, of 255
    jpeg: int = Field(ge=1, le=98)  # lowest quality; every degraded view is compressed between it and 98
    double_jpeg: Share  # of those: compressed a second time
    enlarge: float | None = Field(
        default=None, gt=1, le=3
    )  # half of those resized are made larger, up to so many times
    smooth: Share | None = None  # of those: skin smoothed by a bilateral filter, as beauty filters do
    moire: Share | None = None  # of those: stripes, as of a photographed screen
    chain: Share | None = None  # of those: resized and compressed once more, as by a second platform
    webp: Share | None = None  # of the compressions: WebP in place of JPEG

    @model_validator(mode="after")
    def _amount_with_sharpen(self):
        if (self.sharpen is None) != (self.amount is None):
            raise ValueError("sharpen and amount go together")
        return self


class Sampling(_Strict):
    """How often pictures are drawn. Both classes equally often, whatever the data holds of them."""

    power: float = Field(ge=0, le=1)  # a source is drawn as its pictures to this power: 1 as it is, 0 all alike
    self_blend: Share  # of the fakes drawn are self-blended photographs of the training set
    swapped: Annotated[float, Field(gt=0, le=1)] | None = None  # of those get another photograph's face instead
    kinds: dict[str, Annotated[float, Field(ge=0)]] | None = None  # how often each kind of train/kinds.csv is drawn,
    # against the others of its class; those that are not named, and pictures of no known kind, are drawn as 1
    favoured: dict[str, Annotated[float, Field(gt=0)]] | None = None  # part of train/kinds.csv -> times as often

    @model_validator(mode="after")
    def _swaps_among_blends(self):
        if self.swapped and not self.self_blend:
            raise ValueError("swapped is a share of self_blend, which is 0")
        return self

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, values: dict | None) -> dict | None:
        unknown = sorted(set(values or ()) - {*KINDS[1:], *PHOTOGRAPHS})
        if unknown:
            raise ValueError(f"{unknown[0]} is no kind; known are {', '.join([*KINDS[1:], *PHOTOGRAPHS])}")
        return values and dict(sorted(values.items()))

    @field_validator("favoured")
    @classmethod
    def _in_order(cls, values: dict | None) -> dict | None:
        return values and dict(sorted(values.items()))


class EarlyStopping(_Strict):
    monitor: Literal["val_loss"]
    patience: int = Field(ge=1)  # epochs


class Recipe(_Strict):
    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    seed: int = Field(ge=0)
    backbone: Literal["mobilenet_v2"]
    frozen: bool
    size: int = Field(ge=32, le=224)  # pixels
    crop_margin: float = Field(ge=0, le=2)  # see deepfake_detect.face.crop.crop_box
    resampling: Literal[tuple(RESAMPLING)]
    head: list[DenseBlock]
    dropout: Share | None = None  # before the last dense layer
    pooled: list[str] | None = None  # layers of the backbone that are pooled beside its last one
    kinds: float | None = Field(default=None, gt=0, le=10)  # a second output, see train.kinds; its weight in the loss
    label_smoothing: float | None = Field(default=None, gt=0, lt=0.5)  # share of the label given to both classes alike
    consistency: float | None = Field(default=None, gt=0, le=10)  # every picture is drawn as two views, and the squared
    # difference of their log odds counts so much in the loss
    augment: Augment
    reframe: Reframe | None = None
    degrade: Degrade | None = None
    brightness_jitter: float | None = Field(default=None, ge=0, le=0.5)  # brightness and contrast, share either way
    saturation: float | None = Field(default=None, ge=0, le=0.5)  # share either way
    erase: Share | None = None  # of the views: a rectangle is blotted out
    sampling: Sampling | None = None  # without it every picture is drawn once an epoch
    deduplicate: Literal[True] | None = None  # leave out of train what another split holds as well, see train.leaks
    views_per_epoch: int | None = Field(default=None, ge=1)  # with sampling; without it as many as there are pictures
    sizes: dict[int, int] | None = None  # epoch (from 0) -> pixels a side in training from there on
    first_trained_layer: dict[int, str] | None = (
        None  # epoch (from 0) -> the backbone's first layer that is still trained
    )
    batch_norm_momentum: float | None = Field(default=None, ge=0, lt=1)  # of the backbone; Keras's own is 0.999
    weight_decay: float | None = Field(default=None, gt=0, lt=1)  # AdamW's
    average: float | None = Field(default=None, gt=0, lt=1)  # see train.average; without it the last step's weights
    batch_size: int = Field(ge=2)
    epochs: int = Field(ge=1)
    learning_rate: dict[int, Annotated[float, Field(gt=0)]]  # epoch (from 0) -> Adam's rate from there on
    warm_up: int | None = Field(default=None, ge=1)  # steps of a new optimizer over which its rate rises to that
    interpolation: Literal["cosine"] | None = None  # of the rates between those epochs; without it they are steps
    early_stopping: EarlyStopping | None = None  # without it every epoch is run
    choose: Literal["last"] | None = None  # the epoch whose weights count; without it that of the lowest val_loss
    tier: Literal["web", "hard"] | None = None  # of val, to choose the epoch and to calibrate; see train.tiers
    decided_accuracy: float = Field(gt=0.5, le=1)  # see train.calibrate.unsure_band
    false_alarms: float | None = Field(default=None, gt=0, lt=1)  # of the worst kind of photograph, see there
    unseen_accuracy: float | None = Field(default=None, gt=0.5, le=1)  # as decided_accuracy, on the split cross

    @field_validator("learning_rate", "sizes", "first_trained_layer")
    @classmethod
    def _by_epoch(cls, values: dict | None) -> dict | None:
        return values and dict(sorted(values.items()))  # so that the hash does not depend on the file's order

    @model_validator(mode="after")
    def _first_rate(self):
        if 0 not in self.learning_rate or min(self.learning_rate) < 0:
            raise ValueError("learning_rate must give the rate of epoch 0, and of no epoch before it")
        return self

    @model_validator(mode="after")
    def _views_with_sampling(self):
        if self.views_per_epoch is not None and self.sampling is None:
            raise ValueError("views_per_epoch needs sampling")
        return self

    @model_validator(mode="after")
    def _pairs_in_batches(self):
        if self.consistency and (self.sampling is None or self.batch_size % 2):
            raise ValueError("consistency needs sampling and an even batch_size")
        return self

    @model_validator(mode="after")
    def _kept_from_an_epoch_on(self):
        if self.first_trained_layer and min(self.first_trained_layer) < 0:
            raise ValueError("first_trained_layer must name epochs from 0 on")
        return self

    @model_validator(mode="after")
    def _sizes_end_at_size(self):
        sizes = self.sizes or {0: self.size}
        if min(sizes) != 0 or list(sizes.values())[-1] != self.size or max(sizes) >= self.epochs:
            raise ValueError("sizes must begin with epoch 0 and end, before the last epoch, at size")
        if any(size % 32 for size in sizes.values()) and len(sizes) > 1:
            raise ValueError("sizes must be multiples of 32, lest the network pads differently at each")
        return self

    def rate(self, epoch: int) -> float:
        """Adam's learning rate in an epoch, counted from 0."""
        start = max(first for first in self.learning_rate if first <= epoch)
        later = [first for first in self.learning_rate if first > epoch]
        if not (self.interpolation and later):
            return self.learning_rate[start]
        way = (1 - math.cos(math.pi * (epoch - start) / (later[0] - start))) / 2
        return self.learning_rate[start] * (1 - way) + self.learning_rate[later[0]] * way

    def train_size(self, epoch: int) -> int:
        """Side in pixels of the crops in an epoch, counted from 0."""
        sizes = self.sizes or {0: self.size}
        return sizes[max(first for first in sizes if first <= epoch)]

    def first_trained(self, epoch: int) -> str | None:
        """The backbone's layer before which nothing is trained any more in an epoch, counted from 0."""
        begun = [first for first in self.first_trained_layer or {} if first <= epoch]
        return self.first_trained_layer[max(begun)] if begun else None

    @property
    def sha256(self) -> str:
        """Of the values, whatever the file's comments and order. Without `false_alarms` and `unseen_accuracy`, which
        are asked of what was trained, and may be asked anew."""
        values = self.model_dump_json(exclude_none=True, exclude={"false_alarms", "unseen_accuracy"})
        return hashlib.sha256(values.encode()).hexdigest()


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
