"""An evaluation as Markdown."""

import math
from pathlib import Path

from detect.explain import ceil_percent, floor_percent
from detect.files import write_text
from train.data import DataError
from train.tiers import TIERS

END = "<!-- end of report -->"
LOWER_IS_BETTER = {"eer", "ece", "brier", "false_alarm_rate"}
NAMES = {
    "auc": "AUC", "eer": "EER", "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy",
    "precision": "precision", "recall": "recall", "f1": "F1", "tpr_at_5_fpr": "found at 5 % false alarms",
    "ece": "ECE", "brier": "Brier", "detection_rate": "detected", "false_alarm_rate": "false alarms",
}  # fmt: skip


def begin_mark(name: str) -> str:
    """The line of a Markdown file after which the table of this name stands."""
    return f"<!-- report: {name} -->"


def name_of(report: dict) -> str:
    """What an evaluation is called in a Markdown file's marks: its recipe and split."""
    return f"{report['model']['recipe']}, {report['split']}"


def figure(name: str, value: float | None) -> str:
    """A rate with three digits. Good figures are never rounded up, bad ones never down."""
    if value is None:
        return ""
    if name in LOWER_IS_BETTER:
        return f"{math.ceil(value * 1000 - 1e-9) / 1000:.3f}"
    return f"{math.floor(value * 1000 + 1e-9) / 1000:.3f}"


def readme_markdown(report: dict) -> str:
    """The figures that a reader needs first: what the verdicts are worth, by source and tier, the bars."""
    tiers = report["tiers"]
    rows = [
        ("**mean of sources**", [tiers[tier]["macro"] for tier in TIERS]),
        ("**all pictures**", [tiers[tier]["all"] for tier in TIERS]),
        *((name, [tiers[tier]["sources"].get(name, {}) for tier in TIERS]) for name in tiers["clean"]["sources"]),
    ]
    lines = [
        *(_decided(report, tier) for tier in ("clean", "web")),
        "",
        "| source | pictures | AUC clean | web | hard | accuracy clean | web | hard | detected clean | web | hard "
        "| false alarms clean | web | hard |",
        "|" + "---|" * 14,
    ]
    for name, figures in rows:
        cells = [figure(key, f.get(key)) for key in ("auc", "accuracy") for f in figures]
        cells += [figure("recall", f.get("recall", f.get("detection_rate"))) for f in figures]
        cells += [figure("false_alarm_rate", f.get("false_alarm_rate")) for f in figures]
        lines.append(f"| {' | '.join([name, str(figures[0].get('pictures', '')), *cells])} |")
    if "bars" in report:
        lines += ["", *_bars(report["bars"])]
    return "\n".join(lines)


def report_markdown(report: dict) -> str:
    """The whole report with its pictures, which lie beside it."""
    model, split = report["model"], report["split"]
    lines = [
        f"# {model['recipe']} on {split}",
        "",
        f"Model {model['sha256'][:12]}, recipe {model['recipe_sha256'][:12]}, data {report['data_sha256'][:12]}. "
        f"Fake is the positive class; accuracy, precision, recall and F1 at p(fake) = {report['threshold']} in every "
        "tier. Clean: the file as it is. "
        + " ".join(f"{name.capitalize()}: longest side at most {tier.longest} px, then JPEG quality {tier.quality}; "
                   f"{report['tiers'][name]['made_smaller']} of these pictures were larger."
                   for name, tier in TIERS.items() if tier.quality)
        + " In square brackets: 95 % intervals, from 1,000 bootstrap resamples or, for a rate of one class, Wilson's. "
        "Good figures are cut off rather than rounded up, bad ones never rounded down.",
        "",
        "## In short",
        "",
        readme_markdown(report),
    ]  # fmt: skip
    for tier in TIERS:
        lines += ["", f"## {tier.capitalize()}", "", *_tier(report["tiers"][tier])]
    lines += [
        "",
        "## When pictures get worse",
        "",
        *_curve(report["curves"]["jpeg"], "quality", "JPEG quality"),
        "",
        *_curve(report["curves"]["scale"], "scale", "scale"),
        "",
        "![Degradation curves](degradation.png)",
        "",
        "## Ranking and calibration",
        "",
        "![ROC per source](roc.png)",
        "![Reliability diagram](reliability.png)",
        "![Confusion matrix](confusion.png)",
        "![Risk against coverage](risk_coverage.png)",
    ]
    if report["groups"]:
        lines += ["", "## False alarms by group", "", *groups_markdown(report["groups"]), "", "![By group](groups.png)"]
    return "\n".join(lines) + "\n"


