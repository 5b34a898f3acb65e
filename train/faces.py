"""The face finder measured: faces missed on photographs of people, false ones on pictures without, and verdicts that
differ from an earlier checkout's, with the reason for each."""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from deepfake_detect.detector import default_model
from deepfake_detect.picture.decode import SUFFIXES
from train.command_line import add_out
from train.data import DataError
from train.report import write_report
from train.timing import machine

SPLITS = ("val", "cross", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders with a manifest.csv, see fit")
    parser.add_argument("--without-people", type=Path, metavar="DIR", help="pictures in which no face is to be found")
    parser.add_argument("--before", type=Path, metavar="DIR", help="an earlier checkout of this project, to compare")
    add_out(parser, "for faces.json and faces.md")


def run(args: argparse.Namespace) -> int:
    """The command `python -m train faces`; returns its exit status, 0. Raises DataError: data that cannot be used."""
    checkouts = {"now": default_model().parent} | ({"before": args.before} if args.before else {})
    report = {"machine": machine(), "splits": {}, "without_people": {}, "changes": []}
    for split in SPLITS:
        rows = [
            (f"{data}/{row['path']}", row["label"] == "fake") for data in args.data for row in _manifest(data, split)
        ]
        judged = {name: _judged(root, [path for path, _ in rows]) for name, root in checkouts.items()}
        labels = [fake for _, fake in rows]
        report["splits"][split] = {name: _figures(found, labels) for name, found in judged.items()}
        if split == "test" and "before" in judged:
            report["changes"] = _changes(judged["before"], judged["now"], labels, args.data)
    if args.without_people:
        paths = sorted(str(p) for p in args.without_people.rglob("*") if p.suffix.lower() in SUFFIXES)
        for name, root in checkouts.items():
            found = _judged(root, paths)
            report["without_people"][name] = {
                "pictures": len(found),
                "with_faces": sum(bool(row["boxes"]) for row in found),
                "faces": sum(len(row["boxes"]) for row in found),
            }
    args.out.mkdir(parents=True, exist_ok=True)
    write_report(args.out, "faces", report, markdown(report))
    print(markdown(report))
    return 0


def _manifest(data: Path, split: str) -> list[dict]:
    try:
        with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row["split"] == split]
    except OSError as error:
        raise DataError(f"{data} has no manifest.csv that can be read: {error.strerror}.") from None


def _judged(checkout: Path, paths: Sequence[str]) -> list[dict]:
    program = Path(__file__).with_name("faces_judge.py")
    given = "".join(f"{Path(path).resolve()}\n" for path in paths)
    done = subprocess.run(
        [sys.executable, program, checkout.resolve()], input=given, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _figures(found: Sequence[dict], fake: Sequence[bool]) -> dict:
    decided = [(row["label"] == "fake") == is_fake for row, is_fake in zip(found, fake, strict=True)
               if row["label"] != "unsure"]  # fmt: skip
    p_fake = np.array([row["p_fake"] for row in found])
    return {
        "pictures": len(found),
        "no_face": sum(not row["boxes"] for row in found),
        "faces": sum(len(row["boxes"]) for row in found),
        "auc": round(float(roc_auc_score(fake, p_fake)), 4),
        "accuracy": round(float(((p_fake >= 0.5) == np.array(fake)).mean()), 4),
        "decided": round(len(decided) / len(found), 4),
        "decided_right": round(sum(decided) / len(decided), 4) if decided else None,
    }


def _changes(before: Sequence[dict], now: Sequence[dict], fake: Sequence[bool], data: Sequence[Path]) -> list[dict]:
    """Pictures whose label changed, and why."""
    roots = [str(folder.resolve().parent) + "/" for folder in data]
    changes = []
    for old, new, is_fake in zip(before, now, fake, strict=True):
        if old["label"] == new["label"]:
            continue
        name = new["path"]
        for root in roots:
            name = name.removeprefix(root)
        changes.append({
            "picture": name, "truth": "fake" if is_fake else "real", "before": old["label"], "now": new["label"],
            "p_before": round(old["p_fake"], 3), "p_now": round(new["p_fake"], 3), "why": _why(old, new),
        })  # fmt: skip
    return changes


def _why(old: dict, new: dict) -> str:
    if new["border"]:
        return "border left out"
    if new["tilted"]:
        return "tilted, cut level"
    if len(old["boxes"]) < len(new["boxes"]):
        return "face missed before"
    if len(old["boxes"]) > len(new["boxes"]):
        return "no face after a second look"
    return "small face framed anew" if old["boxes"] != new["boxes"] else "unexplained"


def markdown(report: dict) -> str:
    """The report as tables."""
    columns = ("split", "finder", "pictures", "no face", "faces", "AUC", "accuracy", "decided", "right of those")
    lines = ["# Faces found, missed and invented", "", f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
    for split, finders in report["splits"].items():
        for name, figures in finders.items():
            cells = ("–" if value is None else str(value) for value in figures.values())
            lines.append(f"| {split} | {name} | {' | '.join(cells)} |")
    if report["without_people"]:
        lines += ["", "| pictures without people | pictures | with a face | faces |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {name} | {' | '.join(str(v) for v in f.values())} |" for name, f in report["without_people"].items()
        ]
    if report["changes"]:
        lines += ["", f"## The {len(report['changes'])} verdicts of the test split that changed", "",
                  "| picture | truth | before | now | p before | p now | why |", "| --- " * 7 + "|"]  # fmt: skip
        lines += ["| " + " | ".join(str(value) for value in change.values()) + " |" for change in report["changes"]]
    return "\n".join(lines) + "\n"
