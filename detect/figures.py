"""What was measured of the served model: the reports in reports/ in plain words, never rounded in its favour."""

import html
import json
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from detect import texts
from detect.explain import WORDS, ceil_percent, floor_percent
from detect.verdict import FAKE, REAL

REPORTS = Path(__file__).resolve().parent.parent / "reports" / "shipped"
TIERS = ("clean", "web", "hard")
NEEDED = ("all", "macro", "sources", "decided", "operating_points")  # of every tier
RARE = 100  # pictures of which one is a fake, in the example that `point_text` gives


class FiguresError(RuntimeError):
    """No figures of this model can be shown; the message is one sentence that says why."""


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
        whole = whole and all(report["curves"][kind] for kind in ("jpeg", "scale"))
        for tier in TIERS:
            counts = report["tiers"][tier]["all"]["confusion"]
            whole = whole and all(counts[f"{kind}_as_real"] + counts[f"{kind}_as_fake"] for kind in ("real", "fake"))
    except OSError:
        raise FiguresError(texts.NO_REPORT) from None
    except (ValueError, KeyError, TypeError):
        raise FiguresError(texts.DAMAGED_REPORT) from None
    if measured != sha256:
        raise FiguresError(texts.FOREIGN_REPORT)
    if not whole:
        raise FiguresError(texts.DAMAGED_REPORT)
    return report


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
        *(f"- **{tier}** ({texts.STATES[tier]}): {_decided(report['tiers'][tier]['decided'])}" for tier in TIERS),
        "",
        texts.THOROUGH,
    ]
    return "\n".join(lines)


def bars_text(bars: Sequence[dict]) -> str:
    """How many of the bars set beforehand were missed, and which, in Markdown."""
    missed = [bar for bar in bars if not bar["met"]]
    if not bars:
        return "Nothing was asked of this model beforehand."
    if not missed:
        return f"All of the {len(bars)} bars that were set for the detector beforehand were met."
    named = "".join(
        f"\n- {bar['name']}: {bar_wanted(bar)} was asked, {bar_measured(bar)} was reached" for bar in missed
    )
    text = f"**{len(missed)} of the {len(bars)} bars that were set for the detector beforehand were missed:**\n{named}"
    codes = [code for code in texts.SOURCES if any(code in re.split("[ ,]+", bar["name"]) for bar in missed)]
    explained = "; ".join(f"**{code}**, {name}: {shows}" for code in codes for name, shows in [texts.SOURCES[code]])
    return f"{text}\n\nWhere their pictures come from: {explained}." if codes else text


def bar_wanted(bar: dict) -> str:
    """What was asked: "at least 0.98"."""
    return f"at least {bar['at_least']:g}" if "at_least" in bar else f"at most {bar['at_most']:g}"


