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
    """The band that leaves the most verdicts outside it, of which a share `accuracy` is right.

    Args:
        p_fake: [N] calibrated probabilities.
        labels: [N], 0 real, 1 fake.
        accuracy: share of right verdicts asked of both sides together, 0.5..1.

    Returns:
        (low, high) with 0 <= low <= 0.5 <= high <= 1; a side without MIN_DECIDED verdicts decides nothing, and
        (0, 1) means that no band reaches the accuracy.
    """
    fake_from, fakes, right_fakes = _side(p_fake, labels == 1, 1.0, 0.5)
    real_from, reals, right_reals = _side(-p_fake, labels == 0, 0.0, -0.5)
    decided, right = fakes[:, None] + reals, right_fakes[:, None] + right_reals
    most = np.where(right >= accuracy * decided - 1e-9, decided + right / (len(labels) + 1), -1)  # ties: the most right
    high, low = np.unravel_index(np.argmax(most), most.shape)
    return abs(float(real_from[low])), float(fake_from[high])


def _side(score: np.ndarray, right: np.ndarray, nothing: float, half: float) -> tuple[np.ndarray, ...]:
    """Every threshold of one side's scores, from `nothing` (decides no verdict) to `half` (decides all of the side),
    and from each on how many verdicts there are and how many of them are right."""
    order = np.argsort(-score, kind="stable")
    score, right = score[order], np.cumsum(right[order])
    count = np.arange(1, len(score) + 1)
    last_of_ties = np.append(score[1:] != score[:-1], True)
    chosen = np.flatnonzero(last_of_ties & (score >= half) & (count >= MIN_DECIDED))
    thresholds = np.append(nothing, score[chosen])
    if len(chosen):
        thresholds[-1] = half
    return thresholds, np.append(0, count[chosen]), np.append(0, right[chosen])


def calibrate(logits: np.ndarray, labels: np.ndarray, accuracy: float) -> tuple[float, tuple[float, float]]:
    """Temperature and unsure band from val logits [N, 2] and labels [N]."""
    temperature = fit_temperature(logits, labels)
    return temperature, unsure_band(probability(logits, temperature), labels, accuracy)
