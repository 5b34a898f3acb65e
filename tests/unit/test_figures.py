"""The figures that the page shows: they agree with the reports, flatter nobody, and are of the served model."""

import copy
import json
import re

import gradio as gr
import pytest
from html_tables import cells
from project import ROOT
from shipped_figures import CROSS, REPORT, SHA256

from deepfake_detect import Detector
from deepfake_detect.errors import FiguresError
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.report import evaluation_texts
from deepfake_detect.report.evaluation import (
    REPORTS,
    TIERS,
    borrowed_text,
    calibration_text,
    class_sizes,
    degradation_text,
    opening,
    operating_point,
    own_point,
    point_text,
    points,
    read_report,
    worst_source_text,
)
from deepfake_detect.report.evaluation_tables import (
    sources_table,
)
from deepfake_detect.report.measured_short import in_short, measured_in_short
from deepfake_detect.report.overview import generators_untested, outcomes, outcomes_table
from page import texts
from page.tabs.accuracy import CHART, MOST_ALARMS, Figures, curve, report_tab
from train.tiers import TIERS as STATES

pytestmark = pytest.mark.slow

CONFUSION = {"real_as_real": 6, "real_as_fake": 1, "fake_as_real": 1, "fake_as_fake": 2}


def made_up(operating_points):
    """7 photographs and 3 fakes; 2 of 3 verdicts right."""
    tier = {
        "all": {"confusion": CONFUSION, "ece": 0.0391, "auc": 2 / 3, "recall": 2 / 3, "false_alarm_rate": 1 / 7},
        "macro": {"auc": 2 / 3}, "sources": {"<b>": {"pictures": 10, "confusion": CONFUSION, "auc": 2 / 3}},
        "decided": {"coverage": 0.3, "accuracy": 2 / 3, "said_real": {"pictures": 3, "wrong": 1},
                    "said_fake": {"pictures": 0, "wrong": 0}},
        "counts": {}, "kinds": {}, "photographs": {}, "worst_source": None, "operating_points": operating_points,
    }  # fmt: skip
    return {"model": {"sha256": "0" * 64}, "tiers": dict.fromkeys(TIERS, tier), "curves": {"jpeg": [1], "scale": [1]}}


def written(folder, report):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(report if isinstance(report, str) else json.dumps(report))
    return folder


def test_the_reports_of_the_served_model_are_read():
    assert [read_report(REPORTS / split, SHA256) for split in ("test", "cross")] == [REPORT, CROSS]


def test_the_states_are_those_that_were_measured():
    assert tuple(evaluation_texts.STATES) == TIERS == tuple(STATES)
    for name in ("web", "hard"):
        said = list(map(int, re.findall(r"\d+", evaluation_texts.STATES[name])))
        assert said == [STATES[name].longest, STATES[name].quality]


def test_every_source_of_the_reports_is_explained():
    assert set(evaluation_texts.SOURCES) >= {*REPORT["tiers"]["clean"]["sources"], *CROSS["tiers"]["clean"]["sources"]}


def test_the_opening_counts_pictures_and_verdicts_as_the_report_does():
    said, tiers = opening(REPORT), REPORT["tiers"]
    assert f"{tiers['clean']['all']['pictures']:,} pictures" in said
    for tier in TIERS:
        decided = tiers[tier]["decided"]
        line = next(line for line in said.splitlines() if line.startswith(f"- **{tier}**"))
        coverage, accuracy, unsure, *wrong = (float(share) / 100 for share in re.findall(r"([\d.]+) %", line))
        assert coverage <= decided["coverage"] < coverage + 0.001
        assert accuracy <= decided["accuracy"] < accuracy + 0.001
        assert unsure - 0.001 < 1 - decided["coverage"] <= unsure
        for share, side in zip(wrong, ("real", "fake"), strict=True):
            counted = decided[f"said_{side}"]
            assert f"wrong {counted['wrong']} of {counted['pictures']} times" in line
            assert share - 0.001 < counted["wrong"] / counted["pictures"] <= share + 1e-9


def test_the_source_with_most_false_alarms_is_named():
    worst, said = REPORT["tiers"]["clean"]["worst_source"], worst_source_text(REPORT)
    assert evaluation_texts.SOURCES[worst["source"]][0] in said and f"its {worst['pictures']:,} photographs" in said
    assert worst_source_text(made_up([])) == ""


def test_sources_with_fakes_alone_say_whose_photographs_they_were_ranked_against():
    said, sources = borrowed_text(REPORT), REPORT["tiers"]["clean"]["sources"]
    names = {name: evaluation_texts.SOURCES[name][0] for name in sources}
    alone = [names[name] for name, one in sources.items() if "false_alarm_rate" not in one]
    photographs = [names[name] for name, one in sources.items() if "recall" not in one]
    assert said.startswith(", ".join(alone[:2])) and all(name in said for name in (*alone, *photographs))
    assert borrowed_text(made_up([])) == ""


