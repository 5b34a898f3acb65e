"""The figures of judged pictures by kind of fake, by kind of photograph, by source, and by group of people."""

import re
from collections.abc import Sequence

import numpy as np

from deepfake_detect.model.onnx_model import LABELS
from train.kinds import KINDS, PHOTOGRAPHS
from train.metrics import binary_metrics, intervals, wilson
from train.scored_set import ScoredSet

SAID = ("real", "unsure", "fake")
LEAST_OF_SOURCE = 40  # photographs; of fewer, one false alarm would weigh too much to call a source the worst
UTKFACE = re.compile(r"(?:.*/)?(\d+)_([01])_([0-4])_")  # age, gender, race
AGES = ((0, 9), (10, 19), (20, 34), (35, 49), (50, 64), (65, 120))
GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "other")


def counts(said: Sequence[str]) -> dict:
    """How often each of SAID was said.

    Args:
        said: verdicts' labels, at least one.

    Returns:
        {"pictures", "real", "unsure", "fake": numbers of pictures, "interval": {each of SAID: of its share (0..1)}}.
    """
    total = len(said)
    numbers = {name: sum(one == name for one in said) for name in SAID}
    return {"pictures": total, **numbers} | {
        "interval": {name: wilson(number, total) for name, number in numbers.items()}
    }


def counts_by_class(said: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
    """`counts` of the photographs, "real", and of the fakes, "fake"; a class without pictures is left out."""
    return {
        name: counts(said[labels == label].tolist()) for label, name in enumerate(LABELS) if (labels == label).any()
    }


def fakes_by_kind(judged: ScoredSet, with_intervals: bool = True) -> dict[str, dict]:
    """The fakes of each kind against every photograph.

    Returns:
        {kind: {"pictures": its fakes, "auc", "detection_rate" at 0.5, "interval" of both, "counts": see `counts`}}, in
        the order of train.kinds.KINDS; those of no known kind are "other".
    """
    p_fake, labels, kinds, said = judged.p_fake, judged.labels, judged.kinds, judged.said
    found = {}
    for kind in (*KINDS[1:], "other"):
        own = (labels == 1) & (kinds == kind)
        if not own.any():
            continue
        on = own | (labels == 0)
        metrics = binary_metrics(p_fake[on], labels[on])
        found[kind] = {"pictures": int(own.sum()), "auc": metrics["auc"], "detection_rate": metrics["recall"]}
        if with_intervals:
            spans = intervals(p_fake[on], labels[on])
            found[kind]["interval"] = {"auc": spans["auc"], "detection_rate": spans["recall"]}
        found[kind]["counts"] = counts(said[own].tolist())
    return found


def photographs_by_kind(judged: ScoredSet) -> dict[str, dict]:
    """False alarms on the photographs of each kind.

    Returns:
        {kind: {"pictures", "false_alarm_rate": share with a score of 0.5 or more, "interval", "counts": see `counts`}},
        in the order of train.kinds.PHOTOGRAPHS; those of no known kind are "other".
    """
    p_fake, labels, kinds, said = judged.p_fake, judged.labels, judged.kinds, judged.said
    found = {}
    for kind in (*PHOTOGRAPHS, "other"):
        own = (labels == 0) & (kinds == kind)
        if own.any():
            metrics = binary_metrics(p_fake[own], labels[own])
            found[kind] = metrics | {
                "interval": intervals(p_fake[own], labels[own]),
                "counts": counts(said[own].tolist()),
            }
    return found


def worst_source(sources: dict[str, dict]) -> dict | None:
    """The source whose photographs are called fake most often, among all of them, decided or not.

    Args:
        sources: of a tier of a report, each with "counts": see `counts_by_class`.

    Returns:
        {"source", "pictures", "least": LEAST_OF_SOURCE, "rate": 0..1, "interval"}; None where no source has as
        many photographs.
    """
    found = [(name, metrics["counts"]["real"]) for name, metrics in sources.items() if "real" in metrics["counts"]]
    rated = [(own["fake"] / own["pictures"], name, own) for name, own in found if own["pictures"] >= LEAST_OF_SOURCE]
    if not rated:
        return None
    rate, name, own = max(rated, key=lambda row: row[0])
    return {"source": name, "pictures": own["pictures"], "least": LEAST_OF_SOURCE, "rate": rate,
            "interval": own["interval"]["fake"]}  # fmt: skip


def groups(judged: ScoredSet) -> dict[str, dict]:
    """False alarms per age band, gender and race of the photographs whose origin is named as UTKFace names them."""
    members: dict[str, list[int]] = {}
    for number, sample in enumerate(judged.samples):
        match = UTKFACE.match(sample.origin) if sample.label == 0 and sample.source == "utkface" else None
        if match:
            age, gender, race = map(int, match.groups())
            low, high = next(band for band in AGES if age <= band[1])
            for name in (f"age {low} to {high}", GENDERS[gender], RACES[race]):
                members.setdefault(name, []).append(number)
    bands = [f"age {low} to {high}" for low, high in AGES]
    p_fake, labels = judged.p_fake, judged.labels
    return {
        name: binary_metrics(p_fake[members[name]], labels[members[name]])
        | {"interval": intervals(p_fake[members[name]], labels[members[name]])}
        for name in (*bands, *GENDERS, *RACES)
        if name in members
    }
