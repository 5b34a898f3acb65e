"""What the verdicts came to when the model was measured, in one table: of real photographs and of fakes, how many were
called what."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deepfake_detect.report.evaluation import class_sizes
from deepfake_detect.report.evaluation_tables import table
from deepfake_detect.report.sentences import WORDS
from deepfake_detect.verdict import FAKE, REAL, UNSURE

CALLED = (REAL, UNSURE, FAKE)  # from left to right, as on a gauge
Z_95 = 1.959963984540054  # of the normal distribution
CAPTION = "What was said of pictures, as their files are; in brackets where the true share lies, with 95 % confidence"
PHOTOGRAPHS = {"test": "{:,} real photographs", "cross": "{:,} real photographs, of sources it never saw"}
FAKES = {"test": "{:,} fakes, of kinds it was trained on", "cross": "{:,} fakes, of sources it never saw"}


class Outcome(NamedTuple):
    """What was said of the real photographs, or of the fakes, of one split."""

    name: str
    total: int
    called: dict[str, int]  # pictures by label, in the order of CALLED


def outcomes(reports: Mapping[str, dict]) -> list[Outcome]:
    """Of clean pictures; first the real photographs of each split, then the fakes.

    Args:
        reports: by split, see `deepfake_detect.report.evaluation.read_report`.
    """
    found = []
    for place, names in enumerate((PHOTOGRAPHS, FAKES)):
        for split, report in reports.items():
            total, decided = class_sizes(report, "clean")[place], report["tiers"]["clean"]["decided"]
            real, fake = decided["said_real"], decided["said_fake"]
            wrong = {REAL: real["wrong"], FAKE: fake["wrong"]}
            right = {REAL: real["pictures"] - real["wrong"], FAKE: fake["pictures"] - fake["wrong"]}
            said_real, said_fake = (right[REAL], wrong[FAKE]) if place == 0 else (wrong[REAL], right[FAKE])
            called = {REAL: said_real, UNSURE: total - said_real - said_fake, FAKE: said_fake}
            found.append(Outcome(names[split].format(total), total, called))
    return found


def outcomes_table(found: Sequence[Outcome]) -> str:
    """`outcomes` as an HTML table of shares with their 95 % intervals, and the numbers of pictures."""
    rows = [
        [outcome.name, *(_cell(outcome.called[label], outcome.total) for label in CALLED)]
        for outcome in found
        if outcome.total
    ]
    return table(CAPTION, [("pictures", 1), *((f"“{WORDS[label]}”", 1) for label in CALLED)], [], rows)


def interval(count: int, total: int) -> tuple[float, float]:
    """Where a share lies with 95 % confidence, 0..1, of so many in all (Wilson 1927)."""
    share, weight = count / total, Z_95**2 / total
    middle = (share + weight / 2) / (1 + weight)
    reach = Z_95 / (1 + weight) * math.sqrt(share * (1 - share) / total + weight / (4 * total))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def generators_untested(generators: dict) -> tuple[int, list[str]]:
    """How many generators of fakes are known, and the names of those that no test picture comes from, the newest first.

    Args:
        generators: of a report.
    """
    known = generators["known"]
    untested = [row for row in known if not row["test"] + row["cross"]]
    return len(known), [row["name"] for row in sorted(untested, key=lambda row: -row["year"])]


def _cell(count: int, total: int) -> str:
    low, high = interval(count, total)
    return f"{100 * count / total:.1f} % ({math.floor(100 * low)} to {math.ceil(100 * high)}), {count:,}"
