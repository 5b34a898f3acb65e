"""What the served model's verdicts on videos are worth, in two sentences, from the report on them."""

import json
from pathlib import Path

from deepfake_detect.report.sentences import ceil_percent, floor_percent
from deepfake_detect.shipped import shipped

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


def video_error(sha256: str, folder: Path = REPORT) -> str:
    """How often verdicts on videos were wrong when the model file with this SHA-256 was measured; that it was not
    measured, where the folder holds no report on it."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if report["model"]["sha256"] != sha256:
            return NOT_MEASURED
        splits = [(text, report["splits"][name]["all"]) for name, text in SPLITS.items() if name in report["splits"]]
        said = "; of ".join(_of_split(text, row) for text, row in splits)
    except (OSError, ValueError, KeyError, TypeError):  # none, or none that can be read
        return NOT_MEASURED
    return MEASURED.format(said) if said else NOT_MEASURED


def _of_split(text: str, row: dict) -> str:
    decided, alarms = row["decided"], row["false_alarms"]
    right = f", {floor_percent(decided['accuracy'])} of them rightly" if decided["coverage"] else ""
    called = f"{alarms['wrong']} of the {row['real']} real ones called fake ({ceil_percent(alarms['rate'])})"
    return f"{row['clips']} {text}, {floor_percent(decided['coverage'])} were decided{right}, and {called}"
