"""How far small changes of a picture move what is said of it, judged as it is served: `python -m train battery`."""

import argparse
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

import numpy as np
from tqdm import tqdm

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.errors import PictureError
from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.picture.decode import SUFFIXES, open_picture
from deepfake_detect.verdict import FAKE, REAL, Verdict
from train.battery_report import MARK, battery_markdown, draw_battery, short_markdown
from train.changes import CHANGES, SHRINKING
from train.command_line import add_data, add_docs, add_model, add_out
from train.criteria import BATTERY_CRITERIA, criteria_of
from train.data import DataError, Folders, Sample, data_sha256, folders_of, read_samples, spread
from train.report import check_marks, update_docs, write_report
from train.timing import machine

PICTURES = 20  # of each source and class, by default
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
HIGH = 95  # percentile


@dataclass(frozen=True)
class PerturbedPicture:
    """One picture: what is said of it as it is, and after every change that is fair to it."""

    name: str
    before: Verdict
    after: dict[str, Verdict]  # by the change's name


def perturb(detector: Detector, path: Path, name: str) -> PerturbedPicture | None:
    """Judge a picture as it is and after every change; None where it has no face, or cannot be opened.

    A change that leaves less of its largest face than the detector can judge is not tried.
    """
    try:
        picture = open_picture(path)
        before = detector.examine(picture, use_all_cores=False).verdict
    except PictureError as error:
        print(f"left out {name}: {error}")
        return None
    if not before.faces:
        return None
    side = max(face.side for face in before.faces)
    fair = [change for change in CHANGES if side * SHRINKING.get(change, 1) >= MIN_FACE or change not in SHRINKING]
    after = {change: detector.examine(CHANGES[change](picture), use_all_cores=False).verdict for change in fair}
    return PerturbedPicture(name, before, after)


def flipped(before: Verdict, after: Verdict) -> bool:
    """Whether a verdict went from "real" to "fake" or back; to or from "unsure" is no flip."""
    return {before.label, after.label} == {REAL, FAKE}


def figures(perturbed: Sequence[PerturbedPicture], changes: Iterable[str]) -> dict:
    """What came of some of the changes.

    Returns:
        {"pictures": pairs of a picture and a change of it, "no_face": those in which no face was found afterwards,
        which have no part in the rest, "mean" and "high" (95th percentile): of the absolute change of p_fake (0..1),
        "worst": {"change": the largest, "picture", "by"}, "flips": pairs, "flip_rate": their share}.
        None stands for what there is not where no face is left.
    """
    pairs = [(one, change) for change in changes for one in perturbed if change in one.after]
    seen = [(one, change) for one, change in pairs if one.after[change].faces]
    counted = {"pictures": len(pairs), "no_face": len(pairs) - len(seen)}
    if not seen:
        return counted | {"mean": None, "high": None, "worst": None, "flips": 0, "flip_rate": None}
    apart = np.array([abs(one.after[change].p_fake - one.before.p_fake) for one, change in seen])
    worst = int(apart.argmax())
    flips = sum(flipped(one.before, one.after[change]) for one, change in seen)
    return counted | {
        "mean": float(apart.mean()),
        "high": float(np.percentile(apart, HIGH)),
        "worst": {"change": float(apart[worst]), "picture": seen[worst][0].name, "by": seen[worst][1]},
        "flips": flips,
        "flip_rate": flips / len(seen),
    }


def battery(detector: Detector, named: Sequence[tuple[str, Path]], title: str) -> tuple[dict, list[PerturbedPicture]]:
    """Every change of every picture.

    Args:
        detector: with the model to measure.
        named: pictures with their names.
        title: beside the progress bar.

    Returns:
        ({"pictures": with a face, "all": see `figures`, "changes": {name: see `figures`}, "unsteady": pictures that any
        change flips}, the verdicts).
    """
    with ThreadPoolExecutor(cpu_count()) as pool:
        tried = pool.map(lambda one: perturb(detector, one[1], one[0]), named)
        perturbed = [one for one in tqdm(tried, desc=title, total=len(named), unit="picture", disable=None) if one]
    if not any(verdict.faces for one in perturbed for verdict in one.after.values()):
        raise DataError("No face is left to judge after these changes.")
    return {
        "pictures": len(perturbed),
        "all": figures(perturbed, CHANGES),
        "changes": {change: figures(perturbed, [change]) for change in CHANGES},
        "unsteady": sum(any(flipped(one.before, again) for again in one.after.values()) for one in perturbed),
    }, perturbed


def examples(detector: Detector, folder: Path = EXAMPLES) -> dict:
    """The battery on the project's own examples: see `figures` of all changes, with "flips" as [{"picture", "by"}]."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    found, perturbed = battery(detector, [(path.name, path) for path in files], "examples")
    flips = [
        {"picture": one.name, "by": change}
        for one in perturbed
        for change, again in one.after.items()
        if flipped(one.before, again)
    ]
    return {**found["all"], "pictures": found["pictures"], "flips": flips}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    add_model(parser)
    add_data(parser, "folders with a test split")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N",
                        help=f"at most, of each source and class (default: {PICTURES})")  # fmt: skip
    add_out(parser, "for battery.json, .md and .png")
    add_docs(parser)


def run(args: argparse.Namespace) -> int:
    """The command `python -m train battery`; returns its exit status, 0."""
    if args.docs:
        check_marks(args.docs, MARK)
    report = measured(Detector(args.model), args.data, args.pictures)
    print(battery_markdown(report))
    args.out.mkdir(parents=True, exist_ok=True)
    draw_battery(report, args.out / "battery.png")
    write_report(args.out, "battery", report, battery_markdown(report))
    if args.docs:
        update_docs(args.docs, MARK, short_markdown(report))
    return 0


def measured(detector: Detector, data: Folders, most: int) -> dict:
    """The report: of the test split, at most so many pictures of each source and class, and of the examples."""
    m = detector.metadata
    samples = read_samples(data, m.seed, needed=("test",))
    chosen: list[Sample] = spread([sample for sample in samples if sample.split == "test"], most)
    found, _ = battery(detector, [(sample.name, sample.path) for sample in chosen], "test")
    report = {
        "model": {"sha256": detector.model.sha256, "recipe": m.recipe, "recipe_sha256": m.recipe_sha256},
        "data": [folder.resolve().name for folder in folders_of(data)],
        "data_sha256": data_sha256(data, samples),
        "split": "test", "thorough": THOROUGH, "most": most, "machine": machine(),
        **found,
        "examples": examples(detector),
    }  # fmt: skip
    return report | {"criteria": criteria_of(report, BATTERY_CRITERIA)}
