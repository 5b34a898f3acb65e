"""The packages at run time: every one has a known licence, and what pip-audit finds against one is never overlooked."""

import json
import sys
from pathlib import Path

import pytest

from scripts import packages
from scripts.packages import (
    NOTES,
    REPORTS,
    audit_markdown,
    brought,
    findings,
    licences,
    licences_markdown,
    main,
    names_gpl,
)

REPORT = json.loads((REPORTS / "licences.json").read_text(encoding="utf-8"))
LISTED = {package["name"]: package for package in REPORT["packages"]}
FLAW = {"id": "PYSEC-2030-1", "fix_versions": ["9.9"], "aliases": [], "description": "a flaw"}


@pytest.fixture(scope="module")
def installed() -> dict:
    return brought()


def pip_audit(folder: Path, answer: dict | None) -> list[str]:
    """A command in the place of pip-audit, which gives this answer; or none, as where its service is out of reach."""
    script = folder / "pip_audit.py"
    lines = f"print({json.dumps(answer)!r})" if answer else "sys.exit('ERROR: the service is out of reach')"
    script.write_text(f"import sys\n{lines}\n")
    return [sys.executable, str(script)]


def test_every_package_that_is_brought_is_listed(installed, record_property):
    missing = sorted(installed.keys() - LISTED.keys())
    assert not missing, "requirements.txt brings what reports/packages does not list: run `make licences`"
    assert {"gradio", "numpy", "starlette", "certifi"} <= installed.keys()  # asked for, and brought by what is
    assert not installed.keys() & {"pytest", "tensorflow", "keras", "mcp"}  # `gradio[mcp]` is of the tests
    texts = {package["licence"] for package in REPORT["packages"]}
    assert "UNKNOWN" not in texts and all(package["url"].startswith("http") for package in REPORT["packages"])
    outcome = f"none unknown; the GPL occurs in those of {len(REPORT['notes'])}, each with a note of why it may be used"
    record_property("survives", ["Packages", f"the licences of the {len(LISTED)} packages at run time", outcome])


def test_the_list_says_what_pip_licenses_says(installed):
    rows = licences(sys.executable, [sys.executable, "-m", "piplicenses"])
    assert {row["name"] for row in rows} == installed.keys()
    same = [row for row in rows if row["version"] == LISTED[row["name"]]["version"]]
    assert all(row == LISTED[row["name"]] for row in same)


def test_where_the_gpl_is_named_it_is_said_why_that_is_allowed(installed):
    named = {name for name, package in installed.items() if names_gpl(package)}
    assert "pillow-heif" in named and "gradio" not in named
    listed = {name for name, package in LISTED.items() if packages.GPL.search(package["licence"])}
    assert named | listed <= NOTES.keys() <= LISTED.keys()
    assert REPORT["notes"] == {name: NOTES[name] for name in REPORT["notes"]}


def test_the_list_shows_its_figures():
    assert (REPORTS / "licences.md").read_text(encoding="utf-8") == licences_markdown(REPORT)


def test_an_answer_that_leaves_packages_out_is_no_clean_one(tmp_path):
    versions = {"numpy": "2.0.0", "pillow": "12.0.0"}
    clean = [{"name": name, "version": version, "vulns": []} for name, version in versions.items()]
    assert findings(versions, pip_audit(tmp_path, {"dependencies": clean})) == []
    for some in (clean[:1], [clean[0], {"name": "pillow", "skip_reason": "not found"}]):
        with pytest.raises(packages.PackagesError, match="does not know every package"):
            findings(versions, pip_audit(tmp_path, {"dependencies": some}))


def test_a_finding_is_mended_or_explained(installed, tmp_path, capsys, monkeypatch):
    answer = {"dependencies": [{"name": n, "version": p.version, "vulns": []} for n, p in installed.items()]}
    answer["dependencies"][0]["vulns"] = [FLAW]
    words = ["audit", "--out", str(tmp_path / "packages"), "--tool"]
    assert main([*words, *pip_audit(tmp_path, None)]) == 1
    assert "audit: pip-audit has failed: ERROR: the service is out of reach" in capsys.readouterr().err
    assert main([*words, *pip_audit(tmp_path, answer)]) == 1
    assert f"{FLAW['id']} is known against {next(iter(installed))}" in capsys.readouterr().err
    assert not (tmp_path / "packages").exists()
    monkeypatch.setitem(packages.EXPLAINED, FLAW["id"], "Nothing here calls it.")
    assert main([*words, *pip_audit(tmp_path, answer)]) == 0
    report = json.loads((tmp_path / "packages" / "audit.json").read_text())
    assert len(report["packages"]) == len(installed) and report["findings"][0]["why"] == "Nothing here calls it."
    text = (tmp_path / "packages" / "audit.md").read_text()
    assert text == audit_markdown(report) and FLAW["id"] in text and "Nothing here calls it." in text
