"""The classical baseline: hand-made features of a face crop and a shallow classifier, chosen on val."""

import json
from pathlib import Path
from time import perf_counter

import cv2
import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tqdm import tqdm

from deepfake_detect.atomic_files import atomic_write, write_text
from train.batches import Batches
from train.crops import Crops
from train.features import cached_features, features_key
from train.recipe import Recipe

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))  # clockwise: row, column


def _uniform_patterns() -> np.ndarray:
    """[256] -> 0..57 for the codes with at most two changes around the circle, 58 for all others."""
    table, count = np.full(256, 58), 0
    for code in range(256):
        bits = [code >> n & 1 for n in range(8)]
        if sum(bits[n] != bits[n - 1] for n in range(8)) <= 2:
            table[code], count = count, count + 1
    return table


UNIFORM = _uniform_patterns()


def picture_features(crop: np.ndarray) -> np.ndarray:
    """All features of a crop [S, S, 3] uint8 RGB: [F] float32, F a function of S alone."""
    crop = np.ascontiguousarray(crop)
    ycc = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb)
    channels = [ycc[..., number] for number in range(3)]
    parts = [*map(lbp_histogram, channels), *map(power_spectrum, channels), colour_statistics(crop), hog(channels[0])]
    return np.concatenate(parts).astype(np.float32)


def lbp_histogram(channel: np.ndarray) -> np.ndarray:
    """Histogram [59] of uniform local binary patterns (Ojala et al. 2002; 8 neighbours, radius 1); sums to 1."""
    height, width = channel.shape
    centre = channel[1:-1, 1:-1]
    codes = np.zeros(centre.shape, np.uint8)
    for bit, (down, right) in enumerate(NEIGHBOURS):
        neighbour = channel[1 + down : height - 1 + down, 1 + right : width - 1 + right]
        codes |= (neighbour >= centre).astype(np.uint8) << bit
    return np.bincount(UNIFORM[codes].ravel(), minlength=59) / codes.size


