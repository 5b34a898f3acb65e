"""Publishing on a local server that speaks the Hub's upload API; the folders are small ones made here."""

import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from client_files import with_int8
from commands import here
from hub_repos import Fault, sha256, with_manifest
from hub_server import READER, WRITER
from onnx_files import write_model
from project import ROOT
from publishing import NAME, SPACE, TAG, build_small, published, refusal, repository_files, write, writing_hub

from deepfake_detect import Detector, __version__
from deepfake_detect.model import hub
from export import ExportError, repository
from export.push import listing, push

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with writing_hub(tmp_path / "home", monkeypatch) as server:
        yield server


@pytest.fixture
def contents() -> dict[str, bytes]:
    return repository_files()


@pytest.fixture
def folder(contents, tmp_path) -> Path:
    return write(contents, tmp_path / "folder")


@pytest.fixture
def builders(contents, monkeypatch) -> list[str]:
    return build_small(contents, monkeypatch)


# What arrives


def test_both_repositories_arrive_whole_in_one_commit_each_with_a_tag(server, contents, builders):
    done = here("export", "push", "--model-repo", NAME, "--space-repo", SPACE)
    assert done.returncode == 0, done.stderr
    assert builders == [f"model {NAME}, space {SPACE}", f"space {SPACE}"]
    assert published(server) == contents
    assert published(server, "space", SPACE).keys() == {"app.py", "README.md"}
    for kind, name in (("model", NAME), ("space", SPACE)):
        repo = server.repos[kind, name]
        assert repo.messages == ["initial commit", f"Version {__version__}"]
        assert repo.tags == {TAG: repo.head} and not repo.private
    urls = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert urls == [f"{server.url}/{NAME}", f"{server.url}/spaces/{SPACE}"]
    assert TAG in done.stdout and WRITER not in done.stdout + done.stderr
    assert not server.leaked, "the token went to another host"
    assert not list(Path(tempfile.gettempdir()).glob("push-*"))


def test_what_is_published_can_be_loaded(server, tmp_path):
    model = write_model(tmp_path / "m.onnx", weights=(200, 0, -200)).read_bytes()
    push(write(with_manifest({"model.onnx": model}), tmp_path / "repo"), NAME, "model", "0.1.0")
    assert Detector.from_hub(NAME, revision="v0.1.0").model.sha256 == sha256(model)


def test_a_second_push_of_the_same_files_changes_nothing(server, folder, contents):
    first = push(folder, NAME, "model", "0.1.0")
    assert push(folder, NAME, "model", "0.1.0") == first
    repo = server.repos["model", NAME]
    assert len(repo.commits) == 2 and repo.tags == {"v0.1.0": first} and server.count("PUT", "/large/") == 4


def test_a_new_version_is_a_new_commit_and_leaves_strangers_and_the_older_tag_alone(server, folder, contents):
    first = push(folder, NAME, "model", "0.1.0")
    repo = server.repos["model", NAME]
    repo.commit(repo.files | {"notes.txt": b"by hand"})
    (folder / "README.md").write_bytes(b"# New\n")
    second = push(folder, NAME, "model", "0.2.0")
    assert repo.tags == {"v0.1.0": first, "v0.2.0": second} and len(repo.commits) == 4
    assert published(server) == contents | {"README.md": b"# New\n", "notes.txt": b"by hand"}


def test_a_version_that_is_published_is_not_published_again_with_other_files(server, folder, contents):
    push(folder, NAME, "model", "0.1.0")
    (folder / "README.md").write_bytes(b"# New\n")
    (folder / "onnx" / "model.onnx").write_bytes(os.urandom(1000))
    message = refusal(folder, NAME, "model", "0.1.0")
    assert "v0.1.0 of someone/detector is published, with other contents (README.md, onnx/model.onnx)" in message
    assert f"delete the tag on the Hub's page, {server.url}/{NAME}" in message
    assert "version of the package" in message
    assert "hf repo" not in message
    assert published(server) == contents


