"""Frozen backbones: what they see, their features in files, and the heads that are trained on these."""

import keras
import numpy as np
import pytest
from networks import short_mobilenet

from train import features
from train.backbones import dfp_head, expected_input, feature_extractor, input_mode, paper_head, train_head
from train.batches import Batches
from train.crops import Framing, cached_crops
from train.data import DataError, read_samples
from train.features import Features, cached_features
from train.network import WeightsError
from train.recipe import load_recipe

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["caffe", "torch"])
def test_preprocessing_is_that_of_keras_applications(mode):
    pixels = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    ours = np.asarray(expected_input(keras.ops.convert_to_tensor(pixels), mode))
    assert ours == pytest.approx(keras.applications.imagenet_utils.preprocess_input(pixels * 255, mode=mode), abs=1e-3)


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "resnet50"])
def test_each_backbone_sees_what_its_own_weights_expect(name):
    """The extractor against keras.applications' own preprocess_input, before the same layers."""
    extractor, mode = feature_extractor(name, 32, None)
    pixels = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    prepared = getattr(keras.applications, name).preprocess_input(pixels * 255)
    expected = extractor.layers[-1].predict_on_batch(prepared)
    assert mode == "caffe" and not extractor.trainable_weights
    assert extractor.predict_on_batch(pixels) == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert expected.shape == {"vgg16": (2, 1, 1, 512), "vgg19": (2, 512), "resnet50": (2, 2048)}[name]


def test_what_tests_train_is_the_beginning_of_mobilenet():
    whole = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    short = short_mobilenet(32, None)
    _, *begin = (layer.get_config() for layer in whole.layers[: len(short.layers)])
    assert begin == [layer.get_config() for layer in short.layers[1:]] and short.name == whole.name


def test_weights_of_torchvision_are_known_by_their_first_biases():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(64, 3)])
    assert input_mode(model) == "caffe"
    kernel, bias = model.layers[0].get_weights()
    bias[:4] = [0.40338, 0.37779, 0.46436, -0.32276]
    model.layers[0].set_weights([kernel, bias])
    assert input_mode(model) == "torch"


def test_the_hybrid_pools_whatever_maps_there_are(recipe_file):
    for side, flat in ((8, 4 * 4 * 1025), (3, 1025), (1, 1025)):
        head = dfp_head((side, side, 16), load_recipe(recipe_file))
        assert head.output_shape == (None, 2)
        assert next(x for x in head.layers if isinstance(x, keras.layers.Flatten)).output.shape[1] == flat


def test_a_head_keeps_its_best_epoch_stops_early_and_is_repeatable(recipe_file, tmp_path):
    """Views whose labels get ever worse: after the first epoch, training can only harm."""
    recipe = load_recipe(recipe_file)
    patient = recipe.early_stopping.model_copy(update={"patience": 2})
    recipe = recipe.model_copy(update={"epochs": 20, "early_stopping": patient})
    rng = np.random.default_rng(0)
    values = rng.normal(size=(96, 8)).astype(np.float32)
    labels = (values[:, 0] > 0).astype(np.int64)
    views, val = [Features(values, labels, 0), *[Features(values, 1 - labels, 0)] * 19], Features(values, labels, 0)

    def trained(name):
        keras.utils.set_random_seed(recipe.seed)
        head = paper_head((8,), recipe)
        result = train_head(head, views, val, recipe, tmp_path / f"{name}.weights.h5")
        return result, head.predict_on_batch(values)

    (first, logits), (second, same) = trained("one"), trained("two")
    assert first["best_epoch"] == 1 and first["epochs"] == 1 + recipe.early_stopping.patience
    assert np.array_equal(logits, same) and second["epochs"] == first["epochs"]
    kept, read = trained("one")
    assert kept == first and np.array_equal(read, logits)


def test_damaged_weights_end_in_a_sentence(tmp_path):
    (tmp_path / "vgg16.weights.h5").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="of vgg16 cannot be had"):
        feature_extractor("vgg16", 32, tmp_path / "vgg16.weights.h5")


def test_features_are_computed_once_whatever_happens(data, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "PART", 2)
    samples = [s for s in read_samples(data, 7) if s.split == "train"]
    crops = cached_crops(samples, Framing(0.3), "bilinear", tmp_path / "crops", "train")
    batches, calls = Batches(crops, 10, 32), []

    def compute(pixels):
        if len(calls) == 5 and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        calls.append(len(pixels))
        return pixels.mean(axis=(1, 2))

    interrupted = []
    with pytest.raises(KeyboardInterrupt):
        cached_features(compute, batches, tmp_path / "features", "train0")
    found = cached_features(compute, batches, tmp_path / "features", "train0")
    assert len(calls) == len(batches) + 1  # five before, of which one in a part that was not whole, then the rest
    expected = np.concatenate([batches[n][0].mean(axis=(1, 2)) for n in range(len(batches))])
    assert np.array_equal(found.values, expected) and np.array_equal(found.labels, crops.labels)
    assert not list((tmp_path / "features").glob(".partial-*"))
    with pytest.raises(DataError, match="not all finite"):
        cached_features(lambda pixels: pixels.mean(axis=(1, 2)) * np.nan, batches, tmp_path / "broken", "train0")
