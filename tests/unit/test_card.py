"""The model card says what the reports say."""

import re
from dataclasses import replace

import pytest
from cards import section, table_of, tables, up
from commands import here
from huggingface_hub import ModelCard
from project import ROOT
from shipped_figures import ABLATION, AUDIT, BATTERY, COMPARISON, CROSS, REPORT, VIDEOS

from deepfake_detect.face.crop import crop_box
from deepfake_detect.face.quality import MIN_FACE
from export.card import card_text, find
from export.clients import NAME
from export.sources import TERMS, data_table, licence_text
from train.battery_report import short_markdown
from train.compare_report import compare_markdown
from train.recipe import load_recipe
from train.report import docs_markdown
from train.tiers import TIERS

HUB_NAMES = {"accuracy": "accuracy", "roc_auc": "auc", "f1": "f1", "recall": "recall", "ece": "ece",
             "false_alarm_rate": "false_alarm_rate"}  # fmt: skip
ROWS = {"**all pictures**": ("all",), "**mean of sources**": ("macro",)}


@pytest.fixture(scope="module")
def card() -> str:
    return card_text(find(), NAME, NAME)


def shows(shown: float, key: str, measured: float) -> bool:
    """Whether a figure with three digits stands for a measured one without flattering it."""
    flattery = measured - shown if key in ("false_alarm_rate", "ece") else shown - measured
    return -0.001 < flattery < 1e-9


def test_the_metadata_hold_every_figure_of_every_source_and_state(card):
    data = ModelCard(card).data
    found = {(r.dataset_split, r.dataset_config, r.dataset_type, r.metric_type): r for r in data.eval_results}
    expected = 0
    for split, report in (("test", REPORT), ("cross", CROSS)):
        for tier in TIERS:
            figures = report["tiers"][tier]
            for source, metrics in {"all": figures["all"], **figures["sources"]}.items():
                for metric, key in HUB_NAMES.items():
                    if metrics.get(key) is not None:
                        result = found[split, tier, source, metric]
                        assert shows(result.metric_value, key, metrics[key]), (split, tier, source, metric)
                        assert result.task_type == data.pipeline_tag == "image-classification"
                        expected += 1
    assert expected == len(data.eval_results) == len(found) > 150


def test_the_metadata_name_the_licence_the_library_and_the_backbone(card, repository):
    data = ModelCard(card).data
    assert (data.license, data.license_name) == ("other", "research-non-commercial")
    assert (repository / data.license_link).is_file()
    assert {"library_name": "onnx", "base_model": "google/mobilenet_v2_1.0_224"}.items() <= data.to_dict().items()
    assert "Apache-2.0" in section(card, "Licence") and "non-commercial use only" in section(card, "Licence")


