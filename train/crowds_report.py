"""The measured rules for pictures of many faces, as Markdown and as a chart."""

from pathlib import Path

from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.crowd import ALONE
from train.report import figure

SERVED, BEFORE = "served", "most suspicious"
COLOURS = {"served": "#0072b2", "most suspicious": "#d55e00", "mean odds": "#e69f00", "Bonferroni": "#009e73",
           "Sidak": "#cc79a7"}  # fmt: skip
DASHES = {"val": "-", "cross": "--"}


def short_markdown(report: dict) -> str:
    """The table that a reader needs first: false alarms and finds by number of faces, beside the naive rule."""
    splits = report["splits"]
    lines = [
        "| faces in the picture | "
        + " | ".join(f"all real, called fake: {split} | by the most suspicious face" for split in splits)
        + " | one fake, called fake: val | one fake, called real: val | half fake, called fake: val |",
        "|" + "---|" * (1 + 2 * len(splits) + 3),
    ]
    for number in dict.fromkeys(row["faces"] for row in splits["val"]["rates"]):
        cells = [str(number)]
        for split in splits:
            row = _row(report, split, number, 0)
            cells += [_share("false_alarm_rate", row[SERVED], "fake"), _share("false_alarm_rate", row[BEFORE], "fake")]
        one = _row(report, "val", number, 1)
        half = _row(report, "val", number, number // 2)[SERVED]["fake"] if number > 1 else None
        cells += [_share("recall", one[SERVED], "fake"), _share("false_alarm_rate", one[SERVED], "real")]
        lines.append(f"| {' | '.join([*cells, figure('recall', half)])} |")
    val = splits["val"]
    lines += [
        "",
        f"Faces drawn from the {val['real']} real and {val['fake']} fake ones of val "
        f"({splits['cross']['real']} and {splits['cross']['fake']} of cross), each scored as served. Half of two: "
        "one. In square brackets: 95 % over resampled faces. What is neither fake nor real is “Not sure”.",
    ]
    return "\n".join(lines)


def crowds_markdown(report: dict) -> str:
    """The whole report."""
    lines = ["# Pictures of many faces", "", short_markdown(report)]
    for split in report["splits"]:
        lines += ["", f"## By rule, {split}", "", *_by_rule(report, split)]
        lines += ["", f"## Whole pictures, {split}", "", *_composed(report["splits"][split]["composed"])]
    lines += ["", "## Smaller faces", "", *_sizes(report)]
    return "\n".join([*lines, "", "![False alarms and finds by number of faces](crowds.png)"]) + "\n"


def draw_crowds(report: dict, path: Path) -> None:
    """False alarms among real faces, and finds where one is fake, by number of faces and rule, as a PNG."""
    canvas = Figure(figsize=(11, 4.2), layout="constrained")
    titles = ("all real: called fake", "one fake: called fake")
    for fakes, (axis, title) in enumerate(zip(canvas.subplots(1, 2, sharey=True), titles, strict=True)):
        for split, figures in report["splits"].items():
            rows = [row for row in figures["rates"] if row["fakes"] == fakes]
            for name, colour in COLOURS.items():
                numbers, shares = [row["faces"] for row in rows], [row["rules"][name] for row in rows]
                axis.plot(numbers, [share["fake"] for share in shares], DASHES[split], marker="o", markersize=3,
                          color=colour, label=f"{name}, {split}")  # fmt: skip
                if name == SERVED:
                    low, high = zip(*(share["interval"]["fake"] for share in shares), strict=True)
                    axis.fill_between(numbers, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set_xscale("log", base=2)
        axis.set(xlabel="faces in the picture", title=title, ylim=(0, 1), xticks=numbers, xticklabels=numbers)
        axis.axvline(ALONE, color="0.8", zorder=0)
    canvas.axes[0].set_ylabel("share of pictures")
    canvas.legend(*canvas.axes[1].get_legend_handles_labels(), fontsize=8, loc="outside right center")
    with atomic_write(path) as partial:
        canvas.savefig(partial, dpi=110, format="png")


def _row(report: dict, split: str, faces: int, fakes: int) -> dict:
    rows = report["splits"][split]["rates"]
    return next(row["rules"] for row in rows if (row["faces"], row["fakes"]) == (faces, fakes))


def _share(kind: str, shares: dict, label: str) -> str:
    low, high = shares["interval"][label]
    return f"{figure(kind, shares[label])} [{low:.3f}, {high:.3f}]"


def _by_rule(report: dict, split: str) -> list[str]:
    figures = report["splits"][split]
    names = list(figures["rates"][0]["rules"])
    lines = [
        "Called fake / called real.", "",
        f"| faces | fakes | {' | '.join(names)} |", "|" + "---|" * (2 + len(names)),
    ]  # fmt: skip
    for row in figures["rates"]:
        cells = [f"{row['rules'][name]['fake']:.3f} / {row['rules'][name]['real']:.3f}" for name in names]
        lines.append(f"| {row['faces']} | {row['fakes']} | {' | '.join(cells)} |")
    lines += [
        "", "Calibration error of p_fake where a picture holds one fake as often as none:", "",
        f"| faces | {' | '.join(names)} |", "|" + "---|" * (1 + len(names)),
    ]  # fmt: skip
    for row in figures["calibration"]:
        cells = [figure("ece", row["rules"][name]["ece"]) for name in names]
        lines.append(f"| {row['faces']} | {' | '.join(cells)} |")
    return lines


def _composed(rows: list[dict]) -> list[str]:
    lines = [
        "Real pictures side by side, through the face finder and all that follows.", "",
        "| faces put in | pictures | faces found | called fake | not sure | called real "
        "| with a face that by itself is called fake |",
        "|" + "---|" * 7,
    ]  # fmt: skip
    for row in rows:
        keys = ("faces", "pictures", "found", "fake", "unsure", "real", "worst_fake")
        lines.append(f"| {' | '.join(str(row[key]) for key in keys)} |")
    return lines


def _sizes(report: dict) -> list[str]:
    lines = [
        f"The faces of val made smaller. One of less than {report['smallest']} pixels never makes a picture fake.", "",
        "| pixels | faces | AUC | accuracy | said fake | of these wrong |", "|" + "---|" * 6,
    ]  # fmt: skip
    for row in report["sizes"]:
        said = row["decided"]["said_fake"]
        wrong = figure("false_alarm_rate", said["wrong"] / said["pictures"]) if said["pictures"] else ""
        cells = [row["side"], row["metrics"]["pictures"], figure("auc", row["metrics"]["auc"]),
                 figure("accuracy", row["metrics"]["accuracy"]), said["pictures"], wrong]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines
