"""The shortcut audit: what the files of a data set give away about the label before a network sees a face."""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from detect.faces import FaceFinder
from detect.files import write_text
from detect.model import LABELS
from detect.picture import PictureError
from train.audit_duplicates import duplicates
from train.audit_faces import FaceSheets, write_pairs
from train.audit_features import STAGES, Measured, measure
from train.audit_plots import draw_plots
from train.audit_report import FACES, audit_markdown, flagged, giveaway_table
from train.audit_shortcuts import SHORTCUT, giveaway
from train.crops import cancelling_pool
from train.data import DataError, Sample, data_sha256, read_samples
from train.recipe import Recipe, load_recipe

RECIPE = "shipped"  # what its network is shown is what is audited
QUANTILES = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
DIGITS = 5  # significant, of every figure in the report
SPLIT_ORDER = ("train", "val", "test", "cross")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("--data", type=Path, required=True, help="folder with <split>/<real|fake>/ or <real|fake>/")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for audit.json, audit.md and pictures")


def run(args: argparse.Namespace) -> int:
    """The command `python -m train audit`; returns its exit status, 0.

    Raises:
        DataError: data that cannot be used, or a folder for the results that cannot be.
    """
    data, out = args.data, args.out
    recipe = load_recipe(RECIPE)
    samples = read_samples(data, recipe.seed, needed=("train",))
    faces = _result_folders(data, out)
    report, sheets = audit(samples, data, recipe)
    report["data_sha256"] = data_sha256(data, samples)
    plots = draw_plots(report, out)
    shown = sheets.write(faces) | write_pairs(report["duplicates"]["near"]["closest"], data, faces)
    write_text(out / "audit.json", json.dumps(report, indent=1) + "\n")
    write_text(out / "audit.md", audit_markdown(report, plots, shown))
    print(giveaway_table(report))
    print(f"shortcuts: {', '.join(name for name, _ in flagged(report)) or 'none'}; see {out / 'audit.md'}")
    return 0


def _result_folders(data: Path, out: Path) -> Path:
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file; give --out a folder for the results.")
    faces = out / FACES
    if faces.resolve().is_relative_to(data.resolve()):
        raise DataError(f"{faces} lies in {data}, where its pictures would be taken for data; give another --out.")
    faces.mkdir(parents=True, exist_ok=True)
    write_text(faces / ".gitignore", "*\n")  # research pictures stay out of git wherever this folder lies
    return faces


def audit(samples: Sequence[Sample], data: Path, recipe: Recipe) -> tuple[dict, FaceSheets]:
    """Measure every picture of a data set and how much of the label its trivial features give away.

    Args:
        samples: of all splits, see `train.data.read_samples`.
        data: the folder they lie in.
        recipe: how pictures are cut and degraded; the recipe must have a degradation.

    Returns:
        The report, fit for JSON, every figure to five digits: {"recipe", "pictures", "unreadable": [{"picture",
        "reason"}], "balance": {split: {source: {label: pictures}}}, "properties": {source: {label: see
        `_class_properties`}}, "giveaway": {"threshold", "all", "sources"}: each as `train.audit_shortcuts.giveaway`
        of the training split, "spectrum": {source: {label: {stage: [S // 2] median dB}}}, "duplicates": see
        `train.audit_duplicates.duplicates`}; and the sheets of faces.

    Raises:
        DataError: no picture can be read, or the recipe has no degradation.
    """
    if recipe.degrade is None:
        raise DataError(f"The recipe {recipe.name} has no degradation, which the audit's last stage needs.")
    sheets = FaceSheets(recipe.size, np.random.default_rng(recipe.seed))
    with cancelling_pool() as pool:
        pictures, unreadable = _measure_all(samples, data, recipe, sheets, pool)
        if not pictures:
            raise DataError(f"Not one picture of {data} can be read; the first: {unreadable[0]['reason']}")
        repeated = duplicates(pictures, pool.map)
    by_class = defaultdict(lambda: defaultdict(list))
    for picture in sorted(pictures, key=lambda picture: (picture.source, picture.sample.label, picture.name)):
        by_class[picture.source][LABELS[picture.sample.label]].append(picture)
    trained = [picture for picture in pictures if picture.sample.split == "train"]
    sources = {source: [p for p in trained if p.source == source] for source in by_class}
    report = {
        "recipe": {
            "name": recipe.name,
            "sha256": recipe.sha256,
            "seed": recipe.seed,
            "degraded": recipe.degrade.share,
        },
        "pictures": len(pictures),
        "unreadable": unreadable,
        "balance": _balance(pictures),
        "properties": {
            source: {label: _class_properties(chosen) for label, chosen in classes.items()}
            for source, classes in by_class.items()
        },
        "giveaway": {
            "threshold": SHORTCUT,
            "all": giveaway(trained, recipe.seed),
            "sources": {source: giveaway(chosen, recipe.seed) for source, chosen in sources.items()},
        },
        "spectrum": {
            source: {label: _spectra(chosen) for label, chosen in classes.items()}
            for source, classes in by_class.items()
        },
        "duplicates": repeated,
    }
    return _rounded(report), sheets


