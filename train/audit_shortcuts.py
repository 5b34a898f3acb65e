"""How much of the label trivial features give away: a logistic regression on them alone."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from train.audit_features import STAGES, Measured

FOLDS = 5
MIN_PICTURES = 25  # of each class; with fewer the interval is too wide to say anything
DRAWS = 1000  # of the bootstrap
INTERVAL = (0.025, 0.975)
SHORTCUT = 0.65  # AUC; a stage is a shortcut where even the interval's lower end is above
LOGARITHMIC = ("width", "height", "kilobytes", "bits_per_pixel", "sharpness")  # span orders of magnitude
EPSILON = 1e-3


def giveaway(pictures: Sequence[Measured], seed: int) -> dict | None:
    """Measure, at each stage, how well trivial features tell fakes from real pictures.

    Standardised features, logistic regression, 5-fold cross-validation that keeps groups together; the AUC of all
    out-of-fold scores, with a 95 % bootstrap interval that draws whole groups.

    Args:
        pictures: of one source, or of all.
        seed: of the folds and of the bootstrap.

    Returns:
        {"pictures", "real", "fake", "stages": {stage: {"auc", "low", "high", "shortcut": whether low > SHORTCUT,
        "features": {name: {"auc": of that feature alone, 0.5..1, "real", "fake": medians}}}}}; AUC 0..1. None where
        a class has too few pictures, or too few groups for the folds.
    """
    labels = np.array([picture.sample.label for picture in pictures])
    groups = np.array([picture.sample.group or f"path:{picture.name}" for picture in pictures])
    counts = [int((labels == label).sum()) for label in (0, 1)]
    if min(counts) < MIN_PICTURES or any(len(set(groups[labels == label])) < FOLDS for label in (0, 1)):
        return None
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = list(splitter.split(labels, labels, groups))  # the same for every stage
    stages = {}
    for stage in STAGES:
        names = list(pictures[0].features[stage])
        values = np.array([[picture.features[stage][name] for name in names] for picture in pictures])
        scores = _out_of_fold(_scaled(values, names), labels, folds)
        low, high = auc_interval(scores, labels, groups, np.random.default_rng(seed))
        features = {name: _alone(column, labels) for name, column in zip(names, values.T, strict=True)}
        stages[stage] = {
            "auc": float(roc_auc_score(labels, scores)),
            "low": low,
            "high": high,
            "shortcut": low > SHORTCUT,
            "features": dict(sorted(features.items(), key=lambda item: -item[1]["auc"])),
        }
    return {"pictures": len(pictures), "real": counts[0], "fake": counts[1], "stages": stages}


def auc_interval(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the AUC, drawing groups with replacement.

    Args:
        scores: [N], higher for fakes.
        labels: [N], 0 real, 1 fake.
        groups: [N], the unit that is drawn.
        rng: the only source of randomness.
    """
    names, units = np.unique(groups, return_inverse=True)
    _, ranks = np.unique(scores, return_inverse=True)
    draws = []
    for _ in range(DRAWS):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[units]
        real, fake = (np.bincount(ranks, weights * (labels == label)) for label in (0, 1))
        if real.any() and fake.any():  # of few groups a draw may hold one class alone
            draws.append(fake @ (np.cumsum(real) - real / 2) / (real.sum() * fake.sum()))
    low, high = np.quantile(draws, INTERVAL)
    return float(low), float(high)


def _scaled(values: np.ndarray, names: list[str]) -> np.ndarray:
    logarithmic = np.isin(names, LOGARITHMIC)
    return np.where(logarithmic, np.log(np.where(logarithmic, values, 1) + EPSILON), values)


def _out_of_fold(values: np.ndarray, labels: np.ndarray, folds: list) -> np.ndarray:
    model = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))  # few features: exact steps
    return cross_val_predict(model, values, labels, cv=folds, method="decision_function")


def _alone(column: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    auc = roc_auc_score(labels, column)
    real, fake = (float(np.median(column[labels == label])) for label in (0, 1))
    return {"auc": float(max(auc, 1 - auc)), "real": real, "fake": fake}