def power_spectrum(channel: np.ndarray) -> np.ndarray:
    """Azimuthally averaged log power (Durall et al. 2020): [S // 2], from 0 to just under half the sampling rate."""
    size = channel.shape[0]
    window = np.hanning(size)
    values = (channel - channel.mean()) * np.outer(window, window)
    power = np.log1p(np.abs(np.fft.fft2(values)) ** 2)
    frequency = np.fft.fftfreq(size) * size
    radius = np.hypot(*np.meshgrid(frequency, frequency)).round().astype(int).ravel()
    bands = np.bincount(radius, power.ravel()) / np.bincount(radius)
    return bands[: size // 2]


def colour_statistics(crop: np.ndarray) -> np.ndarray:
    """Mean, deviation and skewness of YCrCb and HSV; deviation and kurtosis of each channel's noise residual: [24]."""
    spaces = [cv2.cvtColor(crop, code) for code in (cv2.COLOR_RGB2YCrCb, cv2.COLOR_RGB2HSV)]
    colours = np.concatenate(spaces, axis=2).reshape(-1, 6).astype(np.float64)
    residual = (crop.astype(np.float64) - cv2.medianBlur(crop, 3)).reshape(-1, 3)
    (mean, deviation, skewness, _), (_, noise, _, kurtosis) = _moments(colours), _moments(residual)
    return np.concatenate([mean, deviation, skewness, noise, kurtosis])


def _moments(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean, deviation, skewness, kurtosis of each column."""
    mean, deviation = values.mean(0), values.std(0)
    z = (values - mean) / np.maximum(deviation, 1e-6)
    return mean, deviation, (z**3).mean(0), (z**4).mean(0)


def hog(grey: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients (Dalal & Triggs 2005): 4 x 4 cells, blocks of 2 x 2, 9 directions: [324]."""
    cell = grey.shape[0] // 4
    side = 4 * cell
    descriptor = cv2.HOGDescriptor((side, side), (2 * cell, 2 * cell), (cell, cell), (cell, cell), 9)
    return descriptor.compute(np.ascontiguousarray(grey[:side, :side])).ravel()


def batch_features(pixels: np.ndarray) -> np.ndarray:
    """Pixel values [B, S, S, 3] float32 in 0..1, as `train.batches` gives them -> features [B, F] float32."""
    crops = np.rint(pixels * 255).astype(np.uint8)
    return np.stack([picture_features(crop) for crop in crops])


def candidates(seed: int) -> dict[str, object]:
    """The classifiers to choose from, by name; `seed` is of what is random in one."""
    found = {f"SVM, RBF kernel, C = {c}": make_pipeline(StandardScaler(), SVC(C=c)) for c in (1, 10)}
    for leaves in (15, 63):
        found[f"gradient-boosted trees, {leaves} leaves"] = HistGradientBoostingClassifier(
            max_iter=300, max_leaf_nodes=leaves, early_stopping=False, random_state=seed
        )
    return found


def choose_classifier(
    train: tuple[np.ndarray, np.ndarray], val: tuple[np.ndarray, np.ndarray], seed: int
) -> tuple[object, str, dict[str, float]]:
    """Fit every candidate on train and keep the one with the highest AUC on val.

    Args:
        train, val: features [N, F] and labels [N], 0 real, 1 fake.
        seed: of what is random in a candidate.

    Returns:
        The fitted classifier, its name, and {name: AUC on val} of all of them.
    """
    fitted = candidates(seed)
    scores = {}
    for name, candidate in tqdm(fitted.items(), desc="classical", unit="classifier", disable=None):
        candidate.fit(*train)
        scores[name] = float(roc_auc_score(val[1], probability_of_fake(candidate, val[0])))
    best = max(scores, key=scores.get)
    return fitted[best], best, scores


def probability_of_fake(classifier: object, features: np.ndarray) -> np.ndarray:
    """[N] in 0..1 from features [N, F]. An SVM's signed distance goes through a logistic curve, which keeps
    its decision at 0.5 and its order; it is not calibrated."""
    if hasattr(classifier, "predict_proba"):
        return classifier.predict_proba(features)[:, 1]
    return 1 / (1 + np.exp(-classifier.decision_function(features)))


def judge(classifier: object, crops: np.ndarray) -> np.ndarray:
    """[N] in 0..1 from crops [N, S, S, 3] uint8 RGB."""
    return probability_of_fake(classifier, np.stack([picture_features(crop) for crop in crops]))


def trained_classifier(recipe: Recipe, crops: dict[str, Crops], keyed: tuple, out: Path) -> tuple[Path, dict]:
    """Choose a classifier on the crops as they are, or find the one that an earlier call chose.

    Args:
        recipe: gives size and seed.
        crops: of train and val.
        keyed: hashes of data and recipe, for the names of what is kept.
        out: folder of the comparison; features/ and models/ in it are written.

    Returns:
        The classifier's joblib file, and facts for the report: "chosen", "val_auc" of each candidate, ...
    """
    key = features_key(*keyed, crops["train"], crops["val"])
    folder, size = out / "features" / f"classical-{key}", recipe.size
    parts = [
        cached_features(batch_features, Batches(crops[split], recipe.batch_size, size), folder, split)
        for split in ("train", "val")
    ]
    file = out / "models" / f"classical-{key}.joblib"
    record = file.with_suffix(".json")
    if not record.is_file():
        started = perf_counter()
        classifier, chosen, scores = choose_classifier(*((part.values, part.labels) for part in parts), recipe.seed)
        with atomic_write(file) as partial:
            joblib.dump(classifier, partial)
        values = {"chosen": chosen, "val_auc": scores, "seconds": perf_counter() - started}
        write_text(record, json.dumps(values, indent=2) + "\n")  # last: it vouches for the classifier
    values = json.loads(record.read_text(encoding="utf-8"))
    seconds = values.pop("seconds") + sum(part.seconds for part in parts)
    return file, {"training_minutes": seconds / 60, "epochs": None, "views": 1, **values}
