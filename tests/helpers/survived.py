"""What hardening tests say of themselves -> reports/hardening/hardening.json and docs/hardening.md: `make hardening`.

A test in tests/hardening/ says `record_property("survives", [area, what was tried, what came of it])`, with texts made
from what that very run measured. A plugin of pytest, which tests/conftest.py loads.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from deepfake_detect.atomic_files import write_text
from train.data import DataError
from train.report import check_marks, update_docs
from train.timing import machine

DOCS = Path("docs", "hardening.md")
NAME = "hardening"  # of the table's marks
PROPERTY = "survives"
AREAS = ("Files", "Model file", "Server", "Disk", "Training", "Packages")
SELECTING = ("-k", "-m", "--deselect", "--lf", "--sw")  # pytest's options that leave tests out


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", type=Path, metavar="FILE", help="write there, and into the docs, what was survived")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--figures"):
        if any(config.getoption(option, None) for option in SELECTING):
            raise pytest.UsageError(f"--figures is for whole runs: leave out {', '.join(SELECTING)}.")
        try:
            check_marks(config.rootpath / DOCS, NAME)
        except (OSError, DataError) as error:
            raise pytest.UsageError(str(error)) from None


def pytest_terminal_summary(terminalreporter, exitstatus: int, config: pytest.Config) -> None:
    file = config.getoption("--figures")
    if not file or hasattr(config, "workerinput"):  # one of xdist's processes, which has seen a part of the tests
        return
    if exitstatus != pytest.ExitCode.OK:
        terminalreporter.write_line(f"{file} was not written, because not every test passed.", red=True)
        return
    if skipped := terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(f"{file} was not written, because of tests skipped: {len(skipped)}.", red=True)
        return
    report = {"machine": machine(), "survived": survived(terminalreporter.stats["passed"])}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    update_docs(config.rootpath / DOCS, NAME, hardening_markdown(report))


def survived(reports: Iterable[pytest.TestReport]) -> list[dict]:
    """What passed tests recorded: {"area", "test", "tried", "outcome"}, in the order of AREAS, then of the tests."""
    said = [(report.nodeid, value) for report in reports for name, value in report.user_properties if name == PROPERTY]
    found = [{"area": area, "test": test, "tried": tried, "outcome": outcome} for test, (area, tried, outcome) in said]
    return sorted(found, key=lambda row: (AREAS.index(row["area"]), row["test"]))


def hardening_markdown(report: dict) -> str:
    """The table for docs/hardening.md."""
    lines = ["| | what was tried | what came of it |", "|---|---|---|"]
    lines += [f"| {row['area']} | {row['tried']} | {row['outcome']} |" for row in report["survived"]]
    m = report["machine"]
    return "\n".join([*lines, "", f"Times and memory are of one run on {m['cores']} cores of {m['cpu']}."])
