"""Contenders on a frozen ImageNet backbone: its input, and the heads that are trained on its features."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import keras
import numpy as np
from tqdm import tqdm

from deepfake_detect.atomic_files import write_text
from train.batches import Batches
from train.crops import Crops
from train.data import DataError
from train.features import Features, cached_features, features_key
from train.network import IMAGENET, WeightsError, head, save_weights, weights_sha256
from train.recipe import Recipe


@dataclass(frozen=True)
class Backbone:
    """A network of keras.applications, and what of it is kept: average-pooled features, or whole maps (None)."""

    application: Callable[..., keras.Model]
    pooling: str | None


BACKBONES = {
    "vgg16": Backbone(keras.applications.VGG16, None),  # whole, because the DFP hybrid convolves them
    "vgg19": Backbone(keras.applications.VGG19, "avg"),
    "resnet50": Backbone(keras.applications.ResNet50, "avg"),
}
CHANNEL_MEAN = np.array([123.68, 116.779, 103.939])  # of ImageNet, RGB, 0..255 (Simonyan & Zisserman 2015)
TORCH_MEAN, TORCH_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # RGB, 0..1
TORCH_VGG16_BIAS = (0.4034, 0.3778, 0.4644, -0.3228)  # the first ones of torchvision's vgg16, features.0.bias


def weights_of(name: str, weights: str | Path) -> str | Path:
    """What `train.network.build` or `feature_extractor` takes for a backbone: "imagenet", or a file in a folder.

    Args:
        name: mobilenet_v2 or one of BACKBONES.
        weights: "imagenet" or a folder of `<name>_imagenet_notop.weights.h5` files.

    Raises:
        WeightsError: the file is not there.
    """
    if weights == IMAGENET:
        return IMAGENET
    file = Path(weights) / f"{name}_imagenet_notop.weights.h5"
    if not file.is_file():
        raise WeightsError(
            f"There is no weights file {file}. Save the weights of keras.applications' {name} (include_top=False) "
            "there, or give --weights imagenet to have Keras download them."
        )
    return file


def expected_input(pixels: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Pixel values [N, S, S, 3] RGB in 0..1 -> what the backbone's weights were trained on.

    As `keras.applications.imagenet_utils.preprocess_input` does it from 0..255. mode: "caffe" (BGR in 0..255 less
    the channels' means) or "torch" (RGB in 0..1, standardised).
    """
    if mode == "torch":
        return keras.layers.Rescaling((1 / TORCH_STD).tolist(), (-TORCH_MEAN / TORCH_STD).tolist())(pixels)
    return keras.layers.Rescaling(255.0, (-CHANNEL_MEAN).tolist())(pixels)[..., ::-1]


def input_mode(backbone: keras.Model) -> str:
    """Which input a backbone's weights expect. Keras's own VGG16, VGG19 and ResNet50 come from Caffe; some copies
    of VGG16 come from torchvision, whose weights expect another input, and are known by their first biases."""
    bias = next(layer for layer in backbone.layers if layer.weights).get_weights()[1]
    is_torch = np.allclose(bias[: len(TORCH_VGG16_BIAS)], TORCH_VGG16_BIAS, atol=1e-4)
    return "torch" if is_torch else "caffe"


def feature_extractor(name: str, size: int, weights: str | Path | None) -> tuple[keras.Model, str]:
    """A frozen backbone behind its preprocessing.

    Args:
        name: one of BACKBONES.
        size: S, in pixels.
        weights: see `weights_of`; None for random ones.

    Returns:
        Model from pixel values [N, S, S, 3] RGB in 0..1 to maps [N, h, w, C], or to features [N, C] where the
        backbone's are pooled; and the mode of its input, see `expected_input`.

    Raises:
        WeightsError: the file fits another network, or the download failed.
    """
    make, pooling = BACKBONES[name].application, BACKBONES[name].pooling
    source = IMAGENET if weights == IMAGENET else None
    try:
        backbone = make(include_top=False, weights=source, input_shape=(size, size, 3), pooling=pooling)
        if weights not in (None, IMAGENET):
            backbone.load_weights(weights)
    except Exception as error:  # Keras reports a failed download with a bare Exception
        raise WeightsError(f"The weights {weights} of {name} cannot be had ({str(error).splitlines()[0]}).") from None
    backbone.trainable = False
    mode = input_mode(backbone)
    pixels = keras.Input((size, size, 3), name="pixel_values")
    return keras.Model(pixels, backbone(expected_input(pixels, mode), training=False), name=name), mode


def paper_head(shape: Sequence[int], recipe: Recipe) -> keras.Model:
    """The recipe's head, as `train.network.build` makes it: features of `shape` ([h, w, C] or [C]) -> logits [N, 2]."""
    x = features = keras.Input(shape)
    if len(shape) == 3:
        x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(features, head(x, recipe))


def dfp_head(shape: Sequence[int], recipe: Recipe) -> keras.Model:
    """The DFP hybrid's layers behind VGG16 (Raza et al. 2022, Applied Sciences 12(19), 9820): maps -> logits [N, 2].

    1025 convolutions with ReLU, 2x2 max pooling, dropout of 0.02, flatten, 1025 dense units with ReLU: widths as
    summaries of the paper report them. There VGG16's maps are 8 x 8 (of 256 pixels) and the convolution is 3 x 3
    without padding. Here they are 3 x 3 (of 96), so it is padded, lest nothing be left to pool. Two logits stand
    for the paper's one sigmoid. Whether VGG16 was frozen there is not known to us; here it is, and the
    optimizer and its schedule are the recipe's, like everyone's.
    """
    features = keras.Input(shape)
    x = keras.layers.Conv2D(1025, 3, padding="same", activation="relu")(features)
    x = keras.layers.MaxPooling2D(min(2, shape[0]))(x)
    x = keras.layers.Dropout(0.02)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(1025, activation="relu")(x)
    return keras.Model(features, keras.layers.Dense(2, name="logits")(x))


