"""Pictures of a training run."""

import itertools
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepfake_detect.atomic_files import atomic_write


def draw_curves(history: list[dict], path: Path) -> None:
    """Loss and accuracy per epoch, training beside validation (the paper's figures), as a PNG.

    Args:
        history: one dict per epoch with epoch, loss, accuracy, val_loss, val_accuracy, learning_rate.
        path: of the PNG.
    """
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axis, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axis.plot(epochs, [row[name] for row in history], "o-", label="training, augmented")
        axis.plot(epochs, [row[f"val_{name}"] for row in history], "s--", label="validation")
        for before, row in itertools.pairwise(history):
            if row["learning_rate"] < before["learning_rate"] / 2:
                axis.axvline(row["epoch"] - 0.5, color="0.8", zorder=0)
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    figure.suptitle("Learning curves (grey lines: the learning rate drops by more than half)")
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110, format="png")
