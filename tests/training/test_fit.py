"""A miniature training run through the command line, disturbed and undisturbed."""

import csv
import json
import re
import shutil

import keras
import numpy as np
import pytest
import yaml
from commands import fit_command, here
from data_sets import RECIPE
from networks import same_weights, weights, weights_apart
from PIL import Image

from train import fit as training
from train import network
from train.calibrate import Asked, fit_temperature, unsure_band
from train.epoch import run_epoch
from train.recipe import load_recipe

pytestmark = pytest.mark.slow


def test_a_run_leaves_what_it_should(run_folder):
    history = list(csv.DictReader((run_folder / "history.csv").open()))
    assert [int(row["epoch"]) for row in history] == [1, 2, 3, 4, 5, 6]
    assert [float(row["learning_rate"]) for row in history] == pytest.approx([3e-2] * 4 + [2e-1] * 2)
    with Image.open(run_folder / "curves.png") as curves:
        assert curves.width > 400
    calibration = json.loads((run_folder / "calibration.json").read_text())
    assert calibration["temperature"] > 0 and calibration["unsure_band"][0] <= 0.5 <= calibration["unsure_band"][1]
    assert [p.name for p in (run_folder / "state").iterdir()] == ["epoch_0006.weights.h5"]
    assert not list(run_folder.rglob("*partial*"))
    output = (run_folder / "output.txt").read_text()
    assert re.search(r"train: pairs: no face in \d+ of \d+, those are used whole", output) and "Epoch 6/6" in output


def test_training_learns(run_folder):
    history = list(csv.DictReader((run_folder / "history.csv").open()))
    losses = [float(row["loss"]) for row in history]
    assert min(losses) < 0.7 * losses[0]
    assert max(float(row["val_accuracy"]) for row in history) > 0.8


