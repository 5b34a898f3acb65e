"""Models by the name of a Hub repository, from a local server that speaks the Hub's download API."""

import hashlib
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import ROOT, command

MODEL = (ROOT / "model.onnx").read_bytes()
PICTURE = "examples/real_grace_hopper.jpg"


class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        found = self.path.split("?")[0] == "/someone/detector/resolve/main/model.onnx"
        self.send_response(200 if found else 404)
        self.send_header("X-Repo-Commit", "1" * 40)
        if not found:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("ETag", f'"{hashlib.sha256(MODEL).hexdigest()}"')
        self.send_header("Content-Length", str(len(MODEL) if found else 0))
        self.end_headers()
        if body and found:
            self.wfile.write(MODEL)

    def log_message(self, *words) -> None:
        pass


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    yield os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HOME": str(tmp_path_factory.mktemp("hub")),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    server.shutdown()


def verdict(*words, **options):
    done = command("detect", PICTURE, "--format", "jsonl", *words, **options)
    assert done.returncode == 0, done.stderr
    return {key: value for key, value in json.loads(done.stdout).items() if key != "ms"}


def test_a_repository_serves_like_its_file(environment):
    assert verdict("--model", "someone/detector", env=environment) == verdict()


def test_a_repository_that_is_not_there_ends_in_a_sentence(environment):
    done = command("detect", PICTURE, "--model", "someone/else", env=environment)
    assert done.returncode == 2 and "someone/else could not be had" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_out_of_reach_ends_in_a_sentence(environment, tmp_path):
    offline = environment | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = command("detect", PICTURE, "--model", "someone/detector", env=offline)
    assert done.returncode == 2 and "could not be had" in done.stderr and "Traceback" not in done.stderr
