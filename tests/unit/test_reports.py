"""The reports in reports/ are of the shipped model, its recipe and its data, and their pages say what they say."""

import csv
import hashlib
import json
from itertools import combinations

import pytest
from project import ROOT
from shipped_figures import ABLATION, AUDIT, BATTERY, COMPARISON, CROSS, CROWDS, REPORT, REPORTS, VIDEOS

from deepfake_detect import Model
from deepfake_detect.detector import THOROUGH
from deepfake_detect.video.rule import VideoRule
from export.repository import INT8
from train.ablation_report import ablation_markdown, variants
from train.battery_report import battery_markdown
from train.compare_report import compare_markdown
from train.criteria import BATTERY_CRITERIA, VIDEO_CRITERIA, criteria_of
from train.crowds_report import crowds_markdown
from train.data import joint_sha256
from train.evaluate import headline
from train.identity import network_sha256
from train.recipe import load_recipe
from train.report import report_markdown
from train.report_check import compare
from train.tiers import TIERS
from train.videos_report import videos_markdown

# Of every choice of the folders that the audit names, by which a report says what it was measured on
HASHES = {
    joint_sha256(chosen)
    for number in range(1, len(AUDIT["folders"]) + 1)
    for chosen in combinations(AUDIT["folders"].values(), number)
}


@pytest.mark.parametrize("report", [REPORT, CROSS], ids=["test", "cross"])
def test_the_markdown_reports_are_those_of_the_figures(report):
    folder = REPORTS / "shipped" / report["split"]
    assert (folder / "report.md").read_text(encoding="utf-8") == report_markdown(report)
    assert report["criteria"] == criteria_of(report)
    assert [row["name"] for row in report["criteria"] if row["met"] is None] == []  # the data has what is asked of it


def test_the_comparison_is_of_the_shipped_model_the_paper_s_recipe_and_the_same_data():
    (own,) = (model for model in COMPARISON["models"] if model["name"] == "shipped")
    assert own["network_sha256"] == network_sha256(ROOT / "model.onnx")
    assert own["same_data"] == (COMPARISON["data_sha256"] == Model(ROOT / "model.onnx").metadata.data_sha256)
    assert COMPARISON["recipe_sha256"] == load_recipe("paper").sha256
    assert COMPARISON["data_sha256"] in HASHES
    assert (REPORTS / "compare" / "compare.md").read_text(encoding="utf-8").strip() == compare_markdown(COMPARISON)


def test_the_ablation_is_of_a_recipe_that_is_here_and_of_data_of_the_shipped_model():
    recipe = load_recipe(ABLATION["recipe"])
    assert ABLATION["recipe_sha256"] == recipe.sha256
    assert ABLATION["data_sha256"] in HASHES
    names, known = [row["name"] for row in ABLATION["rows"]], list(variants(recipe, ABLATION["epochs"]))
    assert names == [name for name in known if name in names]  # what is measured can still be measured again
    assert ("views" in ABLATION) <= (names == known)  # a report without has fewer runs, and not all of as many views
    assert (REPORTS / "ablation" / "ablation.md").read_text(encoding="utf-8") == ablation_markdown(ABLATION)


def test_the_crowds_are_of_the_shipped_model_and_keep_their_promise():
    assert CROWDS["model"]["sha256"] == hashlib.sha256((ROOT / "model.onnx").read_bytes()).hexdigest()
    assert CROWDS["data_sha256"] in HASHES
    assert (REPORTS / "crowds" / "crowds.md").read_text(encoding="utf-8") == crowds_markdown(CROWDS)
    alarms = {
        row["faces"]: row["rules"]["served"]["fake"]
        for row in CROWDS["splits"]["val"]["rates"]
        if row["fakes"] == 0
    }  # fmt: skip
    assert all(alarms[number] <= alarms[1] + 0.02 for number in alarms) and alarms[256] <= alarms[1]


@pytest.mark.parametrize("report", [REPORT, CROSS], ids=["test", "cross"])
def test_the_reports_are_of_the_shipped_model(report):
    model = Model(ROOT / "model.onnx")
    metadata = model.metadata
    of = {"sha256": model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256}
    assert report["model"] == of and report["data_sha256"] in HASHES and set(report["data"]) <= set(AUDIT["folders"])
    assert report["thorough"] == THOROUGH, "the figures are of the verdicts that are given by default"


