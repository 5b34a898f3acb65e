"""The folder that `python -m export web` makes, and that nothing in it is typed twice."""

import hashlib
import html
import json
import re
import shutil
import subprocess

import pytest
from commands import here
from project import ROOT
from web_site import needed

from deepfake_detect import errors
from deepfake_detect.report.card_texts import ICONS, NOT_MEASURED, error_rates
from deepfake_detect.report.drawing import COLOURS, FRAMES
from deepfake_detect.verdict import FAKE, REAL, REASONS, UNSURE
from export import ExportError
from export.web import ASSETS, POLICY, WORKER, build_web
from export.web_table import table, table_module
from export.web_texts import CODES, PAGE

# Names that look like addresses
NAMESPACES = {"http://www.w3.org/2000/svg", r"http://ns.adobe.com/xap/1.0/\u0000"}
SOURCES = sorted(path for path in (ROOT / "web").rglob("*.js") if "node_modules" not in path.parts)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_file_is_in_the_list_by_which_the_service_worker_checks_it(site):
    listed = json.loads((site / ASSETS).read_text())["files"]
    made = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert made - listed.keys() == {ASSETS, WORKER, "README.md", "manifest.json"}
    for name, file in listed.items():
        data = (site / name).read_bytes()
        assert (sha256(data), len(data)) == (file["sha256"], file["size"]), name
    assert f'"{sha256((site / ASSETS).read_bytes())}"' in (site / WORKER).read_text()


def test_it_is_a_static_space_without_other_hosts(site):
    front = (site / "README.md").read_text().split("---\n")[1]
    assert "sdk: static" in front and "app_file: index.html" in front
    for path in site.rglob("*"):
        if path.suffix in (".html", ".css", ".js") and "vendor" not in path.parts:
            found = set(re.findall(r"https?://[^\s\"'`]+", path.read_text())) - NAMESPACES
            assert not found, path.name
    page = (site / "index.html").read_text()
    assert f'content="{html.escape(POLICY)}"' in page and POLICY in (site / WORKER).read_text()
    assert "[[" not in page and "<style" not in page and " style=" not in page


def test_a_verdict_has_the_colours_of_the_page_on_a_server():
    light, dark = (ROOT / "web" / "style.css").read_text().split("@media screen and (prefers-color-scheme: dark)")
    for label in (REAL, FAKE, UNSURE):
        assert f"--{label}: {COLOURS[label]};" in light and f"--{label}: {FRAMES[label]};" in dark


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path, site):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ExportError, match="left alone"):
        build_web(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_makes_it_again_with_the_int8_model(tmp_path, site):
    out = tmp_path / "site"
    shutil.copytree(site, out)
    done = here("export", "web", "--out", out, "--int8", "--server", "https://example.org/?a&b")
    assert done.returncode == 0, done.stderr
    link = f'<a href="https://example.org/?a&amp;b">{PAGE["with_server"]}</a>'
    assert link in (out / "index.html").read_text() and "<a " not in (site / "index.html").read_text()
    described = json.loads((out / "model.json").read_text())
    assert described["file"] == "model_int8.onnx" and (out / "model_int8.onnx").is_file()
    assert not (out / "model.onnx").exists() and described["error_rates"]["fake"] == NOT_MEASURED
    listed = json.loads((out / ASSETS).read_text())["files"]
    assert listed["yunet.onnx"] == json.loads((site / ASSETS).read_text())["files"]["yunet.onnx"]


def test_the_rates_of_error_are_the_worse_of_both_splits():
    def report(alarms: int, missed: int, coverage: float) -> dict:
        decided = {"coverage": coverage, "said_fake": {"wrong": alarms}, "said_real": {"wrong": missed}}
        counts = {"real_as_real": 90, "real_as_fake": 10, "fake_as_real": 20, "fake_as_fake": 180}
        return {"tiers": {"clean": {"all": {"confusion": counts}, "decided": decided}}}

    told = error_rates({"test": report(3, 8, 0.5), "cross": report(7, 2, 0.6)})
    assert "Of 100 real photographs, 7.0 were" in told["fake"] and "it never saw" in told["fake"]
    assert "Of 100 fakes, 4.0 passed" in told["real"] and "it was trained on" in told["real"]
    assert "to 50.0 of 100" in told["unsure"]


def test_the_rates_of_error_are_those_of_the_shipped_reports(site):
    told = json.loads((site / "model.json").read_text())["error_rates"]
    reports = {
        split: json.loads((ROOT / "reports" / "shipped" / split / "report.json").read_text())
        for split in ("test", "cross")
    }
    assert told == error_rates(reports) and NOT_MEASURED not in told.values()


def names_in_braces(text: str, group: str) -> set[str]:
    """What JavaScript takes out of a group of the table: `const { A, B } = table.group;`."""
    found = re.findall(rf"const \{{([^}}]*)\}}\s*=\s*table\.{group};", text)
    return {name.split(":")[0].strip() for names in found for name in names.split(",") if name.strip()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT / "web").as_posix())
def test_what_a_file_takes_from_the_table_is_in_it(path):
    told, text = table(), path.read_text()
    groups = re.findall(r"\btable\.(?!js\b)(\w+)", text) if "table.js" in text else []
    for group in set(groups):
        assert group in told, group
        assert names_in_braces(text, group) <= set(told[group]), group
        assert set(re.findall(rf"table\.{group}\.(\w+)", text)) <= set(told[group]), group
    assert set(re.findall(r"sentence\(\s*\"(\w+)\"", text)) <= set(told["sentences"])
    assert set(re.findall(r"sentences\.([A-Z_]+)", text)) <= set(told["sentences"])
    assert set(re.findall(r"\breason\(\s*\"(\w+)\"", text)) <= set(REASONS)
    assert set(re.findall(r"DetectError\(\s*\"(\w+)\"", text)) <= set(errors.CODES) | set(CODES)
    assert set(re.findall(r"\bpage\.([a-z_]+)\b", text)) - {"addEventListener"} <= set(PAGE) | {"postMessage"}
    assert len(text.splitlines()) <= 300


def test_every_text_of_the_page_is_used_and_every_sentence_too():
    code = "".join(path.read_text() for path in SOURCES) + (ROOT / "web" / "index.html").read_text()
    used = set(re.findall(r"(?:\bpage\.|\[\[)([a-z_]+)", code))
    assert set(PAGE) <= used
    assert {name for name in table()["sentences"] if f'"{name}"' not in code and f".{name}" not in code} == set()


def test_no_icon_is_typed_again_and_places_are_filled_by_one_function():
    code = "".join(path.read_text() for path in SOURCES)
    assert not [icon for icon in ICONS.values() if f'"{icon}"' in code or f'"{icon} ' in code]
    assert len(re.findall(r"replace(?:All)?\((?:/\\{\\}/|\"\{\}\")", code)) == 1


def test_javascript_reads_the_table_as_python_wrote_it(tmp_path):
    needed(shutil.which("node") is not None, "Node.js is not installed")
    (tmp_path / "table.mjs").write_text(table_module(), encoding="utf-8")
    words = ["node", "-e", "import('./table.mjs').then(({ table }) => console.log(JSON.stringify(table)))"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(table()))


def test_the_codes_of_browsers_stand_in_the_documentation():
    told = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
    assert all(f"| `{code}` | {meaning} |" in told for code, meaning in CODES.items())
