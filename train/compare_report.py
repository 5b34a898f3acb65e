"""A comparison as a table and as a picture. Everything is read from the report; no figure is typed here."""

import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.report.sentences import floor_percent

COLUMNS = ("model", "precision", "accuracy", "F1", "AUC", "parameters", "file", "ms a picture", "training",
           "views a picture")  # fmt: skip
NONE = "–"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")  # Okabe & Ito 2008


def compare_markdown(report: dict) -> str:
    """The report of `train.compare.compare` as Markdown: one table, and what to know about it.

    Good figures are never rounded up; sizes and times never down.
    """
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *map(_row, report["models"]), ""]
    return "\n".join(lines + [f"- {note}" for note in _notes(report)])


def _row(model: dict) -> str:
    test = model["test"]
    cells = [
        model["title"],
        *(floor_percent(test[key]) for key in ("precision", "accuracy")),
        *(f"{math.floor(test[key] * 1000 + 1e-9) / 1000:.3f}" for key in ("f1", "auc")),
        NONE if model["parameters"] is None else f"{_ceil(model['parameters'] / 1e6, 2):.2f} M",
        f"{_ceil(model['bytes'] / 1e6, 1):.1f} MB",
        f"{_ceil(model['milliseconds'], 2):.2f}",
        NONE if model["training_minutes"] is None else f"{_ceil(model['training_minutes'], 1):.1f} min",
        NONE if model["views"] is None else str(model["views"]),
    ]
    return f"| {' | '.join(cells)} |"


def _ceil(value: float, digits: int) -> float:
    return math.ceil(value * 10**digits - 1e-9) / 10**digits


def _notes(report: dict) -> list[str]:
    by_name = {model["name"]: model for model in report["models"]}
    pictures, machine, latency = report["pictures"], report["machine"], report["latency"]
    shipped, classical, paper = by_name["shipped"], by_name["classical"], by_name[report["recipe"]]
    packages = ", ".join(f"{name} {number}" for name, number in report["packages"].items())
    data = "the same data" if shipped["same_data"] else "OTHER data, which may hold these test pictures"
    torch = ", ".join(model["title"] for model in report["models"] if model.get("input") == "torch")
    return [
        f"Fitted on {pictures['train']} pictures of train, epochs and settings chosen on {pictures['val']} of val, "
        f"measured once on {pictures['test']} of test, at a probability of {report['threshold']}; “fake” is the "
        "positive class. Every model sees the largest face of a picture, as the run time crops it, at "
        f"{report['size']} pixels; the shipped model at {shipped['size']}, with its own crop.",
        f"{paper['title']}: its recipe to the letter, {paper['epochs']} epochs, each on a new augmented view of every "
        "picture.",
        "VGG16, VGG19, ResNet50 and DFP: frozen ImageNet backbones. Their features were computed once for each of "
        f"{report['views']} augmented views of a training picture, and a head was trained on these in turn for at most "
        f"{report['epochs']} epochs, with the same schedule and early stopping. More views might help them. VGG16, "
        "VGG19 and ResNet50 have the head of the paper's recipe. The training time of VGG16 and of DFP counts the "
        "features that both share.",
        *([f"Weights converted from torchvision, with the input those expect: {torch}."] if torch else []),
        "DFP: the hybrid of Raza et al. (2022) on these data and at this size: VGG16, 1025 convolutions, max pooling, "
        "1025 dense units. Where the paper is silent or assumes larger pictures, see `train/backbones.py`.",
        "Hand-made features: local binary patterns, power spectra, colour statistics and oriented gradients; the "
        f"classifier with the highest AUC on val of {len(classical['val_auc'])}: {classical['chosen']}. Its time is "
        "that of features and classifier together.",
        f"The shipped model was not trained here but by the recipe {shipped['recipe']}, on {data}, and is judged as it "
        "is, by one look at each face.",
        f"Times: median of {latency['rounds']} rounds in turns, one picture at a time, {latency['threads']} threads of "
        f"{machine['cpu']}; from the face crop's pixel values to the probability, without finding the face. "
        "Idle threads wait instead of spinning, lest one model slow the next one down, so each takes longer here than "
        "alone. "
        + _timed_again(report)
        + "Parameters: the numbers in the ONNX file (float32), batch normalisation folded in. Training times are of "
        "this machine, whatever else ran on it.",
        f"Python {machine['python']}, {packages}. Data {report['data_sha256'][:12]}, seed {report['seed']}.",
    ]


def _timed_again(report: dict) -> str:
    again = report.get("shipped_again")
    if not again:
        return ""
    return (
        "The shipped model was measured again later, in turns with the paper's network: it takes "
        f"{_ceil(again['times_paper'], 2):.2f} times as long, given here in the milliseconds of the first run. "
    )


def draw_comparison(report: dict, path: Path) -> None:
    """Accuracy against milliseconds a picture, a bubble's area being the size of the file, as a PNG."""
    models = sorted(report["models"], key=lambda model: model["test"]["accuracy"])
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axis, names = figure.subplots(1, 2, width_ratios=(2.4, 1))
    accuracies = [100 * model["test"]["accuracy"] for model in models]
    times = [model["milliseconds"] for model in models]
    low, high = min(accuracies) - 3, max(accuracies) + 3
    heights = np.linspace(low + (high - low) * 0.08, high - (high - low) * 0.08, len(models))
    for model, x, y, height in zip(models, times, accuracies, heights, strict=True):
        colour = COLOURS[report["models"].index(model) % len(COLOURS)]
        megabytes = model["bytes"] / 1e6
        axis.scatter(x, y, s=25 + 12 * megabytes, color=colour, alpha=0.65, edgecolor="black", linewidth=0.8, zorder=3)
        # Names stand in a column of their own, in the order of accuracy: they can never cover one another.
        names.annotate("", (x, y), (0, height), xycoords=axis.transData, textcoords="data", zorder=1,
                       arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.9})  # fmt: skip
        text = f"{model['title']}\n{floor_percent(y / 100)}, {_ceil(x, 2):.2f} ms, {_ceil(megabytes, 1):.1f} MB"
        names.text(0.04, height, text, va="center", fontsize=9)
    axis.set_xscale("log")
    axis.set(xlim=(min(times) / 1.6, max(times) * 1.6), ylim=(low, high))
    axis.set(xlabel="milliseconds a picture (logarithmic)", ylabel="accuracy on test, %")
    ticks = [m * 10**e for e in range(-3, 5) for m in (1, 2, 5) if min(times) / 1.6 <= m * 10**e <= max(times) * 1.6]
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(color="0.9", zorder=0)
    names.set(xlim=(0, 1), ylim=(low, high))
    names.axis("off")
    threads = report["latency"]["threads"]
    figure.suptitle(f"{report['pictures']['test']} test pictures; {threads} threads; bubble: size of the file")
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, dpi=120, format="png")