def test_a_published_version_pushed_again_leaves_a_newer_one_alone(server, folder, contents, capsys):
    first = push(folder, NAME, "model", "0.1.0")
    (folder / "README.md").write_bytes(b"# New\n")
    second = push(folder, NAME, "model", "0.2.0")
    (folder / "README.md").write_bytes(contents["README.md"])
    capsys.readouterr()
    assert push(folder, NAME, "model", "0.1.0") == first
    assert server.repos["model", NAME].head == second and published(server)["README.md"] == b"# New\n"
    said = capsys.readouterr().out
    assert said.startswith(f"{server.url}/{NAME}: tag v0.1.0, commit {first[:7]}") and "nothing was sent" in said


def test_the_real_folders_are_published_and_load(server, tmp_path, monkeypatch):
    root, build = with_int8(tmp_path), repository.build_model_repo
    monkeypatch.setattr(repository, "build_model_repo", lambda *words, **more: build(*words, root=root, **more))
    done = here("export", "push", "--model-repo", NAME, "--space-repo", SPACE)
    assert done.returncode == 0, done.stderr
    for variant, file in (("fp32", ROOT / "model.onnx"), ("int8", root / repository.INT8)):
        model = Detector.from_hub(NAME, revision=TAG, variant=variant).model
        assert model.path.name == Path(hub.FILES[variant][0]).name and model.sha256 == sha256(file.read_bytes())
    for kind, name in (("model", NAME), ("space", SPACE)):
        arrived = published(server, kind, name)
        listed = json.loads(arrived.pop("manifest.json"))["files"]
        assert {name: sha256(data) for name, data in arrived.items()} == {n: f["sha256"] for n, f in listed.items()}


def test_a_private_repository_is_made_so_and_a_public_one_refused(server, folder):
    push(folder, NAME, "model", "0.1.0", private=True)
    push(folder, NAME, "model", "0.1.0", private=True)
    assert server.repos["model", NAME].private
    server.repo("someone/open", {"README.md": b""})
    assert f"{server.url}/someone/open/settings" in refusal(folder, "someone/open", "model", "0.1.0", private=True)
    assert server.repos["model", "someone/open"].files == {"README.md": b""}


def test_files_that_the_hub_leaves_out_are_missed_and_no_tag_is_set(server, folder):
    repo = server.repo(NAME, {".gitignore": b"config.json\n"})
    message = refusal(folder, NAME, "model", "0.1.0")
    assert "does not hold what was sent (config.json)" in message and ".gitignore" in message and not repo.tags


# What a dry run says


def test_a_dry_run_lists_every_file_and_asks_the_network_nothing(server, contents, builders, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    done = here("export", "push", "--model-repo", NAME, "--dry-run")
    assert done.returncode == 0 and not server.requests and builders == [f"model {NAME}, space None"]
    title, *lines = done.stdout.splitlines()
    assert title.startswith(f"model {NAME}, tag {TAG}: {len(contents)} files") and title.endswith("nothing is sent")
    expected = [(sha256(data), str(len(data)), name) for name, data in sorted(contents.items())]
    assert [tuple(line.split(None, 2)) for line in lines] == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], "Give --model-repo USER/NAME"), (["--model-repo", "detector"], "'detector' is not the name of a repository"),
     (["--space-repo", "https://huggingface.co/spaces/a/b", "--dry-run"], "is not the name of a repository")],
)  # fmt: skip
def test_a_push_of_nothing_or_nowhere_is_refused(server, builders, words, sentence):
    done = here("export", "push", *words)
    assert done.returncode == 2 and sentence in done.stderr and not builders and not server.requests


# What fails


@pytest.mark.parametrize(
    ("token", "sentence"),
    [("", "Publishing takes a token with write permission"), ("hf_old", "does not accept the token (401")],
)
def test_without_a_token_that_counts_nothing_is_built(server, builders, monkeypatch, token, sentence):
    monkeypatch.setenv("HF_TOKEN", token)
    done = here("export", "push", "--model-repo", NAME)
    assert done.returncode == 2 and sentence in done.stderr and f"{server.url}/settings/tokens" in done.stderr
    assert done.stderr.count("\n") == 1 and "hf_old" not in done.stderr and not builders and not server.repos


