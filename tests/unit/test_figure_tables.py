"""The tables of figures that the page shows: they agree with the reports, and flatter nobody."""

import re

import pytest
from html_tables import cells
from shipped_figures import CROSS, REPORT

from deepfake_detect.report import evaluation_texts
from deepfake_detect.report.evaluation import TIERS, groups_text
from deepfake_detect.report.evaluation_tables import (
    counts_table,
    groups_table,
    kinds_table,
    photographs_table,
    sources_table,
)
from deepfake_detect.report.never_tested import generators_text
from train.report import docs_markdown

pytestmark = pytest.mark.slow


def test_the_counts_of_verdicts_stand_in_a_table_with_intervals_that_flatter_nobody():
    shown = cells(counts_table(REPORT))
    assert len(shown) == 2 * len(TIERS)
    for tier in TIERS:
        for name, counts in REPORT["tiers"][tier]["counts"].items():
            pictures, *said = shown[f"{evaluation_texts.CLASSES[name]}, {tier}"]
            assert pictures == f"{counts['pictures']:,}"
            for key, cell in zip(("real", "unsure", "fake"), said, strict=True):
                number, low, high = re.match(r"([\d,]+) <small>([\d.]+) % to ([\d.]+) %</small>", cell).groups()
                assert int(number.replace(",", "")) == counts[key]
                assert float(low) / 100 <= counts["interval"][key][0] + 1e-9
                assert float(high) / 100 >= counts["interval"][key][1] - 1e-9


def test_kinds_of_fakes_and_of_photographs_stand_in_tables():
    for report in (REPORT, CROSS):
        clean = report["tiers"]["clean"]
        for key, rows in (("kinds", cells(kinds_table(report))), ("photographs", cells(photographs_table(report)))):
            assert list(rows) == [evaluation_texts.KINDS[kind] for kind in clean[key]]
            for kind, metrics in clean[key].items():
                row = rows[evaluation_texts.KINDS[kind]]
                assert int(row[0]) == metrics["pictures"] and len(row) == 7
                assert row[6].startswith(f"{metrics['counts']['fake']:,} <small>")


def test_what_was_never_tested_is_named_with_its_year():
    rows = [{"name": "Old", "year": 2019, "kind": "gan", "train": 5, "test": 3, "cross": 0},
            {"name": "New", "year": 2025, "kind": "gan", "train": 0, "test": 0, "cross": 0},
            {"name": "Seen", "year": 2024, "kind": "diffusion", "train": 0, "test": 1, "cross": 6},
            {"name": "Shared", "year": 2022, "kind": "diffusion", "train": 4, "test": 0, "cross": 2}]  # fmt: skip
    said = generators_text({"known": rows, "others": {}})
    assert "**Never tested on photographs**: 1 of 4 known ways to make a fake." in said and "not known" not in said
    assert f"- {evaluation_texts.KINDS['gan']}: New (2025)" in said and "Old" not in said
    assert "never trained on: Seen (7 pictures)." in said and "through other sources: Shared." in said
    assert "Of 3 fakes it is not known" in generators_text({"known": rows, "others": {"": 1, "a": 2}})
    assert generators_text(REPORT["generators"]) == generators_text(CROSS["generators"])


def test_groups_are_counted_and_called_small():
    groups = REPORT["groups"]
    rows = cells(groups_table(groups))
    assert list(rows) == list(groups)
    for name, (photographs, called, share, _) in rows.items():
        assert int(photographs) == groups[name]["pictures"]
        assert int(called) / int(photographs) == pytest.approx(groups[name]["false_alarm_rate"])
        assert float(share.rstrip(" %")) / 100 >= groups[name]["false_alarm_rate"] - 1e-9
    sizes = [group["pictures"] for group in groups.values()]
    assert f"{min(sizes)} to {max(sizes)} photographs" in groups_text(groups)


def test_the_sources_table_shows_what_the_docs_show():
    for report in (REPORT, CROSS):
        shown = cells(sources_table(report, "caption"))
        for line in docs_markdown(report).splitlines():
            name, *row = (cell.strip() for cell in line.strip("|").split("|"))
            if len(row) != 13 or name not in report["tiers"]["clean"]["sources"]:
                continue
            row = [None if cell == "" else float(cell) for cell in [*row[1:4], *row[7:13]]]
            mine = shown[evaluation_texts.SOURCES[name][0]]
            assert [
                None if c == "–" else round(float(c.rstrip(" %")) / (100 if "%" in c else 1), 3) for c in mine[:9]
            ] == row
            assert sum(map(int, mine[9:])) == report["tiers"]["clean"]["sources"][name]["pictures"]
        assert "All pictures" in shown and "Mean of the sources" in shown
