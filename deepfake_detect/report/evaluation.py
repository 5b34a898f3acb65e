"""What was measured of the served model: the reports in reports/ in plain words, never rounded in its favour."""

import json
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake_detect.errors import FiguresError
from deepfake_detect.report import evaluation_texts as texts
from deepfake_detect.report.sentences import WORDS, ceil_percent, floor_percent
from deepfake_detect.report.video_error import video_error
from deepfake_detect.shipped import shipped
from deepfake_detect.verdict import FAKE, REAL, UNSURE

REPORTS = shipped("reports/shipped")  # test/report.json and cross/report.json
BATTERY = shipped("reports/battery")  # battery.json, what came of small changes
TIERS = ("clean", "web", "hard")
SAID = (REAL, UNSURE, FAKE)
NEEDED = ("all", "macro", "sources", "decided", "counts", "kinds", "photographs", "operating_points")  # of every tier
RARE = 100  # pictures of which one is a fake, in the example that `point_text` gives


@dataclass(frozen=True)
class Point:
    """What one threshold does to real photographs and to fakes, in whole pictures."""

    threshold: float
    alarms: int  # of `photographs`
    photographs: int
    found: int  # of `fakes`
    fakes: int

    @property
    def false_alarms(self) -> float:
        return self.alarms / self.photographs

    @property
    def detected(self) -> float:
        return self.found / self.fakes


def read_report(folder: str | os.PathLike, sha256: str) -> dict:
    """The evaluation in a folder, as train/evaluate.py wrote it.

    Args:
        folder: holds report.json.
        sha256: of the model file that is served.

    Raises:
        FiguresError: there is no report, it cannot be read, or it is of another model.
    """
    try:
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
        measured = report["model"]["sha256"]
        whole = all(key in report["tiers"][tier] for tier in TIERS for key in NEEDED)
        whole = whole and all(report["curves"][part] for part in ("pictures", "jpeg", "scale"))
        for tier in TIERS:
            confusion, counts = report["tiers"][tier]["all"]["confusion"], report["tiers"][tier]["counts"]
            whole = whole and all(
                confusion[f"{label}_as_real"] + confusion[f"{label}_as_fake"] == counts[label]["pictures"] > 0
                for label in (REAL, FAKE)
            )
    except OSError:
        raise FiguresError("no_figures", texts.NO_REPORT) from None
    except (ValueError, KeyError, TypeError):
        raise FiguresError("damaged_figures", texts.DAMAGED_REPORT) from None
    if measured != sha256:
        raise FiguresError("foreign_figures", texts.FOREIGN_REPORT)
    if not whole:
        raise FiguresError("damaged_figures", texts.DAMAGED_REPORT)
    return report


def read_criteria(file: Path, sha256: str) -> list[dict]:
    """The criteria in a report of this model file; none where there is no report, or one of another model.

    Raises:
        FiguresError: the report cannot be read.
    """
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        return report["criteria"] if report["model"]["sha256"] == sha256 else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        raise FiguresError("damaged_figures", texts.DAMAGED_REPORT) from None


def floor_rate(value: float) -> str:
    """A figure between 0 and 1 that is good when large, cut off after three digits."""
    return f"{math.floor(value * 1000 + 1e-9) / 1000:.3f}"


def ceil_rate(value: float) -> str:
    """A figure that is bad when large, never rounded down."""
    return f"{math.ceil(value * 1000 - 1e-9) / 1000:.3f}"


def opening(report: dict) -> str:
    """What was measured on what, and what the verdicts were worth, in Markdown."""
    photographs, fakes = class_sizes(report, "clean")
    sources = report["tiers"]["clean"]["sources"]
    lines = [
        f"This model was measured on {photographs + fakes:,} pictures that it was never trained on: {photographs:,} "
        f"real photographs and {fakes:,} fakes, from {len(sources)} sources. Each was judged in three states:",
        "",
        *(f"- **{tier}** ({texts.STATES[tier]}): {decided_text(report['tiers'][tier]['decided'])}" for tier in TIERS),
        "",
        " ".join([texts.THOROUGH] * bool(report.get("thorough")) + [video_error(report["model"]["sha256"])]),
    ]
    return "\n".join(lines)


