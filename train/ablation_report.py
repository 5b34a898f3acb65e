"""The variants of a recipe that the ablation measures, and their figures as a table and a picture."""

from pathlib import Path

from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from train.recipe import Recipe, load_recipe
from train.report import figure

SHORT_SIZE = 96
MEASURED = (("val", "clean"), ("val", "web"), ("val", "hard"), ("cross", "clean"), ("cross", "hard"))


def variants(recipe: Recipe, epochs: int) -> dict[str, Recipe]:
    """The recipe, shortened and at 96 px, and the same with one thing changed each, where that is a change."""
    peak, last = max(recipe.learning_rate.values()), recipe.rate(recipe.epochs)
    rates = {0: peak, epochs - 1: last} if epochs > 1 else {0: peak}
    short = {"epochs": epochs, "size": SHORT_SIZE, "sizes": None, "learning_rate": rates}
    head = load_recipe("paper").head
    changes = {
        "shortened": {},
        "frozen backbone, the paper's head": {"frozen": True, "head": head, "learning_rate": {0: 1e-3}},
        f"at {recipe.size} px": {"size": recipe.size},
        "no degradation": {"degrade": None},
        "no self-blending": {"sampling": recipe.sampling.model_copy(update={"self_blend": 0.0})},
        "drawn as the data is": {"sampling": None, "views_per_epoch": None},
    }
    first = recipe.model_copy(update=short)
    changed = {name: first.model_copy(update=change) for name, change in changes.items()}
    return {name: variant for name, variant in changed.items() if name == "shortened" or variant != first}


def ablation_markdown(report: dict) -> str:
    """The table, with what was measured on what under it."""
    places = [f"{split} {tier}" for split, tier in MEASURED]
    lines = [
        f"| short runs, {report['epochs']} epochs at {SHORT_SIZE} px | minutes | "
        + " | ".join(f"AUC {place}" for place in places)
        + " | balanced accuracy val clean | val hard |",
        "|" + "---|" * (4 + len(places)),
    ]
    for row in report["rows"]:
        auc = [figure("auc", row[place]["macro"]["auc"]) for place in places]
        right = [figure("accuracy", row[f"val {tier}"]["macro"]["balanced_accuracy"]) for tier in ("clean", "hard")]
        minutes = f"{row['minutes']:.0f}"
        lines.append(f"| {' | '.join([row['name'], minutes, *auc, *right])} |")
    lines += [
        "",
        f"Means over sources, at one seed. The first run is `{report['recipe']}` shortened; each other differs from it "
        "in one thing, and the frozen one also in its learning rate. Chosen on val; the test split was not looked at. "
        "Minutes are of this machine at that hour.",
    ]
    return "\n".join(lines) + "\n"


def draw_ablation(report: dict, path: Path) -> None:
    """AUC of every variant on val and cross, as a PNG."""
    rows = report["rows"]
    canvas = Figure(figsize=(8, 1.2 + 0.55 * len(rows)), layout="constrained")
    axis = canvas.subplots()
    marks = (("val clean", "o", "#0072b2"), ("val hard", "^", "#d55e00"), ("cross clean", "s", "#009e73"))
    for place, marker, colour in marks:
        axis.plot([row[place]["macro"]["auc"] for row in rows], range(len(rows)), marker, color=colour, label=place)
    axis.set(yticks=range(len(rows)), yticklabels=[row["name"] for row in rows], xlabel="AUC, mean of sources")
    axis.grid(axis="x", color="0.9")
    axis.invert_yaxis()
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))  # beside the points, which it would cover
    with atomic_write(path) as partial:
        canvas.savefig(partial, dpi=110, format="png")
