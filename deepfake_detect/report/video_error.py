"""What the served model's verdicts on videos are worth, from the report on them: in short, and in full."""

import json
from pathlib import Path

from deepfake_detect.report.sentences import ceil_percent, floor_percent
from deepfake_detect.shipped import shipped
from deepfake_detect.verdict import FAKE, REAL, UNSURE

REPORT = shipped("reports/videos")  # report.json, as train/evaluate_videos.py wrote it
NOT_MEASURED = (
    "How often this model is wrong about videos has not been measured; its rates of error are of photographs."
)
SPLITS = {
    "test": "with people kept apart from training",
    "cross": "of data sets kept apart from training",
}
MEASURED = (
    "When this model was measured on whole videos, of {}. These videos are few; on kinds of fakes it has not met, "
    "expect more errors."
)
SHORT = {
    FAKE: "Of {of} real videos, {wrong} were called fake when this was measured ({split}).",
    REAL: "Of {of} fake videos, {wrong} passed as real when this was measured ({split}).",
    UNSURE: "It said “Not sure” to {wrong} of {of} videos when this was measured ({split}).",
}


def video_error(sha256: str, folder: Path = REPORT) -> str:
    """How often verdicts on videos were wrong when the model file with this SHA-256 was measured; that it was not
    measured, where the folder holds no report on it."""
    try:
        said = "; of ".join(
            _of_split(SPLITS[name], row) for name, row in measured_splits(sha256, folder).items() if row["clips"]
        )
    except (KeyError, TypeError):  # a report that is none
        return NOT_MEASURED
    return MEASURED.format(said) if said else NOT_MEASURED


def video_rates(sha256: str, folder: Path = REPORT) -> dict[str, str]:
    """One sentence for each verdict on a video, as `deepfake_detect.report.card_texts.error_rates` has them for
    photographs: how often it is wrong, of the worse of the splits.

    Returns:
        {"fake" | "real" | "unsure": sentence}
    """
    told = dict.fromkeys(SHORT, NOT_MEASURED)
    try:
        for label, sentence in SHORT.items():
            counted = [(*_wrong(label, row), SPLITS[name]) for name, row in measured_splits(sha256, folder).items()]
            counted = [found for found in counted if found[1]]  # a split may have no real videos, or no fakes
            if counted:
                wrong, of, split = max(counted, key=lambda found: found[0] / found[1])
                told[label] = sentence.format(wrong=wrong, of=of, split=split)
    except (KeyError, TypeError):  # a report that is none
        return dict.fromkeys(SHORT, NOT_MEASURED)
    return told


def measured_splits(sha256: str, folder: Path) -> dict[str, dict]:
    """What was measured of this model, by split; {} of another. Raises KeyError, TypeError."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or none that can be read
        return {}
    if report["model"]["sha256"] != sha256:
        return {}
    return {name: report["splits"][name]["all"] for name in SPLITS if name in report["splits"]}


def undecided(row: dict) -> int:
    """How many videos of a split it was not sure of."""
    decided = row["decided"]
    return row["clips"] - decided["said_real"]["pictures"] - decided["said_fake"]["pictures"]


def _wrong(label: str, row: dict) -> tuple[int, int]:
    """How many videos got this verdict wrongly, or got none, and of how many."""
    decided = row["decided"]
    if label == UNSURE:
        return undecided(row), row["clips"]
    return decided[f"said_{label}"]["wrong"], row["real"] if label == FAKE else row["fake"]


def _of_split(text: str, row: dict) -> str:
    decided, alarms = row["decided"], row["false_alarms"]
    said = f"{row['clips']} {text}, {floor_percent(decided['coverage'])} were decided"
    said += f", {floor_percent(decided['accuracy'])} of them rightly" if decided["coverage"] else ""
    if not row["real"]:
        return said
    return f"{said}, and {alarms['wrong']} of the {row['real']} real ones called fake ({ceil_percent(alarms['rate'])})"
