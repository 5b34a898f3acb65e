"""The measured verdicts on videos, as Markdown and as pictures."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from train.metrics import roc_points
from train.report import criteria_markdown, figure

RULES = {
    "plain": "without fitted values",
    "mean": "a single frame, mean of places",
    "best": "a single frame, the best place",
    "most suspicious": "the most suspicious frame",
    "average": "mean chance of all frames",
}
COLOURS = {"test": "#0072b2", "cross": "#d55e00", "val": "#009e73"}  # told apart by the colour-blind (Okabe & Ito)
HEAD = (
    "| clips | real / fake | video AUC | accuracy | decided | of these right | real called fake | fakes called fake |",
    "|" + "---|" * 8,
)
SPLITS = {
    "test": "people kept apart from training",
    "cross": "data sets kept apart from training",
    "val": "people on whom the rule for videos may be chosen",
}


def short_markdown(report: dict) -> str:
    """The table that a reader needs first: every split and method, what following faces is worth, the criteria."""
    lines = [*HEAD]
    for split in shown(report):
        lines.append(_row(f"**{split}**", report["splits"][split]["all"]))
        lines += [_row(f"{split}: {name}", row) for name, row in report["splits"][split]["methods"].items()]
    lines += ["", *_rules(report), "", *criteria_markdown(report["criteria"]), "", *_notes(report)]
    return "\n".join(lines)


def shown(report: dict) -> list[str]:
    """The splits that say something of new clips; val, on which a rule was fitted, only where there is no other."""
    splits = [split for split in report["splits"] if split != "val"]
    return splits or list(report["splits"])


def videos_markdown(report: dict) -> str:
    """The whole report with its pictures, which lie beside it."""
    model, seconds = report["model"], [split["seconds"] for split in report["splits"].values()]
    lines = [
        "# Videos", "",
        f"Model {model['sha256'][:12]}, recipe {model['recipe']}, clips {report['data_sha256'][:12]}, each judged "
        "whole, as it is served. " + " ".join(f"{name.capitalize()}: {SPLITS[name]}." for name in report["splits"]), "",
        f"{report['left_out']} clips of people that the model was trained on were left out; "
        f"{len(report['unreadable'])} could not be read. Judging one took "
        f"{max(s['median'] for s in seconds):.1f} seconds in the median, at most "
        f"{max(s['most'] for s in seconds):.1f}, for clips of {max(s['clip'] for s in seconds):.1f} seconds in the "
        f"median, {report['jobs']} at a time: "
        f"{_machine(report)}.", "", _rule_text(report), "",
        "## In short", "", short_markdown(report),
    ]  # fmt: skip
    for split, row in report["splits"].items():
        lines += ["", f"## By compression, {split}", ""]
        lines += HEAD
        lines += [_row(name, part) for name, part in row["compressions"].items()]
        if split == "val" and split not in shown(report):
            lines += ["", *(_row(name, part) for name, part in {"all": row["all"], **row["methods"]}.items())]
    lines += ["", "![ROC](roc.png)", "![Scores by method](scores.png)"]
    return "\n".join(lines) + "\n"


def _rule_text(report: dict) -> str:
    rule = report["rule"]
    low, high = rule["unsure_band"]
    origin = "fitted on val, carried by the model file" if report["fitted"] else "not fitted on videos"
    return (
        f"The rule, {origin}: {rule['trim']:g} of a face's frames left out at each end, weights by size to the power "
        f"of {rule['size_power']:g} and by sharpness to the power of {rule['sharpness_power']:g}, temperature "
        f"{rule['temperature']:.3f}, unsure between {low:g} and {high:g}."
    )


def _row(name: str, row: dict) -> str:
    decided, between = row["decided"], row.get("interval", {})
    cells = [name, f"{row['real']} / {row['fake']}"]
    cells += [figure(key, row.get(key)) + _interval(between.get(key)) for key in ("auc", "accuracy")]
    cells += [figure("accuracy", decided["coverage"]), figure("accuracy", decided["accuracy"])]
    for key, kind in (("false_alarms", "false_alarm_rate"), ("found", "recall")):
        share = row[key]
        cells.append(figure(kind, share["rate"]) + _interval(share["interval"]) if share else "")
    return f"| {' | '.join(cells)} |"


def _interval(between: list[float] | None) -> str:
    return f" [{between[0]:.3f}, {between[1]:.3f}]" if between else ""


def _rules(report: dict) -> list[str]:
    """What following faces through all frames is worth."""
    splits = shown(report)
    lines = [
        "| verdict from | "
        + " | ".join(f"AUC {s} | decided | of these right | real called fake" for s in splits)
        + " |",
        "|" + "---|" * (1 + 4 * len(splits)),
    ]
    for name, title in {"served": "faces followed, as served", **RULES}.items():
        if name == "plain" and not report["fitted"]:
            continue
        cells = [title]
        for split in splits:
            of = report["splits"][split]
            row = _served(of["all"]) if name == "served" else of["rules"][name]
            cells += [figure("auc", row["auc"]), figure("accuracy", row["coverage"]), figure("accuracy", row["right"]),
                      figure("false_alarm_rate", row["false_alarms"])]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _served(row: dict) -> dict:
    return {"auc": row["auc"], "coverage": row["decided"]["coverage"], "right": row["decided"]["accuracy"],
            "false_alarms": row["false_alarms"]["rate"]}  # fmt: skip


def _notes(report: dict) -> list[str]:
    groups = ", ".join(f"{report['splits'][split]['all']['groups']} of {split}" for split in shown(report))
    return [
        f"Clips are few, and show few people (groups: {groups}). In square brackets: 95 %, over resampled groups or, "
        f"for a rate of one class, Wilson's. A method's fakes are scored against the real clips of its data set. "
        f"{report['left_out']} clips of people that the model was trained on were left out. Judging a clip took "
        f"{max(report['splits'][split]['seconds']['median'] for split in shown(report)):.1f} seconds in the median, "
        f"{report['jobs']} at a time on {_machine(report)}, whatever else ran there.",
    ]


def _machine(report: dict) -> str:
    return f"{report['machine']['cpu']}, {report['machine']['cores']} cores"


def draw_videos(report: dict, folder: Path) -> None:
    """Write roc.png, one curve a split, and scores.png, every clip's chance by method."""
    for name, canvas in (("roc", _roc(report)), ("scores", _scores(report))):
        with atomic_write(folder / f"{name}.png") as partial:
            canvas.savefig(partial, dpi=110, format="png")


