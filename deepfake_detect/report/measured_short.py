"""What the served model's verdicts are worth, in a sentence on pictures and one on videos, for the page and README."""

from pathlib import Path

from deepfake_detect.errors import FiguresError
from deepfake_detect.report import video_error
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


def videos_in_short(sha256: str, folder: Path = video_error.REPORT) -> str:
    """What became of the videos that it was measured on, in counts, as they are few; "" where the folder holds no
    report on this model.

    Args:
        sha256: of the model file.
        folder: with report.json, as train/evaluate_videos.py wrote it.
    """
    try:
        found = video_error.measured_splits(sha256, folder)
        said = "; of ".join(_counted(row, video_error.SPLITS[name]) for name, row in found.items())
    except (KeyError, TypeError):  # a report that is none
        return ""
    return f"Whole videos, when it was measured: of {said}." if said else ""


def _counted(row: dict, of: str) -> str:
    real, fake = row["decided"]["said_real"], row["decided"]["said_fake"]
    found = fake["pictures"] - fake["wrong"]
    return (
        f"{row['fake']} fake ones {of} it called {found} fake and {real['wrong']} real, of {row['real']} real ones "
        f"{fake['wrong']} fake and {real['pictures'] - real['wrong']} real"
    )
