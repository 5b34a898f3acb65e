"""What came of small changes, as Markdown and as a picture."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.report.evaluation import ceil_rate
from deepfake_detect.report.sentences import ceil_percent
from train.report import criteria_markdown

MARK = "battery"  # in a Markdown file
NONE = "–"
MEAN, HIGH, WORST = "#0072b2", "#e69f00", "#d55e00"  # told apart by the colour-blind (Okabe & Ito)


def battery_markdown(report: dict) -> str:
    """The whole report with its picture, which lies beside it."""
    model = report["model"]
    return "\n".join(
        [
            f"# Small changes: {model['recipe']} on {report['split']}",
            "",
            f"Model {model['sha256'][:12]}, recipe {model['recipe_sha256'][:12]}, data {' and '.join(report['data'])} "
            f"({report['data_sha256'][:12]}). Verdicts are those of `--{'' if report['thorough'] else 'no-'}thorough`.",
            "",
            short_markdown(report),
            "",
            "![Change of p(fake) by what was done](battery.png)",
            "",
        ]
    )


def short_markdown(report: dict) -> str:
    """The table, what was counted in it, and the criteria."""
    columns = ("the same picture", "pictures", "mean change of p(fake)", "95 of 100 below", "largest",
               "real-fake flips", "no face left")  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, found in {"**all changes**": report["all"], **report["changes"]}.items():
        lines.append(_row(name, found, str(found["flips"])))
    examples = report["examples"]
    lines.append(_row(f"**{examples['pictures']} examples, all changes**", examples, str(len(examples["flips"]))))
    flips = "; ".join(f"{flip['picture']} {flip['by']}" for flip in examples["flips"])
    rate, unsteady = report["all"]["flip_rate"], report["unsteady"] / report["pictures"]
    return "\n".join(
        [
            *lines,
            "",
            f"{report['pictures']} pictures of {report['split']} with a face, at most {report['most']} of each source "
            f"and class. A flip is a “Real” that becomes “Fake”, or the reverse: {ceil_percent(rate)} of all changed "
            f"pictures; {ceil_percent(unsteady)} of the pictures flip under at least one change. Pictures in which no "
            "face is found after a change have no part in the other columns."
            f"{f' Examples that flip: {flips}.' if flips else ''}",
            "",
            *criteria_markdown(report["criteria"]),
        ]
    )


def _row(name: str, found: dict, flips: str) -> str:
    rates = [NONE if rate is None else ceil_rate(rate) for rate in (found["mean"], found["high"], _worst(found))]
    return f"| {' | '.join([name, str(found['pictures']), *rates, flips, str(found['no_face'])])} |"


def _worst(found: dict) -> float | None:
    return found["worst"] and found["worst"]["change"]


def _drawn(rates: Iterable[float | None]) -> list[float]:
    """Rates as matplotlib leaves a place free."""
    return [float("nan") if rate is None else rate for rate in rates]


def draw_battery(report: dict, file: Path) -> None:
    """Write a PNG: mean, 95th percentile and largest change of p_fake, and flips, by what was done."""
    changes = report["changes"]
    figure = Figure(figsize=(8, 1.4 + 0.3 * len(changes)), layout="constrained")
    axis, flips = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    places = range(len(changes))
    axis.barh(places, _drawn(found["mean"] for found in changes.values()), color=MEAN, label="mean")
    axis.plot(_drawn(found["high"] for found in changes.values()), places, "D", color=HIGH, label="95 of 100 are below")
    axis.plot(_drawn(_worst(found) for found in changes.values()), places, "|", markersize=12, color=WORST,
              label="largest")  # fmt: skip
    axis.set(yticks=places, xlabel="change of p(fake)", xlim=(0, 1))
    axis.set_yticklabels(list(changes))
    axis.invert_yaxis()
    axis.margins(y=0.02)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
    bars = flips.barh(
        places, [100 * rate for rate in _drawn(found["flip_rate"] for found in changes.values())], color=WORST
    )
    flips.bar_label(bars, [str(found["flips"]) for found in changes.values()], padding=2, fontsize=8)
    flips.set(xlabel="real-fake flips, %", xlim=(0, None))
    flips.margins(x=0.25)
    with atomic_write(file) as partial:
        figure.savefig(partial, dpi=110, format="png")
