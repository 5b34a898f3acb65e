"""The JSON report of a photograph has everything that is said of it."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from project import ROOT

from deepfake_detect import Detector
from deepfake_detect.picture.content_credentials import ContentCredentials
from deepfake_detect.picture.provenance import CREDENTIALS, Claim
from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.printable import Picture, result
from deepfake_detect.report.sentences import explain

pytestmark = pytest.mark.slow

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RATES = dict.fromkeys(("fake", "real", "unsure"), "A rate.")


@pytest.fixture(scope="module")
def judged():
    detector = Detector(ROOT / "model.onnx")
    file = ROOT / "examples" / "group_portraits.jpg"
    verdict, stability, crops = detector.examine(file, with_stability=True)
    facts = Picture.of("group.jpg", file.read_bytes(), crops.picture)
    return detector.model, crops.picture, facts, verdict, stability


def test_the_report_says_all_of_it(judged):
    model, picture, facts, verdict, stability = judged
    claims = (Claim("camera", "EXIF", "A camera", "camera"),)
    report = json.loads(json.dumps(result(facts, verdict, stability, claims, model, WHEN)))
    height, width = picture.pixels.shape[:2]
    digest = hashlib.sha256((ROOT / "examples" / "group_portraits.jpg").read_bytes()).hexdigest()
    assert report["picture"] == {"name": "group.jpg", "sha256": digest, "width": width, "height": height}
    said, faces = json.loads(json.dumps(verdict.to_dict())), report["verdict"]["faces"]
    assert {**report["verdict"], "faces": 0} == {**said, "faces": 0}
    tried = [number for number, face in enumerate(faces, 1) if face["label"] != "unsure"]
    assert [face.pop("number") for face in faces] == [1, 2, 3]
    assert [tested["number"] for tested in report["stability"]] == tried
    assert faces == sorted(said["faces"], key=lambda face: -face["p_fake"])
    assert report["explanation"] == explain(verdict, shipped_rates(model.sha256), (), stability)
    assert all(len(tested["rescores"]) == 5 for tested in report["stability"])
    assert report["claims"] == [{"kind": "camera", "source": "EXIF", "text": "A camera", "code": "camera"}]
    assert report["claims_caveat"] and report["content_credentials"] is None
    assert report["model"]["sha256"] == model.sha256 and report["time"] == "2026-01-02T03:04:05+00:00"


def test_what_the_file_says_of_ai_stands_in_the_explanation(judged):
    model, _, facts, verdict, stability = judged
    claims = (Claim("generator", "PNG text", "settings of ComfyUI", "ai_settings"), Claim(
        "credentials", "C2PA", CREDENTIALS, "credentials_not_checked"))  # fmt: skip
    report = result(facts, verdict, stability, claims, model, WHEN, rates=RATES)
    assert "settings of ComfyUI" in report["explanation"][0] and "not proof" in report["explanation"][0]
    # credentials alone are not of AI
    assert report["explanation"][1:] == explain(verdict, RATES, claims[1:], stability)


def test_content_credentials_stand_beside_the_claims(judged):
    model, _, facts, verdict, stability = judged
    found = ContentCredentials("invalid", signer="Ada Example", problems=("assertion.dataHash.mismatch",))
    report = json.loads(json.dumps(result(facts, verdict, stability, (), model, WHEN, found)))
    assert report["content_credentials"] == {
        "state": "invalid", "cause": "", "signer": "Ada Example", "generator": "", "actions": [], "made": "",
        "signed_at": "", "same_picture": None, "problems": ["assertion.dataHash.mismatch"],
    }  # fmt: skip
