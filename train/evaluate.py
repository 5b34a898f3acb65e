"""A model file against one split, judged the way it is served: file -> Detector -> verdict."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from detect.crop import pixel_values
from detect.detector import BATCH, Detector
from detect.files import write_text
from detect.model import Model
from detect.picture import PictureError, open_picture
from detect.verdict import Verdict
from train.bars import bars_of
from train.data import DataError, Sample, data_sha256, read_samples
from train.metrics import (
    THRESHOLD,
    binary_metrics,
    decided_metrics,
    figures_by_source,
    intervals,
    named,
    operating_points,
    reliability,
    risk_coverage,
    roc_points,
    scored_against,
)
from train.plots import draw_all
from train.report import check_marks, name_of, readme_markdown, report_markdown, update_readme
from train.tiers import TIERS, compressed, longer_than, open_degraded, scaled
from train.timing import machine

# Another processor rounds differently: a score may move by 1e-5, a picture on the threshold change sides.
TOLERANCE = 0.004
CHECKED = ("all", "macro", "sources", "decided", "no_face", "unreadable")  # of every tier, by --check
JPEG_QUALITIES = (100, 90, 80, 70, 60, 50, 40, 30, 20)
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)

UTKFACE = re.compile(r"(?:.*/)?(\d+)_([01])_([0-4])_")  # age, gender, race
AGES = ((0, 9), (10, 19), (20, 34), (35, 49), (50, 64), (65, 120))
GENDERS = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "other")


@dataclass(frozen=True)
class Judged:
    """The readable pictures of a split and what the detector says of them."""

    samples: list[Sample]
    verdicts: list[Verdict]
    unreadable: list[dict]  # {"picture", "reason"}

    @property
    def p_fake(self) -> np.ndarray:
        return np.array([verdict.p_fake for verdict in self.verdicts])

    @property
    def labels(self) -> np.ndarray:
        return np.array([sample.label for sample in self.samples], dtype=np.int64)

    @property
    def sources(self) -> np.ndarray:
        return named(np.array([sample.source for sample in self.samples]))


def judge(detector: Detector, samples: Sequence[Sample], opened: Callable = open_picture, name: str = "") -> Judged:
    """Judge pictures as served; `opened` (path -> [H, W, 3] uint8) may degrade them before the face is looked for.

    Raises:
        DataError: no readable pictures of one class.
    """

    def prepare(sample: Sample):
        try:
            return detector.prepare(opened(sample.path))
        except PictureError as error:
            return error

    judged, verdicts, unreadable = [], [], []
    progress = tqdm(total=len(samples), desc=name, unit="picture", disable=None)
    with ThreadPoolExecutor(cpu_count()) as pool, progress:
        for chosen in (samples[start : start + BATCH] for start in range(0, len(samples), BATCH)):
            results = list(pool.map(prepare, chosen))
            verdicts += detector.judge([result for result in results if not isinstance(result, PictureError)])
            for sample, result in zip(chosen, results, strict=True):
                if isinstance(result, PictureError):
                    unreadable.append({"picture": sample.path.name, "reason": str(result)})
                else:
                    judged.append(sample)
            progress.update(len(chosen))
    if {sample.label for sample in judged} != {0, 1}:
        raise DataError(f"The split {samples[0].split if samples else ''} needs readable pictures of both classes.")
    return Judged(judged, verdicts, unreadable)


def tier_report(judged: Judged, with_intervals: bool = True) -> dict:
    """The figures of one tier.

    Returns:
        What `figures_by_source` returns, and "decided": see `decided_metrics`, "no_face": pictures in which no face
        was found, "unreadable": [{"picture", "reason"}].
    """
    return figures_by_source(judged.p_fake, judged.labels, judged.sources, with_intervals) | {
        "decided": decided_metrics([verdict.label for verdict in judged.verdicts], judged.labels),
        "no_face": sum(not verdict.faces for verdict in judged.verdicts),
        "unreadable": judged.unreadable,
    }


def groups(judged: Judged) -> dict[str, dict]:
    """False alarms per age band, gender and race of the photographs whose origin is named as UTKFace names them."""
    members: dict[str, list[int]] = {}
    for number, sample in enumerate(judged.samples):
        match = UTKFACE.match(sample.origin) if sample.label == 0 and sample.source == "utkface" else None
        if match:
            age, gender, race = map(int, match.groups())
            low, high = next(band for band in AGES if age <= band[1])
            for name in (f"age {low} to {high}", GENDERS[gender], RACES[race]):
                members.setdefault(name, []).append(number)
    bands = [f"age {low} to {high}" for low, high in AGES]
    p_fake, labels = judged.p_fake, judged.labels
    return {
        name: binary_metrics(p_fake[members[name]], labels[members[name]])
        | {"interval": intervals(p_fake[members[name]], labels[members[name]])}
        for name in (*bands, *GENDERS, *RACES)
        if name in members
    }


def evaluate(detector: Detector, samples: Sequence[Sample], split: str, full: bool = True) -> dict:
    """Judge every picture of a split, in all three tiers (see `train.tiers`) at one threshold.

    Args:
        detector: with the model to measure.
        samples: of any splits, see `train.data.read_samples`.
        split: to measure.
        full: with intervals, curves and the points to draw; otherwise the figures alone.

    Returns:
        {"split", "threshold", "tiers": {name: see `tier_report`}, "groups": see `groups`, "against_all": {source: AUC
        of its fakes against all photographs of the split}} and, if full, for every tier "made_smaller" (pictures that
        it shrank), "reliability", "risk_coverage", "operating_points" (see train.metrics) and "roc", then "curves"
        (macro figures over JPEG quality and over scale).

    Raises:
        DataError: the split has no readable pictures of one class.
    """
    chosen = [sample for sample in samples if sample.split == split]
    report = {"split": split, "threshold": THRESHOLD, "tiers": {}}
    for tier in TIERS:
        judged = judge(detector, chosen, partial(open_degraded, tier=tier), f"{split}, {tier}")
        figures = tier_report(judged, full)
        if full:
            figures |= {"made_smaller": sum(longer_than(s.path, TIERS[tier].longest) for s in judged.samples)}
            figures |= _points(judged)
        if tier == "clean":
            report |= {"groups": groups(judged), "against_all": _against_all(judged)}
        report["tiers"][tier] = figures
    if full:
        report["curves"] = {
            "jpeg": [_curve_point(detector, chosen, "quality", quality) for quality in JPEG_QUALITIES],
            "scale": [_curve_point(detector, chosen, "scale", scale) for scale in SCALES],
        }
    return report


def _points(judged: Judged) -> dict:
    p_fake, labels = judged.p_fake, judged.labels
    curves = {
        name: [values.round(5).tolist() for values in roc_points(p_fake[chosen], labels[chosen])]
        for name, (chosen, _) in scored_against(labels, judged.sources).items()
    }
    return {
        "reliability": reliability(p_fake, labels),
        "risk_coverage": risk_coverage(p_fake, labels),
        "operating_points": operating_points(p_fake, labels),
        "roc": curves,
    }


def _against_all(judged: Judged) -> dict[str, float]:
    """AUC of each source's fakes against every photograph of the split."""
    p_fake, labels, sources = judged.p_fake, judged.labels, judged.sources
    return {
        name: binary_metrics(p_fake[chosen], labels[chosen])["auc"]
        for name in sorted(set(sources[labels == 1].tolist()))
        for chosen in [(labels == 0) | (sources == name)]
    }