@pytest.mark.parametrize("tier", TIERS)
def test_every_position_of_the_slider_says_what_the_report_says(tier):
    measured = {p["threshold"]: p for p in REPORT["tiers"][tier]["operating_points"]}
    found = []
    for alarms in range(1, MOST_ALARMS + 1):
        point, said = operating_point(REPORT, tier, alarms / 100), point_text(REPORT, tier, alarms / 100)
        row = measured[point.threshold]
        assert point.false_alarms == pytest.approx(row["false_alarms"]) and point.detected == pytest.approx(
            row["detected"]
        )
        assert row["false_alarms"] <= alarms / 100 + 1e-9
        assert row["detected"] == max(p["detected"] for p in measured.values() if p["false_alarms"] <= alarms / 100)
        assert f"{alarms} of 100 real photographs" in said and f"{point.threshold * 100:.0f} in 100" in said
        assert f"{point.found:,} were found" in said and f"{point.alarms:,} were called fake" in said
        detected, missed, called, _ = (float(share) / 100 for share in re.findall(r"([\d.]+) %", said))
        assert detected <= point.detected + 1e-9 < detected + 0.002
        assert missed - 0.001 < 1 - point.detected <= missed + 1e-9
        assert called - 0.001 < point.false_alarms <= called + 1e-9
        found.append(point.found)
    assert found == sorted(found) and found[0] < found[-1]


def test_rounding_never_flatters():
    report = made_up([{"threshold": 0.5, "false_alarms": 1 / 7, "detected": 2 / 3}])
    said = point_text(report, "clean", 0.2)
    assert "2 were found so (66.6 %)" in said and "1 slipped through (33.4 %)" in said
    assert "1 were called fake (14.3 %)" in said
    assert "95.5 % of the alarms would be false" in said  # 99 / 7 false ones for each 2 / 3 of a fake
    assert "66.6 % of these verdicts were right" in opening(report) and "(33.4 %)" in opening(report)
    assert "“Fake” was never said" in opening(report)
    assert "0.040 (clean)" in calibration_text(report)
    assert cells(sources_table(report, "a < b"))["&lt;b&gt;"][0] == "0.666"


def test_a_rate_below_all_that_was_measured_is_not_promised():
    report = made_up([{"threshold": 0.9, "false_alarms": 1 / 7, "detected": 1 / 3}])
    assert operating_point(report, "clean", 0.1) is None
    assert point_text(report, "clean", 0.1).startswith("No threshold that was measured")
    assert "<circle" not in curve(report, "clean", 0.1)


def test_of_two_thresholds_that_find_as_many_the_one_with_fewer_false_alarms_is_taken():
    rows = [{"threshold": t, "false_alarms": f, "detected": 2 / 3} for t, f in ((0.4, 2 / 7), (0.6, 1 / 7))]
    assert operating_point(made_up(rows), "clean", 0.3).threshold == 0.6


def test_the_curve_marks_the_chosen_point():
    _, drawn = Figures(REPORT).choose(5, "web")
    assert drawn.count("<circle") == 1 and "web" in re.search('aria-label="([^"]*)"', drawn)[1]
    line = re.search('points="([^"]*)"', drawn)[1].split()
    assert len(line) == sum(point.false_alarms * 100 <= MOST_ALARMS for point in points(REPORT, "web"))
    assert re.search('cx="([^"]*)" cy="([^"]*)"', drawn).group(1, 2) in [tuple(place.split(",")) for place in line]


@pytest.mark.parametrize("tier", TIERS)
def test_the_curve_shows_what_the_page_itself_does(tier):
    alarms, found = own_point(REPORT, tier)
    _, high = Model(ROOT / "model.onnx").metadata.unsure_band
    near = [point for point in points(REPORT, tier) if abs(point.threshold - high) <= 0.02]
    assert near and min(abs(point.false_alarms - alarms) for point in near) < 0.01
    assert min(abs(point.detected - found) for point in near) < 0.02
    drawn = [Figures(REPORT).choose(chosen, tier)[1] for chosen in (1, 20)]
    squares = [re.search('<rect x="([^"]*)" y="([^"]*)"', svg).groups() for svg in drawn]
    assert squares[0] == squares[1] and all(svg.count("<rect") == 1 and texts.POINT_OWN in svg for svg in drawn)
    left, top, width, height = CHART
    assert float(squares[0][0]) + 5 == pytest.approx(left + width * alarms * 100 / MOST_ALARMS, abs=0.1)
    assert float(squares[0][1]) + 5 == pytest.approx(top + height * (1 - found), abs=0.1)


