"""Models by the name of a Hub repository, from a local server that speaks the Hub's download API."""

import logging
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest
from hub_models import MODEL, NAME, blob, disconnect, logged, refusal
from hub_repos import Fault, sha256, with_manifest
from hub_server import READER, running_hub, use
from huggingface_hub import constants
from onnx_files import METADATA, write_model
from project import ROOT
from waiting import PATIENCE

from deepfake_detect import Detector, ModelError
from deepfake_detect.model import hub_repository
from deepfake_detect.model.hub import model_file
from deepfake_detect.model.onnx_model import CONTRACT


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """A model repository of small models, as `python -m export push` makes one."""
    folder = tmp_path_factory.mktemp("models")
    full, quantized = (write_model(folder / f"{n}.onnx", (n, 0, -n)).read_bytes() for n in (200, 100))
    return with_manifest({"model.onnx": full, "onnx/model.onnx": full, "onnx/model_quantized.onnx": quantized})


@pytest.fixture
def server(tmp_path, monkeypatch, caplog):
    with running_hub() as server:
        use(server.url, tmp_path / "home", monkeypatch)
        caplog.set_level(logging.WARNING, "deepfake_detect")
        yield server


@pytest.fixture
def said(caplog):
    """What was logged since it was last asked."""

    return partial(logged, caplog)


# What is served


def test_a_repository_is_downloaded_once_and_then_serves_without_the_hub(server, files, said, monkeypatch):
    server.repo(NAME, files)
    monkeypatch.setenv("HF_TOKEN", READER)
    for _ in range(2):
        assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])
        assert server.count("GET", "/large/") == 1 and said() == []
    assert not server.leaked, "the token went to another host"
    disconnect(monkeypatch)
    assert Detector(NAME).model.sha256 == sha256(files["model.onnx"])
    (line,) = said()
    assert "cannot be reached" in line and "is the copy in the cache" in line and "\n" not in line
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])
    (line,) = said()
    assert line.startswith("HF_HUB_OFFLINE is set")


def test_each_variant_has_its_file_and_its_place_in_the_cache(server, files, tmp_path):
    server.repo(NAME, files)
    folder = tmp_path / "elsewhere"
    quantized = Detector.from_hub(NAME, variant="int8", cache_dir=folder).model
    assert quantized.sha256 == sha256(files["onnx/model_quantized.onnx"]) != sha256(files["model.onnx"])
    assert quantized.path.is_relative_to(folder)
    with pytest.raises(ValueError, match="fp32, int8"):
        Detector.from_hub(NAME, variant="fp16")


def test_a_repository_laid_out_for_the_browser_serves(server, files):
    server.repo(NAME, {name: data for name, data in files.items() if name != "model.onnx"})
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["onnx/model.onnx"])


def test_a_revision_is_a_tag_a_branch_or_a_commit(server, files, monkeypatch):
    repo = server.repo(NAME, files)
    repo.tags["v0.1.0"] = repo.head
    repo.commit(with_manifest({"model.onnx": files["onnx/model_quantized.onnx"]}))
    old, new = sha256(files["model.onnx"]), sha256(files["onnx/model_quantized.onnx"])
    commit = repo.tags["v0.1.0"]
    assert Detector(f"{NAME}@v0.1.0").model.sha256 == Detector.from_hub(NAME, "v0.1.0").model.sha256 == old
    assert Detector(NAME).model.sha256 == Detector.from_hub(NAME, "main").model.sha256 == new
    assert Detector(f"{NAME}@{commit}").model.sha256 == old
    server.requests.clear()
    assert Detector(f"{NAME}@{commit}").model.sha256 == old and not server.requests, "a commit never changes"


def test_a_new_version_is_fetched_and_the_older_serves_on_where_that_fails(server, files, said):
    repo = server.repo(NAME, files)
    Detector.from_hub(NAME)
    repo.commit(with_manifest({"model.onnx": files["onnx/model_quantized.onnx"]}))
    server.faults = [Fault("HEAD", "/resolve/", 503, times=1)]
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])
    assert "error 503" in said()[0]
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["onnx/model_quantized.onnx"]) and not said()


