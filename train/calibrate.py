"""Calibration on val: the temperature, and the band in which the detector says that it is unsure."""

import numpy as np
from scipy.optimize import minimize_scalar

from detect.model import probability

MIN_DECIDED = 20  # verdicts on one side of the band, below which its accuracy on val means nothing


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Temperature that minimises the negative log-likelihood (Guo et al. 2017).

    Args:
        logits: [N, 2] float.
        labels: [N], 0 real, 1 fake.
    """

    def loss(log_temperature: float) -> float:
        margin = (logits[:, 1] - logits[:, 0]).astype(np.float64) / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, np.where(labels == 1, -margin, margin))))

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def unsure_band(p_fake: np.ndarray, labels: np.ndarray, accuracy: float) -> tuple[float, float]:
    """The narrowest band such that the verdicts on each side of it are right often enough.

    Each side is held to `accuracy` by itself, so that neither "real" nor "fake" leans on the other.

    Args:
        p_fake: [N] calibrated probabilities.
        labels: [N], 0 real, 1 fake.
        accuracy: share of right verdicts asked of each side, 0.5..1.

    Returns:
        (low, high) with 0 <= low <= 0.5 <= high <= 1; a side that never reaches the accuracy decides nothing.
    """
    high = _threshold(p_fake, labels == 1, accuracy)
    low = 1 - _threshold(1 - p_fake, labels == 0, accuracy)
    return low, high


def _threshold(score: np.ndarray, right: np.ndarray, accuracy: float) -> float:
    """Lowest threshold, at least 0.5, from which on a share `accuracy` of the scores is right."""
    order = np.argsort(-score, kind="stable")
    score, right = score[order], right[order]
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    last_of_ties = np.append(score[1:] != score[:-1], True)
    good = (score >= 0.5) & (share >= accuracy) & last_of_ties & (np.arange(1, len(score) + 1) >= MIN_DECIDED)
    if not good.any():
        return 1.0
    last = int(np.flatnonzero(good)[-1])
    if last + 1 == len(score) or score[last + 1] < 0.5:
        return 0.5
    return float(score[last])


def calibrate(logits: np.ndarray, labels: np.ndarray, accuracy: float) -> tuple[float, tuple[float, float]]:
    """Temperature and unsure band from val logits [N, 2] and labels [N]."""
    temperature = fit_temperature(logits, labels)
    return temperature, unsure_band(probability(logits, temperature), labels, accuracy)
