"""`--figures`: what the hardening tests record reaches the report and docs/hardening.md, and nothing else does."""

import json
import os
import subprocess
import sys

import pytest
from project import ROOT
from survived import AREAS, hardening_markdown
from waiting import LONG

from train.report import END, begin_mark

pytestmark = pytest.mark.slow  # each runs pytest anew

MARKS = f"# Title\n\n{begin_mark('hardening')}\nold\n{END}\n\nMore.\n"
TESTS = """
import pytest

def test_second(record_property):
    record_property("survives", ["Server", "7 things", "2 gave in"])

def test_first(record_property):
    record_property("survives", ["Files", "9 things", "none gave in"])
    record_property("survives", ["Files", "1 thing", "it did not"])
    record_property("speed", "of no interest")

def test_without():
    {last}
"""


@pytest.fixture
def run(tmp_path):
    """Run tests that record something, and one that does this: (exit status, output, report file, page)."""

    def run(last: str, *options: str, page: str = MARKS):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT} {ROOT / 'tests' / 'helpers'}\n")
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "hardening.md").write_text(page)
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["survived"]\n')
        (tmp_path / "test_it.py").write_text(TESTS.format(last=last))
        file = tmp_path / "reports" / "new" / "hardening.json"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", *options]
        # Other plugins take most of the time that it takes, and options meant for them are refused without them
        few = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        done = subprocess.run(
            [*words, "--figures", file], cwd=tmp_path, env=few, capture_output=True, text=True, timeout=LONG
        )
        return done.returncode, done.stdout + done.stderr, file, (tmp_path / "docs" / "hardening.md").read_text()

    return run


def test_what_passed_tests_record_is_written_in_order(run):
    status, said, file, page = run("pass")
    assert status == 0, said
    rows = json.loads(file.read_text())["survived"]
    assert [(row["area"], row["tried"]) for row in rows] == [
        ("Files", "9 things"), ("Files", "1 thing"), ("Server", "7 things")]  # fmt: skip
    assert {row["test"] for row in rows} == {"test_it.py::test_first", "test_it.py::test_second"}
    before, _, rest = page.partition(begin_mark("hardening"))
    table, _, after = rest.partition(END)
    assert (before, after) == ("# Title\n\n", "\n\nMore.\n")
    assert table.strip() == hardening_markdown(json.loads(file.read_text()))
    assert "| Server | 7 things | 2 gave in |" in table and "interest" not in table


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_nothing_is_written_where_a_test_fails(run, options):
    status, said, file, page = run("assert False", *options)
    assert status == 1 and "not written" in said
    assert not file.exists() and page == MARKS


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_nothing_is_written_where_a_test_is_skipped(run, options):
    status, said, file, page = run("pytest.skip('not here')", *options)
    assert status == 0 and "not written" in said
    assert not file.exists() and page == MARKS


@pytest.mark.parametrize("options", [("-k", "first"), ("-m", "not slow"), ("--deselect", "test_it.py::test_first")])
def test_a_part_of_the_tests_is_refused_before_any_test(run, options):
    status, said, file, page = run("pass", *options)
    assert status == pytest.ExitCode.USAGE_ERROR and "whole runs" in said and "passed" not in said
    assert not file.exists() and page == MARKS


def test_a_page_without_marks_is_refused_before_any_test(run):
    status, said, file, _ = run("pass", page="# Title\n")
    assert status == pytest.ExitCode.USAGE_ERROR and "has no lines" in said and "passed" not in said
    assert not file.exists()


def test_the_report_is_of_tests_that_there_are():
    report = json.loads((ROOT / "reports" / "hardening" / "hardening.json").read_text(encoding="utf-8"))
    for row in report["survived"]:
        file, _, name = row["test"].partition("::")
        assert row["area"] in AREAS and f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