def test_a_download_that_is_cut_off_goes_on_where_it_was(server, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 20)  # smaller than the file
    server.repo(NAME, with_manifest({"model.onnx": MODEL}))
    server.faults = [Fault("GET", "/large/", "cut", after=len(MODEL) // 2)]
    with suppress(ModelError):  # huggingface_hub before 2 goes on when it is asked again, later ones by themselves
        Detector.from_hub(NAME)
    assert Detector.from_hub(NAME).model.sha256 == sha256(MODEL)
    _, rest = (asked for asked in server.requests if asked.startswith("GET /large/"))
    assert 1 << 20 <= int(rest.rpartition(" from ")[2]) <= len(MODEL) // 2


def test_a_path_that_exists_stays_a_path(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples" / "x").mkdir(parents=True)
    for name in ("examples/x", Path("examples/x"), "no/such.onnx", "a/b/c", "name", "a/b@"):
        assert model_file(name) == Path(name)
    with pytest.raises(ModelError, match="no model file examples/x"):
        Detector("examples/x")
    assert not server.requests


@pytest.mark.slow
def test_a_file_of_this_machine_needs_no_hub_library():
    code = "import sys; from deepfake_detect import Detector; Detector(); print('huggingface_hub' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# What is checked


def test_bytes_that_differ_from_the_manifest_are_fetched_once_more(server, files, said):
    server.repo(NAME, files)
    good = files["model.onnx"]
    server.faults = [Fault("GET", "/large/", good[::-1])]
    found = Detector.from_hub(NAME).model
    assert found.sha256 == sha256(good) and server.count("GET", "/large/") == 2
    (line,) = said()
    assert "model.onnx of someone/detector is corrupted" in line and "fetched once more" in line
    blob(found.path).write_bytes(good[:-1] + b"?")  # on the disk, later
    assert Detector.from_hub(NAME).model.sha256 == sha256(good) and len(said()) == 1
    assert server.count("GET", "/large/") == 3


def test_bytes_that_keep_differing_are_refused(server, files):
    server.repo(NAME, files)
    server.faults = [Fault("GET", "/large/", files["model.onnx"][::-1], times=9)]
    message = refusal()
    assert "model.onnx of someone/detector is corrupted" in message and "did not help" in message
    assert sha256(files["model.onnx"])[:12] in message and server.count("GET", "/large/") == 2


@pytest.mark.parametrize(
    ("manifest", "why"),
    [(b'{"files": {}}', "does not list it"), (b'{"files": [', "cannot be read"), (b"[]", "cannot be read"),
     (b'{"files": {"model.onnx": "ab"}}', "cannot be read")],
)  # fmt: skip
def test_a_manifest_that_vouches_for_nothing_is_refused(server, files, manifest, why):
    server.repo(NAME, files | {"manifest.json": manifest})
    assert why in refusal()


def test_a_copy_damaged_without_the_hub_in_reach_says_what_to_delete(server, files, monkeypatch):
    server.repo(NAME, files)
    copy = blob(Detector.from_hub(NAME).model.path)
    copy.write_bytes(b"?")
    disconnect(monkeypatch)
    message = refusal()
    assert "corrupted in the cache" in message and f"Delete {copy}" in message
    copy.unlink()
    disconnect(monkeypatch, server.url)
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])


def test_without_a_manifest_the_file_is_accepted_and_that_is_said(server, files, said):
    server.repo(NAME, {"model.onnx": files["model.onnx"]})
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])
    assert said() == ["No manifest.json came with someone/detector, so model.onnx is accepted without a checksum."]


# What cannot be had


def test_a_repository_that_is_not_there(server, monkeypatch):
    assert "private, or there is no such repository" in refusal("someone/else")
    monkeypatch.setenv("HF_TOKEN", READER)
    assert "There is no repository someone/else" in refusal("someone/else")


def test_a_private_repository_asks_for_a_token_that_is_known(server, files, monkeypatch):
    server.repo(NAME, files, private=True)
    assert "set HF_TOKEN or run `hf auth login`" in refusal()
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    assert "does not accept the token" in refusal() and f"{server.url}/settings/tokens" in refusal()
    monkeypatch.setenv("HF_TOKEN", READER)
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])


