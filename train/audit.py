"""The shortcut audit: what the files of a data set give away about the label before a network sees a face."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from deepfake_detect.atomic_files import write_text
from deepfake_detect.errors import PictureError
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.model.onnx_model import LABELS
from train.audit_duplicates import duplicates
from train.audit_faces import FaceSheets, write_pairs
from train.audit_features import STAGES, Hashed, Measured, hashed, measure
from train.audit_plots import draw_plots
from train.audit_report import FACES, audit_markdown, flagged, giveaway_table
from train.audit_shortcuts import SHORTCUT, giveaway
from train.command_line import SPLIT_FOLDERS, add_data, add_out
from train.crops import cancelling_pool
from train.data import (
    DataError,
    Folders,
    Sample,
    folder_hashes,
    folders_of,
    joint_sha256,
    read_samples,
    spread,
    title,
)
from train.leaks import leaks
from train.recipe import Recipe, load_recipe
from train.report import write_report

RECIPE = "shipped"  # what its network is shown is what is audited
PICTURES = 120  # measured of each split, source and class, by default; all are compared with each other
QUANTILES = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
DIGITS = 5  # significant, of every figure in the report
SPLIT_ORDER = ("train", "val", "test", "cross")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    add_data(parser, SPLIT_FOLDERS)
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N",
                        help=f"measured at most, of each split, source and class (default: {PICTURES})")  # fmt: skip
    add_out(parser, "for audit.json, audit.md and pictures")


def run(args: argparse.Namespace) -> int:
    """The command `python -m train audit`; returns its exit status, 0.

    Raises:
        DataError: data that cannot be used, or a folder for the results that cannot be.
    """
    data, out = args.data, args.out
    recipe = load_recipe(RECIPE)
    samples = read_samples(data, recipe.seed, needed=("train",))
    faces = _result_folders(data, out)
    report, sheets = audit(samples, data, recipe, args.pictures)
    report["folders"] = folder_hashes(data, samples)
    report["data_sha256"] = joint_sha256(report["folders"].values())
    plots = draw_plots(report, out)
    paths = {sample.name: sample.path for sample in samples}
    shown = sheets.write(faces) | write_pairs(report["duplicates"]["near"]["closest"], paths, faces)
    write_report(out, "audit", report, audit_markdown(report, plots, shown))
    print(giveaway_table(report))
    print(f"shortcuts: {', '.join(name for name, _ in flagged(report)) or 'none'}; see {out / 'audit.md'}")
    return 0


def _result_folders(data: Folders, out: Path) -> Path:
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file; give --out a folder for the results.")
    faces = out / FACES
    around = [folder for folder in folders_of(data) if faces.resolve().is_relative_to(folder.resolve())]
    if around:
        raise DataError(f"{faces} lies in {around[0]}, where its pictures would be taken for data; give another --out.")
    faces.mkdir(parents=True, exist_ok=True)
    write_text(faces / ".gitignore", "*\n")  # research pictures stay out of git wherever this folder lies
    return faces


def audit(samples: Sequence[Sample], data: Folders, recipe: Recipe, most: int) -> tuple[dict, FaceSheets]:
    """Measure the pictures of a data set and how much of the label their trivial features give away.

    Args:
        samples: of all splits, see `train.data.read_samples`.
        data: the folder or folders they lie in.
        recipe: how pictures are cut and degraded; the recipe must have a degradation.
        most: pictures measured of each split, source and class, evenly spaced; all are counted, hashed and compared.

    Returns:
        The report, fit for JSON, every figure to five digits: {"recipe", "pictures", "measured", "most", "unreadable":
        [{"picture", "reason"}], "removed": see `_removed`, "balance": {split: {source: {label: pictures}}},
        "properties": {source: {label: see `_class_properties`}}, "giveaway": {"threshold", "all", "sources"}: each as
        `train.audit_shortcuts.giveaway` of the training split, "spectrum": {source: {label: {stage: [S // 2] median
        dB}}}, "duplicates": see `train.audit_duplicates.duplicates`}; and the sheets of faces.

    Raises:
        DataError: no picture can be read, or the recipe has no degradation.
    """
    if recipe.degrade is None:
        raise DataError(f"The recipe {recipe.name} has no degradation, which the audit's last stage needs.")
    sheets = FaceSheets(recipe.size, np.random.default_rng(recipe.seed))
    with cancelling_pool() as pool:
        found, unreadable = _hash_all(samples, pool)
        if not found:
            raise DataError(f"Not one picture of {title(data)} can be read; the first: {unreadable[0]['reason']}")
        repeated = duplicates(found, pool.map)
        pictures = _measure_all(spread([one.sample for one in found], most), recipe, sheets, pool)
    removed = leaks(samples, {one.name: one.phash for one in found})
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
            "deduplicate": bool(recipe.deduplicate),
        },
        "pictures": len(found),
        "measured": len(pictures),
        "most": most,
        "unreadable": unreadable,
        "removed": _removed(removed),
        "balance": _balance(found),
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


def _hash_all(samples: Sequence[Sample], pool: ThreadPoolExecutor) -> tuple[list[Hashed], list[dict]]:
    """The pictures that can be read, and {"picture", "reason"} of the others."""

    def attempt(sample: Sample) -> Hashed | PictureError:
        try:
            return hashed(sample)
        except PictureError as error:
            return error

    found, unreadable = [], []
    results = zip(samples, pool.map(attempt, samples), strict=True)
    for sample, result in tqdm(results, total=len(samples), desc="hashes", unit="picture", disable=None):
        if isinstance(result, PictureError):
            unreadable.append({"picture": sample.name, "reason": str(result)})
        else:
            found.append(result)
    return found, unreadable


def _measure_all(
    samples: Sequence[Sample], recipe: Recipe, sheets: FaceSheets, pool: ThreadPoolExecutor
) -> list[Measured]:
    finder, pictures = FaceFinder(), []
    results = pool.map(lambda sample: measure(sample, recipe, finder), samples)
    for measured, crop in tqdm(results, total=len(samples), desc="audit", unit="picture", disable=None):
        pictures.append(measured)
        sheets.add(measured.source, measured.sample.label, crop)
    return pictures


def _removed(rows: Sequence[dict]) -> list[dict]:
    """[{"source", "label", "reason", "pictures"}] of the rows of `train.leaks.leaks`."""
    numbers = Counter((row["source"], row["label"], row["reason"]) for row in rows)
    return [
        {"source": source or "pictures", "label": label, "reason": reason, "pictures": number}
        for (source, label, reason), number in sorted(numbers.items())
    ]


def _balance(pictures: Sequence[Hashed]) -> dict:
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
