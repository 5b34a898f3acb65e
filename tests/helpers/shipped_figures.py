"""What lies in reports/, as JSON."""

import json
from pathlib import Path

from project import ROOT

from deepfake_detect.model.onnx_model import Model

REPORTS = ROOT / "reports"
SHA256 = Model(ROOT / "model.onnx").sha256


def _read(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


REPORT, CROSS = (_read(REPORTS / "shipped" / split / "report.json") for split in ("test", "cross"))
AUDIT, BATTERY, COMPARISON, ABLATION, CROWDS = (
    _read(REPORTS / name / f"{name}.json") for name in ("audit", "battery", "compare", "ablation", "crowds")
)
VIDEOS = _read(REPORTS / "videos" / "report.json")
