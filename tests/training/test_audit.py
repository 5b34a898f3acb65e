"""train.audit: whole audits of a small data set with known shortcuts; single measures are in test_audit_measures.py."""

import argparse
import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from data_sets import make_faces
from PIL import Image

from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture
from train import audit
from train.audit_features import (
    measure,
)
from train.audit_shortcuts import SHORTCUT, giveaway
from train.data import DataError, read_samples
from train.recipe import load_recipe

pytestmark = pytest.mark.slow

RECIPE = load_recipe(audit.RECIPE)
QUALITIES = {"leaky": {"real": 95, "fake": 60}, "fair": {"real": 80, "fake": 80}}


def run(data: Path, out: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    return audit.run(parser.parse_args(["--data", str(data), "--out", str(out), *words]))


@pytest.fixture(scope="module")
def leaking(portrait, tmp_path_factory) -> Path:
    """Portraits without a fake among them: only the JPEG quality of "leaky" tells the classes apart."""
    folder, raw, rows = tmp_path_factory.mktemp("leaking"), tmp_path_factory.mktemp("raw"), []
    for number, (split, count) in enumerate((("train", 30), ("val", 3), ("test", 3))):
        for source, qualities in QUALITIES.items():
            for label, quality in qualities.items():
                pictures = raw / f"{split}_{source}_{label}"
                make_faces(portrait, pictures, count, fake=False, seed=len(rows) + number)
                for place, path in enumerate(sorted(pictures.iterdir())):
                    name = f"{split}/{label}/{source}_{path.stem}.jpg"
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(open_picture(path)).save(folder / name, quality=quality)
                    rows.append((name, split, label, source, f"{source}-{place // 2}" if split == "train" else ""))
    shutil.copy(folder / rows[0][0], folder / "test/fake/copy.jpg")
    (folder / "val/real/broken.jpg").write_bytes((folder / rows[0][0]).read_bytes()[:900])
    rows += [("test/fake/copy.jpg", "test", "fake", "fair", ""), ("val/real/broken.jpg", "val", "real", "fair", "")]
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "split", "label", "source", "group"), *rows])
    return folder


