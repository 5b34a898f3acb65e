"""Plots of an audit; none of them shows a face."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.model.onnx_model import LABELS
from train.audit_features import STAGES

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = {"real": "#0072B2", "fake": "#D55E00"}
STAGE_MARKS = {"file": ("#000000", "s"), "crop": ("#0072B2", "o"), "normalised": ("#009E73", "D")}
PROPERTIES = (
    ("file", "jpeg_quality", "JPEG quality (estimate)"),
    ("file", "width", "width, pixels"),
    ("file", "bits_per_pixel", "bits per pixel"),
    ("crop", "brightness", "brightness of the crop, 0..255"),
    ("crop", "saturation", "saturation of the crop, 0..255"),
    ("crop", "sharpness", "sharpness of the crop (variance of Laplacian)"),
)


def draw_plots(report: dict, folder: Path) -> list[str]:
    """Draw every plot of a report, see `train.audit.audit`, into a folder; returns the names of the PNG files."""
    plots = {
        "balance.png": _balance,
        "giveaway.png": _giveaway,
        "properties.png": _properties,
        "spectrum.png": _spectrum,
        "spectrum_difference.png": _spectrum_difference,
    }
    return [name for name, draw in plots.items() if draw(report, folder / name)]


@contextmanager
def _figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    figure = Figure(figsize=(width, height), layout="constrained")
    yield figure
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110, format="png")


def _balance(report: dict, path: Path) -> bool:
    """Bars of pictures per source and class, a panel per split."""
    splits, sources = report["balance"], list(report["properties"])
    with _figure(path, 3.2 * len(splits) + 1.4, 0.34 * len(sources) + 1.3) as figure:
        axes = figure.subplots(1, len(splits), squeeze=False, sharey=True)[0]
        for axis, (split, counts) in zip(axes, splits.items(), strict=True):
            for number, label in enumerate(LABELS):
                values = [counts.get(source, {}).get(label, 0) for source in sources]
                places = np.arange(len(sources)) + (number - 0.5) * 0.4
                bars = axis.barh(places, values, 0.4, color=COLOURS[label], label=label)
                axis.bar_label(bars, [str(v) if v else "" for v in values], padding=2, fontsize=7)
            axis.set(title=split, xlabel="pictures")
            axis.margins(x=0.2)
        axes[0].set(yticks=range(len(sources)), yticklabels=sources)
        axes[0].invert_yaxis()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return True


def _giveaway(report: dict, path: Path) -> bool:
    """AUC with its interval, per source and stage."""
    rows = {name: found for name, found in report["giveaway"]["sources"].items() if found}
    if report["giveaway"]["all"]:
        rows["all together"] = report["giveaway"]["all"]
    if not rows:
        return False
    with _figure(path, 8, 0.62 * len(rows) + 1.5) as figure:
        axis = figure.subplots()
        for place, stage in enumerate(STAGES):
            found = [row["stages"][stage] for row in rows.values()]
            auc = np.array([f["auc"] for f in found])
            # A percentile interval need not hold the estimate where the folds' scores differ by chance.
            spread = np.maximum([auc - [f["low"] for f in found], [f["high"] for f in found] - auc], 0)
            colour, mark = STAGE_MARKS[stage]
            ys = np.arange(len(rows)) + (place - 1) * 0.22
            axis.errorbar(auc, ys, xerr=spread, fmt=mark, color=colour, capsize=3, markersize=6, label=stage)
        limit = report["giveaway"]["threshold"]
        axis.axvspan(limit, 1.02, color="0.93", zorder=0)
        axis.axvline(0.5, color="0.5", linestyle=":")
        axis.text(limit + 0.005, -0.62, "shortcut", color="0.35", fontsize=8, va="center")
        axis.set(yticks=range(len(rows)), yticklabels=rows, xlim=(0.35, 1.02), ylim=(len(rows) - 0.4, -0.8))
        axis.set(xlabel="AUC of trivial features alone, with 95 % interval (0.5: nothing given away)")
        axis.legend(loc="upper left", ncols=3, bbox_to_anchor=(0, 1.12), frameon=False, borderaxespad=0)
    return True


def _properties(report: dict, path: Path) -> bool:
    """Median, middle half and middle 80 % of six properties, per source and class."""
    sources = list(report["properties"])
    with _figure(path, 12, 0.62 * len(sources) + 2) as figure:
        axes = figure.subplots(2, 3, sharey=True)
        for axis, (stage, feature, title) in zip(axes.flat, PROPERTIES, strict=True):
            for y, source in enumerate(sources):
                for number, label in enumerate(LABELS):
                    known = report["properties"][source].get(label)
                    values = known and known["stages"][stage][feature]
                    if values:
                        _draw_spread(axis, values, y + (number - 0.5) * 0.36, COLOURS[label])
            axis.set_title(title, fontsize=10)
            axis.grid(axis="x", color="0.9")
            if feature in ("sharpness", "bits_per_pixel"):
                axis.set_xscale("log")
                axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.xaxis.set_major_formatter("{x:g}")
                axis.xaxis.set_minor_formatter(NullFormatter())
        axes[0, 0].set(yticks=range(len(sources)), yticklabels=sources, ylim=(len(sources) - 0.5, -0.5))
        lines = [axes[0, 0].plot([], [], "o-", color=COLOURS[label], linewidth=4)[0] for label in LABELS]
        figure.legend(lines, LABELS, loc="outside upper right", ncols=2, frameon=False)
        _title(figure, "Dot: median; thick: middle half; thin: middle 80 %")
    return True


def _draw_spread(axis: Axes, values: dict, y: float, colour: str) -> None:
    axis.plot([values["p10"], values["p90"]], [y, y], color=colour, linewidth=1)
    axis.plot([values["p25"], values["p75"]], [y, y], color=colour, linewidth=4, solid_capstyle="butt")
    axis.plot(values["median"], y, "o", color=colour, markersize=6, markeredgecolor="white")


def _spectrum(report: dict, path: Path) -> bool:
    """Median spectrum of the crops, real against fake, a panel per source."""
    spectra = report["spectrum"]
    if not spectra:
        return False
    styles = {"real": "-", "fake": "--"}
    with _panels(path, list(spectra), 4, (3, 2.4), "power, dB") as (figure, axes):
        for source, classes in spectra.items():
            for label, stages in classes.items():
                power = stages["crop"]
                axes[source].plot(_share(power), power, color=COLOURS[label], linestyle=styles[label])
        first = next(iter(axes.values()))
        lines = [first.plot([], [], color=COLOURS[label], linestyle=style)[0] for label, style in styles.items()]
        figure.legend(lines, LABELS, loc="outside upper right", ncols=2, frameon=False)
        _title(figure, "Radially averaged power spectrum of the face crops, median")
    return True


def _spectrum_difference(report: dict, path: Path) -> bool:
    """Fakes' median spectrum less that of the real pictures, before and after normalisation."""
    spectra = {source: classes for source, classes in report["spectrum"].items() if len(classes) == len(LABELS)}
    if not spectra:
        return False
    with _panels(path, list(spectra), 3, (3.6, 2.5), "fake less real, dB") as (figure, axes):
        for source, classes in spectra.items():
            axes[source].axhline(0, color="0.5", linewidth=1)
            for stage, style in (("crop", "-"), ("normalised", "--")):
                difference = np.array(classes["fake"][stage]) - classes["real"][stage]
                axes[source].plot(_share(difference), difference, style, color=STAGE_MARKS[stage][0], label=stage)
        lines, stages = next(iter(axes.values())).get_legend_handles_labels()
        figure.legend(lines, stages, loc="outside upper right", ncols=2, frameon=False)
        _title(figure, "What the fakes' spectrum has more of (above 0) or less")
    return True