def _roc(report: dict) -> Figure:
    canvas = Figure(figsize=(5.4, 5), layout="constrained")
    axis = canvas.subplots()
    for split, row in report["splits"].items():
        own = [one for one in report["verdicts"] if one["split"] == split]
        p_fake = np.array([one["p_fake"] for one in own])
        labels = np.array([int(one["label"] == "fake") for one in own])
        axis.plot(
            *roc_points(p_fake, labels), color=COLOURS[split], label=f"{split}, AUC {figure('auc', row['all']['auc'])}"
        )
    axis.plot([0, 1], [0, 1], color="0.8", zorder=0)
    axis.set(xlabel="real clips called fake", ylabel="fakes called fake", aspect="equal", xlim=(0, 1), ylim=(0, 1))
    axis.legend(loc="lower right")
    return canvas


def _scores(report: dict) -> Figure:
    rows = [(split, method) for split in report["splits"]
            for method in sorted({one["method"] for one in report["verdicts"] if one["split"] == split},
                                 key=lambda method: (method != "original", method))]  # fmt: skip
    canvas = Figure(figsize=(6.4, 1 + 0.3 * len(rows)), layout="constrained")
    axis = canvas.subplots()
    for y, (split, method) in enumerate(rows):
        own = [one for one in report["verdicts"] if (one["split"], one["method"]) == (split, method)]
        marker = "o" if method == "original" else "x"
        axis.plot([one["p_fake"] for one in own], [y] * len(own), marker, color=COLOURS[split], alpha=0.6)
    for end in report["rule"]["unsure_band"]:
        axis.axvline(end, color="0.6", linestyle=":")
    axis.set(yticks=range(len(rows)), xlabel="chance of being fake; dotted: the unsure band", xlim=(0, 1))
    axis.set_yticklabels([f"{split}: {method}" for split, method in rows])
    axis.invert_yaxis()
    return canvas
