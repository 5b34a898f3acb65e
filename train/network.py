"""The network: a backbone of keras.applications, global average pooling and a head."""

import hashlib
import math
from pathlib import Path

import keras

from deepfake_detect.atomic_files import atomic_write
from train.batch_norm import fuse_batch_norm
from train.kinds import KINDS
from train.recipe import Recipe, RecipeError

IMAGENET = "imagenet"


class WeightsError(RuntimeError):
    """Backbone weights that cannot be had; the message says what to do."""


def build(recipe: Recipe, weights: str | Path | None = None, epoch: int | None = None) -> keras.Model:
    """The recipe's network, not compiled.

    Args:
        recipe: gives backbone, size and head.
        weights: of the backbone: "imagenet" (Keras downloads them), a .weights.h5 file of
            keras.applications.MobileNetV2(include_top=False), or None for random ones.
        epoch: of the training, from 0: it gives the side S in pixels and the layers that are trained. Without it, S
            is the recipe's final one.

    Returns:
        Model from pixel values [N, S, S, 3] float32 RGB in 0..1 to logits [N, 2] (real, fake); of a recipe with kinds
        to {"logits": the same, "kinds": logits [N, 5] of train.kinds.KINDS}.

    Raises:
        WeightsError: the file is missing or fits another network, or the download failed.
        RecipeError: the backbone has no such layer as the recipe keeps or pools.
    """
    size = recipe.size if epoch is None else recipe.train_size(epoch)
    backbone = _mobilenet_v2(size, weights)
    backbone.trainable = not recipe.frozen
    if epoch is not None and (first := recipe.first_trained(epoch)):
        names = [layer.name for layer in backbone.layers]
        if first not in names:
            raise RecipeError(f"first_trained_layer: the backbone has no layer {first}.")
        for layer in backbone.layers[: names.index(first)]:
            layer.trainable = False  # its BatchNorm then uses the averages it has
    if recipe.batch_norm_momentum is not None:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = recipe.batch_norm_momentum
    fuse_batch_norm(backbone)
    pixels = keras.Input((size, size, 3), name="pixel_values")
    x = keras.layers.Rescaling(2.0, -1.0)(pixels)  # 0..1 -> -1..1, what these ImageNet weights were trained on
    if recipe.pooled:
        backbone = _of_several_depths(backbone, recipe.pooled)
    maps = backbone(x, training=False) if recipe.frozen else backbone(x)
    features = [keras.layers.GlobalAveragePooling2D()(m) for m in (maps if recipe.pooled else [maps])]
    features = keras.layers.Concatenate()(features) if recipe.pooled else features[0]
    logits = head(features, recipe)
    if recipe.kinds is None:
        return keras.Model(pixels, logits, name=recipe.name)
    kinds = keras.layers.Dense(len(KINDS), name="kinds")(features)
    return keras.Model(pixels, {"logits": logits, "kinds": kinds}, name=recipe.name)


def _of_several_depths(backbone: keras.Model, names: list[str]) -> keras.Model:
    """The backbone with the maps of these layers before its last one: traces of a fake are low-level, and what the last
    layers know of them has gone through strides."""
    known = {layer.name: layer for layer in backbone.layers}
    for name in names:
        if name not in known:
            raise RecipeError(f"pooled: the backbone has no layer {name}.")
    return keras.Model(backbone.input, [*(known[name].output for name in names), backbone.output], name=backbone.name)


def head(x: keras.KerasTensor, recipe: Recipe) -> keras.KerasTensor:
    """The recipe's head: pooled features [N, C] -> logits [N, 2]; the softmax over real and fake is applied outside."""
    for block in recipe.head:
        x = keras.layers.Dense(block.units, activation="relu")(x)
        if block.batch_norm:
            x = keras.layers.BatchNormalization()(x)
        if block.dropout:
            x = keras.layers.Dropout(block.dropout)(x)
    if recipe.dropout:
        x = keras.layers.Dropout(recipe.dropout)(x)
    return keras.layers.Dense(2, name="logits")(x)


def weights_sha256(weights: str | Path) -> str:
    """What a run remembers of its backbone's weights: "imagenet", or the file's sha256. Raises WeightsError."""
    if weights == IMAGENET:
        return IMAGENET
    if not Path(weights).is_file():
        raise WeightsError(f"There is no weights file {weights}. Give its path, or --weights imagenet to download it.")
    return hashlib.sha256(Path(weights).read_bytes()).hexdigest()


def save_weights(model: keras.Model, file: Path) -> None:
    """Write the weights and, of a compiled model, the optimizer's state as a .weights.h5 file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer else [])]
    room = sum(4 * math.prod(variable.shape) + 2048 for variable in variables)  # with what HDF5 adds to each
    with atomic_write(file) as partial:
        partial.write_bytes(bytes(room))  # a full disk tells this in one error, and HDF5 in hundreds of lines
        model.save_weights(partial)


def _mobilenet_v2(size: int, weights: str | Path | None) -> keras.Model:
    shape = (size, size, 3)
    if weights == IMAGENET:
        try:
            return keras.applications.MobileNetV2(include_top=False, weights=IMAGENET, input_shape=shape)
        except Exception as error:  # Keras reports a failed download with a bare Exception
            raise WeightsError(
                f"The ImageNet weights could not be downloaded ({error}). Give --weights a .weights.h5 file of "
                "keras.applications.MobileNetV2(include_top=False)."
            ) from None
    backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=shape)
    if weights is None:
        return backbone
    try:
        backbone.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{weights} does not fit MobileNetV2 without its top ({reason}).") from None
    return backbone
