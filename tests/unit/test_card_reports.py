"""The model card follows reports that have changed, and refuses those of something else."""

import json
import shutil

import pytest
from cards import section, table_of, up
from client_files import with_int8
from huggingface_hub import ModelCard
from shipped_figures import REPORT, REPORTS

from export import ExportError
from export.card import card_text, find
from train.recipe import load_recipe


@pytest.fixture
def project(tmp_path):
    """A project's folder with the shipped model, whose reports a test may change."""
    root = with_int8(tmp_path)
    (root / "reports" / "shipped").unlink()
    shutil.copytree(REPORTS / "shipped", root / "reports" / "shipped")
    return root


def change(file, edit) -> None:
    report = json.loads(file.read_text())
    edit(report)
    if file.is_symlink() or file.parent.is_symlink():
        copied = file.parent.resolve()
        file.parent.unlink()
        shutil.copytree(copied, file.parent)
    file.write_text(json.dumps(report))


def test_figures_follow_the_report_and_are_never_flattered(project):
    def edit(report):
        report["tiers"]["clean"]["sources"]["dfdc"] |= {"auc": 0.7779999, "false_alarm_rate": 0.2220001}

    change(project / "reports" / "shipped" / "test" / "report.json", edit)
    card = card_text(find(project))
    rows = {row[0]: row for row in table_of(section(card, "How good it is"), "source")}
    assert (rows["dfdc"][2], rows["dfdc"][11]) == ("0.777", "0.223")
    values = {r.metric_type: r.metric_value for r in ModelCard(card).data.eval_results
              if (r.dataset_type, r.dataset_config, r.dataset_split) == ("dfdc", "clean", "test")}  # fmt: skip
    assert (values["roc_auc"], values["false_alarm_rate"]) == (0.777, 0.223)


@pytest.mark.parametrize(
    ("file", "edit", "said"),
    [
        ("shipped/test/report.json", lambda r: r["model"].update(sha256="0" * 64), "of another model"),
        ("shipped/cross/report.json", lambda r: r["model"].update(sha256="0" * 64), "of another model"),
        ("shipped/test/report.json", lambda r: r.pop("tiers"), "cannot be read"),
        ("battery/battery.json", lambda r: r["model"].update(sha256="0" * 64), "reports/battery is of another"),
        ("audit/audit.json", lambda r: r.update(data_sha256="0" * 64), "reports/audit is not of the data"),
        (
            "compare/compare.json",
            lambda r: r["models"][-1].update(network_sha256="0" * 64),
            "reports/compare is of another",
        ),
    ],
)
def test_a_report_of_something_else_is_refused(project, file, edit, said):
    change(project / "reports" / file, edit)
    with pytest.raises(ExportError, match=said):
        find(project)


def test_the_int8_file_s_report_is_shown_where_it_is_of_this_model(project):
    folder = project / "reports" / "quantize"
    folder.unlink(missing_ok=True)
    folder.mkdir()
    (folder / "quantize.md").write_text("# int8\n\nIt is smaller.\n\n![Both](both.png)\n")
    for sha256, fits in ((REPORT["model"]["sha256"], True), ("0" * 64, False)):
        (folder / "quantize.json").write_text(json.dumps({"model": {"sha256": sha256}}))
        if fits:
            shown = section(card_text(find(project)), "The int8 file")
            assert shown.strip() == "It is smaller.\n\n![Both](reports/quantize/both.png)"
        else:
            with pytest.raises(ExportError, match="reports/quantize is of another"):
                find(project)


def test_the_time_of_a_training_is_estimated_from_an_ablation_of_its_recipe(project):
    m = find(project).metadata
    recipe = load_recipe(m.recipe)
    row = {"name": f"at {recipe.size} px", "minutes": 31.0, "epochs": 2}
    of_it = {"recipe_sha256": m.recipe_sha256, "data_sha256": m.data_sha256, "rows": [row]}
    of_it["views"] = recipe.views_per_epoch // 4  # an epoch
    change(project / "reports" / "ablation" / "ablation.json", lambda r: r.update(of_it))
    said = section(card_text(find(project)), "Training")
    assert (
        f"about {up(recipe.epochs * 4 * 31 / 2 / 60, 1)} hours if every picture" in said
        and f"run at {recipe.size} px" in said
    )


def test_a_training_whose_time_no_file_tells_is_said_to_be_unmeasured(project):
    change(project / "reports" / "ablation" / "ablation.json", lambda r: r.update(recipe_sha256="0" * 64))
    said = section(card_text(find(project)), "Training")
    assert "how much energy it used, was not measured" in said and "hours if" not in said