def _measure_all(
    samples: Sequence[Sample], data: Path, recipe: Recipe, sheets: FaceSheets, pool: ThreadPoolExecutor
) -> tuple[list[Measured], list[dict]]:
    finder = FaceFinder()

    def attempt(sample: Sample) -> tuple[Measured, np.ndarray] | PictureError:
        try:
            return measure(sample, data, recipe, finder)
        except PictureError as error:
            return error

    pictures, unreadable = [], []
    results = zip(samples, pool.map(attempt, samples), strict=True)
    for sample, result in tqdm(results, total=len(samples), desc="audit", unit="picture", disable=None):
        if isinstance(result, PictureError):
            unreadable.append({"picture": sample.path.relative_to(data).as_posix(), "reason": str(result)})
            continue
        measured, crop = result
        pictures.append(measured)
        sheets.add(measured.source, sample.label, crop)
    return pictures, unreadable


def _balance(pictures: Sequence[Measured]) -> dict:
    counts = Counter((p.sample.split, p.source, LABELS[p.sample.label]) for p in pictures)
    balance = {}
    for split, source, label in sorted(counts, key=lambda key: (SPLIT_ORDER.index(key[0]), *key[1:])):
        balance.setdefault(split, {}).setdefault(source, {})[label] = counts[split, source, label]
    return balance


def _class_properties(pictures: Sequence[Measured]) -> dict:
    """{"pictures", "no_face", "formats": {name: pictures}, "inexact_quality": JPEG files whose quality is only the
    nearest, "stages": {stage: {feature: its quantiles}}}; the JPEG quality's, None without one, are of JPEG files."""
    jpegs = [p for p in pictures if p.format == "JPEG"]
    stages = {
        stage: {name: _quantiles([p.features[stage][name] for p in pictures]) for name in pictures[0].features[stage]}
        for stage in STAGES
    }
    stages["file"]["jpeg_quality"] = _quantiles([p.features["file"]["jpeg_quality"] for p in jpegs])
    return {
        "pictures": len(pictures),
        "no_face": sum(not p.face for p in pictures),
        "formats": dict(sorted(Counter(p.format for p in pictures).items())),
        "inexact_quality": sum(not p.exact_quality for p in jpegs),
        "stages": stages,
    }


def _quantiles(values: list[float]) -> dict[str, float] | None:
    found = np.quantile(values, list(QUANTILES.values())) if values else []
    return dict(zip(QUANTILES, map(float, found), strict=True)) if values else None


def _spectra(pictures: Sequence[Measured]) -> dict[str, list[float]]:
    return {
        stage: np.median([p.spectra[stage] for p in pictures], axis=0).tolist() for stage in STAGES if stage != "file"
    }


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
