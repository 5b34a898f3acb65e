"""Calibration on val: the temperature, the band in which the detector says that it is unsure, and from when on it names
a kind of fake. All of it is fitted to the mean logits of all looks at a face, as they are served."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from deepfake_detect.model.onnx_model import Outputs, kind_of_fake, probability
from train.kinds import KINDS, kind_number
from train.recipe import Recipe

PRECISION = 0.85  # asked of a kind that is named
MIN_DECIDED = 20  # verdicts on one side of the band, below which its accuracy on val means nothing
MIN_PHOTOGRAPHS = 40  # of a kind, from which on it is balanced against the others, and its false alarms are bounded


@dataclass(frozen=True)
class Asked:
    """What is asked of the unsure band."""

    accuracy: float  # share of right verdicts outside it, both sides together, 0.5..1
    false_alarms: float | None = None  # share of the photographs of each kind that may be called fake; None: any
    unseen_accuracy: float | None = None  # as `accuracy`, on pictures of generators that nobody trained on; None: any


def asked_by(recipe: Recipe) -> Asked:
    """What a recipe asks of the unsure band."""
    return Asked(recipe.decided_accuracy, recipe.false_alarms, recipe.unseen_accuracy)


def needed_splits(recipe: Recipe) -> tuple[str, ...]:
    """Splits in which a training needs pictures of both classes."""
    return ("train", "val") if recipe.unseen_accuracy is None else ("train", "val", "cross")


def fit_temperature(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Temperature that minimises the negative log-likelihood (Guo et al. 2017).

    Args:
        logits: [N, K] float.
        labels: [N], 0 to K - 1.
        weights: [N] how much each counts; by default all the same.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        losses = np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(labels)), labels]
        return float(np.average(losses, weights=weights))

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


def balanced(labels: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    """Weights [N] by which the kinds of photographs count alike, if there are MIN_PHOTOGRAPHS of them; of these all
    together, of all other photographs, and of the fakes, the mean is 1.

    Args:
        labels: [N], 0 real, 1 fake.
        kinds: [N] see `train.kinds.kind_and_part`.
    """
    names, weights = np.array(kinds), np.ones(len(labels))
    several = _photographs(labels, names)
    whole = sum(int(members.sum()) for members in several.values())
    for members in several.values():
        weights[members] = whole / len(several) / members.sum()
    return weights


def _photographs(labels: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """[N] bool: which are photographs of each kind of which there are enough."""
    found = {str(kind): (labels == 0) & (kinds == kind) for kind in np.unique(kinds[labels == 0])}
    return {kind: members for kind, members in found.items() if members.sum() >= MIN_PHOTOGRAPHS}


def unsure_band(
    p_fake: np.ndarray,
    labels: np.ndarray,
    asked: Asked,
    kinds: Sequence[str] | None = None,
    unseen: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[float, float]:
    """The band that leaves the most verdicts outside it, of which a share `asked.accuracy` is right, and by which no
    kind of photograph has more false alarms than asked.

    Args:
        p_fake: [N] calibrated probabilities.
        labels: [N], 0 real, 1 fake.
        asked: see `Asked`.
        kinds: [N] see `balanced`, by which verdicts count; by default all photographs are of one kind.
        unseen: p_fake and labels [M] of pictures of generators that nobody trained on, of whose verdicts a share
            `asked.unseen_accuracy` is to be right as well.

    Returns:
        (low, high) in steps of 0.01, with 0 <= low <= 0.5 <= high <= 1; a side without MIN_DECIDED verdicts
        never decides, and (0, 1) means that no band reaches the accuracy on as many.
    """
    names = np.array(kinds if kinds is not None else [""] * len(labels))
    weights, photographs = balanced(labels, names), _photographs(labels, names)
    best, chosen = (0.0, 0.0, 0.0), (0.0, 1.0)
    for high in np.arange(50, 101) / 100:
        fake = p_fake >= high
        alarms = max((float(np.mean(fake[members])) for members in photographs.values()), default=0.0)
        if (asked.false_alarms is not None and alarms > asked.false_alarms) or (fake.sum() < MIN_DECIDED and high < 1):
            continue
        for low in np.arange(51) / 100:
            real = (p_fake <= low) & ~fake
            decided = float(weights[real | fake].sum())
            right = float(weights[real & (labels == 0)].sum() + weights[fake & (labels == 1)].sum())
            worth = decided, right, float(low - high)  # of bands that decide the same, the narrowest
            known = real.sum() >= MIN_DECIDED or low == 0
            better = known and decided and right >= asked.accuracy * decided and worth > best
            if better and _holds_on_unseen(unseen, asked.unseen_accuracy, float(low), float(high)):
                best, chosen = worth, (float(low), float(high))
    return chosen


def _holds_on_unseen(
    unseen: tuple[np.ndarray, np.ndarray] | None, accuracy: float | None, low: float, high: float
) -> bool:
    if unseen is None or accuracy is None:
        return True
    p_fake, labels = unseen
    decided = (p_fake >= high) | (p_fake <= low)
    return np.sum(((p_fake >= high) == labels)[decided]) >= accuracy * decided.sum()


def calibrate(
    given: Outputs,
    labels: np.ndarray,
    kinds: Sequence[str],
    asked: Asked,
    unseen: tuple[Outputs, np.ndarray] | None = None,
) -> dict:
    """Everything that is fitted to val.

    Args:
        given: mean outputs over all looks at N faces.
        labels: [N], 0 real, 1 fake.
        kinds: [N] see `train.kinds.kind_and_part`.
        asked: of the band.
        unseen: outputs and labels of pictures of generators that nobody trained on: a second opinion on the band.

    Returns:
        {"temperature", "unsure_band": [low, high], "kinds": see `calibrate_kinds`, of a network that gives kinds,
        "photographs": {kind: {"pictures", "false_alarms": share that is called fake}}, of those that are bounded}
    """
    temperature = fit_temperature(given.logits, labels, balanced(labels, kinds))
    p_fake = probability(given.logits, temperature)
    other = unseen and (probability(unseen[0].logits, temperature), unseen[1])
    band = unsure_band(p_fake, labels, asked, kinds, other)
    said_fake = p_fake >= band[1]
    values: dict = {"temperature": temperature, "unsure_band": list(band)}
    if given.kinds is not None:
        places = np.array([kind_number(*pair) for pair in zip(kinds, labels, strict=True)])
        values["kinds"] = calibrate_kinds(given.kinds, places, said_fake, KINDS)
    photographs = _photographs(labels, np.array(kinds))
    return values | {
        "photographs": {
            kind: {"pictures": int(members.sum()), "false_alarms": float(np.mean(said_fake[members]))}
            for kind, members in photographs.items()
        }
    }


def calibrate_kinds(logits: np.ndarray, kinds: np.ndarray, called_fake: np.ndarray, names: Sequence[str]) -> dict:
    """Temperature of the second output, and from which probability on a kind of fake is named.

    Args:
        logits: [N, K] of the output `kinds` on val.
        kinds: [N] places in `names`, 0 real, -1 unknown; those are left out.
        called_fake: [N] bool: only pictures that are called fake are given a kind, photographs among them count as
            wrong.
        names: of the K kinds.

    Returns:
        {"names", "temperature", "least": {name: probability}}, see `model.onnx_model.Metadata.kinds`: the
        lowest probability in steps of 0.01 from which on a share PRECISION of at least MIN_DECIDED pictures is of that
        kind. A kind that never reaches it is left out: it is not named.
    """
    known = kinds >= 0
    logits, kinds, called_fake = logits[known], kinds[known], called_fake[known]
    temperature = fit_temperature(logits, kinds)
    place, share = kind_of_fake(logits, temperature)
    least = {}
    for number, name in enumerate(names[1:], 1):
        chosen = called_fake & (place == number)
        for threshold in np.arange(101) / 100:
            named = chosen & (share >= threshold)
            if named.sum() >= MIN_DECIDED and np.mean(kinds[named] == number) >= PRECISION:
                least[name] = float(threshold)
                break
    return {"names": list(names), "temperature": temperature, "least": least}