class Pictures(keras.utils.PyDataset):
    """Three batches of noise, the last one smaller."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        count = 3 if index == 2 else 8
        return rng.normal(size=(count, 4)).astype(np.float32), rng.integers(0, 2, count)


def test_an_epochs_figures_are_means_over_its_pictures():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=["accuracy"])  # at this rate every step sees one network
    callbacks = keras.callbacks.CallbackList(model=model, epochs=1, steps=3, verbose=0)
    row = run_epoch(model, Pictures(), Pictures(), 0, callbacks)
    for name, value in model.evaluate(Pictures(), verbose=0, return_dict=True).items():
        assert row[name] == pytest.approx(value, rel=1e-5) == row[f"val_{name}"]


def test_views_that_score_apart_cost_what_the_recipe_says():
    recipe = load_recipe("shipped").model_copy(update={"kinds": None, "label_smoothing": 0.1, "consistency": 0.5})
    logits = np.array([[0.0, 1.0], [0.0, 3.0], [2.0, 2.0], [2.0, 2.0]], np.float32)
    costs = []
    for chosen in (recipe, recipe.model_copy(update={"consistency": None})):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Identity()])
        training.compile_model(model, chosen, 0)
        costs.append(model.test_on_batch(logits, np.array([1, 1, 0, 0]), return_dict=True)["loss"])
    assert costs[0] - costs[1] == pytest.approx(0.5 * (1 - 3) ** 2 / 2)  # the mean of this pair and of one that agrees


def test_a_run_that_was_cut_off_goes_on_and_ends_with_the_same_weights(
    run_folder, data, recipe_file, short_backbone, tmp_path
):
    """tests/hardening/test_training.py kills runs at any moment."""
    out = tmp_path / "cut"
    shutil.copytree(run_folder.parent / "cut", out)
    assert not (out / "calibration.json").exists()
    resumed = here(*fit_command(data, recipe_file, short_backbone, out))
    assert resumed.returncode == 0, resumed.stderr
    assert "going on after epoch 2" in resumed.stdout and "Epoch 1/" not in resumed.stdout
    assert (out / "history.csv").read_text() == (run_folder / "history.csv").read_text()
    assert weights_apart(out / "state/epoch_0006.weights.h5", run_folder / "state/epoch_0006.weights.h5") == {}
    assert weights_apart(out / "best.weights.h5", run_folder / "best.weights.h5") == {}


def test_growing_sizes_and_every_augmentation_resume_to_the_same_weights(
    data, short_backbone, tmp_path, monkeypatch, capsys
):
    """A run, and what was on disk of it where the size grows and the first layers are kept, gone on with."""
    recipe = tmp_path / "growing.yaml"
    base = load_recipe("first").model_dump()
    small = {
        "erase": 0.5,
        "saturation": 0.2,
        "consistency": 0.02,
        "size": 64,
        "sizes": {0: 32, 1: 64},
        "first_trained_layer": {1: "expanded_conv_depthwise"},
        "epochs": 3,
        "batch_size": 16,
    }
    small |= {"average": 0.9, "learning_rate": {0: 1e-3, 2: 1e-4}, "decided_accuracy": 0.8}
    recipe.write_text(yaml.safe_dump(base | small))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    original = training._save_epoch

    def save_and_copy(run, model, history, average):
        original(run, model, history, average)
        if len(history) == 1:
            shutil.copytree(whole, cut)

    with monkeypatch.context() as patch:
        patch.setattr(training, "_save_epoch", save_and_copy)
        training.fit(load_recipe(recipe), data, short_backbone, whole)
    training.fit(load_recipe(recipe), data, short_backbone, cut)
    assert "going on after epoch 1 of 3" in capsys.readouterr().out
    assert (whole / "history.csv").read_text() == (cut / "history.csv").read_text()
    assert weights_apart(whole / "state/epoch_0003.weights.h5", cut / "state/epoch_0003.weights.h5") == {}
    averages = [np.load(folder / "state/average_0003.npz") for folder in (whole, cut)]
    assert averages[0]["step"] == 12 and all(np.array_equal(averages[0][n], averages[1][n]) for n in averages[0].files)
    assert sorted(p.name for p in (whole / "state").iterdir()) == ["average_0003.npz", "epoch_0003.weights.h5"]
    history = list(csv.DictReader((whole / "history.csv").open()))
    assert [float(row["learning_rate"]) for row in history] == pytest.approx([1e-3, 5.5e-4, 1e-4])
    trained, backbone = weights(whole / "best.weights.h5"), weights(short_backbone)
    assert trained["optimizer/vars/0"] == 2 * 4  # the last epoch; 64 pictures in batches of 16, counted from the change
    first = "layers/conv2d/vars/0"
    assert not np.array_equal(backbone[first], trained[f"layers/functional/{first}"])  # trained before it was kept


def test_kept_layers_do_not_change():
    """Neither their weights nor their BatchNorm averages, whereas those behind them do."""
    small = {"size": 32, "sizes": None, "first_trained_layer": {1: "block_3_expand"}}
    recipe = load_recipe("first").model_copy(update=small)
    keras.utils.set_random_seed(0)
    changed = []
    for epoch in (0, 1):
        model = network.build(recipe, None, epoch)
        backbone = next(layer for layer in model.layers if layer.name.startswith("mobilenetv2"))
        before = {layer.name: layer.get_weights() for layer in backbone.layers if layer.weights}
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss, run_eagerly=True)  # one step: a graph would take longer
        model.train_on_batch(np.random.default_rng(0).random((8, 32, 32, 3)), np.arange(8) % 2)
        after = {name: backbone.get_layer(name).get_weights() for name in before}
        changed.append([n for n in before if not all(map(np.array_equal, before[n], after[n]))])
    everything, later = changed
    assert {"Conv1", "bn_Conv1", "block_2_expand", "block_3_expand", "Conv_1_bn"} <= set(everything)
    assert later[0] == "block_3_expand" and {"block_3_expand_BN", "Conv_1_bn"} <= set(later)
    assert set(everything) - set(later) == set(everything[: everything.index("block_3_expand")])


def test_another_recipe_does_not_overwrite_a_run(run_folder, data, short_backbone, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(RECIPE.replace("seed: 7", "seed: 8"))
    before = (run_folder / "run.json").read_bytes()
    done = here(*fit_command(data, other, short_backbone, run_folder))
    assert done.returncode == 2 and "another recipe" in done.stderr and "Traceback" not in done.stderr
    assert (run_folder / "run.json").read_bytes() == before


def test_other_weights_do_not_go_unnoticed(run_folder, data, recipe_file, short_backbone, tmp_path):
    other = tmp_path / "other.weights.h5"
    other.write_bytes(short_backbone.read_bytes() + b"0")
    done = here(*fit_command(data, recipe_file, other, run_folder))
    assert done.returncode == 2 and "other weights" in done.stderr and "Traceback" not in done.stderr


def test_broken_and_faceless_pictures_are_counted_and_early_stopping_leaves_the_best_weights(
    data, short_backbone, tmp_path
):
    folder = tmp_path / "data"
    for label in ("real", "fake"):
        shutil.copytree(data / "train" / label, folder / label)
    (folder / "real" / "000.png").write_bytes(b"not a picture")
    Image.new("RGB", (80, 80), "grey").save(folder / "fake" / "000.png")
    recipe = tmp_path / "impatient.yaml"
    recipe.write_text(
        RECIPE.replace("patience: 6", "patience: 1").replace("epochs: 6", "epochs: 30").replace("0: 3.0e-2", "0: 1.0")
    )
    done = here(*fit_command(folder, recipe, short_backbone, tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stdout and "real/000.png: This is not a picture" in done.stdout
    rows = list(csv.DictReader((tmp_path / "run" / "crops" / "train.csv").open()))
    rows += csv.DictReader((tmp_path / "run" / "crops" / "val.csv").open())
    assert len(rows) == 79 and not any("real/000.png" in row["path"] for row in rows)
    assert any("fake/000.png" in row["path"] for row in rows)
    assert "early stopping after epoch" in done.stdout
    losses = [float(r["val_loss"]) for r in csv.DictReader((tmp_path / "run" / "history.csv").open())]
    assert len(losses) < 30 and losses[-1] >= min(losses[:-1])
    best, last = (tmp_path / "run" / name for name in ("best.weights.h5", f"state/epoch_{len(losses):04d}.weights.h5"))
    steps = -(-len(list(csv.DictReader((tmp_path / "run" / "crops" / "train.csv").open()))) // 8)
    assert weights(best)["optimizer/vars/0"] == (1 + np.argmin(losses)) * steps and not same_weights(best, last)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--weights": "nowhere.weights.h5"}, "no weights file nowhere"),
        ({"--weights": "README.md"}, "README.md"),
        ({"--data": "nowhere"}, "There is no folder"),
        ({"--recipe": "papre"}, "no recipe papre"),
        ({"--weights": "model.onnx"}, "does not fit MobileNetV2"),
    ],
)
def test_bad_usage_ends_in_one_sentence(data, recipe_file, short_weights, tmp_path, change, words):
    line = fit_command(data, recipe_file, short_weights, tmp_path / "run")
    for option, value in change.items():
        line[line.index(option) + 1] = value
    done = here(*line)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "run.json").exists()  # the corrected command may use the same folder


def test_the_temperature_recovers_overconfidence():
    rng = np.random.default_rng(0)
    margin = rng.normal(0, 2, 20000)
    labels = (rng.random(20000) < 1 / (1 + np.exp(-margin))).astype(int)
    logits = np.stack([np.zeros_like(margin), margin * 3], axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(3, rel=0.05)


def test_outside_the_unsure_band_verdicts_are_right_often_enough():
    rng = np.random.default_rng(1)
    p_fake = rng.random(5000)
    labels = (rng.random(5000) < p_fake).astype(int)
    low, high = unsure_band(p_fake, labels, Asked(0.9))
    fake, real = p_fake >= high, p_fake <= low
    assert (labels[fake].sum() + (labels[real] == 0).sum()) / (fake.sum() + real.sum()) >= 0.9
    assert 0.15 < low < 0.25 and 0.75 < high < 0.85  # as narrow as it can be: probabilities of 0.8 average to 0.9


def test_a_sure_side_of_the_unsure_band_makes_up_for_a_doubtful_one():
    labels = np.repeat([0, 1], 200)
    p_fake = np.where(labels == 1, 0.9, 0.1)
    p_fake[:20], p_fake[200:210] = 0.8, 0.2  # photographs taken for fakes, and fakes taken for photographs
    assert unsure_band(p_fake, labels, Asked(0.92)) == (0.5, 0.5)  # 370 of 400, though "fake" is wrong in 20 of 210
    low, high = unsure_band(p_fake, labels, Asked(0.95))
    assert (low, high) == (0.5, 0.81)  # 370 of 380: without the 20 only


def test_a_perfect_model_is_never_unsure_and_a_useless_one_always():
    labels = np.array([0] * 100 + [1] * 100)
    sure = np.where(labels == 1, 0.9, 0.2)
    assert unsure_band(sure, labels, Asked(0.95)) == (0.5, 0.5)
    coin = np.tile([0.3, 0.7], 100)
    assert unsure_band(coin, labels, Asked(0.95)) == (0.0, 1.0)
