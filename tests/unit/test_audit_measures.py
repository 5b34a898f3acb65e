"""train.audit: single measures on made-up pictures."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture
from train import audit
from train.audit_duplicates import duplicates, near_numbers
from train.audit_features import (
    NO_JPEG,
    Hashed,
    Measured,
    blockiness,
    file_features,
    hashed,
    jpeg_quality,
    measure,
    perceptual_hash,
    pixel_features,
    radial_spectrum,
)
from train.audit_shortcuts import auc_interval
from train.data import Sample
from train.recipe import load_recipe

pytestmark = pytest.mark.slow

RECIPE = load_recipe(audit.RECIPE)


def cloud(seed: int, side: int = 200) -> np.ndarray:
    """[side, side, 3] uint8: smooth noise with some fine detail, alike in statistics, never in content."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)), (0, 0), sigma) for sigma in (20, 5, 1)]
    return np.clip(128 + 45 * sum(layer / layer.std() for layer in layers) / 1.5, 0, 255).astype(np.uint8)


def saved(picture: np.ndarray, path: Path, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)
    return path


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
    return measure(
        Sample(path, label, split, source, group, name=path.relative_to(data).as_posix()), RECIPE, FaceFinder()
    )[0]


def seen(path: Path, data: Path, split: str = "train", label: int = 0, source: str = "") -> Hashed:
    return hashed(Sample(path, label, split, source, "", name=path.relative_to(data).as_posix()))


def test_a_copy_in_another_split_is_found_whatever_its_size_and_quality(tmp_path):
    pictures = [seen(saved(cloud(s), tmp_path / f"train/{s}.png"), tmp_path) for s in range(12)]
    small = cv2.resize(cloud(3)[4:, 3:], (120, 120), interpolation=cv2.INTER_AREA)
    copy = saved(small, tmp_path / "test/copy.jpg", quality=60)
    pictures.append(seen(copy, tmp_path, "test", label=1, source="other"))
    pictures += [seen(saved(cloud(s), tmp_path / f"test/{s}.png"), tmp_path, "test") for s in range(20, 24)]
    same = saved(cloud(7), tmp_path / "val/same.png")
    pictures.append(seen(same, tmp_path, "val"))
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
    pictures = [seen(tmp_path / "1.png", tmp_path), seen(tmp_path / "2.png", tmp_path, "test")]
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
