"""An evaluation as a table and as a picture."""

import math
from pathlib import Path

from matplotlib.figure import Figure

from detect.explain import ceil_percent, floor_percent
from detect.files import whole_file, write_text
from train.data import DataError

END = "<!-- end of report -->"


def begin_mark(report: dict) -> str:
    """The line of a Markdown file after which the report of this recipe and split stands."""
    return f"<!-- report: {report['model']['recipe']}, {report['split']} -->"


def report_markdown(report: dict) -> str:
    """The report as Markdown: a table by source, then what the verdicts are worth. Good figures are never
    rounded up, error rates never down."""
    lines = [
        "| source | pictures | accuracy | precision | recall | F1 | AUC | detected | false alarms |",
        "|---|---|---|---|---|---|---|---|---|",
        _row("**all**", report["all"]),
        *(_row(name, metrics) for name, metrics in report["sources"].items()),
    ]
    confusion, decided = report["all"]["confusion"], report["decided"]
    lines += [
        "",
        f"Confusion on {report['split']} at p(fake) = {report['threshold']}: {confusion['real_as_real']} real pictures "
        f"called real, {confusion['real_as_fake']} called fake; {confusion['fake_as_fake']} fakes called fake, "
        f"{confusion['fake_as_real']} called real.",
        "",
        f"Verdicts: {floor_percent(decided['coverage'])} of the pictures get “Real” or “Fake”, the others “Not sure”. "
        + " ".join(_side(name, decided[f"said_{name.lower()}"]) for name in ("Real", "Fake"))
        + f" No face was found in {report['no_face']} pictures; {len(report['unreadable'])} could not be read.",
    ]
    return "\n".join(lines)


def _row(name: str, metrics: dict) -> str:
    three = [f"{math.floor(metrics[k] * 1000 + 1e-9) / 1000:.3f}" if k in metrics else "" for k in ("f1", "auc")]
    shares = [floor_percent(metrics[k]) if k in metrics else "" for k in ("accuracy", "precision", "recall")]
    detected = floor_percent(metrics["detection_rate"]) if "detection_rate" in metrics else ""
    alarms = ceil_percent(metrics["false_alarm_rate"]) if "false_alarm_rate" in metrics else ""
    return f"| {' | '.join([name, str(metrics['pictures']), *shares, *three, detected, alarms])} |"


def _side(name: str, said: dict) -> str:
    if not said["pictures"]:
        return f"“{name}” was never said."
    wrong = ceil_percent(said["wrong"] / said["pictures"])
    return f"“{name}” was said {said['pictures']} times, {wrong} of them wrong."


def draw_report(report: dict, path: Path) -> None:
    """Confusion matrix and, per source, AUC or the rate of right answers, as a PNG."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    confusion = report["all"]["confusion"]
    cells = [[confusion[f"{true}_as_{said}"] for said in ("real", "fake")] for true in ("real", "fake")]
    left.imshow(cells, cmap="Blues", vmin=0)
    for y, row in enumerate(cells):
        for x, count in enumerate(row):
            dark = count > max(map(max, cells)) / 2
            left.text(x, y, count, ha="center", va="center", color="white" if dark else "black", fontsize=13)
    left.set(xticks=[0, 1], xticklabels=["real", "fake"], yticks=[0, 1], yticklabels=["real", "fake"])
    left.set(xlabel="called", ylabel="is", title=f"Confusion, {report['all']['pictures']} pictures")

    names = list(report["sources"]) or ["all"]
    parts = report["sources"] or {"all": report["all"]}
    for y, name in enumerate(names):
        value, kind = _bar(parts[name])
        right.barh(y, value, color={"AUC": "C0", "detected": "C1", "not alarmed": "C2"}[kind])
        right.text(min(value, 0.98) - 0.01, y, kind, ha="right", va="center", color="white", fontsize=8)
    right.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 1), title="By source")
    right.axvline(0.5, color="0.4", linestyle=":")
    right.invert_yaxis()
    figure.suptitle(f"{report['model']['recipe']} on the {report['split']} split")
    with whole_file(path) as partial:
        figure.savefig(partial, dpi=110, format="png")


def _bar(metrics: dict) -> tuple[float, str]:
    if "auc" in metrics:
        return metrics["auc"], "AUC"
    if "detection_rate" in metrics:
        return metrics["detection_rate"], "detected"
    return 1 - metrics["false_alarm_rate"], "not alarmed"


def update_readme(readme: Path, report: dict) -> None:
    """Put the report between its marks in a Markdown file. Raises DataError where the marks are missing."""
    text, mark = readme.read_text(encoding="utf-8"), begin_mark(report)
    before, found, rest = text.partition(mark)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise DataError(f"{readme} has no lines {mark} and {END} to put the table between.")
    write_text(readme, f"{before}{mark}\n{report_markdown(report)}\n{END}{after}")