def bar_measured(bar: dict) -> str:
    """What was reached, never rounded towards the bar."""
    if bar["measured"] is None:
        return "undefined"
    return floor_rate(bar["measured"]) if "at_least" in bar else ceil_rate(bar["measured"])


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
    """What is lost from the best to the worst pictures that were measured."""
    (best, worst), (whole, small) = ((c[0], c[-1]) for c in (report["curves"]["jpeg"], report["curves"]["scale"]))
    return (
        f"From JPEG quality {best['quality']} to {worst['quality']}, balanced accuracy went from {_accuracy(best)} to "
        f"{_accuracy(worst)}; from full size to {small['scale']:g} of both sides, from {_accuracy(whole)} to "
        f"{_accuracy(small)}. No face was found in {worst['no_face']} of the pictures at the lowest quality and in "
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


def sources_table(report: dict, caption: str) -> str:
    """Ranking, detection and false alarms of every source in every state, as an HTML table."""
    tiers = [report["tiers"][tier] for tier in TIERS]
    rows = [
        (html.escape(texts.ALL_PICTURES), class_sizes(report, "clean"), [figures["all"] for figures in tiers]),
        (html.escape(texts.MEAN_OF_SOURCES), ("", ""), [figures["macro"] for figures in tiers]),
    ]
    for source, metrics in tiers[0]["sources"].items():
        rows.append((_source(source), _sizes(metrics), [figures["sources"].get(source, {}) for figures in tiers]))
    return table(
        caption,
        [("source", 1), ("AUC", 3), ("detected", 3), ("false alarms", 3), ("photographs", 1), ("fakes", 1)],
        TIERS * 3,
        [
            [
                name,
                *_three(floor_rate, figures, "auc"),
                *_three(floor_percent, figures, "recall", "detection_rate"),
                *_three(ceil_percent, figures, "false_alarm_rate"),
                *sizes,
            ]
            for name, sizes, figures in rows
        ],
    )


def borrowed_text(report: dict) -> str:
    """Which sources have fakes alone, and whose photographs they were ranked against; "" where none."""
    sources = report["tiers"]["clean"]["sources"]
    alone = {name: metrics["against"] for name, metrics in sources.items() if "against" in metrics}
    if not alone:
        return ""
    against = sorted({other for borrowed in alone.values() for other in borrowed})
    return f"{_listed(alone)}: fakes alone, whose AUC is taken against the photographs of {_listed(against)}."


def groups_table(groups: dict) -> str:
    """False alarms by group with their counts and 95 % intervals, as an HTML table."""
    rows = []
    for name, group in groups.items():
        (low, high), rate = group["interval"]["false_alarm_rate"], group["false_alarm_rate"]
        spread = f"{floor_percent(max(0, low))} to {ceil_percent(min(1, high))}"
        called = round(rate * group["pictures"])
        rows.append([html.escape(name), group["pictures"], called, ceil_percent(rate), spread])
    columns = ("group", "photographs", "called fake", "share", "95 % interval")
    return table(texts.GROUPS_CAPTION, [(column, 1) for column in columns], [], rows)


def bars_table(bars: Iterable[dict]) -> str:
    """Every bar, met or missed, as an HTML table."""
    rows = [
        [
            html.escape(bar["name"]),
            bar_wanted(bar),
            bar_measured(bar),
            "met" if bar["met"] else "<strong>missed</strong>",
        ]
        for bar in bars
    ]
    columns = ("asked of the detector", "bar", "measured", "result")
    return table(texts.BARS_LABEL, [(column, 1) for column in columns], [], rows)


def table(caption: str, columns: Sequence[tuple[str, int]], below: Sequence[str], rows: Iterable[Sequence]) -> str:
    """An HTML table that scrolls inside itself.

    Args:
        caption: also what a screen reader calls it.
        columns: names and how many columns each spans.
        below: names of the columns under those, or none.
        rows: of HTML; the first cell names the row.
    """
    double = ' rowspan="2"' if below else ""
    heads = [
        f'<th scope="colgroup" colspan="{span}">{name}</th>' if span > 1 else f'<th scope="col"{double}>{name}</th>'
        for name, span in columns
    ]
    under = "".join(f'<th scope="col">{name}</th>' for name in below)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    head = f"<tr>{''.join(heads)}</tr>" + (f"<tr>{under}</tr>" if under else "")
    said = html.escape(caption)
    return (
        f'<div class="figures" role="region" tabindex="0" aria-label="{said}"><table>'
        f"<caption><span>{said}</span></caption><thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def _decided(decided: dict) -> str:
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


def _sizes(metrics: dict) -> tuple[int, int]:
    """Photographs and fakes of a source: one that has fakes or photographs alone has no confusion matrix."""
    confusion = metrics.get("confusion")
    if confusion:
        real = confusion["real_as_real"] + confusion["real_as_fake"]
        return real, metrics["pictures"] - real
    return (0, metrics["pictures"]) if "detection_rate" in metrics else (metrics["pictures"], 0)


def _three(rounded, figures: list[dict], *keys: str) -> list[str]:
    found = (next((f[key] for key in keys if f.get(key) is not None), None) for f in figures)
    return ["–" if value is None else rounded(value) for value in found]


def _source(source: str) -> str:
    name, shows = texts.SOURCES.get(source, (source, ""))
    return (
        f"{html.escape(name)} <small>{html.escape(source)}: {html.escape(shows)}</small>"
        if shows
        else html.escape(name)
    )


def _listed(sources: Iterable[str]) -> str:
    return ", ".join(texts.SOURCES.get(source, (source, ""))[0] for source in sources)