def test_the_table_of_outcomes_counts_every_picture_once():
    found = outcomes({"test": REPORT, "cross": CROSS})
    assert [outcome.total for outcome in found] == [
        class_sizes(report, "clean")[place] for place in (0, 1) for report in (REPORT, CROSS)
    ]
    assert all(sum(outcome.called.values()) == outcome.total for outcome in found)
    assert found[0].called["fake"] == REPORT["tiers"]["clean"]["decided"]["said_fake"]["wrong"]
    shown = cells(outcomes_table(found))
    assert list(shown) == [outcome.name for outcome in found] and f"{found[0].total:,} real" in found[0].name
    for outcome, row in zip(found, shown.values(), strict=True):
        for label, cell in zip(outcome.called, row, strict=True):
            words = re.sub("<.*?>", "", cell)
            share, low, high, number = re.fullmatch(r"([\d.]+) % \((\d+) to (\d+)\), ([\d,]+)", words).groups()
            assert int(number.replace(",", "")) == outcome.called[label]
            flattery = float(share) / 100 - outcome.called[label] / outcome.total
            assert -0.001 < (flattery if label == outcome.right else -flattery) < 1e-9
            assert float(low) / 100 <= outcome.intervals[label][0] and outcome.intervals[label][1] <= float(high) / 100
    known, untested = generators_untested(REPORT["generators"])
    assert 0 < len(untested) < known and len(set(untested)) == len(untested)


def test_what_worse_pictures_cost_is_said():
    said, curves = degradation_text(REPORT), REPORT["curves"]
    shares = [float(share) / 100 for share in re.findall(r"([\d.]+) %", said)]
    ends = [c[end]["macro"]["balanced_accuracy"] for c in (curves["jpeg"], curves["scale"]) for end in (0, -1)]
    assert all(share <= value < share + 0.001 for share, value in zip(shares, ends, strict=True))
    assert said.startswith(f"On {curves['pictures']} of the pictures, ")


def test_the_page_opens_with_how_often_it_decides_and_is_right(tmp_path):
    said = measured_in_short(SHA256)
    decided, elsewhere = (report["tiers"]["clean"]["decided"] for report in (REPORT, CROSS))
    shares = [float(share) / 100 for share in re.findall(r"([\d.]+) %", said)]
    told = [split[name] for split in (decided, elsewhere) for name in ("coverage", "accuracy")]
    for share, value in zip(shares, told, strict=True):
        assert share <= value < share + 0.001
    assert said.startswith("Of the test pictures it decided ") and "; of those from sources it never saw, " in said
    assert said in texts.FOOT.format(said)
    written(tmp_path / "test", REPORT)
    alone = measured_in_short(SHA256, tmp_path)
    assert alone == said.partition(";")[0] + "."
    assert measured_in_short("0" * 64) == measured_in_short(SHA256, tmp_path / "nowhere") == ""
    undecided = made_up([])
    undecided["tiers"]["clean"]["decided"] = {"coverage": 0.0, "accuracy": None}
    assert in_short(undecided, None) == ""


def shown(detector, folder):
    """What stands on the tab: all of its text, and the names of its components."""
    with gr.Blocks() as demo:
        report_tab(detector, folder)
    blocks = list(demo.blocks.values())
    said = "\n".join(str(b.value) for b in blocks if isinstance(b, gr.Markdown | gr.HTML))
    return said, [type(b).__name__ for b in blocks]


@pytest.fixture(scope="module")
def detector():
    return Detector(ROOT / "model.onnx")


def test_without_a_report_the_tab_says_so(detector, tmp_path):
    said, names = shown(detector, tmp_path / "nowhere")
    assert evaluation_texts.NO_REPORT in said and texts.LICENCE in said
    assert all(limit in said for limit in evaluation_texts.LIMITS.removeprefix("- ").split("\n- "))
    assert not {"Slider", "Image", "HTML"} & set(names) and not re.search(r"\d %", said)


def test_figures_of_another_model_are_not_shown(detector, tmp_path):
    foreign = copy.deepcopy(REPORT)
    foreign["model"]["sha256"] = "0" * 64
    written(tmp_path / "test", foreign)
    said, names = shown(detector, tmp_path)
    assert evaluation_texts.FOREIGN_REPORT in said
    assert not {"Slider", "Image", "HTML"} & set(names) and not re.search(r"\d %", said)


@pytest.mark.parametrize("damaged", ["", "[]", '{"model": 3}', json.dumps({"model": {"sha256": SHA256}, "tiers": {}}),
                                     json.dumps(REPORT | {"tiers": {tier: {} for tier in TIERS}})])  # fmt: skip
def test_a_damaged_report_is_not_shown(detector, tmp_path, damaged):
    written(tmp_path / "test", damaged)
    with pytest.raises(FiguresError):
        read_report(tmp_path / "test", SHA256)
    assert evaluation_texts.DAMAGED_REPORT in shown(detector, tmp_path)[0]


def test_generators_never_seen_are_left_out_where_they_were_not_measured_of_this_model(detector, tmp_path):
    written(tmp_path / "test", REPORT)
    written(tmp_path / "cross", {**CROSS, "model": {"sha256": "0" * 64}})
    said, names = shown(detector, tmp_path)
    assert texts.NO_CROSS in said and evaluation_texts.SOURCES["sd14"][0] not in said
    assert "Slider" in names and "Image" not in names  # its pictures are missing, too
