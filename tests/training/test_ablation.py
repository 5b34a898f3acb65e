"""The ablation: variants that differ in one thing, and a miniature table of three of them."""

import csv
import json
import re

import pytest
import yaml
from PIL import Image

from train import ablation
from train.data import DataError
from train.recipe import Recipe, load_recipe

pytestmark = pytest.mark.slow


def test_every_variant_differs_from_the_first_in_what_its_name_says():
    recipe = load_recipe("shipped")
    first, *others = (variant.model_dump() for variant in ablation.variants(recipe, 3, 500).values())
    assert first["size"] == 96 and first["sizes"] is None and first["epochs"] == 3 and not first["frozen"]
    changed = [{key for key in first if first[key] != other[key]} for other in others]
    sampling = [{"sampling"}] * 3
    assert changed == [{"frozen", "head", "learning_rate"}, {"size"}, {"degrade"}, {"reframe"}, *sampling, {"pooled"},
                       {"kinds"}, {"consistency"}]  # fmt: skip
    assert all(other["views_per_epoch"] == first["views_per_epoch"] == 500 for other in others)
    small = recipe.model_copy(update={"size": 96})
    assert "at 96 px" not in ablation.variants(small, 3)  # it would be the first run again
    for variant in ablation.variants(recipe, 3).values():
        Recipe.model_validate(variant.model_dump())


@pytest.mark.parametrize("name", ["first", "shipped"])
@pytest.mark.parametrize("epochs", [1, 4])
def test_the_rate_of_a_short_run_falls_from_the_highest_to_about_the_last(name, epochs):
    recipe = load_recipe(name)
    short = ablation.variants(recipe, epochs)["shortened"]
    rates = [short.rate(epoch) for epoch in range(epochs)]
    peak, last = max(recipe.learning_rate.values()), recipe.rate(recipe.epochs)
    assert rates[0] == peak and rates == sorted(rates, reverse=True)
    assert epochs == 1 or last <= rates[-1] < peak / 5


@pytest.mark.parametrize("kinds", [None, 0.3])  # a network of one output, and one of two
def test_a_miniature_ablation_is_measured_and_goes_on_where_it_was_cut_off(
    kinds, data, short_backbone, tmp_path, monkeypatch
):
    with (data / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::2]
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / name).symlink_to(data / name)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | {"split": row["split"].replace("test", "cross")} for row in rows)
    recipe = tmp_path / "growing.yaml"
    small = {
        "size": 32,
        "sizes": None,
        "first_trained_layer": None,
        "epochs": 2,
        "decided_accuracy": 0.8,
        "batch_size": 16,
        "kinds": kinds,
    }
    recipe.write_text(yaml.safe_dump(load_recipe("first").model_dump() | small | {"learning_rate": {0: 1e-3}}))
    recipe, every, fit = load_recipe(recipe), ablation.variants, ablation.fit

    def three(recipe, epochs, views):
        variants = every(recipe, epochs, views)
        names = ("frozen backbone, the paper's head", "framings that do not move", "no degradation")
        return {name: variants[name].model_copy(update={"size": 32, "head": []}) for name in names}

    def timed_fit(variant, data, weights, folder, cache):
        found = [(cache / f"{split}.bin").stat().st_mtime_ns for split in ("train", "val")]
        run = fit(variant, data, weights, folder, cache)
        assert found == [(cache / f"{split}.bin").stat().st_mtime_ns for split in ("train", "val")]
        return run

    monkeypatch.setattr(ablation, "variants", three)
    monkeypatch.setattr(ablation, "fit", timed_fit)  # faces are found before the clock runs
    page = tmp_path / "page.md"
    page.write_text("<!-- report: ablation -->\n<!-- end of report -->\n")
    (tmp_path / "out").mkdir()
    written = []
    for _ in range(2):
        assert ablation.run(recipe, 1, 48, folder, short_backbone, tmp_path / "out", page) == 0
        weights = sorted((tmp_path / "out" / "runs").glob("*/best.weights.h5"))
        written.append([(file, file.stat().st_mtime_ns) for file in weights])
    assert written[0] == written[1] and len(written[0]) == 3  # each was trained once
    report = json.loads((tmp_path / "out" / "ablation.json").read_text())
    trained = json.loads(next((tmp_path / "out" / "runs").glob("*/run.json")).read_text())
    assert report["data_sha256"] == trained["data_sha256"] and report["recipe_sha256"] == recipe.sha256
    for row in report["rows"]:
        assert row["epochs"] == 1 and row["minutes"] > 0 and report["views"] == 48
        for place in ("val clean", "val web", "val hard", "cross clean", "cross hard"):
            assert 0 <= row[place]["macro"]["auc"] <= 1 and row[place]["all"]["pictures"] == (
                8 if "val" in place else 16
            )
    table = (tmp_path / "out" / "ablation.md").read_text()
    assert ablation.ablation_markdown(report) == table and table.strip() in page.read_text()
    assert len(re.findall(r"^\| (?:frozen|framings|no degradation)", table, re.MULTILINE)) == 3
    with Image.open(tmp_path / "out" / "ablation.png") as picture:
        assert picture.width > 400


def test_a_recipe_with_nothing_to_leave_out_is_refused(tmp_path):
    with pytest.raises(DataError, match="no sampling"):
        ablation.run(load_recipe("paper"), 1, None, tmp_path, "imagenet", tmp_path, None)
