"""What the repository promises: a valid Space, imports that run one way, files of one noun, credited examples."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter

import av
import pytest
import yaml
from PIL import Image
from project import ROOT
from waiting import LONG

from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 300  # of a file, see CONTRIBUTING


def imports(folder):
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.split(".")[0]


def test_imports_run_one_way():
    assert not set(imports("deepfake_detect")) & {"keras", "tensorflow", "gradio", "train", "export", "page", "app"}
    assert not set(imports("page")) & {"keras", "tensorflow", "train", "export", "app"}
    assert not set(imports("train")) & {"tensorflow", "gradio", "export", "page", "app"}
    assert not set(imports("export")) & {"gradio", "page", "app"}


# From the lowest: each imports those of its own line and of the lines above it
LAYERS = (
    ("errors", "verdict", "atomic_files", "shipped", "runtime"),
    ("picture",),
    ("face",),
    ("crowd",),
    ("model",),
    ("evidence",),
    ("detector",),
    ("video",),
    ("report",),
    ("scan",),
    ("cli",),
    ("__main__",),
)


def modules() -> dict[str, set[str]]:
    """Every tracked module and those of the repository that it imports, at its head or anywhere in it."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): name for name in listed.split()}
    found = {}
    for module, name in files.items():
        asked = set()
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                asked |= inner & files.keys() or {node.module}
        found[module] = asked & files.keys() - {module}
    return found


def test_inside_the_package_imports_run_from_the_higher_layer_to_the_lower():
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    whole = rank["scan"]  # the package itself imports what lies below; what lies above may import the package
    inside = {name: asked for name, asked in modules().items() if name.startswith("deepfake_detect.")}
    assert {name.split(".")[1] for name in inside} <= rank.keys(), "a new part needs its place in LAYERS"
    upwards = [
        f"{name} imports {other}"
        for name, asked in inside.items()
        for other in asked
        if (whole if other == "deepfake_detect" else rank[other.split(".")[1]]) > rank[name.split(".")[1]]
    ]
    assert not upwards


def test_no_file_of_code_is_longer_than_a_reader_takes_in():
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.js", "*.mjs", "*.css"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in listed.splitlines()}
    assert len(lengths) > 300 and not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_no_two_files_of_tests_share_a_name():
    names = Counter(file.name for file in (ROOT / "tests").rglob("*.py") if file.name != "conftest.py")
    assert len(names) > 100 and not [name for name, count in names.items() if count > 1]  # pytest reads one of them


def test_no_imports_go_in_a_circle():
    left = modules()
    while free := [name for name, asked in left.items() if not asked & left.keys()]:
        for name in free:
            del left[name]
    assert not left, "each of these imports another of them"


@pytest.mark.slow
def test_serving_loads_no_training_framework():
    code = (
        "import sys, app; print([m for m in ('keras', 'tensorflow', 'torch', 'train', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("package", ["deepfake_detect", "train", "export", "bench"])
def test_onnxruntime_reports_to_nobody(package, tmp_path):
    place = {name: str(tmp_path) for name in ("HOME", "TMPDIR")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | place
    code = f"import {package}, onnxruntime"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=LONG, check=True)
    assert not list(tmp_path.iterdir())


def test_the_space_installs_no_training_framework():
    names = re.findall(r"^([A-Za-z0-9_-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert {"gradio", "huggingface-hub", "numpy", "onnxruntime"} <= set(names)
    assert not set(names) & {"tensorflow", "keras", "torch", "tf2onnx", "scikit-learn"}


def test_the_front_matter_makes_a_space():
    front = yaml.safe_load(README.split("---\n")[1])
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py" and front["license"] == "apache-2.0"
    assert (ROOT / front["app_file"]).is_file()
    lowest = re.search(r"^gradio>=([\d.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert tuple(map(int, front["sdk_version"].split("."))) >= tuple(map(int, lowest.split(".")))
    assert len(front["short_description"]) <= 60


def test_continuous_integration_runs_the_tests_of_every_folder():
    folders = {file.parent.name for file in (ROOT / "tests").rglob("test_*.py")}
    run = re.findall(r"make (test[\w-]*)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = [re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1] for target in run]
    whole = [line for recipe in recipes for line in recipe.splitlines() if "pytest" in line and " -m " not in
             line.split("pytest", 1)[1]]  # fmt: skip
    assert folders == {name for line in whole for name in re.findall(r"tests/(\w+)(?= |$)", line)}


def test_every_example_is_credited_and_has_the_faces_it_should():
    credits = (ROOT / "examples" / "CREDITS.md").read_text(encoding="utf-8")
    finder = FaceFinder()
    files = sorted((ROOT / "examples").glob("*.jpg"))
    assert sum(f.name.startswith("real_") for f in files) >= 2 <= sum(f.name.startswith("fake_") for f in files)
    for file in files:
        assert file.name in credits
        faces = finder.find(open_picture(file))
        assert len(faces) >= 2 if file.name.startswith("group") else len(faces) == 1
        with Image.open(file) as image:
            assert not image.getexif()


def test_every_video_is_credited_small_and_of_a_codec_that_browsers_play():
    credits = (ROOT / "examples" / "CREDITS.md").read_text(encoding="utf-8")
    files = sorted((ROOT / "examples" / "videos").iterdir())
    assert files
    for file in files:
        assert f"`{file.name}`" in credits and file.stat().st_size < 300_000
        with av.open(file) as container:
            (stream,) = container.streams
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_the_research_pictures_are_not_in_the_repository(faces_data):
    def sha256(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {sha256(ROOT / name) for name in listed.split("\0") if (ROOT / name).is_file()}
    assert len(tracked) > 20 and not any(sha256(path) in tracked for path in faces_data.rglob("*.jpg"))