@pytest.mark.parametrize("token", ["", READER])
def test_a_gated_repository_says_where_to_ask(server, files, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    server.repo(NAME, files, gated=True)
    assert f"is gated. Ask for access at {server.url}/{NAME}" in refusal()


def test_a_revision_or_a_file_that_is_not_there(server, files):
    server.repo(NAME, {"README.md": b"hello", "model.onnx": files["model.onnx"]})
    assert "has no revision 'v9'" in refusal(revision="v9")
    assert "someone/detector has no onnx/model_quantized.onnx" in refusal(variant="int8")
    server.repo("someone/words", {"README.md": b"hello"})
    assert "has no model.onnx and no onnx/model.onnx" in refusal("someone/words")
    for name in ("detector", "https://huggingface.co/a/b", "a/b/c"):
        assert "give owner/name" in refusal(name)
    assert "cannot be the name" in refusal("a--b/..c")


def test_a_model_of_another_contract_is_refused(server, tmp_path):
    properties = METADATA.to_properties() | {"contract": str(CONTRACT + 1)}
    other = write_model(tmp_path / "m.onnx", properties=properties).read_bytes()
    server.repo(NAME, with_manifest({"model.onnx": other}))
    assert f"contract {CONTRACT + 1}" in refusal()


def test_a_hub_out_of_reach_is_named_at_once(server, monkeypatch):
    disconnect(monkeypatch)
    started, message = perf_counter(), refusal()
    assert perf_counter() - started < PATIENCE, "it waits for a network that is not there"
    assert "cannot be reached" in message and "never fetched before" in message and "use a model file" in message


def test_an_answer_that_takes_too_long_counts_as_none(server, files, tmp_path, monkeypatch):
    assert hub_repository.PATIENCE <= 8
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_ETAG_TIMEOUT", constants.DEFAULT_ETAG_TIMEOUT)
    monkeypatch.setattr(hub_repository, "PATIENCE", 0.3)
    server.repo(NAME, files)
    server.faults = [Fault("HEAD", "/resolve/", "hang", times=2)]
    assert "gave no answer in 0.3 seconds" in refusal()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_ETAG_TIMEOUT", 1)
    assert "gave no answer in 1 seconds" in refusal()
    use(server.url, tmp_path / "home", monkeypatch)  # as patient as before
    server.faults.clear()  # one may not have been met
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])


@pytest.mark.parametrize(
    ("action", "words"),
    [("cut", "cannot be reached"), (500, "answers with error 500"), (429, "answers with error 429"),
     (200, "is not the Hugging Face Hub"), (403, "error 403 to a request for someone/detector (made to fail)")],
)  # fmt: skip
def test_a_hub_in_trouble_is_named(server, files, action, words):
    server.repo(NAME, files)
    server.faults = [Fault("HEAD", "/resolve/", action, times=9)]
    assert words in refusal()


def test_where_a_proxy_answers_in_the_hub_s_place_the_cache_serves(server, files, said, monkeypatch):
    server.repo(NAME, files)
    Detector.from_hub(NAME)
    disconnect(monkeypatch, server.url + "/blocked")  # 404, and no word of the Hub
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])
    assert "answers with error 404: model.onnx of someone/detector is the copy in the cache" in said()[0]


def test_a_hub_that_refuses_half_way_is_named(server, files):
    server.repo(NAME, files)
    server.faults = [Fault("GET", "/large/", 403, times=9)]
    assert "error 403" in refusal()


def test_a_download_that_never_comes_through_can_be_repeated(server, files, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    server.repo(NAME, files)
    server.faults = [Fault("GET", "/large/", "cut", times=99)]
    assert "did not come through" in refusal()
    server.faults.clear()
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])


def test_storage_out_of_reach_is_named_with_the_plain_way(server, files, monkeypatch):
    pytest.importorskip("hf_xet")
    for name, value in (("MAX_ATTEMPTS", "1"), ("BASE_DELAY", "10ms"), ("MAX_DURATION", "1s")):
        monkeypatch.setenv(f"HF_XET_CLIENT_RETRY_{name}", value)
    server.repo(NAME, files)
    server.xet, disabled = True, "huggingface_hub.constants.HF_HUB_DISABLE_XET"
    monkeypatch.setattr(disabled, False)
    assert "did not come through" in (said := refusal()) and "with HF_HUB_DISABLE_XET=1 by plain HTTP" in said
    monkeypatch.setattr(disabled, True)
    assert Detector.from_hub(NAME).model.sha256 == sha256(files["model.onnx"])


def test_a_cache_that_cannot_be_written_says_so(server, files, tmp_path):
    server.repo(NAME, files)
    (tmp_path / "file").write_text("")
    assert "set HF_HOME" in refusal(cache_dir=tmp_path / "file")
