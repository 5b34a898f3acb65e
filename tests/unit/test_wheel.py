"""The package as it is built and installed: what is in it, and that it judges far from this folder."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from project import ROOT

import deepfake_detect
from scripts.write_requirements import FILES, requirements_text

pytestmark = pytest.mark.slow
PORTRAIT = ROOT / "examples" / "real_eileen_collins.jpg"
NOT_INSTALLED = ("train", "export", "page", "bench", "app")


def run(*words: object, folder: Path | None = None) -> str:
    """What a program prints that knows nothing of this folder."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MODEL_REPO")}
    done = subprocess.run(list(map(str, words)), cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the programs of a fresh environment with the wheel, which borrows the packages it needs."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder that holds a portrait and nothing of this project."""
    shutil.copy(PORTRAIT, tmp_path / "portrait.jpg")
    return tmp_path


def metadata(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_package_with_its_model_and_figures(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("deepfake_detect/data/model.onnx") == (ROOT / "model.onnx").read_bytes()
        for folder in ("shipped/test", "shipped/cross", "videos"):
            report = f"reports/{folder}/report.json"
            assert archive.read(f"deepfake_detect/data/{report}") == (ROOT / report).read_bytes()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "deepfake_detect").rglob("*.py")}
    assert modules | {"deepfake_detect/py.typed"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"deepfake_detect", "mobile_deepfake_detector"}
    assert wheel.stat().st_size < 12e6


def test_the_source_distribution_builds_the_same_wheel(built, wheel, tmp_path):
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, folder=folder)
    with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(tmp_path / wheel.name) as theirs:
        assert {info.filename: info.CRC for info in ours.infolist()} == {
            info.filename: info.CRC for info in theirs.infolist()
        }


@pytest.mark.parametrize("command", [["deepfake-detect"], ["python", "-m", "deepfake_detect"]], ids=["command", "-m"])
def test_the_command_judges_in_another_folder(command, installed, elsewhere, detector):
    words = [installed / command[0], *command[1:], "portrait.jpg", "--format", "jsonl"]
    record = json.loads(run(*words, folder=elsewhere))
    (verdict,) = detector.predict([PORTRAIT])
    assert record["label"] == verdict.label and record["p_fake"] == pytest.approx(verdict.p_fake)


def test_python_judges_in_another_folder(installed, elsewhere, detector):
    code = """
import deepfake_detect, sys
from deepfake_detect import Detector
verdict = Detector().predict(["portrait.jpg"])[0]
print(deepfake_detect.__version__, verdict.label, round(verdict.p_fake, 4), deepfake_detect.__file__)
"""
    version, label, p_fake, file = run(installed / "python", "-c", code, folder=elsewhere).split()
    (verdict,) = detector.predict([PORTRAIT])
    assert (version, label) == (deepfake_detect.__version__, verdict.label)
    assert float(p_fake) == pytest.approx(verdict.p_fake, abs=1e-3)
    assert Path(file).is_relative_to(installed.parent)


def test_a_summary_in_another_folder_quotes_the_figures(installed, elsewhere):
    run(installed / "deepfake-detect", "scan", ".", "--out", "scan.parquet", folder=elsewhere)
    run(installed / "deepfake-detect", "summary", "scan.parquet", folder=elsewhere)
    (page,) = elsewhere.rglob("*.html")
    assert "and was right about" in page.read_text(encoding="utf-8")


def test_nothing_else_is_installed(installed, elsewhere):
    code = f"import importlib.util as u; print([n for n in {NOT_INSTALLED} if u.find_spec(n)])"
    assert run(installed / "python", "-c", code, folder=elsewhere).strip() == "[]"


def test_the_version_has_one_place(wheel):
    assert metadata(wheel)["Version"] == deepfake_detect.__version__ == wheel.name.split("-")[1]
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_extras_bring_what_the_run_time_goes_without(wheel):
    about = metadata(wheel)
    assert set(about.get_all("Provides-Extra")) == {"page", "scan", "train", "test"}
    packages = {"": set(), "page": set(), "scan": set(), "train": set(), "test": set()}
    for requirement in map(Requirement, about.get_all("Requires-Dist")):
        for extra, names in packages.items():
            if not requirement.marker or (extra and requirement.marker.evaluate({"extra": extra})):
                names.add(requirement.name)
    assert {"numpy", "onnxruntime", "pillow", "av"} <= packages[""]
    assert not packages[""] & {"gradio", "pandas", "tensorflow", "keras", "pyarrow", "torch", "scikit-learn"}
    assert "gradio" in packages["page"] and "pyarrow" in packages["scan"]
    assert {"keras", "tensorflow", "onnx"} <= packages["train"] and {"pytest", "mypy"} <= packages["test"]


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_requirements_are_those_of_the_package(name):
    assert (ROOT / name).read_text(encoding="utf-8") == requirements_text(name), "python -m scripts.write_requirements"


def test_a_package_has_the_same_bounds_in_every_environment():
    """But for the clients, which need older versions and an environment of their own."""
    bounds: dict[str, set[str]] = {}
    for file in ROOT.glob("requirements*.txt"):
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
        for requirement in (Requirement(line) for line in lines if line and not line.startswith("-r ")):
            if file.name != "requirements-clients.txt" and requirement.specifier:
                bounds.setdefault(requirement.name, set()).add(str(requirement.specifier))
    assert len(bounds) > 30 and all(len(found) == 1 for found in bounds.values())
