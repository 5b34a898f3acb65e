"""A model file against one split, judged the way it is served: file -> Detector -> verdict."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import open_picture
from train.breakdown import counts_by_class, fakes_by_kind, groups, photographs_by_kind, worst_source
from train.criteria import criteria_of
from train.data import Folders, Sample, data_sha256, folders_of, read_samples, spread
from train.generators import generators
from train.metrics import (
    THRESHOLD,
    binary_metrics,
    corners,
    decided_metrics,
    figures_by_source,
    operating_points,
    reliability,
    risk_coverage,
    roc_points,
    scored_against,
)
from train.plots import draw_all
from train.report import check_marks, docs_markdown, name_of, report_markdown, update_docs, write_report
from train.report_check import TOLERANCE, differences, read_expected
from train.scored_set import ScoredSet, judge
from train.tiers import TIERS, compressed, longer_than, open_degraded, scaled
from train.timing import machine

JPEG_QUALITIES = (100, 80, 60, 40, 20)
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)
CURVE_PICTURES = 16  # of each source and class, by which the curves are drawn


def tier_report(judged: ScoredSet, with_intervals: bool = True) -> dict:
    """The figures of one tier.

    Returns:
        What `figures_by_source` returns, each source with its "counts", and "worst_source": see `worst_source`,
        "decided": see `decided_metrics`, "counts": see `counts_by_class`, "kinds": see `fakes_by_kind`, "photographs":
        see `photographs_by_kind`, "no_face": pictures in which no face was found, "unreadable": [{"picture",
        "reason"}].
    """
    labels, sources, said = judged.labels, judged.sources, judged.said
    figures = figures_by_source(judged.p_fake, labels, sources, with_intervals)
    for name, metrics in figures["sources"].items():
        metrics["counts"] = counts_by_class(said[sources == name], labels[sources == name])
    return figures | {
        "worst_source": worst_source(figures["sources"]),
        "decided": decided_metrics(said.tolist(), labels),
        "counts": counts_by_class(said, labels),
        "kinds": fakes_by_kind(judged, with_intervals),
        "photographs": photographs_by_kind(judged),
        "no_face": sum(not verdict.faces for verdict in judged.verdicts),
        "unreadable": judged.unreadable,
    }


def evaluate(
    detector: Detector, samples: Sequence[Sample], split: str, full: bool = True, thorough: bool = THOROUGH
) -> dict:
    """Judge every picture of a split, in all three tiers (see `train.tiers`) at one threshold.

    Args:
        detector: with the model to measure.
        samples: of any splits, see `train.data.read_samples`.
        split: to measure.
        full: with intervals, curves and the points to draw; otherwise the figures alone.
        thorough: see `Detector.predict`; it changes "decided" and counts of verdicts alone, as scores stay.

    Returns:
        {"split", "thorough", "threshold", "generators": of all splits, see `generators`, "tiers": {name: see
        `tier_report`}, "groups": see `groups`, "against_all": {source: AUC of its fakes against all photographs of the
        split}} and, if full, for every tier "made_smaller" (pictures that it shrank), "reliability", "risk_coverage",
        "operating_points" (see train.metrics) and "roc", then "curves" (macro figures over JPEG quality and over scale,
        on "pictures" of the split).

    Raises:
        DataError: the split has no readable pictures of one class.
    """
    chosen = [sample for sample in samples if sample.split == split]
    report = {"split": split, "thorough": thorough, "threshold": THRESHOLD, "generators": generators(samples),
              "tiers": {}}  # fmt: skip
    for tier in TIERS:
        judged = judge(detector, chosen, partial(open_degraded, tier=tier), f"{split}, {tier}", thorough)
        figures = tier_report(judged, full)
        if full:
            figures |= {"made_smaller": sum(longer_than(s.path, TIERS[tier].longest) for s in judged.samples)}
            figures |= _points(judged)
        if tier == "clean":
            report |= {"groups": groups(judged), "against_all": _against_all(judged)}
        report["tiers"][tier] = figures
    if full:
        few = spread(chosen, CURVE_PICTURES)
        report["curves"] = {
            "pictures": len(few),
            "jpeg": [_curve_point(detector, few, compressed, "quality", quality) for quality in JPEG_QUALITIES],
            "scale": [_curve_point(detector, few, scaled, "scale", scale) for scale in SCALES],
        }
    return report


def _points(judged: ScoredSet) -> dict:
    p_fake, labels = judged.p_fake, judged.labels
    curves = {
        name: [values.round(5).tolist() for values in corners(*roc_points(p_fake[chosen], labels[chosen]))]
        for name, (chosen, _) in scored_against(labels, judged.sources).items()
    }
    return {
        "reliability": reliability(p_fake, labels),
        "risk_coverage": risk_coverage(p_fake, labels),
        "operating_points": operating_points(p_fake, labels),
        "roc": curves,
    }


def _against_all(judged: ScoredSet) -> dict[str, float]:
    """AUC of each source's fakes against every photograph of the split."""
    p_fake, labels, sources = judged.p_fake, judged.labels, judged.sources
    return {
        name: binary_metrics(p_fake[chosen], labels[chosen])["auc"]
        for name in sorted(set(sources[labels == 1].tolist()))
        for chosen in [(labels == 0) | (sources == name)]
    }


