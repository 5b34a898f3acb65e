"""The evaluation: groups and criteria on made-up verdicts, the command on a miniature data set."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from commands import fit_command, here
from PIL import Image
from project import ROOT

from deepfake_detect import Detector, Model
from train.data import DataError, read_samples
from train.metrics import binary_metrics
from train.report import docs_markdown, update_docs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluated(exported, data, tmp_path_factory):
    """(words of the command, folder of its report, page) of one full evaluation."""
    folder = tmp_path_factory.mktemp("evaluated")
    page = folder / "page.md"
    page.write_text("before\n<!-- report: small, test -->\nold\n<!-- end of report -->\nafter\n")
    words = ["train", "evaluate", "--model", exported, "--data", data, "--split", "test"]
    done = here(*words, "--out", folder / "out", "--docs", page)
    assert done.returncode == 0, done.stderr
    return words, folder / "out", page


def test_the_command_writes_a_report_pictures_and_the_page(evaluated, data):
    _, out, page = evaluated
    report = json.loads((out / "report.json").read_text())
    assert list(report["tiers"]) == ["clean", "web", "hard"]
    assert report["tiers"]["web"]["made_smaller"] == 0 and report["machine"]["cores"] >= 1
    assert report["data"] == [data.name] and report["curves"]["pictures"] == 32
    for tier in report["tiers"].values():
        assert tier["all"]["pictures"] == 32 and sum(s["pictures"] for s in tier["sources"].values()) == 32
    assert report["tiers"]["clean"]["all"]["auc"] > 0.7 and report["latency_ms"] > 0
    assert [p["quality"] for p in report["curves"]["jpeg"]] == [100, 80, 60, 40, 20]
    assert report["curves"]["scale"][0]["macro"]["auc"] == pytest.approx(report["tiers"]["clean"]["macro"]["auc"])
    markdown = (out / "report.md").read_text()
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", markdown)
    assert sorted(shown) == sorted(p.name for p in out.glob("*.png")) and len(shown) == 5
    for name in shown:
        with Image.open(out / name) as picture:
            assert picture.width > 400
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert docs_markdown(report) in text and docs_markdown(report) in markdown


def test_a_report_is_measured_again(evaluated, tmp_path):
    words, out, _ = evaluated
    assert here(*words, "--check", out / "report.json").returncode == 0
    report = json.loads((out / "report.json").read_text())
    report["tiers"]["hard"]["all"]["accuracy"] -= 0.05
    (tmp_path / "report.json").write_text(json.dumps(report))
    checked = here(*words, "--check", tmp_path / "report.json")
    assert checked.returncode == 1 and "hard.all.accuracy" in checked.stdout


def test_a_page_without_marks_stays_as_it_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks here")
    with pytest.raises(DataError, match="no lines"):
        update_docs(page, "small, test", "| a table |")
    assert page.read_text() == "no marks here"


def test_pictures_held_out_by_the_seed_are_the_ones_measured(data, recipe_file, short_backbone, tmp_path):
    """Plain class folders: fit, export and evaluate must hold out the same pictures."""
    for label in ("real", "fake"):
        shutil.copytree(data / "train" / label, tmp_path / "data" / label, ignore=lambda _, names: sorted(names)[20:])
    recipe = tmp_path / "short.yaml"
    recipe.write_text(recipe_file.read_text().replace("epochs: 6", "epochs: 1"))
    folder, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "out"
    model = run / "model.onnx"
    for words in (
        fit_command(folder, recipe, short_backbone, run),
        ["export", "onnx", run],
        ["train", "evaluate", "--model", model, "--data", folder, "--split", "val", "--out", out],
    ):
        done = here(*words)
        assert done.returncode == 0, done.stderr
    held_out = [row["path"] for row in csv.DictReader((run / "crops" / "val.csv").open())]
    expected = Detector(model).predict(held_out)
    metrics = Model(model).metadata.metrics
    measured = json.loads((out / "report.json").read_text())["tiers"]["clean"]
    rows = (out / "report.md").read_text().splitlines()
    nameless = re.compile(r"\| pictures \| 8 \| [01]\.\d{3} ")
    assert sum(bool(nameless.match(row)) for row in rows) >= 3  # in every tier
    assert measured["all"]["pictures"] == len(expected) == 8 and metrics["auc"] == measured["all"]["auc"]
    right = sum((v.p_fake >= 0.5) == ("/fake/" in path) for v, path in zip(expected, held_out, strict=True))
    assert measured["all"]["accuracy"] == pytest.approx(right / 8)


def test_a_split_that_is_not_there_is_said_so(exported, data):
    done = here("train", "evaluate", "--model", exported, "--data", data, "--split", "cross")
    assert (
        done.returncode == 2
        and "no real pictures for the split cross" in done.stderr
        and "Traceback" not in done.stderr
    )


def test_the_shipped_model_judges_research_pictures_as_reported(faces_data):
    """A sample of the test split; CI measures all of it."""
    report = json.loads((ROOT / "reports" / "shipped" / "test" / "report.json").read_text())
    folders = [faces_data.parent / name for name in report["data"]]
    chosen = [sample for sample in read_samples(folders, needed=("test",)) if sample.split == "test"][::18]
    p_fake = np.array([v.p_fake for v in Detector(ROOT / "model.onnx").predict([s.path for s in chosen])])
    metrics = binary_metrics(p_fake, np.array([s.label for s in chosen]))
    assert len(chosen) > 80 and report["model"]["sha256"] == Model(ROOT / "model.onnx").sha256
    assert metrics["auc"] == pytest.approx(report["tiers"]["clean"]["all"]["auc"], abs=0.1)
