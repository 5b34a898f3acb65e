"""The variants of a recipe that the ablation measures, and their figures as a table and a picture."""

from pathlib import Path

from matplotlib.figure import Figure

from deepfake_detect.atomic_files import atomic_write
from train.recipe import Recipe, load_recipe
from train.report import figure

SHORT_SIZE = 96
CONSISTENCY = 0.02  # the weight of `Recipe.consistency` in the run that has it
MEASURED = (("val", "clean"), ("val", "web"), ("val", "hard"), ("cross", "clean"), ("cross", "hard"))


def variants(recipe: Recipe, epochs: int, views: int | None = None) -> dict[str, Recipe]:
    """The recipe, shortened and at 96 px, and the same with one thing changed each, where that is a change.

    Args:
        recipe: with sampling and degrade.
        epochs: of each run, in which the rate falls from the recipe's highest to its last.
        views: an epoch has, the same number in all runs; without it as many as the recipe says.
    """
    peak, last = max(recipe.learning_rate.values()), recipe.rate(recipe.epochs)
    end = epochs if recipe.interpolation else epochs - 1  # a rate in steps has to be reached before the last epoch
    rates = {0: peak, end: last} if end else {0: peak}
    short = {"epochs": epochs, "size": SHORT_SIZE, "sizes": None, "learning_rate": rates}
    short |= {"views_per_epoch": views or recipe.views_per_epoch}
    head, sampling = load_recipe("paper").head, recipe.sampling
    changes = {
        "shortened": {},
        "frozen backbone, the paper's head": {"frozen": True, "head": head, "learning_rate": {0: 1e-3}},
        f"at {recipe.size} px": {"size": recipe.size},
        "no degradation": {"degrade": None},
        "framings that do not move": {"reframe": None},
        "no self-blending": {"sampling": sampling.model_copy(update={"self_blend": 0.0, "swapped": None})},
        "no swaps on the spot": {"sampling": sampling.model_copy(update={"swapped": None})},
        "drawn as the data is": {
            "sampling": sampling.model_copy(update={"power": 1.0, "kinds": None, "favoured": None})
        },
        "features of the last layer alone": {"pooled": None},
        "no second output for kinds": {"kinds": None},
        "two views of a picture are to score alike": {"consistency": CONSISTENCY},
    }
    first = recipe.model_copy(update=short)
    changed = {name: first.model_copy(update=change) for name, change in changes.items()}
    return {name: variant for name, variant in changed.items() if name == "shortened" or variant != first}


def ablation_markdown(report: dict) -> str:
    """The table, with what was measured on what under it."""
    places = [f"{split} {tier}" for split, tier in MEASURED]
    views = f" of {report['views']:,} views" if report.get("views") else ""
    alike = "All see as many pictures. " if report.get("views") else ""
    lines = [
        f"| short runs, {report['epochs']} epochs{views} at {SHORT_SIZE} px | minutes | "
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
        f"in one thing, and the frozen one also in its learning rate. {alike}Chosen on val; "
        "the test split was not looked at. Minutes are of this machine at that hour.",
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
