"""What the repository promises: a valid Space, imports that run one way, figures that come from files."""

import ast
import csv
import hashlib
import json
import re
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, here
from PIL import Image
from survived import hardening_markdown

from detect import Model, album, frames, picture, video
from detect.faces import FaceFinder
from detect.picture import open_picture
from detect.short import in_short
from train.ablation import ablation_markdown, variants
from train.bars import bars_of
from train.compare_report import compare_markdown
from train.evaluate import compare, headline
from train.recipe import load_recipe
from train.report import END, begin_mark, readme_markdown, report_markdown
from train.tiers import TIERS

README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORTS = ROOT / "reports"
REPORT, CROSS = (
    json.loads((REPORTS / "shipped" / split / "report.json").read_text(encoding="utf-8")) for split in ("test", "cross")
)
COMPARISON, ABLATION, HARDENING = (
    json.loads((REPORTS / name / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("compare", "ablation", "hardening")
)


def imports(folder):
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


def test_imports_run_one_way():
    assert not set(imports("detect")) & {"keras", "tensorflow", "gradio", "train", "export", "page", "app"}
    assert not set(imports("page")) & {"keras", "tensorflow", "train", "export", "app"}
    assert not set(imports("train")) & {"tensorflow", "gradio", "export", "page", "app"}
    assert not set(imports("export")) & {"gradio", "page", "app"}


def test_serving_loads_no_training_framework():
    code = (
        "import sys, app; print([m for m in ('keras', 'tensorflow', 'torch', 'train', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


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


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("shipped, in short", in_short(REPORT, CROSS)),
        ("shipped, test", readme_markdown(REPORT)),
        ("shipped, cross", readme_markdown(CROSS)),
        ("compare", compare_markdown(COMPARISON)),
        ("ablation", ablation_markdown(ABLATION)),
        ("hardening", hardening_markdown(HARDENING)),
    ],
    ids=["in short", "test", "cross", "compare", "ablation", "hardening"],
)
def test_readme_shows_the_reports_and_nothing_else(name, table):
    _, _, rest = README.partition(begin_mark(name))
    section, closed, _ = rest.partition(END)
    assert closed and section.strip() == table.strip()


@pytest.mark.parametrize("report", [REPORT, CROSS], ids=["test", "cross"])
def test_the_markdown_reports_are_those_of_the_figures(report):
    folder = REPORTS / "shipped" / report["split"]
    assert (folder / "report.md").read_text(encoding="utf-8") == report_markdown(report)
    assert report["bars"] == bars_of(report)


def test_the_comparison_is_of_the_shipped_model_the_paper_s_recipe_and_the_same_data():
    metadata = Model(ROOT / "model.onnx").metadata
    (own,) = (model for model in COMPARISON["models"] if model["name"] == "shipped")
    assert own["sha256"] == hashlib.sha256((ROOT / "model.onnx").read_bytes()).hexdigest() and own["same_data"]
    assert COMPARISON["recipe_sha256"] == load_recipe("paper").sha256
    assert COMPARISON["data_sha256"] == metadata.data_sha256
    assert (REPORTS / "compare" / "compare.md").read_text(encoding="utf-8").strip() == compare_markdown(COMPARISON)


def test_the_ablation_is_of_the_shipped_recipe_and_the_same_data():
    metadata = Model(ROOT / "model.onnx").metadata
    assert ABLATION["recipe_sha256"] == metadata.recipe_sha256
    assert ABLATION["data_sha256"] == metadata.data_sha256
    assert [row["name"] for row in ABLATION["rows"]] == list(variants(load_recipe("shipped"), ABLATION["epochs"]))
    assert (REPORTS / "ablation" / "ablation.md").read_text(encoding="utf-8") == ablation_markdown(ABLATION)


def test_readme_shows_pictures_that_are_there():
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert len(shown) >= 4 and all((ROOT / name).is_file() for name in shown)


def test_readme_types_no_measured_figure_by_hand():
    prose = re.sub(r"<!-- report:.*?<!-- end of report -->", "", README.split("---\n", 2)[2], flags=re.DOTALL)
    prose = re.sub(r"```.*?```", "", prose, flags=re.DOTALL)
    assert not re.findall(r"\d+(?:\.\d+)? ?%|\b0\.\d{2,}\b", prose)


@pytest.mark.parametrize("report", [REPORT, CROSS], ids=["test", "cross"])
def test_the_reports_are_of_the_shipped_model(report):
    model = Model(ROOT / "model.onnx")
    metadata = model.metadata
    of = {"sha256": model.sha256, "recipe": metadata.recipe, "recipe_sha256": metadata.recipe_sha256}
    assert report["model"] == of and report["data_sha256"] == metadata.data_sha256


def test_the_audit_is_of_the_shipped_recipe_and_its_data():
    audit, metadata = json.loads((REPORTS / "audit" / "audit.json").read_text()), Model(ROOT / "model.onnx").metadata
    assert audit["recipe"]["sha256"] == metadata.recipe_sha256 and audit["data_sha256"] == metadata.data_sha256


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


def test_the_research_pictures_are_not_in_the_repository(faces_data):
    def sha256(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {sha256(ROOT / name) for name in listed.split("\0") if (ROOT / name).is_file()}
    assert len(tracked) > 20 and not any(sha256(path) in tracked for path in faces_data.rglob("*.jpg"))


def test_the_sample_in_the_readme_is_what_the_command_prints(monkeypatch):
    def words_and_scores(text):
        """Without the milliseconds; scores may differ a little from processor to processor."""
        text = re.sub(r" \d+\.\d\b", "", text)
        return re.sub(r"\b0\.\d{3}\b", "", text).split(), [float(p) for p in re.findall(r"\b0\.\d{3}\b", text)]

    monkeypatch.chdir(ROOT)
    shown = next(block for block in re.findall(r"```text\n(.*?)```", README, re.DOTALL) if block.startswith("file "))
    printed = here("detect", "examples").stdout
    (words, scores), (expected, measured) = words_and_scores(shown), words_and_scores(printed)
    assert words == expected and scores == pytest.approx(measured, abs=0.002)
    assert len(scores) == len(list((ROOT / "examples").glob("*.jpg")))


def test_the_limits_in_the_readme_are_those_of_the_code():
    readme = " ".join((ROOT / "README.md").read_text().split())
    in_words = dict(enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")))
    minutes = frames.MAX_SECONDS // 60
    rate, rest = divmod(frames.MAX_DECODED_PIXELS, frames.MAX_SECONDS * 1920 * 1080)
    assert rest == frames.MAX_SECONDS % 60 == frames.MAX_WORK_SECONDS % 60 == 0
    for said in (
        f"up to {album.MAX_PICTURES} at a time",
        f"at most {frames.MAX_SECONDS} seconds and {frames.MAX_VIDEO_BYTES >> 20} MB",
        f"up to {frames.MAX_FRAMES} frames",
        f"up to {picture.MAX_BYTES >> 20} MB and {picture.MAX_PIXELS // 10**6} megapixels",
        f"the {video.MAX_FACES_PER_FRAME} largest faces of a frame",
        f"fewer than {in_words[video.MIN_SEEN]} frames",
        f"{in_words[frames.MAX_WORK_SECONDS // 60]} minutes' work",
        f"more pixels than {in_words[minutes]} minutes of 1080p at {rate} frames a second",
    ):
        assert said in readme, said