def test_the_report_on_videos_is_of_the_shipped_model_and_its_rule():
    model = Model(ROOT / "model.onnx")
    assert VIDEOS["model"]["sha256"] == model.sha256 and VIDEOS["fitted"] == (model.metadata.video is not None)
    assert VIDEOS["rule"] == VideoRule.of(model.metadata).to_dict()
    assert (REPORTS / "videos" / "report.md").read_text(encoding="utf-8") == videos_markdown(VIDEOS)
    assert VIDEOS["criteria"] == criteria_of({"split": "test", "videos": VIDEOS["splits"]}, VIDEO_CRITERIA)
    assert sum(row["all"]["clips"] for row in VIDEOS["splits"].values()) == len(VIDEOS["verdicts"])


def test_the_audit_is_of_the_shipped_recipe_and_its_data():
    metadata = Model(ROOT / "model.onnx").metadata
    assert AUDIT["recipe"]["sha256"] == metadata.recipe_sha256 and AUDIT["data_sha256"] == metadata.data_sha256
    assert joint_sha256(AUDIT["folders"].values()) == AUDIT["data_sha256"]


def test_the_battery_is_of_the_shipped_model_and_the_same_data():
    assert BATTERY["model"] == REPORT["model"] and BATTERY["data_sha256"] == REPORT["data_sha256"]
    assert BATTERY["thorough"] == THOROUGH and BATTERY["criteria"] == criteria_of(BATTERY, BATTERY_CRITERIA)
    assert (REPORTS / "battery" / "battery.md").read_text(encoding="utf-8") == battery_markdown(BATTERY)


@pytest.mark.parametrize(("report", "file"), [("parity", "model.onnx"), ("parity_int8", INT8)])
def test_the_report_on_the_browser_is_of_the_shipped_files(report, file):
    told = json.loads((REPORTS / "web" / f"{report}.json").read_text(encoding="utf-8"))
    assert told["browser_file"] == file
    for named, shipped in (("model_sha256", "model.onnx"), ("browser_sha256", file)):
        assert told[named] == hashlib.sha256((ROOT / shipped).read_bytes()).hexdigest(), named


def test_the_shipped_model_carries_the_figures_of_its_report():
    assert Model(ROOT / "model.onnx").metadata.metrics == headline(REPORT)


def test_the_shipped_model_comes_from_its_recipe():
    metadata = Model(ROOT / "model.onnx").metadata
    recipe = load_recipe(metadata.recipe)
    assert recipe.sha256 == metadata.recipe_sha256
    assert (recipe.size, recipe.crop_margin, recipe.resampling) == (
        metadata.size,
        metadata.crop_margin,
        metadata.resampling,
    )


@pytest.mark.parametrize("tier", TIERS)
def test_the_report_adds_up(tier):
    figures = REPORT["tiers"][tier]
    confusion, everything = figures["all"]["confusion"], figures["all"]
    right = confusion["real_as_real"] + confusion["fake_as_fake"]
    assert sum(confusion.values()) == everything["pictures"]
    assert everything["accuracy"] == pytest.approx(right / everything["pictures"])
    assert sum(source["pictures"] for source in figures["sources"].values()) == everything["pictures"]


def test_the_learning_curves_are_of_the_shipped_recipe():
    history = list(csv.DictReader((REPORTS / "shipped" / "history.csv").open()))
    recipe = load_recipe(Model(ROOT / "model.onnx").metadata.recipe)
    assert [float(row["learning_rate"]) for row in history] == pytest.approx(
        [recipe.rate(epoch) for epoch in range(len(history))], rel=1e-5
    )


def test_a_report_is_checked_figure_by_figure():
    assert compare(REPORT, REPORT) == []
    worse = json.loads(json.dumps(REPORT))
    worse["tiers"]["clean"]["all"]["auc"] -= 0.01
    worse["tiers"]["hard"]["all"]["confusion"]["fake_as_real"] += 10
    del worse["tiers"]["web"]["sources"]["dfdc"]
    differences = [d.split(":")[0] for d in compare(REPORT, worse)]
    assert differences == ["tiers.clean.all.auc", "tiers.hard.all.confusion.fake_as_real", "tiers.web.sources.dfdc"]
