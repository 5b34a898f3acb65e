"""What the served model's verdicts are worth, in a sentence on pictures and one on videos, for the page and README."""

from pathlib import Path

from deepfake_detect.errors import FiguresError
from deepfake_detect.report import video_error
from deepfake_detect.report.evaluation import REPORTS, read_report
from deepfake_detect.report.sentences import floor_percent

MOST_UNSURE = "To most videos it says “Not sure”."


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
    said = f"Of the test pictures it decided {_shares(decided)}"
    return f"{said}; of those from sources it never saw, {_shares(elsewhere)}." if elsewhere else f"{said}."


def _shares(decided: dict) -> str:
    said = floor_percent(decided["coverage"])
    return f"{said}, and was right about {floor_percent(decided['accuracy'])} of these" if decided["coverage"] else said


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
        rows = video_error.measured_splits(sha256, folder)
        said = " ".join(_counted(row, video_error.SPLITS[name]) for name, row in rows.items())
        unsure, clips = sum(map(video_error.undecided, rows.values())), sum(row["clips"] for row in rows.values())
    except (KeyError, TypeError):  # a report that is none
        return ""
    return f"{MOST_UNSURE} {said}" if 2 * unsure > clips else said


def _counted(row: dict, of: str) -> str:
    real, fake = row["decided"]["said_real"], row["decided"]["said_fake"]
    found, unsure = fake["pictures"] - fake["wrong"], video_error.undecided(row)
    return (
        f"Of {row['clips']} videos {of} it said “Not sure” to {unsure}; of {row['fake']} fakes it called {found} "
        f"fake and {real['wrong']} real, of {row['real']} real ones {fake['wrong']} fake and "
        f"{real['pictures'] - real['wrong']} real."
    )
