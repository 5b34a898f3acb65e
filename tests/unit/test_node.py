"""The API from JavaScript, through the package that JavaScript programs use."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from films import film
from PIL import Image
from project import ROOT
from waiting import LONG

from deepfake_detect import judge_video

pytestmark = pytest.mark.slow

NODE = ROOT / "tests" / "node"
REAL = ROOT / "examples" / "real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def ask(server):
    missing = "Node.js is not installed" if not shutil.which("node") else "the packages of tests/node are not installed"
    if not shutil.which("node") or not (NODE / "node_modules").is_dir():
        assert not os.environ.get("REQUIRE_NODE"), missing
        pytest.skip(missing)

    def run(endpoint, parameter, *files):
        words = ["node", NODE / "client.mjs", server[0], endpoint, parameter, *files]
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=True)
        return json.loads(done.stdout)

    return run


def test_the_verdict_is_that_of_the_library(ask, detector):
    verdict = detector.predict([REAL])[0]
    assert ask("/analyze", "image", REAL) == json.loads(json.dumps(verdict.to_dict()))
    answer = ask("/predict", "image", REAL)
    assert {c["label"]: c["confidence"] for c in answer["confidences"]}["Fake"] == pytest.approx(verdict.p_fake)


def test_a_video_is_judged(ask, detector, tmp_path):
    clip = film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 5)
    assert ask("/analyze_video", "video", clip) == json.loads(json.dumps(judge_video(detector, clip).to_dict()))


def test_a_broken_file_gets_a_sentence(ask, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(REAL.read_bytes()[:5000])
    assert "damaged or cut short" in ask("/analyze", "image", broken)["error"]
