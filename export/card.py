"""The model card. Every figure is read from a report on this very model file; none is typed."""

import json
import math
import re
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.model.onnx_model import Metadata, Model
from deepfake_detect.report.evaluation_texts import GLOSSARY, LIMITS, ROUNDING
from deepfake_detect.report.video_error import video_error
from export import ExportError
from export.clients import NAME, clients_markdown, input_text, use_text
from export.evaluation import SPLITS, card_data, read_json, shipped_report
from export.sources import data_table, name_of
from export.training import cost_text, epochs_run
from train.battery_report import short_markdown
from train.compare_report import compare_markdown
from train.identity import network_sha256
from train.recipe import Recipe, load_recipe
from train.report import docs_markdown, figure, groups_markdown
from train.tiers import TIERS

ROOT = Path(__file__).resolve().parent.parent

INTRO = """\
# Mobile Deepfake Detector

Is the face in a photograph real or fake, how sure is that, and how often were such verdicts wrong? A MobileNetV2 of
{megabytes} MB that runs on an ordinary CPU, calibrated, with a third answer: “Not sure”. A verdict is evidence, not
proof."""
INTENDED = """\
For research and teaching, and as one hint among others when a person looks into a photograph.

{limits}
- Not for commercial use of any kind, see the licence below, and not for training a generator against it.
"""
LIMITED = """\
- It is weakest on {weakest}. Generators that were never tried are listed under the tables.
- Where it is not sure it says so, and that is often: see the share of verdicts under the tables.
- Faces under {small} pixels, blurred or strongly compressed: the figures fall as the plot of degradation shows.
- {videos} `deepfake_detect` judges them as a row of pictures.
- The groups whose false alarms are counted are small. Equal rates in them are no proof of fairness, unequal ones none
  of the contrary.
- Some pictures of dfdc in different splits show one scene or one actor, so its figures flatter the detector.
- Nothing was done against people who set out to fool it.
"""
LICENCE = """\
**The weights are for research and non-commercial use only**: they inherit the terms of the pictures above, see
`LICENSE.md`. The code, `resize.mjs` included, is under Apache-2.0. The backbone began with the ImageNet weights of
`keras.applications.MobileNetV2` (Apache-2.0); `base_model` names the same network on the Hub."""
CITATION = """\
The choice of the network follows the paper; the recipe, the data and every figure here are this project's own.

```bibtex
@article{mobilenetv2-deepfake-2025,
  title = {Efficient Deepfake Image Detection Model Based on MobileNetV2},
  year  = {2025}
}
```"""


@dataclass(frozen=True)
class Findings:
    """What the project's files say of the shipped model."""

    root: Path  # the project's folder
    model: Model
    recipe: Recipe
    reports: list[dict]  # on test and cross
    audit: dict
    comparison: dict | None
    clients: dict | None
    battery: dict | None  # what came of small changes
    int8: str | None  # what `python -m export quantize` reports of the int8 file, in Markdown

    @property
    def metadata(self) -> Metadata:
        return self.model.metadata


def find(root: Path = ROOT) -> Findings:
    """Read model.onnx and the reports on it in a project's folder.

    Raises:
        ModelError: model.onnx cannot serve.
        ExportError: a report is missing, damaged, or of another model, recipe or data.
    """
    model = Model(root / "model.onnx")
    reports = [shipped_report(root, split, model.sha256) for split in SPLITS]
    recipe = load_recipe(model.metadata.recipe)
    if recipe.sha256 != model.metadata.recipe_sha256:
        raise ExportError(f"model.onnx comes from another recipe than train/recipes/{recipe.name}.yaml as it is now.")
    audit = read_json(root / "reports" / "audit" / "audit.json")
    if not audit or audit["data_sha256"] != model.metadata.data_sha256:
        raise ExportError("reports/audit is not of the data that model.onnx was trained on. Run `make reports`.")
    comparison = read_json(root / "reports" / "compare" / "compare.json")
    if comparison and network_sha256(model.path) not in [one.get("network_sha256") for one in comparison["models"]]:
        raise ExportError("reports/compare is of another model.onnx. Run `python -m train compare` again.")
    clients = read_json(root / "reports" / "clients" / "clients.json")
    if clients and clients["model_sha256"] != model.sha256:
        raise ExportError("reports/clients is of another model.onnx. Run `make clients-report`.")
    battery = read_json(root / "reports" / "battery" / "battery.json")
    if battery and battery["model"]["sha256"] != model.sha256:
        raise ExportError("reports/battery is of another model.onnx. Run `make reports`.")
    return Findings(root, model, recipe, reports, audit, comparison, clients, battery, _int8(root, model))


