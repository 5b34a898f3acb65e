"""The evaluation: groups and bars on made-up verdicts, the command on a miniature data set."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, fit_command, here
from PIL import Image

from detect import Detector, Model
from detect.verdict import Verdict
from train.bars import bars_of
from train.data import DataError, Sample, read_samples
from train.evaluate import Judged, groups
from train.metrics import binary_metrics
from train.report import readme_markdown, update_readme


def test_groups_are_read_from_utkface_names():
    def photograph(origin, label=0, source="utkface"):
        return Sample(Path("x.jpg"), label, "test", source, "", origin)

    samples = [photograph("utkface/real/31_0_0_2017.jpg.chip.jpg"), photograph("4_1_3_2017.jpg"),
               photograph("100_1_4_2017.jpg"), photograph("nameless.jpg"), photograph("31_0_0_1.jpg", source="aaf"),
               photograph("31_0_0_1.jpg", label=1)]  # fmt: skip
    verdicts = [Verdict("fake", p, p, (), ()) for p in (0.9, 0.1, 0.8, 0.9, 0.9, 0.9)]
    counted = {
        name: (m["pictures"], m["false_alarm_rate"]) for name, m in groups(Judged(samples, verdicts, [])).items()
    }
    assert counted == {"age 0 to 9": (1, 0.0), "age 20 to 34": (1, 1.0), "age 65 to 120": (1, 1.0), "male": (1, 1.0),
                       "female": (2, 0.5), "White": (1, 1.0), "Indian": (1, 0.0), "other": (1, 1.0)}  # fmt: skip


def test_bars_are_met_or_missed_by_what_was_measured():
    source = {"auc": 0.97, "false_alarm_rate": 0.05}
    tier = {"sources": {"dfdc": source, "utkface": source}, "macro": {"balanced_accuracy": 0.9},
            "all": {"ece": 0.031}, "decided": {"accuracy": 0.96, "coverage": 0.7}}  # fmt: skip
    crowd = {"pictures": 10, "false_alarm_rate": 0.2}
    tiers = {"clean": tier, "web": tier, "hard": tier | {"macro": {"balanced_accuracy": 0.84}}}
    crowds = {"few": crowd | {"pictures": 9}, "many": crowd}
    report = {"split": "test", "tiers": tiers, "groups": crowds, "latency_ms": 2.0}
    met = {bar["name"]: bar["met"] for bar in bars_of(report)}
    assert met["AUC dfdc"] and met["accuracy outside the unsure band"] and met["milliseconds for one look at a face"]
    assert met["false alarms, utkface"] and "AUC stylegan" not in met
    missed = {name for name, reached in met.items() if not reached}
    assert missed == {"balanced accuracy lost from clean to hard, macro", "ECE, clean", "ECE, web", "share decided",
                      "false alarms of the worst group of 10 or more, over the mean"}  # fmt: skip
    cross = {
        "split": "cross",
        "tiers": {"clean": {"sources": {"stylegan2": {"auc": 0.96}}}},
        "against_all": {"sd14": 0.5},
    }
    assert [bar["met"] for bar in bars_of(cross)] == [True, False]


def test_a_bar_on_what_the_model_leaves_undefined_is_missed():
    tier = {"sources": {}, "macro": {"balanced_accuracy": 0.5}, "all": {"ece": 0.01},
            "decided": {"accuracy": None, "coverage": 0.0}}  # fmt: skip
    report = {"split": "test", "tiers": dict.fromkeys(("clean", "web", "hard"), tier), "groups": {}, "latency_ms": 1.0}
    bars = {bar["name"]: bar for bar in bars_of(report)}
    assert not bars["accuracy outside the unsure band"]["met"] and not bars["share decided"]["met"]
    assert bars["accuracy outside the unsure band"]["measured"] is None and bars["ECE, clean"]["met"]
    assert not any(name.startswith(("AUC", "false alarms")) for name in bars)  # no such pictures: nothing to miss


@pytest.fixture(scope="module")
def evaluated(exported, data, tmp_path_factory):
    """(words of the command, folder of its report, README) of one full evaluation."""
    folder = tmp_path_factory.mktemp("evaluated")
    readme = folder / "README.md"
    readme.write_text("before\n<!-- report: small, test -->\nold\n<!-- end of report -->\nafter\n")
    words = ["train", "evaluate", "--model", exported, "--data", data, "--split", "test"]
    done = here(*words, "--out", folder / "out", "--readme", readme)
    assert done.returncode == 0, done.stderr
    return words, folder / "out", readme


def test_the_command_writes_a_report_pictures_and_the_readme(evaluated):
    _, out, readme = evaluated
    report = json.loads((out / "report.json").read_text())
    assert list(report["tiers"]) == ["clean", "web", "hard"]
    assert report["tiers"]["web"]["made_smaller"] == 0 and report["machine"]["cores"] >= 1
    for tier in report["tiers"].values():
        assert tier["all"]["pictures"] == 32 and sum(s["pictures"] for s in tier["sources"].values()) == 32
    assert report["tiers"]["clean"]["all"]["auc"] > 0.7 and report["latency_ms"] > 0
    assert [p["quality"] for p in report["curves"]["jpeg"]] == [100, 90, 80, 70, 60, 50, 40, 30, 20]
    assert report["curves"]["scale"][0]["macro"]["auc"] == pytest.approx(report["tiers"]["clean"]["macro"]["auc"])
    markdown = (out / "report.md").read_text()
    shown = re.findall(r"!\[[^]]*\]\(([^)]+)\)", markdown)
    assert sorted(shown) == sorted(p.name for p in out.glob("*.png")) and len(shown) == 5
    for name in shown:
        with Image.open(out / name) as picture:
            assert picture.width > 400
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert readme_markdown(report) in text and readme_markdown(report) in markdown


def test_a_report_is_measured_again(evaluated, tmp_path):
    words, out, _ = evaluated
    assert here(*words, "--check", out / "report.json").returncode == 0
    report = json.loads((out / "report.json").read_text())
    report["tiers"]["hard"]["all"]["accuracy"] -= 0.05
    (tmp_path / "report.json").write_text(json.dumps(report))
    checked = here(*words, "--check", tmp_path / "report.json")
    assert checked.returncode == 1 and "hard.all.accuracy" in checked.stdout


def test_a_readme_without_marks_stays_as_it_is(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("no marks here")
    with pytest.raises(DataError, match="no lines"):
        update_readme(readme, "small, test", "| a table |")
    assert readme.read_text() == "no marks here"


def test_pictures_held_out_by_the_seed_are_the_ones_measured(data, recipe_file, short_backbone, tmp_path):
    """Plain class folders: fit, export and evaluate must hold out the same pictures."""
    for label in ("real", "fake"):
        shutil.copytree(data / "train" / label, tmp_path / "data" / label)
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
    nameless = re.compile(r"\| pictures \| 16 \| [01]\.\d{3} ")
    assert sum(bool(nameless.match(row)) for row in rows) >= 3  # in every tier
    assert measured["all"]["pictures"] == len(expected) == 16 and metrics["auc"] == measured["all"]["auc"]
    right = sum((v.p_fake >= 0.5) == ("/fake/" in path) for v, path in zip(expected, held_out, strict=True))
    assert measured["all"]["accuracy"] == pytest.approx(right / 16)


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
    chosen = [sample for sample in read_samples(faces_data) if sample.split == "test"][::6]
    p_fake = np.array([v.p_fake for v in Detector(ROOT / "model.onnx").predict([s.path for s in chosen])])
    metrics = binary_metrics(p_fake, np.array([s.label for s in chosen]))
    assert len(chosen) > 250 and report["model"]["sha256"] == Model(ROOT / "model.onnx").sha256
    assert metrics["auc"] == pytest.approx(report["tiers"]["clean"]["all"]["auc"], abs=0.05)