@contextmanager
def _panels(
    path: Path, sources: Sequence[str], most: int, size: tuple[float, float], power: str
) -> Iterator[tuple[Figure, dict[str, Axes]]]:
    """A figure of spectra with a panel for each source, at most so many side by side, each so many inches wide and
    high; `power` names what is shown from below to the top."""
    columns = min(most, len(sources))
    rows = -(-len(sources) // columns)
    with _figure(path, max(7.5, size[0] * columns + 0.6), size[1] * rows + 0.9) as figure:
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        panels = dict(zip(sources, axes, strict=False))
        for source, axis in panels.items():
            axis.set_title(source, fontsize=10)
            axis.grid(color="0.92")
        yield figure, panels
        _end_columns(axes, len(sources), columns)
        figure.supxlabel("frequency, share of the highest", fontsize=10)
        figure.supylabel(power, fontsize=10)


def _title(figure: Figure, text: str) -> None:
    """On the left: the legend stands on the right."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=10)


def _end_columns(axes: np.ndarray, used: int, columns: int) -> None:
    """Hide the panels that are left over, and number the axis under the lowest used one of each column."""
    for axis in axes[used:]:
        axis.set_visible(False)
    for axis in axes[max(0, used - columns) : used]:
        axis.tick_params(labelbottom=True)


def _share(power) -> np.ndarray:
    return np.arange(1, len(power) + 1) / len(power)