def card_text(found: Findings, name: str = NAME, space: str | None = None) -> str:
    """The model card: YAML metadata and Markdown.

    Args:
        found: see `find`. Links in the card are relative to the project's folder, and hold in the model repository too.
        name: of the repository on the Hub, "owner/name", for the snippets.
        space: of the Space, likewise; without it the card does not speak of one.
    """
    sections = [
        ("Use it", use_text(name, space)),
        ("What it takes and gives", _input(found)),
        ("What it is for, and what not", INTENDED.format(limits=LIMITS)),
        ("How good it is", _measured(found.reports)),
        *([("Small changes", _small_changes(found.battery))] if found.battery else []),
        *([("The int8 file", found.int8)] if found.int8 else []),
        *([("Beside other networks", _compared(found.comparison))] if found.comparison else []),
        (
            "Limits",
            LIMITED.format(
                small=MIN_FACE,
                weakest=weakest(found.reports),
                videos=video_error(found.model.sha256, found.root / "reports" / "videos"),
            ),
        ),
        ("Training data", _data(found)),
        ("Training", _trained(found)),
        ("Licence", LICENCE),
        ("Citation", CITATION),
    ]
    text = "\n\n".join(f"## {title}\n\n{text.strip()}" for title, text in sections)
    megabytes = math.ceil((found.root / "model.onnx").stat().st_size / 1e5 - 1e-9) / 10
    return f"---\n{card_data(found.reports)}\n---\n\n{INTRO.format(megabytes=megabytes)}\n\n{text}\n"


def write_card(out: Path, name: str = NAME, space: str | None = None) -> None:
    """Write the model card of this project's model.onnx. Raises ModelError and ExportError, see `find`."""
    write_text(out, card_text(find(), name, space))
    print(f"{out}: the model card of model.onnx")


def _int8(root: Path, model: Model) -> str | None:
    """reports/quantize/quantize.md without its title, with links from the project's folder; None where it is not there.

    Raises:
        ExportError: quantize.json beside it does not name this model file by its sha256.
    """
    folder = root / "reports" / "quantize"
    report = read_json(folder / "quantize.json")
    if report is None or not (folder / "quantize.md").is_file():
        return None
    if model.sha256 not in json.dumps(report):
        raise ExportError("reports/quantize is of another model.onnx. Run `python -m export quantize`.")
    text = re.sub(r"\A# .*\n", "", (folder / "quantize.md").read_text(encoding="utf-8"))
    return re.sub(r"\]\((?!https?:|reports/)", "](reports/quantize/", text)


def _input(found: Findings) -> str:
    text = input_text(found.metadata)
    return f"{text}\n\n{clients_markdown(found.clients)}" if found.clients else text


def weakest(reports: list[dict]) -> str:
    """The source that is ranked worst in any report as its files are: "CIPLAB (test), with an AUC of 0.669"."""
    ranked = [
        (metrics["auc"], f"{name_of(source)} ({report['split']})")
        for report in reports
        for source, metrics in report["tiers"]["clean"]["sources"].items()
        if metrics.get("auc") is not None
    ]
    auc, name = min(ranked)
    return f"{name}, with an AUC of {figure('auc', auc)}"


