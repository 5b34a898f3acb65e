"""What the served model's verdicts are worth, in one sentence, for the page's opening and README."""

from pathlib import Path

from deepfake_detect.errors import FiguresError
from deepfake_detect.report.evaluation import REPORTS, read_report
from deepfake_detect.report.sentences import floor_percent


def in_short(report: dict, cross: dict | None) -> str:
    """How often it decides and how often it is right then, on clean pictures.

    Args:
        report: of the test split, see `deepfake_detect.report.evaluation.read_report`.
        cross: of sources that no training picture comes from, where that was measured.

    Returns:
        One sentence; "" where nothing was decided, so that nothing can be right.
    """
    decided = report["tiers"]["clean"]["decided"]
    elsewhere = cross and cross["tiers"]["clean"]["decided"]
    if not decided["coverage"]:
        return ""
    never_seen = (
        f" and {floor_percent(elsewhere['accuracy'])} on sources it never saw"
        if elsewhere and elsewhere["coverage"]
        else ""
    )
    return (
        f"It decides about {floor_percent(decided['coverage'])} of the pictures; of these verdicts, "
        f"{floor_percent(decided['accuracy'])} were right on test pictures{never_seen}."
    )


def measured_in_short(sha256: str, folder: Path = REPORTS) -> str:
    """`in_short` of the model file with this SHA-256, from a folder that holds test/ and cross/; "" where no report
    there is of this model."""
    try:
        report = read_report(folder / "test", sha256)
    except FiguresError:
        return ""
    try:
        cross = read_report(folder / "cross", sha256)
    except FiguresError:
        cross = None
    return in_short(report, cross)
