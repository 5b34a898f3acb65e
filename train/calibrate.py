"""Calibration on val: the temperature, and the band in which the detector says that it is unsure."""

from itertools import product

import numpy as np
from scipy.optimize import minimize_scalar

from detect.model import in_band, probability

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


def unsure_band(
    p_fake: np.ndarray, second_look: np.ndarray, labels: np.ndarray, accuracy: float
) -> tuple[float, float]:
    """The band that leaves the most verdicts outside it, of which a share `accuracy` is right.

    Args:
        p_fake: [N] calibrated probabilities.
        second_look: [N] those that replace them inside the band, see `detect.Detector`.
        labels: [N], 0 real, 1 fake.
        accuracy: share of right verdicts asked of both sides together, 0.5..1.

    Returns:
        (low, high) in steps of 0.01, with 0 <= low <= 0.5 <= high <= 1; a side without MIN_DECIDED verdicts
        never decides, and (0, 1) means that no band reaches the accuracy on as many.
    """
    best, chosen = (0, 0, 0.0), (0.0, 1.0)
    for low, high in product(np.arange(51) / 100, np.arange(50, 101) / 100):
        band = float(low), float(high)
        score = np.where(in_band(p_fake, band), second_look, p_fake)
        fake = score >= high
        real = (score <= low) & ~fake
        reals, fakes = int(real.sum()), int(fake.sum())
        decided = reals + fakes
        right = int((labels[real] == 0).sum() + (labels[fake] == 1).sum())
        known = (reals >= MIN_DECIDED or low == 0) and (fakes >= MIN_DECIDED or high == 1)
        worth = decided, right, low - high  # of bands that decide the same, the narrowest
        if known and decided and right >= accuracy * decided and worth > best:
            best, chosen = worth, band
    return chosen


def calibrate(
    logits: np.ndarray, mirrored: np.ndarray, labels: np.ndarray, accuracy: float
) -> tuple[float, tuple[float, float]]:
    """Temperature and unsure band from val logits [N, 2], those of the mirrored crops, and labels [N]."""
    temperature = fit_temperature(logits, labels)
    first, second = (probability(looks, temperature) for looks in (logits, (logits + mirrored) / 2))
    return temperature, unsure_band(first, second, labels, accuracy)
