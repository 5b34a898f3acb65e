"""What the training cost, as far as files of this repository say."""

import csv
import math
from pathlib import Path

from detect.model import Metadata
from export.evaluation import read_json
from train.recipe import Recipe

# No power meter was read. Rated power of a processor with few, hungry cores, AMD EPYC 72F3, as its maker states it:
# 180 W for 8 cores. Most others are rated at less a core.
WATTS, OF_CORES = 180, 8


def longest_hours(root: Path, recipe: Recipe, metadata: Metadata) -> tuple[float, float] | None:
    """An upper bound: every epoch as long as those at the largest size in the ablation, without finding the faces.

    Returns:
        (hours, minutes an epoch), or None where no ablation of this recipe on these data measured that size.
    """
    ablation = read_json(root / "reports" / "ablation" / "ablation.json")
    if not ablation or (ablation["recipe_sha256"], ablation["data_sha256"]) != (recipe.sha256, metadata.data_sha256):
        return None
    rows = [row for row in ablation["rows"] if row["name"] == f"at {recipe.size} px"]
    if not rows:
        return None
    minutes = rows[0]["minutes"] / rows[0]["epochs"]
    return recipe.epochs * minutes / 60, minutes


def epochs_run(root: Path) -> int:
    """How many epochs reports/shipped/history.csv has."""
    with (root / "reports" / "shipped" / "history.csv").open(encoding="utf-8", newline="") as file:
        return len(list(csv.DictReader(file)))


def cost_text(root: Path, recipe: Recipe, metadata: Metadata) -> str:
    """Time and energy of the training, in sentences, never rounded down."""
    longest = longest_hours(root, recipe, metadata)
    if longest is None:
        return "How long the training took, and how much energy it used, was not measured."
    hours, minutes = longest
    machine = (read_json(root / "reports" / "compare" / "compare.json") or {}).get("machine")
    text = (
        "The time of this training was not recorded. An upper bound follows from the ablation (`reports/ablation`), "
        f"whose run at {recipe.size} pixels, the largest size, took {_up(minutes, 1)} minutes an epoch: "
        f"{recipe.epochs} epochs x {_up(minutes, 1)} minutes = {_up(hours, 1)} hours at most, without finding the "
        "faces and without the attempts before it."
    )
    if not machine:
        return text + " Its energy was not measured."
    kilowatt_hours = hours * machine["cores"] * WATTS / OF_CORES / 1000
    return text + (
        f" Energy was not measured either; estimated for the processor alone: {_up(hours, 1)} hours x "
        f"{machine['cores']} cores ({machine['cpu']}) x {WATTS} W / {OF_CORES} cores (as an EPYC 72F3 is rated, more "
        f"than most) = {_up(kilowatt_hours, 2)} kWh."
    )


def _up(value: float, digits: int) -> str:
    return f"{math.ceil(value * 10**digits - 1e-9) / 10**digits:.{digits}f}"
