"""What the shipped model is asked to reach, and whether a report reaches it. A missed criterion stays in the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from train.breakdown import LEAST_OF_SOURCE

MIN_GROUP = 10  # photographs; under it one false alarm more or less would decide


class NoSuchPicturesError(LookupError):
    """A report's data has none of the pictures that a criterion is about."""


@dataclass(frozen=True)
class Criterion:
    """One requirement on one figure of a report.

    `figure` raises NoSuchPicturesError where the report's data has no such pictures: the criterion is then not
    measured, which is no fault of the model. It returns None where the model leaves the figure undefined, which misses
    the criterion.
    """

    name: str
    split: str
    figure: Callable[[dict], float | None]
    value: float
    at_least: bool = True


def _auc(source: str) -> Callable[[dict], float]:
    return lambda report: _of(_of(report["tiers"]["clean"]["sources"], source), "auc")


def _auc_against_all(source: str) -> Callable[[dict], float]:
    return lambda report: _of(report["against_all"], source)


def _of(rows: dict, name: str) -> Any:
    """What a report has of a tier, a source or a figure that only some sources have."""
    if name not in rows:
        raise NoSuchPicturesError(name)
    return rows[name]


def _of_videos(report: dict) -> dict:
    """Of the clips that the criteria are about."""
    return _of(_of(report["videos"], "test"), "bar")


def _decided(key: str) -> Callable[[dict], float | None]:
    return lambda report: report["tiers"]["clean"]["decided"][key]


def _ece(tier: str) -> Callable[[dict], float]:
    return lambda report: _of(report["tiers"], tier)["all"]["ece"]


def _loss(report: dict) -> float:
    clean, hard = (_of(report["tiers"], tier)["macro"]["balanced_accuracy"] for tier in ("clean", "hard"))
    return clean - hard


def _worst_source(report: dict) -> float:
    worst = report["tiers"]["clean"]["worst_source"]
    if worst is None:
        raise NoSuchPicturesError("sources")
    return worst["rate"]


def _worst_group(report: dict) -> float:
    """The largest false alarm rate of a group, over that of all photographs it was drawn from; 0 without any alarm."""
    mean = _of(report["tiers"]["clean"]["sources"], "utkface")["false_alarm_rate"]
    rates = [group["false_alarm_rate"] for group in report["groups"].values() if group["pictures"] >= MIN_GROUP]
    if not rates:
        raise NoSuchPicturesError("groups")
    return max(rates) / mean if mean else 0.0


def _of_split(split: str, decided: float, right: float) -> tuple[Criterion, ...]:
    """What is asked of both splits."""
    return (
        Criterion(f"share decided, {split}", split, _decided("coverage"), decided),
        Criterion(f"accuracy outside the unsure band, {split}", split, _decided("accuracy"), right),
        Criterion(f"photographs called fake, decided or not, worst source of {LEAST_OF_SOURCE} or more, {split}", split,
                  _worst_source, 0.06, False),
        Criterion(f"balanced accuracy lost from clean to hard, macro, {split}", split, _loss, 0.04, False),
        *(Criterion(f"ECE, {tier}, {split}", split, _ece(tier), 0.03, False) for tier in ("clean", "web")),
    )  # fmt: skip


CRITERIA = (
    *(
        Criterion(f"AUC {source}", "test", _auc(source), value)
        for source, value in (("stylegan", 0.97), ("dfdc", 0.93), ("ffpp", 0.93), ("sfhq-t2i", 0.99),
                              ("tpdne-unsplash", 0.97), ("lfw-faceswap", 0.99), ("sd21", 0.99), ("sd3", 0.99))
    ),
    *_of_split("test", 0.75, 0.95),
    Criterion(f"false alarms of the worst group of {MIN_GROUP} or more, over the mean", "test", _worst_group, 2.0,
        False),
    Criterion("milliseconds for one look at a face", "test", lambda report: report["latency_ms"], 4.0, False),
    *(
        Criterion(f"AUC {source}", "cross", _auc(source), value)
        for source, value in (("stylegan2", 0.97), ("inswapper", 0.85), ("celebdf", 0.85))
    ),
    *(
        Criterion(f"AUC {source}, against every photograph of cross", "cross", _auc_against_all(source), value)
        for source, value in (("sd14", 0.95), ("stylegan3", 0.95), ("modern-t2i", 0.85), ("photo-game", 0.85))
    ),
    *_of_split("cross", 0.7, 0.94),
)  # fmt: skip
# Of a report on small changes, see train/battery.py
BATTERY_CRITERIA = (
    Criterion("mean change of p(fake) by small changes", "test", lambda report: report["all"]["mean"], 0.04, False),
    Criterion("real-fake flips by small changes, share of test", "test", lambda report: report["all"]["flip_rate"],
        0.005, False),
    Criterion("real-fake flips by small changes, examples", "test", lambda report: len(report["examples"]["flips"]),
        0, False),
)  # fmt: skip


# Of a report on videos, see train/evaluate_videos.py
VIDEO_CRITERIA = (
    Criterion("video AUC, FaceForensics++ c23", "test", lambda report: _of_videos(report)["auc"], 0.95),
    Criterion("real videos called fake, FaceForensics++ c23", "test",
        lambda report: _of_videos(report)["false_alarms"]["rate"], 0.05, False),
)  # fmt: skip


def criteria_of(report: dict, criteria: Sequence[Criterion] = CRITERIA) -> list[dict]:
    """All criteria on this report's split.

    Returns:
        [{"name", "measured": None where it is undefined or not measured, "at_least" or "at_most", "met": None where it
        was not measured, because the report's data has no such pictures}].
    """
    rows = []
    for criterion in (criterion for criterion in criteria if criterion.split == report["split"]):
        measured, met = _measured(criterion, report)
        bound = "at_least" if criterion.at_least else "at_most"
        rows.append({"name": criterion.name, "measured": measured, bound: criterion.value, "met": met})
    return rows


def _measured(criterion: Criterion, report: dict) -> tuple[float | None, bool | None]:
    """What was measured, and whether it meets the criterion; None for both where it was not measured."""
    try:
        measured = criterion.figure(report)
    except NoSuchPicturesError:
        return None, None
    if measured is None:
        return None, False
    return measured, measured >= criterion.value if criterion.at_least else measured <= criterion.value
