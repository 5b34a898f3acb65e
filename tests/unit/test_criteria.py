"""The criteria that were set beforehand, as the page tells them: met, missed, or not measured."""

import json
import re

import pytest
from html_tables import cells
from shipped_figures import CROSS, REPORT, SHA256

from deepfake_detect.errors import FiguresError
from deepfake_detect.report import evaluation_texts
from deepfake_detect.report.evaluation import criteria_text, read_criteria
from deepfake_detect.report.evaluation_tables import criteria_table


def test_missed_criteria_are_said_as_missed():
    criteria = [*REPORT["criteria"], *CROSS["criteria"]]
    said, missed = criteria_text(criteria), [criterion["name"] for criterion in criteria if not criterion["met"]]
    assert f"{len(missed)} of the {len(criteria)} criteria" in said
    assert "was asked" not in said  # which the table says
    assert [name for name, row in cells(criteria_table(criteria)).items() if "missed" in row[-1]] == missed
    explained = said.partition("Where their pictures come from")[2]
    for code, (source, _) in evaluation_texts.SOURCES.items():  # at the first use of a code
        used = any(code in re.split("[ ,]+", name) for name in missed)
        assert (f"**{code}**, {source}: " in explained) == used
    assert "Where" not in criteria_text([{"name": "ECE", "measured": 1, "at_most": 0, "met": False}])
    assert "All of the 1 criteria" in criteria_text([{"name": "a", "measured": 1, "at_least": 1, "met": True}])
    (row,) = cells(criteria_table([{"name": "a", "measured": None, "at_most": 1, "met": False}])).values()
    assert "undefined" in row


def test_criteria_without_pictures_are_said_to_be_not_measured():
    unmeasured = {"name": "AUC dfdc", "measured": None, "at_least": 0.9, "met": None}
    met, missed = ({"name": "a", "measured": 1, "at_most": bound, "met": met} for bound, met in ((1, True), (0, False)))
    said = criteria_text([met, unmeasured])
    assert "1 of the 2 criteria" in said and "were met" in said and "1 could not be measured" in said
    said = criteria_text([missed, unmeasured])
    assert (
        "1 of the 2 criteria" in said
        and "were missed" in said
        and "1 could not be measured" in said
        and "Where" not in said
    )
    (row,) = cells(criteria_table([unmeasured])).values()
    assert row == ["at least 0.9", "not measured", ""]


def test_the_criteria_of_another_report_are_read_where_it_is_of_this_model(tmp_path):
    file, criteria = tmp_path / "battery.json", [{"name": "a", "measured": 3, "at_most": 0, "met": False}]
    assert read_criteria(file, SHA256) == []
    file.write_text(json.dumps({"model": {"sha256": SHA256}, "criteria": criteria}))
    assert read_criteria(file, SHA256) == criteria and read_criteria(file, "0" * 64) == []
    (row,) = cells(criteria_table(criteria)).values()
    assert row[:2] == ["at most 0", "3"]
    file.write_text("{")
    with pytest.raises(FiguresError):
        read_criteria(file, SHA256)
