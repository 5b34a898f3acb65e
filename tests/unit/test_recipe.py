import pytest
from data_sets import RECIPE
from project import ROOT

from deepfake_detect.model.onnx_model import Model
from train.recipe import RecipeError, load_recipe


def write(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return file


def test_the_paper_recipe_is_the_paper():
    recipe = load_recipe("paper")
    assert (recipe.backbone, recipe.frozen, recipe.size, recipe.epochs) == ("mobilenet_v2", True, 96, 20)
    assert (recipe.augment.horizontal_flip, recipe.augment.vertical_flip) == (True, False)
    rates = [recipe.rate(epoch) for epoch in range(recipe.epochs)]
    assert sorted(set(rates), reverse=True) == [1e-3, 1e-4, 1e-5]
    assert rates == sorted(rates, reverse=True)
    assert all(block.batch_norm and block.dropout > 0 for block in recipe.head)


def test_the_shipped_recipe_is_that_of_the_model_file():
    metadata, recipe = Model(ROOT / "model.onnx").metadata, load_recipe("shipped")
    assert (metadata.recipe, metadata.recipe_sha256) == (recipe.name, recipe.sha256)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("epochs: 6", "epoch: 6", "unknown key epoch"),
        ("epochs: 6", "", "epochs"),
        ("epochs: 6", "epochs: six", "epochs"),
        ("size: 32", "size: 8", "size"),
        ("frozen: true", "frozen: 'off'", "frozen"),
        ("epochs: 6", "epochs: '6'", "epochs"),
        ("rotation: 5", "rotation: 90", "augment.rotation"),
        ("3.0e-2, 4", ".inf, 4", "learning_rate"),
        ("rotation: 5", "rotatoin: 5", "augment.rotatoin"),
        ("units: 64", "units: 0", "head.0.units"),
        ("mobilenet_v2", "mobilenet_v9", "backbone"),
        ("bilinear", "cubic", "resampling"),
        ("{0: 3.0e-2, 4: 2.0e-1}", "{3: 1.0e-3}", "learning_rate"),
        ("{0: 3.0e-2, 4: 2.0e-1}", "{0: -1}", "learning_rate"),
    ],
)
def test_a_wrong_key_fails_by_name(tmp_path, old, new, named):
    assert old in RECIPE
    with pytest.raises(RecipeError) as error:
        load_recipe(write(tmp_path, RECIPE.replace(old, new)))
    assert named in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("addition", "named"),
    [
        ("sizes: {0: 32, 2: 64}", "end, before the last epoch, at size"),
        ("sizes: {1: 32}", "begin with epoch 0"),
        ("sizes: {0: 40, 2: 32}", "multiples of 32"),
        ("degrade: {share: 0.5}", "degrade.jpeg"),
        ("sampling: {power: 2.0, self_blend: 0.1}", "sampling.power"),
        ("sampling: {power: 0.5, self_blend: 0.0, swapped: 0.5}", "sampling"),
        ("interpolation: linear", "interpolation"),
        ("tier: messenger", "tier"),
        (
            "sampling: {power: 0.5, self_blend: 0.1, kinds: {gann: 1.0}}",
            "gann is no kind; known are swap_or_reenactment",
        ),
        ("sampling: {power: 0.5, self_blend: 0.1, favoured: {lfw: 0.0}}", "sampling.favoured.lfw"),
        ("views_per_epoch: 100", "views_per_epoch needs sampling"),
        ("reframe: {scale: 0.1, shift: 0.1, rotation: 10.0}", "rotation and rotated go together"),
        ("reframe: {scale: 0.1, shift: 0.1, border: 1.5}", "reframe.border"),
        ("kinds: 0.0", "kinds"),
        ("pooled: block_3_expand_relu", "pooled"),
        ("label_smoothing: 0.5", "label_smoothing"),
        ("consistency: 0.02", "consistency needs sampling and an even batch_size"),
        ("warm_up: 0", "warm_up"),
        ("deduplicate: false", "deduplicate"),
    ],
)
def test_a_wrong_option_fails_by_name(tmp_path, addition, named):
    with pytest.raises(RecipeError) as error:
        load_recipe(write(tmp_path, f"{RECIPE}\n{addition}\n"))
    assert named in str(error.value) and "\n" not in str(error.value)


def test_rates_and_sizes_by_epoch(tmp_path):
    text = RECIPE.replace("size: 32", "size: 64").replace("{0: 3.0e-2, 4: 2.0e-1}", "{0: 1.0e-3, 4: 2.0e-4}")
    recipe = load_recipe(write(tmp_path, text + "sizes: {0: 32, 3: 64}\ninterpolation: cosine\n"))
    assert [recipe.train_size(epoch) for epoch in range(6)] == [32, 32, 32, 64, 64, 64]
    rates = [recipe.rate(epoch) for epoch in range(6)]
    assert rates[0] == 1e-3 and rates[2] == pytest.approx(6e-4) and rates[4:] == [2e-4, 2e-4]
    assert rates[1] == pytest.approx(2e-4 + 8e-4 * (2 + 2**0.5) / 4)
    plain = load_recipe(write(tmp_path, RECIPE))
    assert {plain.train_size(epoch) for epoch in range(6)} == {32}


def test_the_shipped_recipe_trains_all_of_a_quick_network():
    recipe = load_recipe("shipped")
    assert not recipe.frozen and recipe.size <= 224 and recipe.batch_norm_momentum < 0.99
    assert recipe.degrade and recipe.sampling and recipe.tier == "web" and recipe.decided_accuracy == 0.95


def test_the_shipped_recipe_goes_on_at_the_rate_and_size_of_the_next_one_and_ends_near_nothing():
    before, shipped = load_recipe("next"), load_recipe("shipped")
    rates = [shipped.rate(epoch) for epoch in range(before.epochs, shipped.epochs)]
    peak = before.rate(before.epochs - 1)
    assert rates[0] == pytest.approx(peak) and rates == sorted(rates, reverse=True) and rates[-1] <= peak / 50
    assert before.rate(max(before.sizes)) >= peak / 3 and before.sizes[max(before.sizes)] == shipped.size
    assert shipped.kinds and shipped.pooled and shipped.deduplicate and shipped.reframe.slack > 0.3


@pytest.mark.parametrize("text", ["", "- 1\n", "a: [", "just words"])
def test_a_file_that_is_no_recipe_is_said_so(tmp_path, text):
    with pytest.raises(RecipeError):
        load_recipe(write(tmp_path, text))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(RecipeError, match="paper"):
        load_recipe("papre")


def test_the_hash_is_of_the_values_not_of_the_text(tmp_path):
    one = load_recipe(write(tmp_path, RECIPE))
    other = load_recipe(write(tmp_path, "# a comment\n" + RECIPE))
    changed = load_recipe(write(tmp_path, RECIPE.replace("epochs: 6", "epochs: 7")))
    turned = load_recipe(write(tmp_path, RECIPE.replace("{0: 3.0e-2, 4: 2.0e-1}", "{4: 2.0e-1, 0: 3.0e-2}")))
    assert one.sha256 == other.sha256 == turned.sha256 != changed.sha256


def test_what_is_asked_of_the_band_is_no_part_of_what_was_trained(tmp_path):
    one = load_recipe(write(tmp_path, RECIPE))
    asked = load_recipe(write(tmp_path, RECIPE + "\nfalse_alarms: 0.06\nunseen_accuracy: 0.9\n"))
    assert (asked.false_alarms, asked.unseen_accuracy) == (0.06, 0.9) and asked.sha256 == one.sha256
    assert one.false_alarms is None and one.unseen_accuracy is None