def criteria_text(criteria: Sequence[dict]) -> str:
    """How many of the criteria set beforehand were missed, and how many were not measured, in Markdown; which these are
    stands in `deepfake_detect.report.evaluation_tables.criteria_table`."""
    if not criteria:
        return "Nothing was asked of this model beforehand."
    missed, unmeasured = ([criterion for criterion in criteria if criterion["met"] is met] for met in (False, None))
    of_all = f"of the {len(criteria)} criteria that were set for the detector beforehand were"
    if missed:
        text = f"**{len(missed)} {of_all} missed.**"
    else:
        text = f"{len(criteria) - len(unmeasured) if unmeasured else 'All'} {of_all} met."
    if unmeasured:
        text += f" {len(unmeasured)} could not be measured, for want of such pictures."
    codes = [
        code for code in texts.SOURCES if any(code in re.split("[ ,]+", criterion["name"]) for criterion in missed)
    ]
    explained = "; ".join(f"**{code}**, {name}: {shows}" for code in codes for name, shows in [texts.SOURCES[code]])
    return f"{text}\n\nWhere their pictures come from: {explained}." if codes else text


def wanted_of(criterion: dict) -> str:
    """What was asked: "at least 0.98"."""
    return f"at least {criterion['at_least']:g}" if "at_least" in criterion else f"at most {criterion['at_most']:g}"


def measured_of(criterion: dict) -> str:
    """What was reached, never rounded towards the criterion."""
    if criterion["met"] is None:
        return "not measured"
    if criterion["measured"] is None:
        return "undefined"
    if isinstance(criterion["measured"], int):
        return str(criterion["measured"])
    return floor_rate(criterion["measured"]) if "at_least" in criterion else ceil_rate(criterion["measured"])


def result_of(criterion: dict) -> str:
    """Whether it was met: "met", "missed", or "" where it was not measured."""
    return {True: "met", False: "missed", None: ""}[criterion["met"]]


def class_sizes(report: dict, tier: str) -> tuple[int, int]:
    """How many real photographs and how many fakes were judged."""
    confusion = report["tiers"][tier]["all"]["confusion"]
    return (
        confusion["real_as_real"] + confusion["real_as_fake"],
        confusion["fake_as_real"] + confusion["fake_as_fake"],
    )


def points(report: dict, tier: str) -> list[Point]:
    """Every threshold that was measured, from the lowest on."""
    photographs, fakes = class_sizes(report, tier)
    return [
        Point(p["threshold"], round(p["false_alarms"] * photographs), photographs, round(p["detected"] * fakes), fakes)
        for p in sorted(report["tiers"][tier]["operating_points"], key=lambda point: point["threshold"])
    ]


def operating_point(report: dict, tier: str, allowed: float) -> Point | None:
    """The threshold that finds most fakes with at most this rate of false alarms (0..1); None where none is so low."""
    kept = [point for point in points(report, tier) if point.false_alarms <= allowed + 1e-9]
    return max(kept, key=lambda point: (point.detected, point.threshold), default=None)


def own_point(report: dict, tier: str) -> tuple[float, float]:
    """What the page itself does: the shares (0..1) of photographs and of fakes that it calls fake."""
    (photographs, fakes), said = class_sizes(report, tier), report["tiers"][tier]["decided"]["said_fake"]
    return said["wrong"] / photographs, (said["pictures"] - said["wrong"]) / fakes


def point_text(report: dict, tier: str, allowed: float) -> str:
    """What follows from allowing so many false alarms (0..1), in Markdown."""
    point, asked = operating_point(report, tier, allowed), f"{allowed * 100:g} of 100 real photographs"
    if point is None:
        return f"No threshold that was measured on {tier} pictures keeps false alarms down to {asked}."
    alarms, missed = point.false_alarms, 1 - point.detected
    text = (
        f"If at most **{asked}** may be called fake, “fake” can be said from a chance of "
        f"**{point.threshold * 100:.0f} in 100** upwards. Of the {point.fakes:,} fakes, {tier}, **{point.found:,} were "
        f"found so ({floor_percent(point.detected)})** and {point.fakes - point.found:,} slipped through "
        f"({ceil_percent(missed)}); of the {point.photographs:,} real photographs, {point.alarms:,} were called fake "
        f"({ceil_percent(alarms)})."
    )
    rare = alarms * (RARE - 1) / (alarms * (RARE - 1) + point.detected) if point.detected or alarms else 0
    return text + (
        f"\n\nHow far such an alarm can be trusted depends on how many fakes there are. Here {point.fakes:,} of "
        f"{point.photographs + point.fakes:,} pictures were fakes. Were it one in {RARE}, {ceil_percent(rare)} of the "
        "alarms would be false."
    )


