"""An evaluation as Markdown."""

import json
import math
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from deepfake_detect.report import evaluation_texts as texts
from deepfake_detect.report.evaluation import (
    SAID,
    decided_text,
    measured_of,
    result_of,
    span,
    wanted_of,
    worst_source_text,
)
from deepfake_detect.report.never_tested import generators_text
from deepfake_detect.report.sentences import WORDS
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


def docs_markdown(report: dict) -> str:
    """The figures that a reader needs first: what the verdicts are worth, by source and tier, the criteria."""
    tiers = report["tiers"]
    rows = [
        ("**mean of sources**", [tiers[tier]["macro"] for tier in TIERS]),
        ("**all pictures**", [tiers[tier]["all"] for tier in TIERS]),
        *((name, [tiers[tier]["sources"].get(name, {}) for tier in TIERS]) for name in tiers["clean"]["sources"]),
    ]
    lines = [
        *(f"Verdicts, {tier}: {decided_text(tiers[tier]['decided'])}" for tier in ("clean", "web")),
        "",
        *_counts(report),
        "",
        *_kinds(report),
        "",
        *_photographs(report),
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
    if "criteria" in report:
        lines += ["", *criteria_markdown(report["criteria"])]
    if report["split"] == "cross":
        lines += ["", generators_text(report["generators"])]
    return "\n".join(lines)


def _counts(report: dict) -> list[str]:
    lines = [f"| pictures of | pictures | {_words()} |", "|" + "---|" * 5]
    for tier in TIERS:
        for name, counts in report["tiers"][tier]["counts"].items():
            lines.append(f"| {texts.CLASSES[name]}, {tier} | {counts['pictures']} | {_said(counts)} |")
    return lines


def _kinds(report: dict) -> list[str]:
    return _by_kind(report, "kinds", "fakes, against all photographs", "auc")


def _photographs(report: dict) -> list[str]:
    worst = worst_source_text(report)
    return [*_by_kind(report, "photographs", "photographs", "false_alarm_rate"), *(["", worst] if worst else [])]


def _by_kind(report: dict, part: str, title: str, key: str) -> list[str]:
    """Lines of a table: a part of every tier by kind, with one of its rates and what was said of the clean pictures."""
    clean, web, hard = (report["tiers"][tier][part] for tier in TIERS)
    lines = [f"| {title} | pictures | {NAMES[key]} clean | web | hard | {_words()} |", "|" + "---|" * 8]
    for kind, metrics in clean.items():
        rates = " | ".join(_with_interval(key, kinds.get(kind, {})) for kinds in (clean, web, hard))
        lines.append(f"| {texts.KINDS[kind]} | {metrics['pictures']} | {rates} | {_said(metrics['counts'])} |")
    return lines


def _words() -> str:
    return " | ".join(f"“{WORDS[said]}”" for said in SAID)


def _said(counts: dict) -> str:
    return " | ".join(f"{counts[said]} ({span(counts['interval'][said])})" for said in SAID)


def report_markdown(report: dict) -> str:
    """The whole report with its pictures, which lie beside it."""
    model, split = report["model"], report["split"]
    lines = [
        f"# {model['recipe']} on {split}",
        "",
        f"Model {model['sha256'][:12]}, recipe {model['recipe_sha256'][:12]}, data "
        f"{' and '.join(report['data'])} ({report['data_sha256'][:12]}). "
        f"Fake is the positive class; accuracy, precision, recall and F1 at p(fake) = {report['threshold']} in every "
        "tier. Clean: the file as it is. "
        + " ".join(f"{name.capitalize()}: longest side at most {tier.longest} px, then JPEG quality {tier.quality}; "
                   f"{report['tiers'][name]['made_smaller']} of these pictures were larger."
                   for name, tier in TIERS.items() if tier.quality)
        + " In square brackets: 95 % intervals, from 1,000 bootstrap resamples or, for a rate of one class, Wilson's. "
        "Good figures are cut off rather than rounded up, bad ones never rounded down.",
        *_thorough(report),
        "",
        "## In short",
        "",
        docs_markdown(report),
    ]  # fmt: skip
    for tier in TIERS:
        lines += ["", f"## {tier.capitalize()}", "", *_tier(report["tiers"][tier])]
    lines += [
        "",
        "## When pictures get worse",
        "",
        f"On {report['curves']['pictures']} of the pictures, evenly spaced in each source and class.",
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
    if report["split"] != "cross":
        lines += ["", "## Generators", "", generators_text(report["generators"])]
    if report["groups"]:
        lines += ["", "## False alarms by group", "", *groups_markdown(report["groups"]), "", "![By group](groups.png)"]
    return "\n".join(lines) + "\n"


def _thorough(report: dict) -> list[str]:
    """Which verdicts were counted."""
    return ["", f"Verdicts are those of `--{'' if report['thorough'] else 'no-'}thorough`."]


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


def criteria_markdown(criteria: list[dict]) -> list[str]:
    """Lines of a table: what was asked, and whether it was met."""
    lines = ["| asked of the detector | criterion | measured | |", "|---|---|---|---|"]
    for criterion in criteria:
        result = f"**{result}**" if (result := result_of(criterion)) == "missed" else result
        lines.append(f"| {criterion['name']} | {wanted_of(criterion)} | {measured_of(criterion)} | {result} |")
    return lines


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


def check_marks(docs: Path, name: str) -> tuple[str, str]:
    """The text before and after the table of this name in a Markdown file; asked for before long work begins.

    Raises:
        DataError: the marks are missing.
    """
    text, mark = docs.read_text(encoding="utf-8"), begin_mark(name)
    before, found, rest = text.partition(mark)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise DataError(f"{docs} has no lines {mark} and {END} to put the table between.")
    return before, after


def update_docs(docs: Path, name: str, table: str) -> None:
    """Put a table between its marks in a Markdown file. Raises DataError where the marks are missing."""
    before, after = check_marks(docs, name)
    write_text(docs, f"{before}{begin_mark(name)}\n{table.strip()}\n{END}{after}")


def write_report(folder: Path, name: str, report: dict, markdown: str) -> None:
    """Write a report's NAME.md, and last its NAME.json, which vouches for all that lies beside it."""
    write_text(folder / f"{name}.md", markdown)
    write_text(folder / f"{name}.json", json.dumps(report, indent=1) + "\n")
