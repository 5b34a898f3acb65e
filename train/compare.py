"""The paper's network, those of its related work, and the shipped model: trained and measured on the same data.

OUT/paper/            the paper's training run, see train.fit
OUT/features/         what frozen backbones see; may be deleted afterwards
OUT/models/           what was trained and measured: ONNX files, heads, the classical baseline
OUT/compare.json      every figure, the versions and the machine
OUT/compare.md, .png  the same as a table and as a picture
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import cv2
import joblib
import keras
import numpy as np
import onnx
import onnxruntime
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import Model, probability
from train import classical
from train.backbones import BACKBONES, NETWORKS, trained_network, weights_of
from train.crops import Crops, Framing, cached_crops
from train.data import DataError, Folders, Sample, data_sha256, folders_of, read_samples
from train.fit import fit
from train.identity import network_sha256
from train.metrics import THRESHOLD, binary_metrics
from train.network import build
from train.recipe import Recipe
from train.timing import machine, seconds, timed

THREADS = 2
ROUNDS = 100  # of the timing; each model once a round
BATCH = 32
PARITY_CROPS = 16
PARITY_TOLERANCE = 1e-3  # between Keras's logits and onnxruntime's, as a share of the largest, at least 1
PACKAGES = ("keras", "tensorflow", "tf2onnx", "onnxruntime", "numpy", "scikit-learn", "opencv-python-headless")

Converter = Callable[[keras.Model, int], onnx.ModelProto]  # see export.onnx.to_onnx


@dataclass(frozen=True)
class Contender:
    """A trained model, ready to be measured."""

    crops: Crops  # of the test split
    size: int  # S, in pixels
    prepare: Callable[[np.ndarray], np.ndarray]  # crops [N, S, S, 3] uint8 -> what p_fake takes
    p_fake: Callable[[np.ndarray], np.ndarray]  # -> [N] in 0..1
    facts: dict  # what the report says of it beside what is measured


def compare(
    recipe: Recipe, data: Folders, weights: str, out: Path, model: Path, views: int, to_onnx: Converter
) -> dict:
    """Train every contender on train, choose on val, measure once on test.

    See `train.compare_command.run` for the arguments.

    Returns:
        What compare.json holds: {"models": [see `measure`], "latency", "pictures", "machine", ...}.

    Raises:
        DataError: the data or the arguments cannot be used, or a converted network computes something else.
        ModelError: the shipped model cannot serve.
        WeightsError: a backbone's weights cannot be had.
    """
    if views < 1:
        raise DataError(f"--views {views} must be at least 1.")
    data = tuple(folder.resolve() for folder in folders_of(data))
    samples = read_samples(data, recipe.seed, needed=("train", "val", "test"))
    sources = {name: weights_of(name, weights) for name in ("mobilenet_v2", *BACKBONES)}
    shipped = Model(model)
    for folder in (out, out / "models"):
        folder.mkdir(parents=True, exist_ok=True)

    def crops_of(split: str, margin: float, resampling: str, folder: Path) -> Crops:
        return split_crops(samples, split, margin, resampling, folder)

    place = recipe.crop_margin, recipe.resampling, out / recipe.name / "crops"  # where `fit` will find them
    crops = {split: crops_of(split, *place) for split in ("train", "val", "test")}
    keyed = data_sha256(data, samples), recipe.sha256

    contenders = [_paper(recipe, data, sources["mobilenet_v2"], out, crops, to_onnx)]
    for network in NETWORKS:
        whole, facts = trained_network(network, recipe, sources[network.backbone], crops, keyed, views, out)
        contenders.append(_converted(whole, recipe.size, out, crops, to_onnx, facts))
    contenders.append(_classical(recipe, out, crops, keyed))
    meta = shipped.metadata
    own_crops = crops_of("test", meta.crop_margin, meta.resampling, out / "shipped" / "crops")
    contenders.append(shipped_contender(shipped, own_crops, keyed[0]))

    models = [measure(contender) for contender in contenders]
    with threadpool_limits(THREADS):
        milliseconds = latency(contenders)
    return {
        "models": [row | {"milliseconds": ms} for row, ms in zip(models, milliseconds, strict=True)],
        "threshold": THRESHOLD,
        "pictures": {split: len(part) for split, part in crops.items()},
        "data_sha256": keyed[0],
        "recipe": recipe.name,
        "recipe_sha256": recipe.sha256,
        "seed": recipe.seed,
        "size": recipe.size,
        "crop_margin": recipe.crop_margin,
        "epochs": recipe.epochs,
        "views": views,
        "latency": {"rounds": ROUNDS, "batch": 1, "threads": THREADS},
        "machine": machine(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def split_crops(samples: list[Sample], split: str, margin: float, resampling: str, folder: Path) -> Crops:
    """The largest faces of one split, cut as a model asks, kept in a folder."""
    return cached_crops([s for s in samples if s.split == split], Framing(margin), resampling, folder, split)


def _paper(
    recipe: Recipe, data: Folders, weights: str | Path, out: Path, crops: dict[str, Crops], to_onnx: Converter
) -> Contender:
    """MobileNetV2 as in the paper: a training run like any other, every epoch on new views."""
    folder = out / recipe.name
    clock = folder / "seconds.json"
    with nullcontext() if (folder / "calibration.json").is_file() else timed(clock):
        trained = fit(recipe, data, weights, folder)
    keras.utils.clear_session()  # frees what came before; layers are named from one again
    network = build(recipe)
    network.load_weights(trained.best_weights)
    epochs = len((folder / "history.csv").read_text(encoding="utf-8").splitlines()) - 1
    facts = {
        "name": recipe.name,
        "title": "MobileNetV2 as in the paper",
        "training_minutes": seconds(clock) / 60,
        "epochs": epochs,
        "views": epochs,
    }
    return _converted(network, recipe.size, out, crops, to_onnx, facts)


def _converted(
    network: keras.Model, size: int, out: Path, crops: dict[str, Crops], to_onnx: Converter, facts: dict
) -> Contender:
    """The network as an ONNX file, from pixel values to logits, found to compute what Keras computes."""
    file = out / "models" / f"{facts['name']}.onnx"
    with atomic_write(file) as unfinished:
        onnx.save(to_onnx(network, size), unfinished)
    logits = logits_of(file)
    val = crops["val"]
    some = np.stack([val.crop(number, size) for number in range(0, len(val), 1 + len(val) // PARITY_CROPS)])
    expected = network.predict_on_batch(some.astype(np.float32) / np.float32(255))
    difference = float(np.abs(expected - logits(pixel_values(some))).max() / max(1.0, np.abs(expected).max()))
    if not difference <= PARITY_TOLERANCE:
        raise DataError(f"{file.name} differs from Keras's {facts['title']} by {difference:.1e}; it was not measured.")
    facts |= {"parameters": _parameters(file), "bytes": file.stat().st_size, "onnx_difference": difference}
    return Contender(crops["test"], size, pixel_values, lambda values: probability(logits(values), 1.0), facts)


def logits_of(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """An ONNX file in onnxruntime: pixel values [N, 3, S, S] -> logits [N, 2]; the same settings for every model.

    Idle threads wait instead of spinning: on few cores, one model's spinning threads would slow the next model down.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda values: session.run(["logits"], {"pixel_values": values})[0]


