"""The classical baseline: what its features measure, and how its classifier is chosen."""

import numpy as np
import pytest

from train import classical
from train.classical import (
    UNIFORM,
    batch_features,
    choose_classifier,
    hog,
    judge,
    lbp_histogram,
    picture_features,
    power_spectrum,
    probability_of_fake,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def crops():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def test_features_depend_on_the_pixels_alone(crops):
    alone = [picture_features(crop) for crop in crops]
    assert len({len(f) for f in alone}) == 1 and all(f.dtype == np.float32 and np.isfinite(f).all() for f in alone)
    strided = np.repeat(crops, 2, axis=2)[:, :, ::2]
    assert not strided[0].flags.c_contiguous
    untouched = crops.copy()
    for crop, view, expected in zip(crops, strided, alone, strict=True):
        assert np.array_equal(picture_features(crop), expected)
        assert np.array_equal(picture_features(view), expected)
    assert np.array_equal(crops, untouched)
    pixels = crops.astype(np.float32) / np.float32(255)
    assert np.array_equal(batch_features(pixels), np.stack(alone))
    assert np.array_equal(batch_features(pixels[::-1]), np.stack(alone[::-1]))
    changed = crops[0].copy()
    changed[10:20, 10:20] //= 2
    assert not np.array_equal(picture_features(changed), alone[0])


def test_flat_and_black_pictures_have_finite_features():
    for value in (0, 128, 255):
        assert np.isfinite(picture_features(np.full((96, 96, 3), value, np.uint8))).all()


def test_local_binary_patterns():
    assert sorted(set(UNIFORM)) == list(range(59)) and (UNIFORM == 58).sum() == 256 - 58
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 200, (32, 32), dtype=np.uint8)
    histogram = lbp_histogram(picture)
    assert histogram.shape == (59,) and histogram.sum() == pytest.approx(1)
    assert np.array_equal(lbp_histogram(picture + 50), histogram)  # brightness does not matter
    flat = lbp_histogram(np.full((8, 8), 7, np.uint8))
    assert flat[UNIFORM[255]] == 1
    spot = np.full((3, 3), 5, np.uint8)
    spot[0, 0] = 9  # the centre is surpassed by none but the first neighbour
    spot[1, 1] = 8
    assert lbp_histogram(spot)[UNIFORM[1]] == 1


@pytest.mark.parametrize("frequency", [3, 7, 14])
def test_the_spectrum_finds_the_band_of_a_texture(frequency):
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(32) * 32] * 2))
    ring = np.exp(2j * np.pi * np.random.default_rng(2).random((32, 32))) * (np.abs(radius - frequency) < 0.5)
    texture = np.fft.ifft2(ring).real
    bands = power_spectrum((128 + 100 * texture / np.abs(texture).max()).astype(np.uint8))
    assert bands.shape == (16,) and bands.argmax() == frequency


def test_gradients_know_directions():
    stripes = np.tile(np.repeat([0, 255], 2).astype(np.uint8), 8)
    picture = np.tile(stripes, (32, 1))
    across, down = (hog(p).reshape(-1, 9) for p in (picture, np.ascontiguousarray(picture.T)))
    assert across.size == 324 and across.sum(0).argmax() != down.sum(0).argmax()


def test_the_best_candidate_on_val_is_taken(monkeypatch):
    every = classical.candidates(0)
    assert len(every) == 4
    few = {name: c.set_params(max_iter=20) if hasattr(c, "max_iter") else c for name, c in every.items()}
    monkeypatch.setattr(classical, "candidates", lambda seed: few)
    rng = np.random.default_rng(3)
    features = rng.normal(size=(120, 6)).astype(np.float32)
    labels = (features[:, 0] + features[:, 1] * features[:, 2] > 0).astype(np.int64)
    parts = (features[:80], labels[:80]), (features[80:], labels[80:])
    classifier, name, scores = choose_classifier(*parts, seed=0)
    assert scores[name] == max(scores.values()) > 0.7 and len(scores) == 4
    p = probability_of_fake(classifier, features)
    assert np.array_equal(p >= 0.5, classifier.predict(features) == 1) and ((p > 0) & (p < 1)).all()
    assert choose_classifier(*parts, seed=0)[2] == scores


def test_crops_are_judged_by_their_features(crops):
    class Named:
        def predict_proba(self, features):
            return np.column_stack([1 - features[:, 0], features[:, 0]])

    assert np.array_equal(judge(Named(), crops), [picture_features(crop)[0] for crop in crops])