def _tier(figures: dict) -> list[str]:
    keys = [key for key in NAMES if any(key in m for m in (figures["all"], *figures["sources"].values()))]
    lines = [f"| source | pictures | {' | '.join(NAMES[key] for key in keys)} |", "|" + "---|" * (len(keys) + 2)]
    rows = {"**all pictures**": figures["all"], "**mean of sources**": figures["macro"], **figures["sources"]}
    for name, metrics in rows.items():
        cells = [_with_interval(key, metrics) for key in keys]
        lines.append(f"| {' | '.join([name, str(metrics.get('pictures', '')), *cells])} |")
    alone = {name: m["against"] for name, m in figures["sources"].items() if "against" in m}
    if alone:
        photographs = ", ".join(next(iter(alone.values())))
        lines += ["", f"{', '.join(alone)}: fakes alone, scored against the photographs of {photographs}."]
    confusion = figures["all"]["confusion"]
    lines += [
        "",
        f"{confusion['real_as_real']} real pictures called real, {confusion['real_as_fake']} called fake; "
        f"{confusion['fake_as_fake']} fakes called fake, {confusion['fake_as_real']} called real. No face was found in "
        f"{figures['no_face']} pictures; {len(figures['unreadable'])} could not be read.",
    ]
    return lines


def _with_interval(key: str, metrics: dict) -> str:
    if key not in metrics:
        return ""
    interval = metrics.get("interval", {}).get(key)
    return figure(key, metrics[key]) + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _decided(report: dict, tier: str) -> str:
    decided = report["tiers"][tier]["decided"]
    right = f", {floor_percent(decided['accuracy'])} of these rightly" if decided["accuracy"] is not None else ""
    sides = " ".join(_side(name, decided[f"said_{name.lower()}"]) for name in ("Real", "Fake"))
    return (
        f"Verdicts, {tier}: {floor_percent(decided['coverage'])} of the pictures get “Real” or “Fake”{right}; the "
        f"others “Not sure”. {sides}"
    )


def _side(name: str, said: dict) -> str:
    if not said["pictures"]:
        return f"“{name}” was never said."
    return (
        f"“{name}” was said {said['pictures']} times, {ceil_percent(said['wrong'] / said['pictures'])} of them wrong."
    )


def _bars(bars: list[dict]) -> list[str]:
    lines = ["| asked of the detector | bar | measured | |", "|---|---|---|---|"]
    for bar in bars:
        at_least = "at_least" in bar
        value = bar["at_least"] if at_least else bar["at_most"]
        lines.append(
            f"| {bar['name']} | {'at least' if at_least else 'at most'} {value:g} | {_measured(bar, at_least)} | "
            f"{'met' if bar['met'] else '**missed**'} |"
        )
    return lines


def _measured(bar: dict, at_least: bool) -> str:
    if bar["measured"] is None:
        return "undefined"
    thousandths = bar["measured"] * 1000
    return f"{(math.floor(thousandths + 1e-9) if at_least else math.ceil(thousandths - 1e-9)) / 1000:.3f}"


def _curve(points: list[dict], key: str, title: str) -> list[str]:
    names = ("auc", "balanced_accuracy", "recall")
    lines = [f"| {title} | {' | '.join(NAMES[n] for n in names)} | no face |", "|" + "---|" * 5]
    for point in points:
        cells = [figure(name, point["macro"].get(name)) for name in names]
        lines.append(f"| {point[key]} | {' | '.join(cells)} | {point['no_face']} |")
    return lines


def groups_markdown(groups: dict) -> list[str]:
    """Lines of a table: false alarms by group, with their intervals."""
    lines = ["| group | photographs | false alarms |", "|---|---|---|"]
    for name, metrics in groups.items():
        lines.append(f"| {name} | {metrics['pictures']} | {_with_interval('false_alarm_rate', metrics)} |")
    return lines


def check_marks(readme: Path, name: str) -> tuple[str, str]:
    """The text before and after the table of this name in a Markdown file; asked for before long work begins.

    Raises:
        DataError: the marks are missing.
    """
    text, mark = readme.read_text(encoding="utf-8"), begin_mark(name)
    before, found, rest = text.partition(mark)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise DataError(f"{readme} has no lines {mark} and {END} to put the table between.")
    return before, after


def update_readme(readme: Path, name: str, table: str) -> None:
    """Put a table between its marks in a Markdown file. Raises DataError where the marks are missing."""
    before, after = check_marks(readme, name)
    write_text(readme, f"{before}{begin_mark(name)}\n{table.strip()}\n{END}{after}")