def _curve_point(detector: Detector, samples: Sequence[Sample], degrade: Callable, key: str, value: float) -> dict:
    judged = judge(detector, samples, lambda path: degrade(open_picture(path), value), f"{key} {value}", False)
    figures = figures_by_source(judged.p_fake, judged.labels, judged.sources, with_intervals=False)
    return {key: value, "no_face": sum(not verdict.faces for verdict in judged.verdicts), "macro": figures["macro"]}


def latency_ms(file: Path, threads: int = 2, rounds: int = 200) -> float:
    """Median milliseconds of one run of a model file on one crop, by so many threads."""
    model = Model(file, threads)
    size = model.metadata.size
    values = pixel_values(np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8))
    seconds = []
    for _ in range(rounds):
        started = perf_counter()
        model.logits(values)
        seconds.append(perf_counter() - started)
    return float(np.median(seconds) * 1000)


def headline(report: dict) -> dict:
    """The few figures that travel inside the model file, as `Metadata.metrics`: of the clean tier."""
    clean = report["tiers"]["clean"]
    figures = {key: clean["all"][key] for key in ("pictures", "accuracy", "precision", "recall", "f1", "auc")}
    return {"split": report["split"], **figures, "decided": clean["decided"]}


def measured_headline(detector: Detector, samples: Sequence[Sample], split: str) -> dict:
    """`headline` of a split that is judged for it alone, in the clean tier alone. Raises DataError, see `judge`."""
    judged = judge(detector, [sample for sample in samples if sample.split == split], name=split)
    clean = {
        "all": binary_metrics(judged.p_fake, judged.labels),
        "decided": decided_metrics(judged.said.tolist(), judged.labels),
    }
    return headline({"split": split, "tiers": {"clean": clean}})


def run(
    model: Path,
    data: Folders,
    split: str,
    out: Path | None,
    check: Path | None,
    docs: Path | None,
    thorough: bool = THOROUGH,
) -> int:
    """The command `python -m train evaluate`; returns its exit status."""
    expected = read_expected(check) if check else None
    detector = Detector(model)
    metadata = detector.metadata
    if docs:
        check_marks(docs, name_of({"model": {"recipe": metadata.recipe}, "split": split}))
    samples = read_samples(data, metadata.seed, needed=(split,))
    full = bool(out or docs)
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256},
        "data": [folder.resolve().name for folder in folders_of(data)],
        "data_sha256": data_sha256(data, samples),
        **evaluate(detector, samples, split, full, thorough),
    }
    if full:
        report["latency_ms"] = latency_ms(detector.model.path)
        report["machine"] = machine()
        report["criteria"] = criteria_of(report)
    print(docs_markdown(report))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        draw_all(report, out)
        write_report(out, "report", report, report_markdown(report))
    if docs:
        update_docs(docs, name_of(report), docs_markdown(report))
    if expected is not None:
        found = list(differences(expected, report))
        print("\n".join(found) if found else f"{check} holds: measured again within {TOLERANCE}")
        return 1 if found else 0
    return 0
