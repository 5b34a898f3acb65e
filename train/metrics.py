"""Metrics of calibrated probabilities, with bootstrap intervals. "Fake" is the positive class."""

import numpy as np

THRESHOLD = 0.5
FALSE_ALARMS = 0.05  # the rate at which `tpr_at_5_fpr` is read
BINS = 15  # of equal width, for the expected calibration error
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles


def binary_metrics(p_fake: np.ndarray, labels: np.ndarray) -> dict:
    """Metrics at the fixed threshold 0.5 and over all thresholds.

    Args:
        p_fake: [N] calibrated probabilities, 0..1.
        labels: [N], 0 real, 1 fake.

    Returns:
        With both classes: pictures; accuracy, balanced_accuracy, precision, recall, f1, false_alarm_rate (share of the
        real called fake); auc, eer (equal error rate),
        tpr_at_5_fpr (share of fakes found where at most 5 % of the real are called fake); ece (expected calibration
        error of p_fake over 15 bins, Naeini et al. 2015), brier; confusion {real_as_real, real_as_fake,
        fake_as_real, fake_as_fake} in pictures. All but counts 0..1. With fakes alone: pictures and
        detection_rate. With reals alone: pictures and false_alarm_rate.
    """
    rows = _weighted(p_fake, labels, np.ones((1, len(labels))))
    values = {name: float(row[0]) for name, row in rows.items()}
    if len(set(labels.tolist())) < 2:
        return {"pictures": len(labels), **values}
    said_fake = p_fake >= THRESHOLD
    counts = {
        f"{name}_as_{said}": int(((labels == label) & (said_fake == positive)).sum())
        for label, name in enumerate(("real", "fake"))
        for said, positive in (("real", False), ("fake", True))
    }
    return {"pictures": len(labels), **values, "confusion": counts}


def intervals(p_fake: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, list[float]]:
    """95 % intervals (low, high) of `binary_metrics`' rates: percentiles over 1,000 resamples within each class.

    A rate over one class only, of fakes detected or of false alarms, gets Wilson's interval: resampling would call no
    false alarm in ten pictures a certainty.
    """
    rates = {name: float(row[0]) for name, row in _weighted(p_fake, labels, np.ones((1, len(labels)))).items()}
    both = len(set(labels.tolist())) == 2
    found = _percentiles(_weighted(p_fake, labels, _resamples(labels, seed))) if both else {}
    alone = {"detection_rate": 1, "recall": 1, "false_alarm_rate": 0}
    return found | {
        name: _wilson(rates[name], int((labels == of).sum())) for name, of in alone.items() if name in rates
    }


