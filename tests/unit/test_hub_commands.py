"""The command line and the page on a model of the Hub, from a local server that speaks the Hub's download API."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import command, here
from hub_repos import Hub, with_manifest
from hub_server import running_hub, use
from onnx_files import write_model
from project import ROOT
from waiting import LONG

from deepfake_detect.model.hub import environment_model

pytestmark = pytest.mark.slow

NAME = "someone/detector"
PICTURE = "examples/real_grace_hopper.jpg"
DEAD = "http://127.0.0.1:9"


@pytest.fixture
def server(tmp_path, monkeypatch):
    with running_hub() as server:
        use(server.url, tmp_path / "home", monkeypatch)
        yield server


def detect(*words, model: str | None = None) -> tuple[int, dict | None, str]:
    done = here("deepfake_detect", PICTURE, "--format", "jsonl", *words, *(["--model", model] if model else []))
    record = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, {key: value for key, value in record.items() if key != "ms"}, done.stderr


def test_the_environment_names_a_repository_and_an_argument_wins(server, tmp_path, monkeypatch):
    shipped = detect()
    other = write_model(tmp_path / "m.onnx", weights=(200, 0, -200)).read_bytes()
    repo = server.repo(NAME, with_manifest({"model.onnx": other}))
    repo.tags["v0.1.0"] = repo.head
    server.repo("someone/else", {"README.md": b""})
    assert environment_model() is None
    monkeypatch.setenv("MODEL_REPO", "someone/else")
    assert detect(model=f"{NAME}@v0.1.0") == detect(model=NAME) != shipped
    status, _, message = detect()
    assert status == 2 and "someone/else has no model.onnx" in message and message.count("\n") == 1
    monkeypatch.setenv("MODEL_REPO", NAME)
    monkeypatch.setenv("MODEL_REVISION", "v0.1.0")
    assert detect() == detect(model=NAME)
    assert environment_model().parent.name == repo.head
    monkeypatch.setenv("MODEL_REVISION", "v9")
    assert "has no revision 'v9'" in detect()[2]
    monkeypatch.delenv("MODEL_REPO")
    assert "MODEL_REPO is not" in detect()[2]
    monkeypatch.delenv("MODEL_REVISION")
    assert detect() == shipped


def environment(server: Hub, home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "MODEL_"))}
    return kept | {"HF_ENDPOINT": server.url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"} | more


def test_the_command_serves_from_the_hub_then_from_the_cache(server, tmp_path, detector):
    server.repo(NAME, with_manifest({"model.onnx": (ROOT / "model.onnx").read_bytes()}))
    expected = json.loads(json.dumps(detector.predict([ROOT / PICTURE])[0].to_dict()))
    online = environment(server, tmp_path, MODEL_REPO=NAME)
    for env, lines in ((online, 0), (online | {"HF_ENDPOINT": DEAD}, 1)):
        done = command("deepfake_detect", PICTURE, "--format", "jsonl", env=env)
        record = json.loads(done.stdout)
        assert {key: record[key] for key in expected} == expected
        assert done.stderr.count("\n") == lines and ("copy in the cache" in done.stderr) == bool(lines)


def test_a_page_without_its_repository_does_not_start(server, tmp_path):
    env = environment(server, tmp_path, HF_ENDPOINT=DEAD, MODEL_REPO=NAME)
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 2 and done.stderr.startswith("app.py: The Hugging Face Hub (http://127.0.0.1:9)")
    assert "never fetched before" in done.stderr and done.stderr.count("\n") == 1
