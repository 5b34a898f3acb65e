"""A run of a recipe with features of several depths and kinds of fakes: training, checkpoint, exported file."""

import csv
import json
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from networks import shorten_backbone, weights, weights_apart

from deepfake_detect.model.onnx_model import Model
from train import fit as training
from train.__main__ import main
from train.checkpoint import write_checkpoint
from train.data import DataError
from train.kinds import KINDS
from train.recipe import Recipe, RecipeError, load_recipe

pytestmark = pytest.mark.slow

SMALL = {"size": 64, "sizes": {0: 32, 1: 64}, "pooled": ["expanded_conv_depthwise_relu"], "epochs": 2,
         "views_per_epoch": 32, "batch_size": 8, "warm_up": 3, "learning_rate": {0: 1e-3}, "interpolation": None,
         "average": 0.9, "deduplicate": None, "decided_accuracy": 0.8, "tier": None}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module", autouse=True)
def backbone(short_weights):
    with pytest.MonkeyPatch.context() as patch:
        shorten_backbone(patch)
        yield short_weights


@pytest.fixture(scope="module")
def several(data, folder):
    """Half of the made-up data as two folders, whose sources have kinds; the fakes of one are of no known kind."""
    folders = []
    for name, source, splits in (("a", "dfdc", ("train", "test")), ("b", "unheard-of", ("train",))):
        copy = folder / name
        rows = [row for row in csv.DictReader((data / "manifest.csv").open()) if row["split"] in splits][::2]
        for number, row in enumerate(rows):
            (copy / row["path"]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(data / row["path"], copy / row["path"])
            row["source"] = source
            row["split"] = "val" if name == "a" and row["split"] == "train" and number % 3 == 0 else row["split"]
        with (copy / "manifest.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        folders.append(copy)
    return folders


def recipe(**changes) -> Recipe:
    return Recipe.model_validate(load_recipe("next").model_dump() | SMALL | changes)


@pytest.fixture(scope="module")
def run(several, backbone, folder):
    return training.fit(recipe(), several, backbone, folder / "run")


def test_a_run_ends_with_the_looks_that_val_chooses_and_is_calibrated_again_alike(run, capsys):
    file = run.folder / "calibration.json"
    first = json.loads(file.read_text())
    assert [row["looks"] for row in first["candidates"]] == [1, 2, 3, 6]
    (taken,) = (row for row in first["candidates"] if row["chosen"])
    assert first["looks"] == {"framings": taken["framings"], "mirrored": taken["mirrored"]}
    assert first["asked"] == {"accuracy": 0.8, "false_alarms": 0.06, "unseen_accuracy": None}
    assert first["split"] == "val"
    file.write_text(json.dumps({"temperature": 1.0, "unsure_band": [0.4, 0.6], "split": "val"}))  # of an older version
    with pytest.raises(DataError, match="python -m train calibrate"):
        from export.onnx import export_onnx

        export_onnx(run.folder, run.folder / "none.onnx")
    assert main(["calibrate", str(run.folder)]) == 0
    again = json.loads(file.read_text())
    assert again["looks"] == first["looks"] and again["temperature"] == pytest.approx(first["temperature"], rel=1e-4)
    assert again["unsure_band"] == first["unsure_band"] and again["kinds"]["least"] == first["kinds"]["least"]
    assert "6 looks, 0.8 1 1.2, mirrored: mean AUC" in capsys.readouterr().out


def test_a_run_that_cannot_be_calibrated_gets_a_sentence(run, several, folder, capsys):
    assert main(["calibrate", str(folder / "none")]) == 2 and "is not the folder of" in capsys.readouterr().err
    assert main(["calibrate", str(run.folder), "--data", str(several[0])]) == 2
    assert "not the data" in capsys.readouterr().err


@pytest.fixture(scope="module")
def checkpoint(run, folder):
    assert write_checkpoint(run.folder, folder / "checkpoint") == 2
    return folder / "checkpoint"


def test_a_run_measures_val_by_kind_and_by_source(run):
    rows = list(csv.DictReader((run.folder / "val.csv").open()))
    assert {(row["by"], row["name"], row["label"]) for row in rows if row["epoch"] == "2"} == {
        ("kind", "video_frame", "real"), ("kind", "swap_or_reenactment", "fake"),
        ("source", "dfdc", "real"), ("source", "dfdc", "fake")}  # fmt: skip
    assert all(0 <= float(row["auc"]) <= 1 for row in rows if row["label"] == "fake")
    kinds = json.loads((run.folder / "calibration.json").read_text())["kinds"]
    assert kinds["names"] == list(KINDS) and kinds["temperature"] > 0 and kinds["least"].keys() <= set(KINDS[1:])
    assert (
        json.loads((run.folder / "run.json").read_text())["data"] == [str(f) for f in run.data] and len(run.data) == 2
    )


def test_a_run_that_was_cut_off_ends_with_the_same_weights(several, backbone, run, folder, monkeypatch, capsys):
    cut, original = folder / "cut", training._save_epoch

    def save_and_stop(*args):
        original(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "_save_epoch", save_and_stop)
        training.fit(recipe(), several, backbone, cut)
    training.fit(recipe(), several[::-1], backbone, cut)
    assert "going on after epoch 1 of 2" in capsys.readouterr().out
    for split in ("train", "val"):  # first what comes first: faces, losses, weights
        assert (cut / "crops" / f"{split}.bin").read_bytes() == (run.folder / "crops" / f"{split}.bin").read_bytes()
    assert (cut / "history.csv").read_text() == (run.folder / "history.csv").read_text()
    assert weights_apart(cut / "best.weights.h5", run.folder / "best.weights.h5") == {}
    assert (cut / "val.csv").read_text() == (run.folder / "val.csv").read_text()


def test_a_checkpoint_goes_on_with_another_recipe_of_the_same_network(
    several, backbone, run, checkpoint, folder, capsys
):
    assert sum(file.stat().st_size for file in checkpoint.iterdir()) < (run.folder / "best.weights.h5").stat().st_size
    longer = recipe(name="longer", epochs=3, learning_rate={0: 1e-3, 2: 1e-4}, kinds=0.1)
    out = folder / "longer"
    training.fit(longer, several, backbone, out, resume_from=checkpoint)
    assert "going on after epoch 2 of 3" in capsys.readouterr().out
    history = list(csv.DictReader((out / "history.csv").open()))
    assert history[:2] == list(csv.DictReader((run.folder / "history.csv").open()))
    assert float(history[2]["learning_rate"]) == pytest.approx(1e-4) and len(history) == 3
    average = np.load(out / "state" / "average_0003.npz")
    assert average["step"] == 3 * 4
    steps = weights(out / "state" / "epoch_0003.weights.h5")["optimizer/vars/0"]
    assert steps == 4  # the optimizer began anew
    assert json.loads((out / "run.json").read_text())["resumed_from"]["epochs"] == 2
    begun, before, after = map(weights, (backbone, run.folder / "state" / "epoch_0002.weights.h5",
                                         out / "state" / "epoch_0003.weights.h5"))  # fmt: skip
    kernel = "layers/conv2d/vars/0"
    changes = [np.abs(before[f"layers/functional/{kernel}"] - other).max()
               for other in (begun[kernel], after[f"layers/functional/{kernel}"])]  # fmt: skip
    assert changes[0] > 5 * changes[1] > 0  # gone on from these weights, not from the backbone's


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pooled": None}, "another network: its recipe has pooled"),
        ({"kinds": None}, "another network: its recipe has kinds"),
        ({"epochs": 2}, "has trained 2 epochs, and the recipe ends after 2"),
    ],
)
def test_a_checkpoint_of_another_network_or_of_all_epochs_is_refused(
    several, backbone, checkpoint, folder, changes, words
):
    with pytest.raises(DataError, match=words):
        training.fit(recipe(**{"epochs": 3} | changes), several, backbone, folder / "no", resume_from=checkpoint)
    with pytest.raises(DataError, match="holds no checkpoint"):
        training.fit(recipe(), several, backbone, folder / "no", resume_from=folder)
    assert not (folder / "no" / "run.json").exists()