@pytest.mark.parametrize("token", ["hf_\x01secret", "hf_secret\N{HORIZONTAL ELLIPSIS}", "hf_ secret"])
def test_a_token_that_cannot_be_sent_is_not_shown(server, builders, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    done = here("export", "push", "--model-repo", NAME)
    assert done.returncode == 2 and "control characters" in done.stderr and done.stderr.count("\n") == 1
    assert "secret" not in done.stderr and not builders and not server.requests


def test_a_token_that_is_quoted_is_not_shown(server, builders, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "made")
    server.faults = [Fault("GET", "/whoami", 500)]  # "made to fail"
    assert "(500: … to fail)" in here("export", "push", "--model-repo", NAME).stderr


def test_a_token_that_may_only_read_is_named(server, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READER)
    message = refusal(folder, NAME, "model", "0.1.0")
    assert "may not write to someone/detector (403: You don't have the rights" in message
    server.repo(NAME, {"README.md": b""})
    assert "may not write to someone/detector (403" in refusal(folder, NAME, "model", "0.1.0")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(Fault("POST", "/repos/create", 500), "trouble of its own (500: made to fail)"),
     (Fault("POST", "/commit/", 503), "trouble of its own (503"),
     (Fault("POST", "/commit/", "cut"), "broke off"),
     (Fault("POST", "/commit/", 403), "may not write"),
     (Fault("POST", "/validate-yaml", 400), "refuses someone/detector (400: made to fail)"),
     (Fault("PUT", "/large/", 403), "may not write"),
     (Fault("POST", "/tag/", 500), "trouble of its own (500")],
    ids=lambda value: f"{value.path} {value.action}" if isinstance(value, Fault) else "",
)  # fmt: skip
def test_a_push_that_fails_says_what_to_do_and_can_be_repeated(server, folder, contents, fault, sentence):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    server.faults = [Fault(fault.method, fault.path, fault.action)]
    message = refusal(folder, NAME, "model", "0.1.0")
    assert sentence in message and re.search(r"un the same command again", message)
    repo = server.repos.get(("model", NAME))
    assert not repo or (not repo.tags and (fault.path == "/tag/" or repo.files.keys() == {".gitattributes"}))
    commit = push(folder, NAME, "model", "0.1.0")
    repo = server.repos["model", NAME]
    assert published(server) == contents and repo.tags == {"v0.1.0": commit} and len(repo.commits) == 2
    if "/commit/" in fault.path:
        assert server.count("PUT", "/large/") == 4, "large files were sent twice"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_connection_cut_while_a_large_file_is_sent_is_taken_up_again(server, folder, contents, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    server.faults = [Fault("PUT", "/large/", "cut")]
    with suppress(ExportError):  # huggingface_hub before 2 goes on when it is asked again, later ones by themselves
        push(folder, NAME, "model", "0.1.0")
    push(folder, NAME, "model", "0.1.0")
    assert published(server) == contents and not server.faults[0].times


def test_large_files_that_do_not_get_through_are_named_with_the_plain_way(server, folder, contents, monkeypatch):
    pytest.importorskip("hf_xet")
    for name, value in (("MAX_ATTEMPTS", "1"), ("BASE_DELAY", "10ms"), ("MAX_DURATION", "1s")):
        monkeypatch.setenv(f"HF_XET_CLIENT_RETRY_{name}", value)
    server.xet = True
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)
    assert "HF_HUB_DISABLE_XET=1" in refusal(folder, NAME, "model", "0.1.0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    push(folder, NAME, "model", "0.1.0")
    assert published(server) == contents


def test_without_the_hub_in_reach_or_offline_that_is_said(server, folder, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refusal(folder, NAME, "model", "0.1.0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert "The connection to http://127.0.0.1:9 broke off" in refusal(folder, NAME, "model", "0.1.0")


def test_a_listing_names_files_as_the_hub_does(folder, contents):
    assert [(file.name, file.size) for file in listing(folder)] == [(n, len(d)) for n, d in sorted(contents.items())]
