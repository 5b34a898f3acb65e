"""What the verdicts came to when the model was measured, in one table: of real photographs and of fakes, how many were
called what."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deepfake_detect.report.evaluation_tables import table
from deepfake_detect.report.sentences import WORDS, ceil_percent, floor_percent
from deepfake_detect.verdict import FAKE, REAL, UNSURE

CALLED = (REAL, UNSURE, FAKE)  # from left to right, as on a gauge
CAPTION = "What was said of pictures, as their files are; in brackets where the true share lies, with 95 % confidence"
PHOTOGRAPHS = {"test": "{:,} real photographs", "cross": "{:,} real photographs, of sources it never saw"}
FAKES = {"test": "{:,} fakes, of kinds it was trained on", "cross": "{:,} fakes, of sources it never saw"}


class Outcome(NamedTuple):
    """What was said of the real photographs, or of the fakes, of one split."""

    name: str
    total: int
    called: dict[str, int]  # pictures by label, in the order of CALLED
    intervals: dict[str, Sequence[float]]  # by label: where its share lies with 95 % confidence, 0..1
    right: str  # the label that is true


def outcomes(reports: Mapping[str, dict]) -> list[Outcome]:
    """Of clean pictures; first the real photographs of each split, then the fakes.

    Args:
        reports: by split, see `deepfake_detect.report.evaluation.read_report`.
    """
    found = []
    for right, names in ((REAL, PHOTOGRAPHS), (FAKE, FAKES)):
        for split, report in reports.items():
            counts = report["tiers"]["clean"]["counts"][right]
            called = {label: counts[label] for label in CALLED}
            name = names[split].format(counts["pictures"])
            found.append(Outcome(name, counts["pictures"], called, counts["interval"], right))
    return found


def outcomes_table(found: Sequence[Outcome]) -> str:
    """`outcomes` as an HTML table of shares with their 95 % intervals, and the numbers of pictures."""
    rows = [[outcome.name, *(_cell(outcome, label) for label in CALLED)] for outcome in found]
    return table(CAPTION, [("pictures", 1), *((f"“{WORDS[label]}”", 1) for label in CALLED)], [], rows)


def generators_untested(generators: dict) -> tuple[int, list[str]]:
    """How many generators of fakes are known, and the names of those that no test picture comes from, the newest first.

    Args:
        generators: of a report.
    """
    known = generators["known"]
    untested = [row for row in known if not row["test"] + row["cross"]]
    return len(known), [row["name"] for row in sorted(untested, key=lambda row: -row["year"])]


def _cell(outcome: Outcome, label: str) -> str:
    """One share with its interval and its number; what is right is never rounded up, all else never down."""
    share, (low, high) = outcome.called[label] / outcome.total, outcome.intervals[label]
    rounded = floor_percent if label == outcome.right else ceil_percent
    where = f"<span>({math.floor(100 * low)} to {math.ceil(100 * high)}),</span>"  # on one line
    return f"<span>{rounded(share)}</span> {where} {outcome.called[label]:,}"
