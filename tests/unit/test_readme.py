"""What README, the docs, the model card and the Space's README tell people to type works."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from client_files import needed
from commands import here
from films import film
from hub_server import running_hub
from PIL import Image
from project import ROOT
from waiting import LONG

from deepfake_detect import __version__
from export.card import card_text, find
from export.clients import NAME
from export.space import space_readme
from scripts.clients import NODE as NODE_CLIENTS
from scripts.clients import node, optimum

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {file.stem: file.read_text(encoding="utf-8") for file in sorted((ROOT / "docs").glob("*.md"))}
GUIDES = {name: (ROOT / f"{name}.md").read_text(encoding="utf-8") for name in ("CONTRIBUTING", "RELEASE")}
TEXTS = {"README": README, **DOCS, **GUIDES, "card": card_text(find(), NAME, NAME), "Space": space_readme(README, NAME)}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PORTRAIT = ROOT / "examples" / "real_eileen_collins.jpg"
OWN = ("train", "export", "bench")  # packages whose commands are checked
OWNER, PUBLISHED = "OWNER", "someone"
PAGE = "http://127.0.0.1:7860"


def fenced(language: str) -> list[tuple[str, str]]:
    """(text's name, code) of every fenced snippet in a language."""
    return [
        (name, code)
        for name, text in TEXTS.items()
        for found, code in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
        if found == language
    ]


def snippets(language: str) -> list:
    """Every snippet in a language; those that differ in their comments alone, once."""
    unique = {re.sub(r" *# .*", "", local(code)): (name, code) for name, code in fenced(language)}
    return [pytest.param(code, id=f"{name} {number}") for number, (name, code) in enumerate(unique.values(), 1)]


def local(code: str, url: str = "") -> str:
    """A snippet with this machine's files and page in place of the Hub's."""
    return (
        code.replace(f'Client("{NAME}")', f'Client("{url}")').replace(PAGE, url.rstrip("/")).replace(NAME, "repository")
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory, repository) -> Path:
    """A folder with the files that the snippets name."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("examples", "model.onnx"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "repository").symlink_to(repository)
    shutil.copyfile(repository / "resize.mjs", folder / "resize.mjs")
    shutil.copyfile(PORTRAIT, folder / "photo.jpg")
    with Image.open(PORTRAIT) as image:
        face = image.convert("RGB")
        film(folder / "clip.mp4", [np.asarray(face)] * 5)
        face.crop((140, 20, 340, 220)).save(folder / "face.png")
    return folder


@pytest.fixture(scope="module")
def hub(repository):
    """A Hub with the folder of the model repository, as `python -m export push` publishes it."""
    files = {path.relative_to(repository).as_posix(): path for path in repository.rglob("*") if path.is_file()}
    with running_hub() as server:
        published = server.repo(NAME.replace(OWNER, PUBLISHED), {name: f.read_bytes() for name, f in files.items()})
        published.tags[f"v{__version__}"] = published.head
        yield server


def python(code: str, home: Path, interpreter: str | Path = sys.executable, **variables: str) -> str:
    """What a program prints that knows nothing of these tests, in this folder, with its own cache of the Hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING_", "MODEL_"))}
    environment = kept | {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"} | variables
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, timeout=LONG, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", snippets("python"))
def test_python(code, place, request, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    if "optimum" in code:
        said = python(local(code), tmp_path, needed(optimum)[0], HF_HUB_OFFLINE="1")
    elif f'Detector("{NAME}")' in code:
        hub = request.getfixturevalue("hub")
        before = hub.count("GET", "/large/")
        said = python(code.replace(OWNER, PUBLISHED), tmp_path, HF_ENDPOINT=hub.url, PYTHONPATH=str(ROOT))
        assert hub.count("GET", "/large/") == before + 1  # the model came from there
    else:
        url = request.getfixturevalue("server")[0] if "gradio_client" in code else ""
        with redirect_stdout(StringIO()) as out:
            exec(compile(local(code, url), "snippet", "exec"), {"__name__": "snippet"})
        said = out.getvalue()
    if "check_credentials" in code:
        assert said == "none   ()\n[]\n"
    else:
        assert re.search(r"\b(real|fake|unsure|Real|Fake|Not sure)\b", said)


def test_the_words_on_loading_from_the_hub(hub, place, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    usage = DOCS["usage"]
    (call,) = re.findall(r"`(Detector\.from_hub\(.*?\))`", usage)
    code = f"from deepfake_detect import Detector\nprint({call.replace('owner/name', NAME)}.model.path)"
    variables = {"HF_ENDPOINT": hub.url, "PYTHONPATH": str(ROOT)}
    said = python(code.replace(OWNER, PUBLISHED), tmp_path, **variables)
    assert said.strip().endswith("onnx/model_quantized.onnx")
    for name in ("MODEL_REPO", "MODEL_REVISION", "owner/name@revision"):
        assert f"`{name}`" in usage


@pytest.mark.parametrize("code", snippets("bash"))
def test_curl(code, place, server):
    done = subprocess.run(["bash", "-e", "-c", local(code, server[0])], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "event: complete" in done.stdout and re.search(r'"label": ?"(real|fake|unsure)"', done.stdout), done.stdout


# What imports the browser's files is run in a browser, by tests/web/test_web_page.py.
@pytest.mark.parametrize("code", [given for given in snippets("js") if '"./detector.js"' not in given.values[0]])
def test_javascript(code, place, request):
    if "@gradio/client" in code:
        packages, url = ROOT / "tests" / "node" / "node_modules", request.getfixturevalue("server")[0]
        if not shutil.which("node") or not packages.is_dir():
            assert not os.environ.get("REQUIRE_NODE"), "Node.js or the packages of tests/node are not installed"
            pytest.skip("Node.js or the packages of tests/node are not installed")
    else:
        needed(node)
        packages, url = NODE_CLIENTS / "node_modules", ""
    here_only = 'import { env as settings } from "@huggingface/transformers";\nsettings.allowRemoteModels = false;\n'
    here_only += 'settings.localModelPath = "./";\n'
    modules = place / "node_modules"
    modules.unlink(missing_ok=True)
    modules.symlink_to(packages)
    (place / "snippet.mjs").write_text(("" if url else here_only) + local(code, url))
    done = subprocess.run(["node", "snippet.mjs"], cwd=place, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b(real|fake|unsure)\b", done.stdout)


def command_lines() -> list[str]:
    lines = (line.partition(" #")[0].strip() for _, code in fenced("") for line in code.splitlines())
    return list(dict.fromkeys(filter(None, lines)))


DETECT = [line for line in command_lines() if "bin/deepfake-detect " in line and "runs/" not in line]
OTHERS = [line for line in command_lines() if line not in DETECT]


@pytest.mark.parametrize("line", DETECT)
def test_detect(line, place, monkeypatch):
    monkeypatch.chdir(place)
    done = here("deepfake_detect", *shlex.split(line)[1:])
    assert done.returncode == 0, done.stderr
    written = place / "verdicts.jsonl"
    said = written.read_text() if "--output" in line else done.stdout + done.stderr
    assert re.search(r"\b(real|fake|unsure|Real|Fake)\b", said)


def test_the_job_for_a_cluster():
    ((_, code),) = fenced("sh")
    words = shlex.split(code.replace("\\\n", ""))
    job = yaml.safe_load((ROOT / words[words.index("--runtime-env") + 1]).read_text())
    assert job["working_dir"] == "." and (ROOT / job["pip"][0].rpartition("/")[2]).is_file()
    asked = words[words.index("deepfake_detect") + 1 :]
    main = import_module("deepfake_detect.cli.judge").main
    assert {word for word in asked if word.startswith("--")} <= options_of(main, asked[:1])


def options_of(main, words: list[str]) -> set[str]:
    """The options that a command says it has."""
    with redirect_stdout(StringIO()) as out, pytest.raises(SystemExit):
        main([*words, "--help"])
    return set(re.findall(r"--[a-z0-9-]+", out.getvalue()))


def test_every_other_command_exists():
    """Those that train, measure, install or fetch take too long for a test; their options are those that there are."""
    assert len(DETECT) >= 3 and len(OTHERS) >= 15
    for line in OTHERS:
        words = shlex.split(line)
        asked = {word for word in words if word.startswith("--")}
        program = words[0].rpartition("/")[2]
        if program == "make":
            makefile = (ROOT / "Makefile").read_text()
            assert all(f"\n{target}:" in makefile for target in words[1:] if "=" not in target), line
        elif program == "deepfake-detect":
            assert asked <= options_of(import_module("deepfake_detect.__main__").main, []), line
        elif program == "python" and words[words.index("-m") + 1] in OWN:
            package, subcommand = words[words.index("-m") + 1 :][:2]
            assert asked <= options_of(import_module(f"{package}.__main__").main, [subcommand]), line
        elif program.startswith("python"):
            assert find_spec(words[words.index("-m") + 1]), line
        elif program == "pip":
            files = [words[index + 1] for index, word in enumerate(words) if word == "-r"]
            assert all((ROOT / file).is_file() for file in files), line
        else:
            assert program in ("git", "cd") or (ROOT / words[0]).is_file(), line
        assert set(re.findall(r"\.\[(.+?)\]", line)) <= set(EXTRAS), line
