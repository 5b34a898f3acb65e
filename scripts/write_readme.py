"""Write the figures in README.md, a sentence and a small table, from the reports on the shipped model, and what the
command prints of the examples in docs/usage.md.

python -m scripts.write_readme
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from deepfake_detect.report.evaluation import REPORTS
from deepfake_detect.report.measured_short import in_short, videos_in_short
from deepfake_detect.report.sentences import ceil_percent, floor_percent
from deepfake_detect.verdict import FAKE, REAL
from train.report import figure, update_docs

ROOT = Path(__file__).resolve().parent.parent
README, USAGE = ROOT / "README.md", ROOT / "docs" / "usage.md"
SENTENCE, VIDEOS, TABLE = "shipped, in short", "shipped, videos", "shipped, table"
ROWS = {"test": "kinds of fakes it was trained on", "cross": "sources it never saw"}
STATES = {"clean": "as they are", "web": "saved again as a web page does it"}


def reports() -> dict[str, dict]:
    """The evaluations of the shipped model by split."""
    return {split: json.loads((REPORTS / split / "report.json").read_text(encoding="utf-8")) for split in ROWS}


def texts(found: dict[str, dict]) -> dict[str, str]:
    """What stands in README, by its marks."""
    videos = videos_in_short(found["test"]["model"]["sha256"])
    return {SENTENCE: in_short(found["test"], found["cross"]), VIDEOS: videos, TABLE: table(found)}


def table(found: dict[str, dict]) -> str:
    """A line for each split and state; shares that are good when large never rounded up, the others never down."""
    columns = ("new pictures of", "pictures", "decided", "of these, right", "photographs called “Fake”",
               "fakes called “Real”", "AUC")  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for split, name in ROWS.items():
        for tier, state in STATES.items():
            figures = found[split]["tiers"][tier]
            everything, decided = figures["all"], figures["decided"]
            wrong = [_share(figures["counts"][REAL], FAKE), _share(figures["counts"][FAKE], REAL)]
            cells = [f"{name}, {state}", str(everything["pictures"])]
            cells += [floor_percent(decided["coverage"]), floor_percent(decided["accuracy"])]
            cells += [*wrong, figure("auc", everything["auc"])]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(counts: dict, said: str) -> str:
    return ceil_percent(counts[said] / counts["pictures"])


def write_sample() -> None:
    """Put what `deepfake-detect examples` prints into docs/usage.md. Raises CalledProcessError where it fails."""
    words = [sys.executable, "-m", "deepfake_detect", "examples"]
    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    text = USAGE.read_text(encoding="utf-8")
    write_text(USAGE, re.sub(r"(?<=```text\n)file .*?(?=```)", lambda _: printed, text, count=1, flags=re.DOTALL))


if __name__ == "__main__":
    for name, text in texts(reports()).items():
        update_docs(README, name, text)
    write_sample()