def train_head(network: keras.Model, views: Sequence[Features], val: Features, recipe: Recipe, file: Path) -> dict:
    """Train a head by the recipe's schedule, an epoch per view in turn, and leave it with its best epoch's weights.

    The best epoch is the one with the lowest validation loss. A head trained before is read from `file`.

    Args:
        network: from features [N, ...] to logits [N, 2].
        views: of the training pictures, augmented.
        val: of the validation pictures, as they are.
        recipe: gives seed, epochs, learning rates and patience.
        file: a .weights.h5; its name must tell all that the weights depend on.

    Returns:
        {"epochs": run, "best_epoch": from 1, "seconds": of training}.

    Raises:
        DataError: the loss is no longer a number.
    """
    record = file.with_suffix(".json")
    if record.is_file():
        network.load_weights(file)
        return json.loads(record.read_text(encoding="utf-8"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(recipe.rate(0)), loss)
    patience = recipe.early_stopping.patience if recipe.early_stopping else recipe.epochs
    started, losses, best = perf_counter(), [], None
    progress = tqdm(range(recipe.epochs), desc=f"head {file.name.split('-')[0]}", unit="epoch", disable=None)
    for epoch in progress:
        view = views[epoch % len(views)]
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(view.labels))
        network.optimizer.learning_rate = recipe.rate(epoch)
        network.fit(view.values[order], view.labels[order], recipe.batch_size, shuffle=False, verbose=0)
        losses.append(network.evaluate(val.values, val.labels, batch_size=recipe.batch_size, verbose=0))
        progress.set_postfix(val_loss=f"{losses[-1]:.4f}")
        if not np.isfinite(losses[-1]):
            raise DataError(f"The loss of epoch {epoch + 1} is not a number: the learning rate is too high.")
        if losses[-1] == min(losses):
            best = network.get_weights()
        if epoch - int(np.argmin(losses)) >= patience:
            break
    progress.close()
    network.set_weights(best)
    save_weights(network, file)
    result = {
        "epochs": len(losses),
        "best_epoch": int(np.argmin(losses)) + 1,
        "seconds": perf_counter() - started,
    }
    write_text(record, json.dumps(result) + "\n")  # last: it vouches for the weights
    return result


@dataclass(frozen=True)
class Network:
    """A contender on a frozen backbone."""

    name: str
    title: str
    backbone: str  # one of BACKBONES
    head: Callable[[tuple[int, ...], Recipe], keras.Model]


NETWORKS = (
    Network("vgg16", "VGG16", "vgg16", paper_head),
    Network("vgg19", "VGG19", "vgg19", paper_head),
    Network("resnet50", "ResNet50", "resnet50", paper_head),
    Network("dfp", "DFP (VGG16 + CNN)", "vgg16", dfp_head),
)


def trained_network(
    network: Network,
    recipe: Recipe,
    weights: str | Path,
    crops: dict[str, Crops],
    keyed: tuple,
    views: int,
    out: Path,
) -> tuple[keras.Model, dict]:
    """Train a contender's head on its frozen backbone, or go on with what an earlier call left.

    Args:
        network: one of NETWORKS.
        recipe: gives size, head, schedule and augmentation.
        weights: of the backbone, see `weights_of`.
        crops: of train and val.
        keyed: hashes of data and recipe, for the names of what is kept.
        views: augmented views of each training picture; view k is the one that `fit` shows in epoch k.
        out: folder of the comparison; features/ and models/ in it are written.

    Returns:
        The whole network, pixel values [N, S, S, 3] RGB in 0..1 -> logits [N, 2], and facts for the report.
        Its training time counts the features, also those it shares with another contender.
    """
    keras.utils.clear_session()  # frees what came before; layers are named from one again
    extractor, mode = feature_extractor(network.backbone, recipe.size, weights)
    key = features_key(*keyed, crops["train"], crops["val"], weights_sha256(weights), mode)
    folder, size = out / "features" / f"{network.backbone}-{key}", recipe.size
    compute = extractor.predict_on_batch
    seen = []
    for epoch in range(views):
        batches = Batches(crops["train"], recipe.batch_size, size, recipe, epoch)
        seen.append(cached_features(compute, batches, folder, f"train{epoch}"))
    val = cached_features(compute, Batches(crops["val"], recipe.batch_size, size), folder, "val")
    keras.utils.set_random_seed(recipe.seed)
    own = network.head(extractor.output.shape[1:], recipe)
    trained = train_head(own, seen, val, recipe, out / "models" / f"{network.name}-{key}-{views}.weights.h5")
    seconds = trained["seconds"] + val.seconds + sum(view.seconds for view in seen)
    facts = {
        "name": network.name,
        "title": network.title,
        "training_minutes": seconds / 60,
        "epochs": trained["epochs"],
        "views": min(views, trained["epochs"]),
        "input": mode,
    }
    return keras.Model(extractor.input, own(extractor.output), name=network.name), facts
