"""How a network in training does on val, by kind and by source, epoch by epoch: val.csv of a run."""

import csv
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.model.onnx_model import LABELS, probability
from train.crops import Crops

COLUMNS = ("epoch", "by", "name", "label", "pictures", "auc", "over_half")


def note_epoch(file: Path, epoch: int, val: Crops, logits: np.ndarray) -> list[dict]:
    """Append an epoch's figures to a CSV file, in place of those it may hold already, and print a line of them.

    Args:
        file: val.csv.
        epoch: from 1.
        val: the faces.
        logits: [N, 2] of them.

    Returns:
        The rows, see `groups`.
    """
    rows = groups(val, probability(logits, 1.0))
    kept = []
    if file.is_file():
        with file.open(encoding="utf-8", newline="") as before:
            kept = [row for row in csv.DictReader(before) if int(row["epoch"]) < epoch]
    with atomic_write(file) as partial, partial.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows([*kept, *({"epoch": epoch, **row} for row in rows)])
    fakes = [f"{row['name']} {row['auc']:.3f}" for row in rows if row["label"] == "fake"]
    reals = [f"{row['name']} {row['over_half']:.2f}" for row in rows if row["label"] == "real"]
    print(f"val AUC: {', '.join(fakes)}; photographs over 0.5: {', '.join(reals)}", flush=True)
    return rows


def groups(val: Crops, p_fake: np.ndarray) -> list[dict]:
    """Rows {"by": "kind" or "source", "name", "label", "pictures", "auc", "over_half": share of p_fake over 0.5}.
    The AUC is of these fakes against their source's photographs; of kinds and of sources without, against all.
    """
    rows, real = [], val.labels == 0
    for by, names in (("kind", np.array(val.kinds)), ("source", np.array(val.sources))):
        for label, title in enumerate(LABELS):
            for name in np.unique(names[val.labels == label]):
                chosen = (names == name) & (val.labels == label)
                own = real & (names == name)
                against = own if by == "source" and own.any() else real
                auc = ""
                if label == 1:
                    both = np.concatenate([p_fake[against], p_fake[chosen]])
                    auc = float(roc_auc_score(np.repeat([0, 1], [against.sum(), chosen.sum()]), both))
                row = {"by": by, "name": str(name) or "unknown", "label": title, "pictures": int(chosen.sum())}
                rows.append(row | {"auc": auc, "over_half": float(np.mean(p_fake[chosen] > 0.5))})
    return rows