def _measured(reports: list[dict]) -> str:
    test, cross = reports
    plots = "reports/shipped/test"
    lines = [
        "Every picture is judged three times: **clean**, as its file is; **web**, at most "
        f"{TIERS['web'].longest} pixels and JPEG quality {TIERS['web'].quality}; **hard**, at most "
        f"{TIERS['hard'].longest} pixels and quality {TIERS['hard'].quality}. {ROUNDING}",
        "",
        GLOSSARY,
        "",
        "### By source and generator: pictures of the kinds it was trained on (`test`)",
        "",
        docs_markdown(test),
        "",
        "### Sources it never saw (`cross`)",
        "",
        "These pictures were looked at when choosing between recipes, so they are a second opinion, not a test.",
        "",
        docs_markdown(cross),
        "",
        f"![ROC curve of every source]({plots}/roc.png)",
        f"![Reliability: what a chance is worth]({plots}/reliability.png)",
        f"![AUC and accuracy over JPEG quality and scale]({plots}/degradation.png)",
    ]
    if test["groups"]:
        lines += ["", "### By group", "", *groups_markdown(test["groups"]), "",
                  f"![False alarms by age, gender and race]({plots}/groups.png)"]  # fmt: skip
    return "\n".join(
        [*lines, "", "All figures with their intervals: [test](reports/shipped/test/report.md), "
         "[cross](reports/shipped/cross/report.md)."]
    )  # fmt: skip


def _small_changes(battery: dict) -> str:
    return (
        "How far a border, a turn, the mirror, a filter or another file move what is said of a picture:\n\n"
        f"{short_markdown(battery)}\n\n![Change of the chance by what was done](reports/battery/battery.png)"
    )


def _compared(comparison: dict) -> str:
    return (
        "The paper's network and its rivals, trained and measured on the same pictures:\n\n"
        f"{compare_markdown(comparison)}\n\n![Accuracy against time](reports/compare/compare.png)"
    )


def _data(found: Findings) -> str:
    table = "\n".join(data_table(found.audit["balance"]))
    epoch = " to the last epoch, " if found.recipe.choose == "last" else ", epoch, "
    return (
        f"Pictures by split, real / fake. Trained on `train`{epoch}temperature and unsure band chosen on `val`, "
        f"measured on `test`; `cross` was never trained on. None of the pictures is in this repository.\n\n{table}"
    )


def _trained(found: Findings) -> str:
    recipe = found.recipe
    sides = ", then ".join(str(side) for side in (recipe.sizes or {0: recipe.size}).values())
    what = "a head on MobileNetV2, which stays frozen" if recipe.frozen else "all of MobileNetV2"
    views = [
        *(["framed anew each time"] if recipe.reframe else []),
        *(["shrunk, blurred, roughened and compressed at random, both classes alike"] if recipe.degrade else []),
        *(["some of the fakes made on the spot by self-blending"] if recipe.sampling else []),
    ]
    return "\n\n".join(
        [
            f"With Keras 3, by the recipe `{recipe.name}`: {what}, {epochs_run(found.root)} epochs in batches of "
            f"{recipe.batch_size}, at {sides} pixels a side{''.join('; ' + view for view in views)}. Calibrated on "
            f"`val`{f' in the state {recipe.tier}' if recipe.tier else ''}.",
            cost_text(found.root, recipe, found.metadata),
            "![Loss and accuracy per epoch](reports/shipped/curves.png)",
        ]
    )


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `python -m export card`."""
    parser.add_argument("--out", type=Path, default=Path("README_model.md"), help="default: README_model.md")
    add_names(parser)


def add_names(parser: ArgumentParser) -> None:
    """Declare --name and --space, which the snippets of the model card load from."""
    parser.add_argument("--name", default=NAME, metavar="OWNER/NAME", help="of the model repository on the Hub")
    parser.add_argument("--space", metavar="OWNER/NAME", help="of the Space; without it the card does not speak of one")
