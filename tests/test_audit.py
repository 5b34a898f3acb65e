"""train.audit: single measures on made-up pictures, then whole audits of a small data set with known shortcuts."""

import argparse
import csv
import json
import re
import shutil
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import make_faces
from PIL import Image
from sklearn.metrics import roc_auc_score

from detect.faces import FaceFinder
from detect.picture import open_picture
from train import audit
from train.audit_duplicates import duplicates, near_numbers
from train.audit_features import (
    NO_JPEG,
    Measured,
    blockiness,
    file_features,
    jpeg_quality,
    measure,
    perceptual_hash,
    pixel_features,
    radial_spectrum,
)
from train.audit_shortcuts import SHORTCUT, auc_interval, giveaway
from train.data import DataError, Sample, read_samples
from train.recipe import load_recipe

RECIPE = load_recipe(audit.RECIPE)
QUALITIES = {"leaky": {"real": 95, "fake": 60}, "fair": {"real": 80, "fake": 80}}


def cloud(seed: int, side: int = 200) -> np.ndarray:
    """[side, side, 3] uint8: smooth noise with some fine detail, alike in statistics, never in content."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)), (0, 0), sigma) for sigma in (20, 5, 1)]
    return np.clip(128 + 45 * sum(layer / layer.std() for layer in layers) / 1.5, 0, 255).astype(np.uint8)


def saved(picture: np.ndarray, path: Path, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)
    return path


def run(data: Path, out: Path) -> int:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    return audit.run(parser.parse_args(["--data", str(data), "--out", str(out)]))


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 60, 75, 90, 95, 99, 100])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(tmp_path, quality):
    for progressive in (False, True):
        path = saved(cloud(1), tmp_path / "a.jpg", quality=quality, progressive=progressive)
        with Image.open(path) as image:
            assert jpeg_quality(image.quantization) == (quality, True)


def test_a_foreign_table_gets_the_nearest_quality(tmp_path):
    with Image.open(saved(cloud(1), tmp_path / "a.jpg", quality=80)) as image:
        table = list(image.quantization[0])
    table[3] += 1
    assert jpeg_quality({0: table}) == (80, False)


def test_facts_of_a_file(tmp_path):
    picture = cloud(2)[:, :150]
    for subsampling, chroma in (("4:2:0", 4), ("4:2:2", 2), ("4:4:4", 1)):
        path = saved(picture, tmp_path / "a.jpg", quality=70, subsampling=subsampling)
        features, kind, exact = file_features(path.read_bytes())
        assert (kind, exact, features["chroma"], features["jpeg_quality"]) == ("JPEG", True, chroma, 70)
        assert (features["width"], features["height"]) == (150, 200)
        assert features["bits_per_pixel"] == path.stat().st_size * 8 / 30000
    features, kind, exact = file_features(saved(picture, tmp_path / "a.png").read_bytes())
    assert (kind, exact, features["jpeg_quality"]) == ("PNG", False, NO_JPEG)
    assert (features["is_png"], features["is_jpeg"]) == (1, 0)


def test_statistics_of_pixels():
    plain = np.full((64, 64, 3), (200, 100, 100), np.uint8)
    features = pixel_features(plain, radial_spectrum(plain))
    assert (features["red"], features["green"], features["blue"]) == (200, 100, 100)
    assert features["saturation"] == pytest.approx(127.5, abs=1) and features["brightness"] == pytest.approx(130, abs=1)
    assert features["sharpness"] == 0 and np.isfinite(list(features.values())).all()
    sharp, soft = (pixel_features(p, radial_spectrum(p)) for p in (cloud(3), cv2.GaussianBlur(cloud(3), (0, 0), 2)))
    assert sharp["sharpness"] > 3 * soft["sharpness"] and sharp["band_5"] > soft["band_5"] + 10


def test_blocks_of_a_strong_jpeg_are_seen(tmp_path):
    grey = cv2.cvtColor(cloud(4), cv2.COLOR_RGB2GRAY)
    before, after = (
        blockiness(open_picture(saved(grey, tmp_path / "a.jpg", quality=quality))[..., 0].astype(float))
        for quality in (95, 5)
    )
    assert before < 1.2 < 1.5 < after


def test_the_spectrum_of_a_wave_peaks_at_its_frequency():
    x = np.arange(160)
    for cycles in (5, 20, 60):
        wave = np.rint(128 + 100 * np.sin(2 * np.pi * cycles * x / 160)).astype(np.uint8)
        spectrum = radial_spectrum(np.repeat(np.tile(wave, (160, 1))[..., None], 3, axis=2))
        assert spectrum.shape == (80,) and spectrum.argmax() == cycles - 1
        assert (10 ** (spectrum / 10)).sum() == pytest.approx(1)


def test_the_hash_survives_a_messenger_and_tells_strangers_apart(tmp_path):
    hashes = [perceptual_hash(cloud(seed)) for seed in range(20)]
    small = cv2.resize(cloud(0), (90, 90), interpolation=cv2.INTER_AREA)
    again = perceptual_hash(open_picture(saved(small, tmp_path / "a.jpg", quality=30)))
    assert (hashes[0] ^ again).bit_count() <= 4
    assert min((a ^ b).bit_count() for a, b in combinations(hashes, 2)) > 10


def test_near_hashes_are_those_of_a_plain_search():
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 2**63, 700, dtype=np.uint64)
    for a, b, bits in ((3, 690, 0), (10, 11, 8), (255, 256, 5), (600, 20, 9)):
        hashes[b] = hashes[a] ^ np.uint64((1 << bits) - 1)
    found = {(int(a), int(b)): int(d) for parts in near_numbers(hashes, 8) for a, b, d in zip(*parts, strict=True)}
    assert found == {(3, 690): 0, (10, 11): 8, (255, 256): 5}


def measured(path: Path, data: Path, split: str = "train", label: int = 0, source: str = "", group="") -> Measured:
    return measure(Sample(path, label, split, source, group), data, RECIPE, FaceFinder())[0]


def test_a_copy_in_another_split_is_found_whatever_its_size_and_quality(tmp_path):
    pictures = [measured(saved(cloud(s), tmp_path / f"train/{s}.png"), tmp_path) for s in range(12)]
    small = cv2.resize(cloud(3)[4:, 3:], (120, 120), interpolation=cv2.INTER_AREA)
    copy = saved(small, tmp_path / "test/copy.jpg", quality=60)
    pictures.append(measured(copy, tmp_path, "test", label=1, source="other"))
    pictures += [measured(saved(cloud(s), tmp_path / f"test/{s}.png"), tmp_path, "test") for s in range(20, 24)]
    same = saved(cloud(7), tmp_path / "val/same.png")
    pictures.append(measured(same, tmp_path, "val"))
    found = duplicates(pictures)
    assert found["near"]["across_splits"] == [
        {"splits": "train and test", "sources": "pictures and other", "candidates": 1, "same": 1,
         "same_with_both_labels": 1}
    ]  # fmt: skip
    assert [(pair["a"], pair["b"]) for pair in found["near"]["closest"]] == [("train/3.png", "test/copy.jpg")]
    assert found["identical"] == {
        "pairs": 1, "across_splits": 1, "with_both_labels": 0, "listed": [{"a": "train/7.png", "b": "val/same.png"}]
    }  # fmt: skip


def test_strangers_of_one_composition_are_near_but_not_the_same(tmp_path):
    coarse = cv2.GaussianBlur(cloud(1), (0, 0), 9).astype(float)
    for seed in (1, 2):
        noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 60, coarse.shape), (0, 0), 1)
        saved(np.clip(coarse + noise, 0, 255).astype(np.uint8), tmp_path / f"{seed}.png")
    pictures = [measured(tmp_path / "1.png", tmp_path), measured(tmp_path / "2.png", tmp_path, "test")]
    [row] = duplicates(pictures)["near"]["across_splits"]
    assert (row["candidates"], row["same"]) == (1, 0)


def test_the_interval_holds_the_auc_and_counts_groups_not_pictures():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    scores = rng.normal(labels, 1)
    singles = np.arange(120)
    low, high = auc_interval(scores, labels, singles, np.random.default_rng(1))
    assert low < roc_auc_score(labels, scores) < high and 0.08 < high - low < 0.25
    copied = [np.repeat(values, 8) for values in (scores, labels, singles)]
    wide = auc_interval(*copied, np.random.default_rng(1))
    narrow = auc_interval(*copied[:2], np.arange(960), np.random.default_rng(1))
    assert wide == pytest.approx((low, high)) and narrow[1] - narrow[0] < 0.5 * (high - low)
    assert auc_interval(labels + 0.0, labels, singles, np.random.default_rng(1)) == (1, 1)


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
                    saved(open_picture(path), folder / name, quality=quality)
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
    assert report["pictures"] == 4 * 36 + 1
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


def test_the_same_data_gives_the_same_report(leaking, audited, tmp_path, capsys):
    assert run(leaking, tmp_path / "again") == 0
    for name in ("audit.json", "audit.md", "faces/mean_faces.jpg", "faces/samples_02_fake.jpg", "faces/pairs.jpg"):
        assert (tmp_path / "again" / name).read_bytes() == (audited / name).read_bytes()
    printed = capsys.readouterr().out
    assert "| leaky | 30 | 30 | **1.000 (" in printed and "shortcuts: leaky" in printed


def test_small_sources_are_left_out(leaking):
    samples = [s for s in read_samples(leaking) if s.source == "fair" and s.split == "train"]
    few = [measured(s.path, leaking, s.split, s.label, s.source, s.group) for s in samples[:10] + samples[-10:]]
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
    report, _ = audit.audit(samples, faces_data, RECIPE)
    stages = report["giveaway"]["sources"]["lfw-faceswap"]["stages"]
    assert report["pictures"] == len(samples) == 250 and not report["unreadable"]
    assert stages["file"]["shortcut"] and next(iter(stages["file"]["features"])) == "jpeg_quality"
    assert stages["normalised"]["auc"] < stages["crop"]["auc"] < stages["file"]["auc"]
