"""What the shipped model is asked to reach, and whether a report reaches it. A missed bar stays in the report."""

from collections.abc import Callable
from dataclasses import dataclass

MIN_GROUP = 10  # photographs; under it one false alarm more or less would decide


@dataclass(frozen=True)
class Bar:
    """One requirement on one figure of a report.

    `figure` raises KeyError where the report's data has no such pictures, which is no fault of the model, and returns
    None where the model leaves the figure undefined, which misses the bar.
    """

    name: str
    split: str
    figure: Callable[[dict], float | None]
    value: float
    at_least: bool = True


def _source(name: str, key: str, tier: str = "clean") -> Callable[[dict], float | None]:
    return lambda report: report["tiers"][tier]["sources"][name][key]


def _loss(report: dict) -> float:
    clean, hard = (report["tiers"][tier]["macro"]["balanced_accuracy"] for tier in ("clean", "hard"))
    return clean - hard


def _worst_group(report: dict) -> float:
    """The largest false alarm rate of a group, over that of all photographs it was drawn from; 0 without any alarm."""
    mean = report["tiers"]["clean"]["sources"]["utkface"]["false_alarm_rate"]
    rates = [group["false_alarm_rate"] for group in report["groups"].values() if group["pictures"] >= MIN_GROUP]
    if not rates:
        raise KeyError("groups")
    return max(rates) / mean if mean else 0.0


BARS = (
    *(
        Bar(f"AUC {source}", "test", _source(source, "auc"), value)
        for source, value in (("stylegan", 0.98), ("sd21", 0.99), ("sd3", 0.97), ("lfw-faceswap", 0.98), ("dfdc", 0.88))
    ),
    Bar("AUC stylegan2, never trained on", "cross", _source("stylegan2", "auc"), 0.95),
    Bar("AUC sd14, never trained on, against every photograph of the split", "cross",
        lambda report: report["against_all"]["sd14"], 0.85),
    Bar("balanced accuracy lost from clean to hard, macro", "test", _loss, 0.053, False),
    *(
        Bar(f"ECE, {tier}", "test", lambda report, tier=tier: report["tiers"][tier]["all"]["ece"], 0.03, False)
        for tier in ("clean", "web")
    ),
    Bar("accuracy outside the unsure band", "test", lambda report: report["tiers"]["clean"]["decided"]["accuracy"],
        0.95),
    Bar("share decided", "test", lambda report: report["tiers"]["clean"]["decided"]["coverage"], 0.75),
    *(
        Bar(f"false alarms, {source}", "test", _source(source, "false_alarm_rate"), 0.05, False)
        for source in ("aaf", "utkface", "web-portrait")
    ),
    Bar(f"false alarms of the worst group of {MIN_GROUP} or more, over the mean", "test", _worst_group, 2.0, False),
    Bar("milliseconds for one look at a face", "test", lambda report: report["latency_ms"], 3.0, False),
)  # fmt: skip


def bars_of(report: dict) -> list[dict]:
    """The bars on this report's split: name, measured (None: undefined), at_least or at_most, met."""
    rows = []
    for bar in (bar for bar in BARS if bar.split == report["split"]):
        try:
            measured = bar.figure(report)
        except KeyError:
            continue
        met = measured is not None and (measured >= bar.value if bar.at_least else measured <= bar.value)
        rows.append(
            {"name": bar.name, "measured": measured, "at_least" if bar.at_least else "at_most": bar.value, "met": met}
        )
    return rows