def calibration_text(report: dict) -> str:
    """How far the stated chance is off, for each state."""
    off = ", ".join(f"{ceil_rate(report['tiers'][tier]['all']['ece'])} ({tier})" for tier in TIERS)
    return f"On average the stated chance was off by {off}, where 0 is perfect (ECE)."


def degradation_text(report: dict) -> str:
    """What is lost from the best to the worst pictures that were measured, and on how many pictures."""
    (best, worst), (whole, small) = ((c[0], c[-1]) for c in (report["curves"]["jpeg"], report["curves"]["scale"]))
    return (
        f"On {report['curves']['pictures']:,} of the pictures, evenly spaced in each source and class: from JPEG "
        f"quality {best['quality']} to {worst['quality']}, balanced accuracy went from {_accuracy(best)} to "
        f"{_accuracy(worst)}; from full size to {small['scale']:g} of both sides, from {_accuracy(whole)} to "
        f"{_accuracy(small)}. No face was found in {worst['no_face']} of them at the lowest quality and in "
        f"{small['no_face']} at the smallest size."
    )


def groups_text(groups: dict) -> str:
    """How far false alarms by group can be trusted, in one sentence or two."""
    sizes = [group["pictures"] for group in groups.values()]
    one = ceil_percent(1 / min(sizes))
    return (
        "Photographs whose person's age, gender and race are noted were counted group by group. **The groups are "
        f"small**, {min(sizes)} to {max(sizes)} photographs; in the smallest, a single false alarm makes {one}. "
        "Equal shares are no proof of fairness, and unequal ones no proof of the contrary."
    )


def span(interval: Sequence[float]) -> str:
    """A 95 % interval of a share (0..1), never narrower than it is: "12.3 % to 15.7 %"."""
    low, high = interval
    return f"{floor_percent(max(0.0, low))} to {ceil_percent(min(1.0, high))}"


def worst_source_text(report: dict) -> str:
    """Which source's photographs are called fake most often, as their files are; "" where none is large enough."""
    worst = report["tiers"]["clean"]["worst_source"]
    if worst is None:
        return ""
    return (
        f"Of the sources with at least {worst['least']} photographs, {_listed([worst['source']])} has the most false "
        f"alarms: {ceil_percent(worst['rate'])} of its {worst['pictures']:,} photographs are called “{WORDS[FAKE]}”, "
        f"decided or not ({span(worst['interval'])})."
    )


def borrowed_text(report: dict) -> str:
    """Which sources have fakes alone, and whose photographs they were ranked against; "" where none."""
    sources = report["tiers"]["clean"]["sources"]
    alone = {name: metrics["against"] for name, metrics in sources.items() if "against" in metrics}
    if not alone:
        return ""
    against = sorted({other for borrowed in alone.values() for other in borrowed})
    return f"{_listed(alone)}: fakes alone, whose AUC is taken against the photographs of {_listed(against)}."


def decided_text(decided: dict) -> str:
    """How many pictures got a verdict and what those were worth, in Markdown.

    Args:
        decided: of a tier of a report.
    """
    right = f", and {floor_percent(decided['accuracy'])} of these verdicts were right" if decided["coverage"] else ""
    sides = " ".join(_side(label, decided[f"said_{label}"]) for label in (REAL, FAKE))
    return (
        f"**{floor_percent(decided['coverage'])} got “Real” or “Fake”{right}**; the others, "
        f"{ceil_percent(1 - decided['coverage'])}, got “Not sure”. {sides}"
    )


def _side(label: str, said: dict) -> str:
    if not said["pictures"]:
        return f"“{WORDS[label]}” was never said."
    share = ceil_percent(said["wrong"] / said["pictures"])
    return f"“{WORDS[label]}” was wrong {said['wrong']} of {said['pictures']} times ({share})."


def _accuracy(point: dict) -> str:
    value = point["macro"].get("balanced_accuracy")
    return "undefined" if value is None else floor_percent(value)


def _listed(sources: Iterable[str]) -> str:
    return ", ".join(texts.SOURCES.get(source, (source, ""))[0] for source in sources)