def test_a_layer_that_is_not_there_is_named(several, backbone, folder):
    with pytest.raises(RecipeError, match="no layer block_99"):
        training.fit(recipe(pooled=["block_99"]), several, backbone, folder / "no")


def test_the_exported_file_gives_logits_first_and_kinds_beside_them(run, folder, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    from export.onnx import export_onnx

    out = folder / "model.onnx"
    metadata = export_onnx(run.folder, out)
    outputs = onnxruntime.InferenceSession(out).get_outputs()
    assert [(o.name, o.shape) for o in outputs] == [("logits", ["batch", 2]), ("kinds", ["batch", len(KINDS)])]
    model = Model(out)
    assert model.metadata == metadata and metadata.kinds["names"] == list(KINDS)
    calibration = json.loads((run.folder / "calibration.json").read_text())
    assert metadata.kinds == calibration["kinds"] and metadata.looks.mirrored == calibration["looks"]["mirrored"]
    assert list(metadata.looks.framings) == calibration["looks"]["framings"]
    batch = np.random.default_rng(0).random((6, 3, 64, 64), np.float32)
    given = model.outputs(batch)
    assert given.logits.shape == (6, 2) and given.kinds.shape == (6, len(KINDS))
    assert np.array_equal(given.logits, model.logits(batch))
    assert not any(node.op_type == "BatchNormalization" for node in onnx.load(out).graph.node)
