"""Metrics against hand-counted cases, and the command on a miniature data set."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from conftest import ROOT, command, fit_command
from PIL import Image

from detect import Detector, Model
from detect.explain import ceil_percent, floor_percent
from train.data import read_samples
from train.metrics import binary_metrics, decided_metrics


def test_metrics_of_a_case_counted_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    p_fake = np.array([0.1, 0.2, 0.6, 0.4, 0.9, 0.3])
    metrics = binary_metrics(p_fake, labels)
    assert metrics["confusion"] == {"real_as_real": 3, "real_as_fake": 1, "fake_as_real": 1, "fake_as_fake": 1}
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == pytest.approx(1 / 2)
    assert metrics["auc"] == pytest.approx(6 / 8)  # of 8 pairs, (0.6, 0.3) and (0.4, 0.3) stand the wrong way


def test_one_class_gives_a_rate_instead_of_an_auc():
    p_fake = np.array([0.1, 0.5, 0.9, 0.2])
    assert binary_metrics(p_fake, np.ones(4, int)) == {"pictures": 4, "detection_rate": 0.5}
    assert binary_metrics(p_fake, np.zeros(4, int)) == {"pictures": 4, "false_alarm_rate": 0.5}


def test_decided_verdicts_are_counted_by_side():
    verdicts = ["real", "real", "fake", "unsure", "fake"]
    assert decided_metrics(verdicts, np.array([0, 1, 1, 1, 0])) == {
        "coverage": 0.8,
        "accuracy": 0.5,
        "said_real": {"pictures": 2, "wrong": 1},
        "said_fake": {"pictures": 2, "wrong": 1},
    }
    assert decided_metrics(["unsure"], np.array([0]))["accuracy"] is None


@pytest.mark.parametrize(
    ("share", "good", "bad"), [(0.8149, "81.4 %", "81.5 %"), (0.29, "29.0 %", "29.0 %"), (1, "100.0 %", "100.0 %")]
)
def test_good_shares_are_never_rounded_up_and_bad_ones_never_down(share, good, bad):
    assert (floor_percent(share), ceil_percent(share)) == (good, bad)


def test_the_command_writes_a_report_a_picture_and_the_readme(exported, data, tmp_path):
    readme, out = tmp_path / "README.md", tmp_path / "report.json"
    readme.write_text("before\n<!-- report: small, test -->\nold\n<!-- end of report -->\nafter\n")
    words = ["train", "evaluate", "--model", exported, "--data", data, "--split", "test"]
    done = command(*words, "--out", out, "--readme", readme)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert report["all"]["pictures"] == 32 and sum(s["pictures"] for s in report["sources"].values()) == 32
    assert report["all"]["auc"] > 0.7
    with Image.open(out.with_suffix(".png")) as picture:
        assert picture.width > 400
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text and "**all**" in text

    assert command(*words, "--check", out).returncode == 0
    report["all"]["accuracy"] -= 0.05
    out.write_text(json.dumps(report))
    checked = command(*words, "--check", out)
    assert checked.returncode == 1 and "all.accuracy" in checked.stdout

    readme.write_text("no marks here")
    unmarked = command(*words, "--readme", readme)
    assert unmarked.returncode == 2 and "no lines" in unmarked.stderr and readme.read_text() == "no marks here"


def test_pictures_held_out_by_the_seed_are_the_ones_measured(data, recipe_file, backbone_weights, tmp_path):
    """Plain class folders: fit, export and evaluate must hold out the same pictures."""
    for label in ("real", "fake"):
        shutil.copytree(data / "train" / label, tmp_path / "data" / label)
    recipe = tmp_path / "short.yaml"
    recipe.write_text(recipe_file.read_text().replace("epochs: 6", "epochs: 1"))
    folder, run, report = tmp_path / "data", tmp_path / "run", tmp_path / "report.json"
    model = run / "model.onnx"
    for words in (
        fit_command(folder, recipe, backbone_weights, run),
        ["export", "onnx", run],
        ["train", "evaluate", "--model", model, "--data", folder, "--split", "val", "--out", report],
    ):
        done = command(*words)
        assert done.returncode == 0, done.stderr
    held_out = [row["path"] for row in csv.DictReader((run / "crops" / "val.csv").open())]
    expected = Detector(model).predict(held_out)
    metrics = Model(model).metadata.metrics
    measured = json.loads(report.read_text())
    assert measured["all"]["pictures"] == len(expected) == 16 and metrics["auc"] == measured["all"]["auc"]
    right = sum((v.p_fake >= 0.5) == ("/fake/" in path) for v, path in zip(expected, held_out, strict=True))
    assert measured["all"]["accuracy"] == pytest.approx(right / 16)


def test_a_split_that_is_not_there_is_said_so(exported, data):
    done = command("train", "evaluate", "--model", exported, "--data", data, "--split", "cross")
    assert (
        done.returncode == 2
        and "no real pictures for the split cross" in done.stderr
        and "Traceback" not in done.stderr
    )


def test_the_shipped_model_judges_research_pictures_as_reported(faces_data):
    """A sample of the test split; CI measures all of it."""
    report = json.loads((ROOT / "reports" / "paper.json").read_text())
    chosen = [sample for sample in read_samples(faces_data) if sample.split == "test"][::6]
    p_fake = np.array([v.p_fake for v in Detector(ROOT / "model.onnx").predict([s.path for s in chosen])])
    metrics = binary_metrics(p_fake, np.array([s.label for s in chosen]))
    assert len(chosen) > 250 and re.fullmatch(r"[0-9a-f]{64}", report["model"]["sha256"])
    assert metrics["auc"] == pytest.approx(report["all"]["auc"], abs=0.07)