def _curve_point(detector: Detector, samples: Sequence[Sample], kind: str, value: float) -> dict:
    degrade = compressed if kind == "quality" else scaled
    judged = judge(detector, samples, lambda path: degrade(open_picture(path), value), f"{kind} {value}")
    figures = tier_report(judged, with_intervals=False)
    return {kind: value, "no_face": figures["no_face"], "macro": figures["macro"]}


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


def run(model: Path, data: Path, split: str, out: Path | None, check: Path | None, readme: Path | None) -> int:
    """The command `python -m train evaluate`; returns its exit status."""
    expected = _read_report(check) if check else None
    detector = Detector(model)
    metadata = detector.metadata
    if readme:
        check_marks(readme, name_of({"model": {"recipe": metadata.recipe}, "split": split}))
    samples = read_samples(data, metadata.seed, needed=(split,))
    full = bool(out or readme)
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256},
        "data_sha256": data_sha256(data, samples),
        **evaluate(detector, samples, split, full),
    }
    if full:
        report["latency_ms"] = latency_ms(detector.model.path)
        report["machine"] = machine()
        report["bars"] = bars_of(report)
    print(readme_markdown(report))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        draw_all(report, out)
        write_text(out / "report.md", report_markdown(report))
        write_text(out / "report.json", json.dumps(report, indent=1) + "\n")  # last: it vouches for the others
    if readme:
        update_readme(readme, name_of(report), readme_markdown(report))
    if check:
        differences = list(_differences(expected, report))
        print("\n".join(differences) if differences else f"{check} holds: measured again within {TOLERANCE}")
        return 1 if differences else 0
    return 0


def _differences(expected: dict, measured: dict) -> Iterator[str]:
    for key in ("model", "data_sha256", "split", "threshold", "groups", "against_all"):
        yield from compare(_without_intervals(expected.get(key)), _without_intervals(measured[key]), key)
    for tier in TIERS:
        for key in CHECKED:
            figures = expected.get("tiers", {}).get(tier, {}).get(key)
            yield from compare(_without_intervals(figures), _without_intervals(measured["tiers"][tier][key]),
                               f"{tier}.{key}")  # fmt: skip


def _without_intervals(figures: object) -> object:
    if isinstance(figures, dict):
        return {key: _without_intervals(value) for key, value in figures.items() if key != "interval"}
    return figures


def _read_report(path: Path) -> dict:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        report = None
    tiers = report.get("tiers") if isinstance(report, dict) else None
    if not isinstance(tiers, dict) or not all(isinstance(tier, dict) for tier in tiers.values()):
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