def grouped_intervals(p_fake: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0) -> dict:
    """95 % intervals of `binary_metrics`' rates over both classes, where samples of one group go together: percentiles
    over 1,000 resamples of whole groups, less those that lack a class. Empty where no resample has both.

    Args:
        p_fake: [N] calibrated probabilities, 0..1.
        labels: [N], 0 real, 1 fake; both occur.
        groups: [N] of str.
        seed: of the resamples.
    """
    names, member = np.unique(groups, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    weights = drawn[:, member].astype(float)
    both = (weights[:, labels == 0].sum(1) > 0) & (weights[:, labels == 1].sum(1) > 0)
    return _percentiles(_weighted(p_fake, labels, weights[both])) if both.any() and len(names) > 1 else {}


def wilson(count: int, of: int) -> list[float]:
    """Wilson's 95 % interval (low, high) of a share, from how many there are and of how many; (0, 1) of none."""
    return _wilson(count / of, of) if of else [0.0, 1.0]


def _percentiles(rows: dict[str, np.ndarray]) -> dict[str, list[float]]:
    return {name: [float(v) for v in np.percentile(row, INTERVAL)] for name, row in rows.items()}


def _resamples(strata: np.ndarray, seed: int) -> np.ndarray:
    """How often each picture [RESAMPLES, N] counts when those of each stratum [N] are drawn anew, with replacement."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((RESAMPLES, len(strata)))
    for stratum in sorted(set(strata.tolist())):
        own = np.flatnonzero(strata == stratum)
        weights[:, own] = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), RESAMPLES)
    return weights


def _wilson(rate: float, count: int) -> list[float]:
    z = 1.959964
    centre, spread = rate + z**2 / (2 * count), z * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return [float(np.clip((centre + sign * spread) / (1 + z**2 / count), 0, 1)) for sign in (-1, 1)]


def _weighted(p_fake: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every rate [R] for R weightings [R, N] of the same N pictures."""
    order = np.argsort(-p_fake, kind="stable")
    score, fake, weights = p_fake[order], labels[order] == 1, weights[:, order]
    said_fake = score >= THRESHOLD
    fakes, reals = weights[:, fake].sum(1), weights[:, ~fake].sum(1)
    tp, fp = weights[:, fake & said_fake].sum(1), weights[:, ~fake & said_fake].sum(1)
    if not fake.any():
        return {"false_alarm_rate": fp / reals}
    if fake.all():
        return {"detection_rate": tp / fakes}
    tpr, fpr = _roc(score, fake, weights, fakes, reals)
    precision = np.divide(tp, tp + fp, out=np.zeros_like(tp), where=tp + fp > 0)
    return {
        "accuracy": (tp + reals - fp) / (fakes + reals),
        "balanced_accuracy": (tp / fakes + 1 - fp / reals) / 2,
        "precision": precision,
        "recall": tp / fakes,
        "f1": 2 * tp / (tp + fp + fakes),
        "false_alarm_rate": fp / reals,
        "auc": (np.diff(fpr) * (tpr[:, 1:] + tpr[:, :-1]) / 2).sum(1),
        "eer": _equal_error(tpr, fpr),
        "tpr_at_5_fpr": np.where(fpr <= FALSE_ALARMS + 1e-12, tpr, 0).max(1),
        "ece": _calibration_error(score, fake, weights),
        "brier": (weights * (score - fake) ** 2).sum(1) / (fakes + reals),
    }


def _roc(
    score: np.ndarray, fake: np.ndarray, weights: np.ndarray, fakes: np.ndarray, reals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """True and false positive rates [R, T] at every distinct threshold, from (0, 0) to (1, 1)."""
    last_of_ties = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    tpr = np.cumsum(weights * fake, 1)[:, last_of_ties] / fakes[:, None]
    fpr = np.cumsum(weights * ~fake, 1)[:, last_of_ties] / reals[:, None]
    origin = np.zeros((len(weights), 1))
    return np.hstack([origin, tpr]), np.hstack([origin, fpr])


def _equal_error(tpr: np.ndarray, fpr: np.ndarray) -> np.ndarray:
    """Where the rates of the two errors meet, on the straight line between two thresholds."""
    gap = fpr + tpr - 1  # rises from -1 to 1; 0 where both errors are equal
    after = np.argmax(gap >= 0, axis=1)
    rows = np.arange(len(gap))
    low, high = gap[rows, after - 1], gap[rows, after]
    way = -low / (high - low)
    return fpr[rows, after - 1] * (1 - way) + fpr[rows, after] * way


def _bins(score: np.ndarray) -> np.ndarray:
    return np.minimum((score * BINS).astype(int), BINS - 1)


def _calibration_error(score: np.ndarray, fake: np.ndarray, weights: np.ndarray) -> np.ndarray:
    member = np.eye(BINS)[_bins(score)]  # [N, BINS]
    gaps = np.abs((weights * (score - fake)) @ member)
    return gaps.sum(1) / weights.sum(1)


def figures_by_source(
    p_fake: np.ndarray, labels: np.ndarray, sources: np.ndarray, with_intervals: bool = True
) -> dict[str, dict]:
    """`binary_metrics` of all pictures and of every source, each with its "interval", and the mean over sources.

    A source of fakes alone is scored "against" the photographs of the sources of photographs alone, where there are
    any. "macro" is the plain mean over the sources that have both classes, or are scored so; its intervals are
    those of the mean, over resamples drawn within each source and class.

    Args:
        p_fake: [N] calibrated probabilities, 0..1.
        labels: [N], 0 real, 1 fake; both occur.
        sources: [N] of str; those that are "" count as one source, called "pictures".
        with_intervals: see `intervals`.

    Returns:
        {"all": metrics, "macro": {"sources": how many, rate: mean}, "sources": {name: metrics}}.
    """

    def measured(chosen: np.ndarray) -> dict:
        metrics = binary_metrics(p_fake[chosen], labels[chosen])
        return metrics | ({"interval": intervals(p_fake[chosen], labels[chosen])} if with_intervals else {})

    sources = named(sources)
    by_source = {name: measured(sources == name) for name in sorted(set(sources.tolist()))}
    members = scored_against(labels, sources)
    for name, (chosen, against) in members.items():
        if against:
            own, metrics = by_source[name], measured(chosen)
            for key in ("confusion", "pictures", "false_alarm_rate"):  # these are of the others
                del metrics[key]
            if with_intervals:
                del metrics["interval"]["false_alarm_rate"]
                metrics["interval"] |= own["interval"]
            by_source[name] = own | metrics | {"against": against}
    scored = [by_source[name] for name in members]
    rates = [key for key, value in scored[0].items() if isinstance(value, float)] if scored else []
    rates = [key for key in rates if all(key in m for m in scored) and key != "detection_rate"]  # that is recall
    macro = {"sources": len(scored)} | {key: float(np.mean([m[key] for m in scored])) for key in rates}
    if with_intervals and rates:
        weights = _resamples(np.char.add(sources, labels.astype(str)), 0)  # borrowed photographs are drawn once
        draws = [_weighted(p_fake[on], labels[on], weights[:, on]) for on, _ in members.values()]
        macro["interval"] = _percentiles({key: np.mean([draw[key] for draw in draws], 0) for key in rates})
    return {"all": measured(np.ones(len(labels), bool)), "macro": macro, "sources": by_source}


def named(sources: np.ndarray) -> np.ndarray:
    """Sources [N] of str, in which those that are "" are called "pictures"."""
    return np.array([source or "pictures" for source in sources.tolist()])


def scored_against(labels: np.ndarray, sources: np.ndarray) -> dict[str, tuple[np.ndarray, list[str]]]:
    """The sources that have an AUC: on which pictures ([N] bool) it is taken, and the sources whose photographs are
    borrowed for it ([] where there are both classes)."""
    classes = {name: set(labels[sources == name].tolist()) for name in sorted(set(sources.tolist()))}
    alone = [name for name, found in classes.items() if found == {0}]
    members = {}
    for name, found in classes.items():
        if found == {0, 1}:
            members[name] = sources == name, []
        elif found == {1} and alone:
            members[name] = (sources == name) | np.isin(sources, alone), alone
    return members


def roc_points(p_fake: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False alarm and detection rates [T] at every distinct threshold, from (0, 0) to (1, 1)."""
    order = np.argsort(-p_fake, kind="stable")
    fake, weights = labels[order] == 1, np.ones((1, len(labels)))
    tpr, fpr = _roc(p_fake[order], fake, weights, fake.sum(keepdims=True), (~fake).sum(keepdims=True))
    return fpr[0], tpr[0]


def corners(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points [K] of a line through points [T] at which it turns, and its ends: the same line."""
    across, up = np.diff(x), np.diff(y)
    turns = np.abs(across[:-1] * up[1:] - across[1:] * up[:-1]) > 1e-12
    kept = np.concatenate([[True], turns, [True]])
    return x[kept], y[kept]


def reliability(p_fake: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Per non-empty bin of p_fake: pictures, mean p_fake, and the share that is fake."""
    bins = _bins(p_fake)
    return [
        {
            "pictures": int((bins == number).sum()),
            "p_fake": float(p_fake[bins == number].mean()),
            "fake": float(labels[bins == number].mean()),
        }
        for number in sorted(set(bins.tolist()))
    ]


def risk_coverage(p_fake: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Share of wrong verdicts among the most confident 5, 10 .. 100 % of the pictures (El-Yaniv & Wiener 2010)."""
    order = np.argsort(-np.abs(p_fake - 0.5), kind="stable")
    wrong = np.cumsum(((p_fake >= THRESHOLD) != (labels == 1))[order])
    counts = [max(1, round(len(labels) * percent / 100)) for percent in range(5, 101, 5)]
    return [{"coverage": count / len(labels), "risk": float(wrong[count - 1] / count)} for count in counts]


def operating_points(p_fake: np.ndarray, labels: np.ndarray) -> list[dict]:
    """False alarms and detections (0..1) at the thresholds 0.01, 0.02 .. 0.99."""
    return [
        {
            "threshold": percent / 100,
            "false_alarms": float((p_fake[labels == 0] >= percent / 100).mean()),
            "detected": float((p_fake[labels == 1] >= percent / 100).mean()),
        }
        for percent in range(1, 100)
    ]


def decided_metrics(verdicts: list[str], labels: np.ndarray) -> dict:
    """How often the verdict is "real" or "fake" rather than "unsure", and how often it is then right.

    Args:
        verdicts: [N] of "real" | "fake" | "unsure".
        labels: [N], 0 real, 1 fake.

    Returns:
        coverage and accuracy (0..1) of the decided verdicts; for each side said_real, said_fake: pictures,
        and wrong among them. Rates of no pictures are None.
    """
    said = np.array(verdicts)
    real, fake = said == "real", said == "fake"
    wrong_real, wrong_fake = int((real & (labels == 1)).sum()), int((fake & (labels == 0)).sum())
    decided = int(real.sum() + fake.sum())
    return {
        "coverage": decided / len(labels),
        "accuracy": 1 - (wrong_real + wrong_fake) / decided if decided else None,
        "said_real": {"pictures": int(real.sum()), "wrong": wrong_real},
        "said_fake": {"pictures": int(fake.sum()), "wrong": wrong_fake},
    }
