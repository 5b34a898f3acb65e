"""Places of the project."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases"  # files that once were read wrongly, likewise
FACES = ROOT.parent / "shared" / "data" / "faces"  # the research pictures, which are not in the repository
