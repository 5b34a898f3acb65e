"""The folder of the Space: what it holds, and that it starts by itself."""

import ast
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from installed import environment_of
from project import ROOT
from servers import free_port, wait_for
from waiting import PATIENCE

from export import ExportError
from export.space import build_space, section, tracked

LEFT_OUT = {"train", "export", "tests", "bench"}
PICTURE = "examples/real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> Path:
    return build_space(tmp_path_factory.mktemp("hub") / "space")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_holds_what_serves_and_nothing_else(space):
    found = files(space)
    top = {name.split("/")[0] for name in found}
    assert {
        "README.md",
        "LICENSE",
        "app.py",
        "deepfake_detect",
        "page",
        "model.onnx",
        "examples",
        "requirements.txt",
    } <= top
    assert not top & {*LEFT_OUT, ".ci", ".gitignore", "Makefile", "pyproject.toml", "requirements-test.txt"}
    assert {n for n in found if n.startswith("reports/")} >= {
        f"reports/shipped/{split}/{name}" for split in ("test", "cross") for name in ("report.json", "reliability.png")
    }
    assert found - {"README.md", "manifest.json"} <= set(tracked(ROOT))
    for name in found - {"README.md", "manifest.json"}:
        assert (space / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_module_that_is_imported_comes_with_it_or_is_installed(space):
    own = {path.stem if path.is_file() else path.name for path in space.iterdir() if path.suffix in ("", ".py")}
    imported = set()
    for file in space.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    ours = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert imported & ours <= own and {"deepfake_detect", "page"} <= imported & own
    assert not imported & {*LEFT_OUT, "keras", "tensorflow", "torch", "onnx", "sklearn", "matplotlib"}


def test_its_readme_is_a_card_whose_links_hold(space):
    readme, ours = (space / "README.md").read_text(), (ROOT / "README.md").read_text()
    assert readme.split("---\n")[1] == ours.split("---\n")[1]
    assert section(ours, "## Licence").strip() in readme and "# Mobile Deepfake Detector" in readme
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", readme)
    assert len(links) >= 4 and all((space / link).is_file() for link in links)


@contextmanager
def started(folder: Path, python: str | Path):
    """`python app.py` in a folder, with nothing of this project on the path: the page's address."""
    port, log = free_port(), folder.with_suffix(".log")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder.with_suffix(".uploads"))}
    with log.open("w") as output:
        process = subprocess.Popen([python, "app.py"], cwd=folder, env=environment, stdout=output, stderr=output)
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)


def check_predict(url: str, detector) -> None:
    answer = Client(url, verbose=False).predict(image=handle_file(str(ROOT / PICTURE)), api_name="/predict")
    (verdict,) = detector.predict([ROOT / PICTURE])
    chances = {one["label"]: one["confidence"] for one in answer["confidences"]}
    assert answer["label"].lower() == verdict.label and chances["Fake"] == pytest.approx(verdict.p_fake)


def test_it_starts_with_its_requirements_alone_and_judges(space, detector, tmp_path):
    with started(space, environment_of(space / "requirements.txt", tmp_path / "venv")) as url:
        check_predict(url, detector)
        assert "reports/" not in Client(url, verbose=False).view_api(return_format="str")
    assert build_space(space) == space  # running it has changed nothing that would keep it from being made again


def test_it_starts_with_what_pip_installs(space, detector, tmp_path):
    """The versions that pip chooses may be others than in .venv-test, where the requirements of training count too."""
    if not os.environ.get("REQUIRE_SPACE"):
        pytest.skip("installs the Space's requirements, which takes a minute or two; `make test-space` runs it")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    words = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", space / "requirements.txt"]
    subprocess.run(words, check=True, capture_output=True)
    with started(space, python) as url:
        check_predict(url, detector)


def test_without_git_there_is_a_sentence(tmp_path):
    (tmp_path / "README.md").write_text((ROOT / "README.md").read_text())
    with pytest.raises(ExportError, match="git gives no list"):
        build_space(tmp_path / "space", root=tmp_path)


def test_a_file_that_git_misses_is_named(tmp_path):
    for words in (["init", "-q"], ["add", "app.py", "README.md"]):
        if words[0] == "add":
            (tmp_path / "app.py").touch()
            (tmp_path / "README.md").write_text((ROOT / "README.md").read_text())
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "app.py").unlink()
    with pytest.raises(ExportError, match=r"app\.py belongs to the Space and is missing"):
        build_space(tmp_path / "space", root=tmp_path)
