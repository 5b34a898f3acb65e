"""A model file against one split, judged the way it is served: file -> Detector -> verdict."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from detect.detector import Detector
from detect.files import write_text
from detect.picture import PictureError
from train.data import DataError, Sample, data_sha256, read_samples
from train.metrics import THRESHOLD, binary_metrics, decided_metrics
from train.report import draw_report, report_markdown, update_readme

# Another processor rounds differently: a score may move by 1e-5, a picture on the threshold change sides.
TOLERANCE = 0.004


def evaluate(detector: Detector, samples: Sequence[Sample], split: str) -> dict:
    """Judge every picture of a split.

    Args:
        detector: with the model to measure.
        samples: of any splits, see `train.data.read_samples`.
        split: to measure.

    Returns:
        {"split", "threshold", "all": metrics, "decided": see `decided_metrics`, "sources": {name: metrics},
        "no_face": pictures in which no face was found, "unreadable": [{"picture", "reason"}]}; metrics as in
        `train.metrics.binary_metrics`.

    Raises:
        DataError: the split has no readable pictures of one class.
    """
    chosen = [sample for sample in samples if sample.split == split]
    judged, verdicts, unreadable = [], [], []
    results = detector.stream(sample.path for sample in chosen)
    progress = tqdm(zip(chosen, results, strict=True), total=len(chosen), desc=split, unit="picture", disable=None)
    for sample, (result, _) in progress:
        if isinstance(result, PictureError):
            unreadable.append({"picture": sample.path.name, "reason": str(result)})
        else:
            judged.append(sample)
            verdicts.append(result)
    labels = np.array([sample.label for sample in judged], dtype=np.int64)
    p_fake = np.array([verdict.p_fake for verdict in verdicts])
    sources = np.array([sample.source for sample in judged])
    if len(set(labels.tolist())) < 2:
        raise DataError(f"The split {split} needs readable pictures of both classes.")
    return {
        "split": split,
        "threshold": THRESHOLD,
        "all": binary_metrics(p_fake, labels),
        "decided": decided_metrics([verdict.label for verdict in verdicts], labels),
        "sources": {
            name: binary_metrics(p_fake[sources == name], labels[sources == name])
            for name in sorted(set(sources.tolist()))
            if name
        },
        "no_face": sum(not verdict.faces for verdict in verdicts),
        "unreadable": unreadable,
    }


def headline(report: dict) -> dict:
    """The few figures that travel inside the model file, as `Metadata.metrics`."""
    figures = {key: report["all"][key] for key in ("pictures", "accuracy", "precision", "recall", "f1", "auc")}
    return {"split": report["split"], **figures, "decided": report["decided"]}


def run(model: Path, data: Path, split: str, out: Path | None, check: Path | None, readme: Path | None) -> int:
    """The command `python -m train evaluate`; returns its exit status."""
    expected = _read_report(check) if check else None
    detector = Detector(model)
    metadata = detector.metadata
    samples = read_samples(data, metadata.seed, needed=(split,))
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256},
        "data_sha256": data_sha256(data, samples),
        **evaluate(detector, samples, split),
    }
    print(report_markdown(report))
    if out:
        write_text(out, json.dumps(report, indent=2) + "\n")
        draw_report(report, out.with_suffix(".png"))
    if readme:
        update_readme(readme, report)
    if check:
        differences = compare(expected, report)
        print("\n".join(differences) if differences else f"{check} holds: measured again within {TOLERANCE}")
        return 1 if differences else 0
    return 0


def _read_report(path: Path) -> dict:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        report = None
    if not isinstance(report, dict):
        raise DataError(f"{path} is not a report that this command wrote.")
    return report


def compare(expected: object, measured: object, where: str = "", tolerance: float = TOLERANCE) -> list[str]:
    """Sentences on every figure of a report that was not measured again.

    Shares may differ by TOLERANCE or by one picture of those they are taken over, counts by as much.
    """
    if isinstance(expected, dict) and isinstance(measured, dict):
        pictures = expected.get("pictures")
        if isinstance(pictures, int) and pictures > 0:
            tolerance = max(TOLERANCE, 1.001 / pictures)
        keys = sorted(expected.keys() | measured.keys())
        return [
            difference
            for key in keys
            for difference in compare(expected.get(key), measured.get(key), f"{where}.{key}".strip("."), tolerance)
        ]
    if isinstance(expected, float) and isinstance(measured, int | float):
        same = abs(expected - measured) <= tolerance
    elif isinstance(expected, int) and isinstance(measured, int):
        same = abs(expected - measured) <= max(1, TOLERANCE * expected)
    else:
        same = expected == measured
    return [] if same else [f"{where}: the report says {expected}, measured {measured}"]