@pytest.mark.parametrize(("number", "report"), [(0, REPORT), (1, CROSS)], ids=["test", "cross"])
def test_the_tables_by_source_are_those_of_the_reports(card, number, report):
    head, *rows = table_of(section(card, "How good it is"), "source", number)
    assert head[2::3] == ["AUC clean", "accuracy clean", "detected clean", "false alarms clean"]
    assert {row[0] for row in rows} == {*ROWS, *report["tiers"]["clean"]["sources"]}
    compared = 0
    for name, pictures, *cells in rows:
        for column, cell in enumerate(cells):
            figures = report["tiers"][list(TIERS)[column % 3]]
            metrics = figures[ROWS[name][0]] if name in ROWS else figures["sources"][name]
            key = ("auc", "accuracy", "recall", "false_alarm_rate")[column // 3]
            measured = metrics.get(key, metrics.get("detection_rate") if key == "recall" else None)
            assert bool(cell) == (measured is not None), (name, column)
            assert not cell or shows(float(cell), key, measured), (name, column)
            assert not pictures or int(pictures) == metrics["pictures"]
            compared += bool(cell)
    assert compared > 30


def test_every_bar_is_told_met_or_missed(card):
    for number, report in enumerate((REPORT, CROSS, BATTERY)):
        _, *rows = table_of(card, "asked of the detector", number)
        assert [row[0] for row in rows] == [row["name"] for row in report["criteria"]]
        assert [row[3] == "met" for row in rows] == [row["met"] for row in report["criteria"]]


def test_every_group_stands_there_with_its_false_alarms(card):
    _, *rows = table_of(section(card, "How good it is"), "group")
    assert [row[0] for row in rows] == list(REPORT["groups"])
    for (_, pictures, cell), group in zip(rows, REPORT["groups"].values(), strict=True):
        assert int(pictures) == group["pictures"]
        assert shows(float(cell.split()[0]), "false_alarm_rate", group["false_alarm_rate"])


def test_the_training_data_are_counted_and_their_terms_told(card):
    head, *rows = tables(section(card, "Training data"))[0]
    sources = {source for split in AUDIT["balance"].values() for source in split}
    assert {row[0] for row in rows} == sources <= set(TERMS)
    for source, _, *cells, origin, terms in rows:
        assert (origin, terms) == TERMS[source]
        for split, cell in zip(head[2:6], cells, strict=True):
            count = AUDIT["balance"][split].get(source, {})
            assert cell == (f"{count.get('real', 0)} / {count.get('fake', 0)}" if count else "")
    total = sum(map(sum, ([int(n) for cell in row[2:6] for n in re.findall(r"\d+", cell)] for row in rows)))
    assert total == AUDIT["pictures"]
    licence = licence_text(AUDIT["balance"])
    assert all(f"- {source}: {TERMS[source][0]}" in licence for source in AUDIT["balance"]["train"])


def test_every_other_number_comes_from_the_files(card):
    """In the prose: limits and states, the model's metadata, the recipe, verdicts, the estimate of the time."""
    m, recipe = find().metadata, load_recipe(find().metadata.recipe)
    square = crop_box((0, 0, 100, 100), m.crop_margin, 10_000, 10_000)[2]
    known = {0, 1, 0.5, 0.05, 5, 100, 3, MIN_FACE}  # 0 to 100: what the glossary explains; Keras 3
    known |= {m.size, len(m.labels), square / 100, round(m.temperature, 4), *(round(edge, 2) for edge in m.unsure_band)}
    known |= {*(recipe.sizes or {}).values(), recipe.epochs, recipe.batch_size}
    known |= {number for tier in TIERS.values() for number in (tier.longest, tier.quality)}
    [run] = [row for row in ABLATION["rows"] if row["name"] == f"at {recipe.size} px"]
    views = recipe.epochs * recipe.views_per_epoch / (run["epochs"] * ABLATION["views"])
    known |= {up(views * run["minutes"] / 60, 1)}
    known |= {recipe.size, *([round(m.kinds["temperature"], 4)] if m.kinds else [])}
    known |= {up((ROOT / "model.onnx").stat().st_size / 1e6, 1)}
    for split, figures in VIDEOS["splits"].items():
        if split != "val":  # on which the rule was chosen
            row, decided = figures["all"], figures["all"]["decided"]
            known |= {row["clips"], row["real"], row["false_alarms"]["wrong"], up(100 * row["false_alarms"]["rate"], 1)}
            known |= {-up(-100 * decided[key], 1) for key in ("coverage", "accuracy")}
    known |= {-up(-min(s.get("auc", 1) for r in (REPORT, CROSS) for s in r["tiers"]["clean"]["sources"].values()), 3)}
    for report in (REPORT, CROSS):
        assert docs_markdown(report) in card
        card = card.replace(docs_markdown(report), "")
    before, _, after = card.split("---\n", 2)[2].partition("## Beside other networks")
    prose = before.partition("## Small changes")[0] + after[after.index("## Limits") :]
    prose = re.sub(r"```.*?```|^\|.*?$|\]\([^)]*\)|`[^`]*`|^On the face crops.*?$", "", prose, flags=re.S | re.M)
    said = set(map(float, re.findall(r"(?<![\w.\-\[])\d+(?:\.\d+)?(?![\w\-]|\.\d)", prose)))
    assert len(said) > 20 and not {
        number for number in said if not any(abs(number - k) < 1e-9 for k in known if k is not None)
    }


def test_small_changes_are_those_of_their_report(card):
    assert short_markdown(BATTERY) in section(card, "Small changes")


def test_the_comparison_is_that_of_its_report(card):
    assert compare_markdown(COMPARISON) in section(card, "Beside other networks")


def test_what_it_shows_is_there_and_it_has_all_parts(card):
    links = re.findall(r"\]\((reports/[^)]+)\)", card)
    assert len(links) >= 8 and all((ROOT / link).is_file() for link in links)
    for title in ("What it is for, and what not", "Limits", "Training data", "Training", "Licence", "Citation"):
        assert section(card, title).strip()
    assert "Efficient Deepfake Image Detection Model Based on MobileNetV2" in section(card, "Citation")


def test_the_cost_is_said_to_be_unmeasured(card):
    said = section(card, "Training")
    assert "how much energy it used, was not measured" in said
    assert not re.search(r"bound|at most|kWh|\bW\b", said)


def test_the_epoch_counts_as_chosen_only_where_the_recipe_chooses_one(card):
    found = find()
    for recipe, said in (
        (
            found.recipe.model_copy(update={"choose": "last"}),
            "Trained on `train` to the last epoch, temperature and unsure band",
        ),
        (
            found.recipe.model_copy(update={"choose": None}),
            "Trained on `train`, epoch, temperature and unsure band chosen on `val`",
        ),
    ):
        text = section(card_text(replace(found, recipe=recipe)), "Training data")
        assert said in text and (text in card) == (recipe == found.recipe)


def test_without_a_space_the_card_speaks_of_none(card):
    alone, both = (card_text(find(), "me/weights", space) for space in (None, "me/page"))
    assert "spaces/" not in alone and "git clone" not in alone and "gradio" not in alone and "Space" not in alone
    assert 'Detector("me/weights")' in alone and "\n\n\n" not in alone + both
    assert "https://huggingface.co/spaces/me/page\ncd page\n" in both and 'Client("me/page")' in both


def test_a_source_without_known_terms_is_listed_as_such():
    assert data_table({"train": {"new": {"real": 3}}})[-1] == "| new |  | 3 / 0 |  |  |  |  | not stated |"


def test_the_command_writes_the_card(tmp_path, card):
    done = here("export", "card", "--out", tmp_path / "README.md", "--name", "me/weights", "--space", "me/page")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "README.md").read_text() == card_text(find(), "me/weights", "me/page") != card
    done = here("export", "card", "--out", tmp_path / "nowhere" / "README.md")
    assert done.returncode == 2 and "nowhere" in done.stderr and len(done.stderr.splitlines()) == 1