@pytest.fixture(scope="module")
def audited(leaking, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("results") / "new" / "audit"
    assert run(leaking, out) == 0
    return out


@pytest.fixture(scope="module")
def report(audited) -> dict:
    return json.loads((audited / "audit.json").read_text())


def test_a_difference_in_quality_is_a_shortcut(report):
    file = report["giveaway"]["sources"]["leaky"]["stages"]["file"]
    assert file["shortcut"] and file["low"] > 0.95
    assert file["features"]["jpeg_quality"] == {"auc": 1, "real": 95, "fake": 60}
    assert next(iter(file["features"])) in ("jpeg_quality", "kilobytes", "bits_per_pixel")


def test_equal_quality_is_none(report):
    stages = report["giveaway"]["sources"]["fair"]["stages"]
    assert not any(stage["shortcut"] for stage in stages.values())
    assert stages["file"]["features"]["jpeg_quality"]["auc"] == 0.5


def test_normalising_takes_most_of_it_away(report):
    stages = report["giveaway"]["sources"]["leaky"]["stages"]
    assert stages["crop"]["shortcut"] and stages["crop"]["auc"] > 0.95
    assert stages["normalised"]["auc"] < stages["crop"]["auc"] - 0.1


def test_the_figures_count_what_is_there(report):
    assert report["pictures"] == report["measured"] == 4 * 36 + 1
    assert [row["picture"] for row in report["unreadable"]] == ["val/real/broken.jpg"]
    assert report["balance"]["train"] == {source: {"real": 30, "fake": 30} for source in ("fair", "leaky")}
    assert report["balance"]["test"]["fair"] == {"real": 3, "fake": 4}
    fake = report["properties"]["leaky"]["fake"]
    assert (fake["pictures"], fake["formats"], fake["inexact_quality"]) == (36, {"JPEG": 36}, 0)
    assert fake["stages"]["file"]["jpeg_quality"]["p10"] == fake["stages"]["file"]["jpeg_quality"]["p90"] == 60
    assert fake["stages"]["file"]["width"]["median"] == 150 and fake["no_face"] < 5
    assert report["duplicates"]["identical"] == {
        "pairs": 1, "across_splits": 1, "with_both_labels": 1,
        "listed": [{"a": "train/real/leaky_000.jpg", "b": "test/fake/copy.jpg"}],
    }  # fmt: skip


def test_the_report_names_everything_and_no_face_lies_outside_its_folder(leaking, audited, report):
    text = (audited / "audit.md").read_text()
    assert "`val/real/broken.jpg`" in text and "test/fake/copy.jpg" in text
    assert re.search(r"\*\*leaky\*\*: shortcut at file", text) and "**fair**: shortcut" not in text
    assert str(leaking) not in text + json.dumps(report)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert {path.name for path in audited.iterdir()} == {"audit.json", "audit.md", "faces"} | {
        link for link in links if "/" not in link
    }
    plots = [link for link in links if "/" not in link]
    assert len(plots) == 5 and text.count("![") == 5  # faces are linked, not shown
    for link in links:
        with Image.open(audited / link) as picture:
            assert picture.width > 300 and picture.convert("L").getextrema()[1] > 100
    faces = {link for link in links if "/" in link}
    assert faces == {f"faces/{path.name}" for path in (audited / "faces").glob("*.jpg")}
    assert {"faces/mean_faces.jpg", "faces/pairs.jpg", "faces/samples_01_real.jpg"} <= faces and len(faces) >= 6
    assert (audited / "faces" / ".gitignore").read_text() == "*\n"


def test_what_train_shares_with_another_split_is_counted_as_left_out(report, audited):
    kinds = {(row["source"], row["label"], row["reason"]) for row in report["removed"]}
    assert ("leaky", "real", "near duplicate") in kinds  # it is in test as well, see `leaking`
    left_out = sum(row["pictures"] for row in report["removed"])
    text = (audited / "audit.md").read_text()
    assert f"- {left_out} training pictures are of a group" in text and "### Left out of training" in text


def test_of_many_pictures_some_are_measured_and_all_compared(leaking, report, tmp_path):
    assert run(leaking, tmp_path, "--pictures", "2") == 0
    few = json.loads((tmp_path / "audit.json").read_text())
    assert (few["pictures"], few["measured"], few["most"]) == (report["pictures"], 3 * 2 * 2 * 2, 2)
    assert (few["balance"], few["duplicates"]) == (report["balance"], report["duplicates"])
    assert few["folders"] == {leaking.name: few["data_sha256"]}
    assert "24 of them were measured, at most 2 of each" in (tmp_path / "audit.md").read_text()


def test_the_same_data_gives_the_same_report(leaking, audited, tmp_path, capsys):
    assert run(leaking, tmp_path / "again") == 0
    for name in ("audit.json", "audit.md", "faces/mean_faces.jpg", "faces/samples_02_fake.jpg", "faces/pairs.jpg"):
        assert (tmp_path / "again" / name).read_bytes() == (audited / name).read_bytes()
    printed = capsys.readouterr().out
    assert "| leaky | 30 | 30 | **1.000 (" in printed and "shortcuts: leaky" in printed


def test_small_sources_are_left_out(leaking):
    samples = [s for s in read_samples(leaking) if s.source == "fair" and s.split == "train"]
    few = [measure(sample, RECIPE, FaceFinder())[0] for sample in samples[:10] + samples[-10:]]
    assert giveaway(few, 0) is None


def test_what_cannot_be_done_ends_in_one_sentence(leaking, tmp_path):
    (tmp_path / "file").write_text("")
    plain = tmp_path / "plain"
    for label in ("real", "fake"):
        (plain / label).mkdir(parents=True)
        (plain / label / "a.jpg").write_text("not a picture")
    before = sorted(path for path in leaking.rglob("*"))
    for data, out, says in (
        (tmp_path / "absent", tmp_path / "out", "There is no folder"),
        (leaking, tmp_path / "file", "is a file"),
        (leaking, leaking / "out", "lies in"),
        (plain, tmp_path / "out", "Not one picture"),
    ):
        with pytest.raises(DataError, match=says) as error:
            run(data, out)
        assert str(error.value).count("\n") == 0
    assert sorted(path for path in leaking.rglob("*")) == before


def test_folders_without_a_manifest_are_one_nameless_source(leaking, tmp_path):
    for label, name in (("real", "fair"), ("fake", "fair")):
        (tmp_path / "data" / label).mkdir(parents=True)
        for path in sorted((leaking / "train" / label).glob(f"{name}_*.jpg"))[:6]:
            shutil.copy(path, tmp_path / "data" / label / path.name)
    assert run(tmp_path / "data", tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert report["giveaway"] == {"threshold": SHORTCUT, "all": None, "sources": {"pictures": None}}
    assert "No source has" in (tmp_path / "out" / "audit.md").read_text()
    assert not (tmp_path / "out" / "giveaway.png").exists()


def test_the_swaps_on_labeled_faces_in_the_wild_are_given_away_by_their_files(faces_data):
    samples = [s for s in read_samples(faces_data) if s.source == "lfw-faceswap" and s.split == "train"][::4]
    report, _ = audit.audit(samples, faces_data, RECIPE, 250)
    stages = report["giveaway"]["sources"]["lfw-faceswap"]["stages"]
    assert report["pictures"] == len(samples) == 250 and not report["unreadable"]
    assert stages["file"]["shortcut"] and next(iter(stages["file"]["features"])) == "jpeg_quality"
    assert stages["normalised"]["auc"] < stages["crop"]["auc"] < stages["file"]["auc"]
