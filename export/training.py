"""What the training cost, as far as files of this repository say."""

import csv
import math
from pathlib import Path

from deepfake_detect.model.onnx_model import Metadata
from export.evaluation import read_json
from train.recipe import Recipe


def estimated_hours(root: Path, recipe: Recipe, metadata: Metadata) -> float | None:
    """Hours of the training if every picture took as long as those at the largest size in the ablation; None where no
    ablation of this recipe on these data measured that size. Without finding the faces."""
    ablation = read_json(root / "reports" / "ablation" / "ablation.json")
    if not ablation or (ablation["recipe_sha256"], ablation["data_sha256"]) != (recipe.sha256, metadata.data_sha256):
        return None
    rows = [row for row in ablation["rows"] if row["name"] == f"at {recipe.size} px"]
    views = ablation.get("views") or recipe.views_per_epoch  # in an epoch of the ablation
    if not rows or (views and not recipe.views_per_epoch):
        return None
    longer = recipe.views_per_epoch / views if views else 1
    return recipe.epochs * longer * rows[0]["minutes"] / rows[0]["epochs"] / 60


def epochs_run(root: Path) -> int:
    """How many epochs reports/shipped/history.csv has."""
    with (root / "reports" / "shipped" / "history.csv").open(encoding="utf-8", newline="") as file:
        return len(list(csv.DictReader(file)))


def cost_text(root: Path, recipe: Recipe, metadata: Metadata) -> str:
    """What is known of the training's time and energy, in sentences; hours are never rounded down."""
    hours = estimated_hours(root, recipe, metadata)
    if hours is None:
        return "How long the training took, and how much energy it used, was not measured."
    return (
        "How long the training took, and how much energy it used, was not measured. It would be about "
        f"{math.ceil(hours * 10 - 1e-9) / 10:.1f} hours if every picture took as long as in the ablation's run at "
        f"{recipe.size} px (`reports/ablation`), without finding the faces and without the attempts before it."
    )