def _classical(recipe: Recipe, out: Path, crops: dict[str, Crops], keyed: tuple) -> Contender:
    """Hand-made features and a shallow classifier, on the crops as they are."""
    file, facts = classical.trained_classifier(recipe, crops, keyed, out)
    classifier = joblib.load(file)
    facts |= {"name": "classical", "title": "Hand-made features", "parameters": None, "bytes": file.stat().st_size}
    judge = partial(classical.judge, classifier)
    return Contender(crops["test"], recipe.size, lambda some: some, judge, facts)


def shipped_contender(model: Model, crops: Crops, data_hash: str) -> Contender:
    """The shipped model, judged as it is by one look at each face.

    Args:
        model: its file.
        crops: of the test split, cut as it asks.
        data_hash: of the comparison's data.
    """
    facts = {
        "name": "shipped",
        "title": "The shipped model",
        "training_minutes": None,
        "epochs": None,
        "views": None,
        "parameters": _parameters(model.path),
        "bytes": model.path.stat().st_size,
        "network_sha256": network_sha256(model.path),
        "recipe": model.metadata.recipe,
        "same_data": model.metadata.data_sha256 == data_hash,
    }
    logits, temperature = logits_of(model.path), model.metadata.temperature
    return Contender(
        crops,
        model.metadata.size,
        pixel_values,
        lambda values: probability(logits(values), temperature),
        facts,
    )


def measure(contender: Contender) -> dict:
    """A contender's facts, its size in pixels, and "test": see `train.metrics.binary_metrics`."""
    crops, p_fake = contender.crops, []
    batches = range(0, len(crops), BATCH)
    for first in tqdm(batches, desc=f"test {contender.facts['name']}", unit="batch", disable=None):
        numbers = range(first, min(first + BATCH, len(crops)))
        some = np.stack([crops.crop(number, contender.size) for number in numbers])
        p_fake.append(contender.p_fake(contender.prepare(some)))
    return contender.facts | {"size": contender.size, "test": binary_metrics(np.concatenate(p_fake), crops.labels)}


def latency(contenders: list[Contender]) -> list[float]:
    """Median milliseconds of one picture, from prepared input to probability, in turns.

    Before each timed run comes an untimed one, so that no model pays for the caches that its predecessor leaves.
    """
    cv2.setNumThreads(THREADS)
    times = np.zeros((ROUNDS, len(contenders)))
    for turn in tqdm(range(ROUNDS), desc="timing", unit="round", disable=None):
        for column, contender in enumerate(contenders):
            number = turn % len(contender.crops)
            one = contender.prepare(contender.crops.crop(number, contender.size)[None])
            contender.p_fake(one)
            started = perf_counter()
            contender.p_fake(one)
            times[turn, column] = (perf_counter() - started) * 1000
    return np.median(times, axis=0).tolist()


def _parameters(file: Path) -> int:
    """Numbers in an ONNX file's weights, batch normalisation being folded into the convolutions before it."""
    weights = onnx.load(file).graph.initializer
    return sum(int(np.prod(w.dims)) for w in weights if w.data_type == onnx.TensorProto.FLOAT)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # OpenCV, for one, goes by several names
        return None
