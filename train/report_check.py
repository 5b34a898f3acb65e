"""A report measured again, figure by figure: `python -m train evaluate --check`."""

import json
from collections.abc import Iterator
from pathlib import Path

from train.data import DataError
from train.tiers import TIERS

# Another processor rounds differently: a score may move by 1e-5, a picture on the threshold change sides.
TOLERANCE = 0.004
WHOLE = ("model", "data_sha256", "split", "thorough", "threshold", "generators", "groups", "against_all")
OF_TIERS = ("all", "macro", "sources", "decided", "counts", "kinds", "photographs", "no_face", "unreadable")


def read_expected(path: Path) -> dict:
    """A report that the command wrote. Raises DataError for another file, OSError where there is none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        report = None
    tiers = report.get("tiers") if isinstance(report, dict) else None
    if not isinstance(tiers, dict) or not all(isinstance(tier, dict) for tier in tiers.values()):
        raise DataError(f"{path} is not a report that this command wrote.")
    return report


def differences(expected: dict, measured: dict) -> Iterator[str]:
    """A sentence on every figure of a report that was not measured again; intervals, curves and points aside."""
    for key in WHOLE:
        yield from compare(_without_intervals(expected.get(key)), _without_intervals(measured[key]), key)
    for tier in TIERS:
        for key in OF_TIERS:
            figures = expected.get("tiers", {}).get(tier, {}).get(key)
            yield from compare(_without_intervals(figures), _without_intervals(measured["tiers"][tier][key]),
                               f"{tier}.{key}")  # fmt: skip


def _without_intervals(figures: object) -> object:
    if isinstance(figures, dict):
        return {key: _without_intervals(value) for key, value in figures.items() if key != "interval"}
    return figures


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
