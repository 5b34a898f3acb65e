"""An evaluation as pictures."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from train.report import figure as figure_text
from train.tiers import TIERS

COLOURS = {"clean": "#0072b2", "web": "#e69f00", "hard": "#d55e00"}  # told apart by the colour-blind (Okabe & Ito)
MARKERS = {"clean": "o", "web": "s", "hard": "^"}
SOURCE_STYLES = ("-", "--", "-.", ":")


def draw_all(report: dict, folder: Path) -> None:
    """Write roc.png, reliability.png, confusion.png, risk_coverage.png, degradation.png and, if known, groups.png."""
    for name, draw in (
        ("roc", _roc),
        ("reliability", _reliability),
        ("confusion", _confusion),
        ("risk_coverage", _risk_coverage),
        ("degradation", _degradation),
        ("groups", _groups),
    ):
        if name == "groups" and not report["groups"]:
            continue
        figure = draw(report)
        figure.suptitle(f"{report['model']['recipe']} on the {report['split']} split")
        with atomic_write(folder / f"{name}.png") as partial:
            figure.savefig(partial, dpi=110, format="png", bbox_inches="tight")


def _side_by_side(width: float, height: float) -> tuple[Figure, dict[str, Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, dict(zip(TIERS, figure.subplots(1, len(TIERS), sharey=True), strict=True))


def _roc(report: dict) -> Figure:
    curves = len(report["tiers"]["clean"]["roc"])
    figure, axes = _side_by_side(11, 4.2 + 0.16 * curves)
    for tier, axis in axes.items():
        figures = report["tiers"][tier]
        for number, (name, (fpr, tpr)) in enumerate(figures["roc"].items()):
            style = SOURCE_STYLES[number % len(SOURCE_STYLES)]
            axis.plot(fpr, tpr, style, label=f"{name}, AUC {figure_text('auc', figures['sources'][name]['auc'])}")
        axis.plot([0, 1], [0, 1], color="0.8", zorder=0)
        axis.set(xlabel="real pictures called fake", title=tier, aspect="equal", xlim=(0, 1), ylim=(0, 1))
        axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False)
    axes["clean"].set_ylabel("fakes called fake")
    return figure


def _reliability(report: dict) -> Figure:
    figure = Figure(figsize=(5.4, 5), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="0.7", label="perfectly calibrated")
    for tier in TIERS:
        figures = report["tiers"][tier]
        points = [(p["p_fake"], p["fake"]) for p in figures["reliability"]]
        axis.plot(*zip(*points, strict=True), MARKERS[tier] + "-", color=COLOURS[tier],
                  label=f"{tier}, ECE {figure_text('ece', figures['all']['ece'])}")  # fmt: skip
    axis.set(xlabel="p(fake) that the detector gives", ylabel="share that is fake", xlim=(0, 1), ylim=(0, 1))
    axis.legend()
    return figure


def _confusion(report: dict) -> Figure:
    figure, axes = _side_by_side(9, 3.6)
    for tier, axis in axes.items():
        confusion = report["tiers"][tier]["all"]["confusion"]
        cells = [[confusion[f"{true}_as_{said}"] for said in ("real", "fake")] for true in ("real", "fake")]
        axis.imshow(cells, cmap="Blues", vmin=0)
        for y, row in enumerate(cells):
            for x, count in enumerate(row):
                dark = count > max(map(max, cells)) / 2
                axis.text(x, y, count, ha="center", va="center", color="white" if dark else "black", fontsize=13)
        axis.set(xticks=[0, 1], xticklabels=["real", "fake"], yticks=[0, 1], yticklabels=["real", "fake"])
        axis.set(xlabel="called", title=tier)
    axes["clean"].set_ylabel("is")
    return figure


def _risk_coverage(report: dict) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    for tier in TIERS:
        points = report["tiers"][tier]["risk_coverage"]
        axis.plot([p["coverage"] for p in points], [p["risk"] for p in points], MARKERS[tier] + "-", markersize=4,
                  color=COLOURS[tier], label=tier)  # fmt: skip
    axis.axhline(0.05, color="0.7", linestyle=":")
    axis.set(xlabel="share of pictures decided, most confident first", ylabel="share of these wrong", ylim=(0, None))
    axis.legend()
    return figure


def _degradation(report: dict) -> Figure:
    figure = Figure(figsize=(5.4, 6.4), layout="constrained")  # narrow: telephones show all of it
    kinds = (("jpeg", "quality", "JPEG quality"), ("scale", "scale", "both sides times"))
    for axis, (kind, key, label) in zip(figure.subplots(2, 1), kinds, strict=True):
        points = report["curves"][kind]
        for name, marker, colour in (("auc", "o", "#0072b2"), ("balanced_accuracy", "s", "#d55e00")):
            values = [point["macro"].get(name) for point in points]
            if None not in values:
                axis.plot([p[key] for p in points], values, marker + "-", color=colour, label=name.replace("_", " "))
        axis.invert_xaxis()
        axis.axhline(0.5, color="0.7", linestyle=":")
        axis.set(xlabel=label, ylim=(0.45, 1.0))
        axis.legend(loc="lower left", bbox_to_anchor=(0, 0.1))
    figure.supylabel(f"mean of sources, {report['curves']['pictures']} pictures")
    return figure


def _groups(report: dict) -> Figure:
    groups = report["groups"]
    figure = Figure(figsize=(5.4, 1 + 0.32 * len(groups)), layout="constrained")
    axis = figure.subplots()
    for y, metrics in enumerate(groups.values()):
        rate, (low, high) = metrics["false_alarm_rate"], metrics["interval"]["false_alarm_rate"]
        axis.barh(y, rate, color="#56b4e9")
        axis.plot([low, high], [y, y], color="0.2")
    axis.set(yticks=range(len(groups)), xlabel="real photographs called fake, with 95 % interval", xlim=(0, None))
    axis.set_yticklabels([f"{name} ({metrics['pictures']})" for name, metrics in groups.items()])
    axis.invert_yaxis()
    return figure
