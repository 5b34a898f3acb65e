"""What the repository promises: a valid Space, imports that run one way, figures that come from files."""

import ast
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations

import av
import pytest
import yaml
from PIL import Image
from project import ROOT
from shipped_figures import ABLATION, AUDIT, BATTERY, COMPARISON, CROSS, CROWDS, REPORT, REPORTS, VIDEOS
from waiting import LONG

from deepfake_detect import Model
from deepfake_detect.detector import THOROUGH
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.video.rule import VideoRule
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

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Of every choice of the folders that the audit names, by which a report says what it was measured on
HASHES = {
    joint_sha256(chosen)
    for number in range(1, len(AUDIT["folders"]) + 1)
    for chosen in combinations(AUDIT["folders"].values(), number)
}


def imports(folder):
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


def test_imports_run_one_way():
    assert not set(imports("deepfake_detect")) & {"keras", "tensorflow", "gradio", "train", "export", "page", "app"}
    assert not set(imports("page")) & {"keras", "tensorflow", "train", "export", "app"}
    assert not set(imports("train")) & {"tensorflow", "gradio", "export", "page", "app"}
    assert not set(imports("export")) & {"gradio", "page", "app"}


# From the lowest: each imports those of its own line and of the lines above it
LAYERS = (
    ("errors", "verdict", "atomic_files", "shipped", "runtime"),
    ("picture",),
    ("face",),
    ("crowd",),
    ("model",),
    ("evidence",),
    ("detector",),
    ("video",),
    ("report",),
    ("scan",),
    ("cli",),
    ("__main__",),
)


def modules() -> dict[str, set[str]]:
    """Every tracked module and those of the repository that it imports, at its head or anywhere in it."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): name for name in listed.split()}
    found = {}
    for module, name in files.items():
        asked = set()
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                asked |= inner & files.keys() or {node.module}
        found[module] = asked & files.keys() - {module}
    return found


def test_inside_the_package_imports_run_from_the_higher_layer_to_the_lower():
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    whole = rank["scan"]  # the package itself imports what lies below; what lies above may import the package
    inside = {name: asked for name, asked in modules().items() if name.startswith("deepfake_detect.")}
    assert {name.split(".")[1] for name in inside} <= rank.keys(), "a new part needs its place in LAYERS"
    upwards = [
        f"{name} imports {other}"
        for name, asked in inside.items()
        for other in asked
        if (whole if other == "deepfake_detect" else rank[other.split(".")[1]]) > rank[name.split(".")[1]]
    ]
    assert not upwards


def test_no_two_files_of_tests_share_a_name():
    names = Counter(file.name for file in (ROOT / "tests").rglob("*.py") if file.name != "conftest.py")
    assert len(names) > 100 and not [name for name, count in names.items() if count > 1]  # pytest reads one of them


def test_no_imports_go_in_a_circle():
    left = modules()
    while free := [name for name, asked in left.items() if not asked & left.keys()]:
        for name in free:
            del left[name]
    assert not left, "each of these imports another of them"


@pytest.mark.slow
def test_serving_loads_no_training_framework():
    code = (
        "import sys, app; print([m for m in ('keras', 'tensorflow', 'torch', 'train', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("package", ["deepfake_detect", "train", "export", "bench"])
def test_onnxruntime_reports_to_nobody(package, tmp_path):
    place = {name: str(tmp_path) for name in ("HOME", "TMPDIR")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | place
    code = f"import {package}, onnxruntime"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=LONG, check=True)
    assert not list(tmp_path.iterdir())


def test_the_space_installs_no_training_framework():
    names = re.findall(r"^([A-Za-z0-9_-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert {"gradio", "huggingface-hub", "numpy", "onnxruntime"} <= set(names)
    assert not set(names) & {"tensorflow", "keras", "torch", "tf2onnx", "scikit-learn"}


def test_the_front_matter_makes_a_space():
    front = yaml.safe_load(README.split("---\n")[1])
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py" and front["license"] == "apache-2.0"
    assert (ROOT / front["app_file"]).is_file()
    lowest = re.search(r"^gradio>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert tuple(map(int, front["sdk_version"].split("."))) >= tuple(map(int, lowest.split(".")))
    assert len(front["short_description"]) <= 60


@pytest.mark.parametrize("report", [REPORT, CROSS], ids=["test", "cross"])
def test_the_markdown_reports_are_those_of_the_figures(report):
    folder = REPORTS / "shipped" / report["split"]
    assert (folder / "report.md").read_text(encoding="utf-8") == report_markdown(report)
    assert report["criteria"] == criteria_of(report)


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
    assert [row["name"] for row in ABLATION["rows"]] == list(variants(recipe, ABLATION["epochs"]))
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


def test_every_example_is_credited_and_has_the_faces_it_should():
    credits = (ROOT / "examples" / "CREDITS.md").read_text(encoding="utf-8")
    finder = FaceFinder()
    files = sorted((ROOT / "examples").glob("*.jpg"))
    assert sum(f.name.startswith("real_") for f in files) >= 2 <= sum(f.name.startswith("fake_") for f in files)
    for file in files:
        assert file.name in credits
        faces = finder.find(open_picture(file))
        assert len(faces) >= 2 if file.name.startswith("group") else len(faces) == 1
        with Image.open(file) as image:
            assert not image.getexif()


def test_every_video_is_credited_small_and_of_a_codec_that_browsers_play():
    credits = (ROOT / "examples" / "CREDITS.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "examples" / "videos").iterdir())
    assert files
    for file in files:
        assert f"`{file.name}`" in credits and file.stat().st_size < 300_000
        with av.open(file) as container:
            (stream,) = container.streams
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_the_research_pictures_are_not_in_the_repository(faces_data):
    def sha256(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {sha256(ROOT / name) for name in listed.split("\0") if (ROOT / name).is_file()}
    assert len(tracked) > 20 and not any(sha256(path) in tracked for path in faces_data.rglob("*.jpg"))
