"""What the Hub's cache serves: only what can be checked, and the older version until the newer is whole."""

import logging

import huggingface_hub
import pytest
from commands import here
from hub_models import MODEL, NAME, blob, disconnect, refusal
from hub_repos import Fault, git_id, sha256, with_manifest
from hub_server import READER, running_hub, use
from onnx_files import write_model
from project import ROOT

from deepfake_detect import Detector, ModelError
from deepfake_detect.model.hub import hub_file, model_file

PICTURE = ROOT / "examples" / "real_grace_hopper.jpg"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[bytes]:
    """Two small model files, an older and a newer."""
    folder = tmp_path_factory.mktemp("models")
    return [write_model(folder / f"{n}.onnx", weights=(n, 0, -n)).read_bytes() for n in (200, 100)]


@pytest.fixture
def server(tmp_path, monkeypatch, caplog):
    with running_hub() as server:
        use(server.url, tmp_path / "home", monkeypatch)
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
        caplog.set_level(logging.WARNING, "deepfake_detect")
        yield server


def test_a_copy_without_its_manifest_is_not_served_unchecked(server, models, monkeypatch):
    commit = server.repo(NAME, with_manifest({"model.onnx": models[0]})).head
    huggingface_hub.hf_hub_download(NAME, "model.onnx", revision=commit)  # as another program does
    path = hub_file(NAME, commit)
    blob(path).write_bytes(b"?")
    (path.parent / "manifest.json").unlink()
    disconnect(monkeypatch)
    message = refusal(revision=commit)
    assert "manifest.json of someone/detector" in message and "was never fetched" in message and str(path) in message
    disconnect(monkeypatch, server.url)
    assert Detector.from_hub(NAME, commit).model.sha256 == sha256(models[0])


def test_a_commit_that_is_known_to_have_no_manifest_needs_no_network(server, models, caplog):
    commit = server.repo(NAME, {"model.onnx": models[0]}).head
    hub_file(NAME, commit)
    server.requests.clear()
    caplog.clear()
    assert Detector.from_hub(NAME, commit).model.sha256 == sha256(models[0]) and not server.requests
    assert "accepted without a checksum" in caplog.text


@pytest.mark.parametrize("action", ["cut", 503, "corrupt"])
def test_until_an_update_is_whole_the_older_version_serves(server, models, monkeypatch, caplog, action):
    old, new = models
    repo = server.repo(NAME, with_manifest({"model.onnx": old}))
    hub_file(NAME)
    repo.commit(with_manifest({"model.onnx": new}))
    server.faults = [Fault("GET", "/large/", new[::-1] if action == "corrupt" else action, times=99)]
    assert hub_file(NAME).read_bytes() == old
    assert "Until then the older copy of someone/detector in the cache serves." in caplog.messages[-1]
    disconnect(monkeypatch)
    assert hub_file(NAME).read_bytes() == old
    disconnect(monkeypatch, server.url)
    server.faults.clear()
    assert hub_file(NAME).read_bytes() == new
    disconnect(monkeypatch)
    assert hub_file(NAME).read_bytes() == new, "the cache still names the older version"


def test_an_update_between_manifest_and_model_does_not_mix_them(server, models, monkeypatch, caplog):
    old, new = models
    repo = server.repo(NAME, with_manifest({"model.onnx": old}))
    download = huggingface_hub.hf_hub_download

    def and_then_comes_an_update(*words, **options):
        path = download(*words, **options)
        if len(repo.commits) == 1:
            repo.commit(with_manifest({"model.onnx": new}))
        return path

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", and_then_comes_an_update)
    assert hub_file(NAME).read_bytes() == old and not caplog.messages and len(repo.commits) == 2
    assert hub_file(NAME).read_bytes() == new and not caplog.messages


def test_a_cache_that_cannot_note_the_version_says_so_and_serves(server, models, tmp_path, caplog):
    server.repo(NAME, with_manifest({"model.onnx": models[0]}))
    storage = tmp_path / "home" / "hub" / "models--someone--detector"
    storage.mkdir(parents=True)
    (storage / "refs").write_text("in the way")
    assert hub_file(NAME).read_bytes() == models[0]
    assert "Without the Hub, someone/detector will not be found in the cache" in caplog.text


def test_storage_that_ends_before_a_download_goes_on_is_named(server, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 20)  # smaller than the file
    server.repo(NAME, with_manifest({"model.onnx": MODEL}))
    server.faults = [Fault("GET", "/large/", "cut", after=len(MODEL) // 2), Fault("GET", "/large/", b"short")]
    message = refusal()
    if "error 416" not in message:  # huggingface_hub before 2 goes on only when it is asked again
        message = refusal()
    assert "error 416" in message and server.requests[-1].endswith(" not satisfied")
    assert Detector.from_hub(NAME).model.sha256 == sha256(MODEL)


@pytest.mark.parametrize("token", ["hf_\x01secret", "hf_secret…", "hf_ secret"])
def test_a_token_that_cannot_be_sent_is_not_shown(server, models, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    server.repo(NAME, with_manifest({"model.onnx": models[0]}))
    message = refusal()
    assert "control characters" in message and "secret" not in message and not server.requests
    monkeypatch.setenv("HF_TOKEN", READER)
    assert hub_file(NAME).read_bytes() == models[0]


def test_a_token_that_is_quoted_is_not_shown(server, models, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "made")
    server.repo(NAME, with_manifest({"model.onnx": models[0]}))
    server.faults = [Fault("HEAD", "/resolve/", 403)]  # "made to fail"
    assert "(… to fail)" in refusal()


def test_a_token_file_that_cannot_be_read_is_named(server, models, tmp_path):
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "token").write_bytes(b"\xff\xfe")
    server.repo(NAME, with_manifest({"model.onnx": models[0]}))
    assert "token cannot be read. Set HF_TOKEN" in refusal()


@pytest.mark.parametrize("offline", [True, False])
def test_names_that_cannot_be_end_in_a_sentence(server, monkeypatch, offline):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    done = here("deepfake_detect", PICTURE, "--model", "../model")
    assert done.returncode == 2 and "no model file ../model" in done.stderr and done.stderr.count("\n") == 1
    monkeypatch.setenv("MODEL_REPO", "a--b/x")
    monkeypatch.setenv("MODEL_REVISION", git_id(b""))
    done = here("deepfake_detect", PICTURE)
    assert done.returncode == 2 and "'a--b/x' cannot be the name" in done.stderr and done.stderr.count("\n") == 1
    if not offline:
        with pytest.raises(ModelError, match="cannot be asked of the Hub"):
            model_file("a/b@\udcff")


def test_a_manifest_that_is_too_deep_is_refused(server, models):
    server.repo(NAME, {"model.onnx": models[0], "manifest.json": b"[" * 200_000})
    assert "cannot be read" in refusal()
