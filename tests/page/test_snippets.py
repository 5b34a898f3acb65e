"""The drawer “Use via API” of the running page, in a real browser: every program in it runs as it is pasted."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from project import ROOT
from servers import serving
from typer.testing import CliRunner
from unhurried import unhurried
from waiting import LONG

from deepfake_detect import Detector, judge_video
from page.api_list import SAMPLES
from page.calls import CALLS, snippets
from page.endpoint_docs import LABELS

NODE_MODULES = ROOT / "tests" / "node" / "node_modules"
LANGUAGES = {"Python": "python", "JavaScript": "javascript", "CLI": "cli", "cURL": "bash"}
FOREIGN = ("parameter_", "bus.png", ".pdf", "/path/to", "githubusercontent", "undefined", "{address}", "{space_id}")


def open_drawer(page):
    """The drawer, with the list of the API in it."""
    page.get_by_role("button", name=re.compile("API")).first.click()
    page.locator(".endpoint-container").nth(len(CALLS) - 1).wait_for()
    return page.locator(".api-docs")


def choose(drawer, language):
    drawer.locator("li.snippet").get_by_text(language, exact=True).click()


def shown_programs(drawer) -> dict[str, str]:
    """What is shown in the chosen language, by endpoint."""
    programs = {}
    for box in drawer.locator(".endpoint-container").all():
        name = re.search(r"API name: /(\w+)", box.inner_text())[1]
        (programs[name],) = [code.inner_text() for code in box.locator("code pre").all() if code.is_visible()]
    return programs


@pytest.fixture(scope="module")
def labels() -> dict[str, str]:
    """What the library says of the samples, by parameter."""
    detector, examples = Detector(ROOT / "model.onnx"), ROOT / "examples"
    picture = detector.predict_one(examples / SAMPLES["image"]).label
    return {
        "image": picture,
        "images": picture,
        "video": judge_video(detector, examples / "videos" / SAMPLES["video"]).label,
    }


def run(language: str, program: str, folder: Path) -> str:
    """What a program prints, run in an empty folder."""
    words = {"python": [sys.executable, "-c", program], "javascript": ["node", "snippet.mjs"]}
    if language == "javascript":
        if not NODE_MODULES.is_dir():
            assert not os.environ.get("REQUIRE_NODE"), "the packages of tests/node are not installed"
            pytest.skip("the packages of tests/node are not installed")
        (folder / "node_modules").symlink_to(NODE_MODULES)
        (folder / "snippet.mjs").write_text(program)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words.get(language, ["bash", "-c", program]), cwd=folder, env=os.environ | {"PATH": path} | unhurried(folder),
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def called(program: str) -> str:
    """What Gradio's own command prints, run in this process."""
    command, *words = shlex.split(program)
    assert command == "gradio"
    done = CliRunner().invoke(import_module("gradio.cli.cli").app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.mark.gradio
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_program_of_the_drawer_runs_as_it_is_pasted(first_tab, language, labels, tmp_path):
    drawer = open_drawer(first_tab)
    choose(drawer, language)
    programs = shown_programs(drawer)
    assert set(programs) == set(CALLS)
    for name, program in programs.items():
        folder = tmp_path / name
        folder.mkdir()
        # Each start of Gradio's command takes seconds, so only one of them is a process.
        said = called(program) if language == "CLI" and name != "analyze" else run(LANGUAGES[language], program, folder)
        assert re.search(rf"label\W+{labels[CALLS[name].parameter]}\b", said, re.IGNORECASE), (name, said)
        assert language != "cURL" or "event: complete" in said


@pytest.mark.gradio
def test_the_drawer_names_everything_and_has_no_file_of_anybody_else(first_tab):
    drawer = open_drawer(first_tab)
    for language in LANGUAGES:
        choose(drawer, language)
        text = drawer.inner_text()
        assert not [word for word in FOREIGN if word in text], language
        assert all(f'"{label}"' in text for label in LABELS.values())


@pytest.mark.gradio
def test_the_model_context_protocol_is_shown_only_where_it_is_spoken(first_tab):
    languages = open_drawer(first_tab).locator("li.snippet")
    assert [each.inner_text().strip() for each in languages.all() if each.is_visible()] == list(LANGUAGES)


def told(url: str, **headers: str) -> httpx.Response:
    """The list of the API."""
    return httpx.get(f"{url}gradio_api/info", headers=headers).raise_for_status()


def written(answer: httpx.Response, endpoint: str = "analyze") -> dict[str, str]:
    """The programs in a list of the API, by language."""
    return answer.json()["named_endpoints"][f"/{endpoint}"]["code_snippets"]


def test_programs_have_the_address_by_which_the_page_was_called(server):
    proxied = told(server[0], **{"x-forwarded-host": "faces.example", "x-forwarded-proto": "https"})
    assert "https://faces.example/gradio_api/file=" in proxied.text
    own = told(server[0])
    assert server[0] in own.text and "faces.example" not in own.text, "one who asks decides for all others"
    assert {answer.headers["cache-control"] for answer in (proxied, own)} == {"no-store"}


def test_programs_have_the_path_at_which_a_proxy_serves_the_page(tmp_path):
    with serving(tmp_path, GRADIO_ROOT_PATH="/faces") as started:
        assert f'Client("{started.url}faces/")' in written(told(started.url))["python"]
        proxied = written(told(started.url, **{"x-forwarded-host": "a.example"}))
    assert all("http://a.example/faces/gradio_api/file=" in program for program in proxied.values())


# Nothing of an address gets out of its quotes, whoever has written it
ODD = ["$(touch${IFS}made)", "`touch${IFS}made`", "';touch${IFS}made;'", '";touch${IFS}made;"',
       "{url}';touch${IFS}made;'", '");open("made","w");("', "\\", "&touch${IFS}made&"]  # fmt: skip


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
@pytest.mark.parametrize("host", ODD)
def test_an_address_is_only_a_word_of_the_programs(header, host, server, tmp_path):
    runs_nothing(written(told(server[0], **{header: host})), tmp_path)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("host", ODD)
def test_any_text_as_the_address_is_only_a_word_of_the_programs(call, host, tmp_path):
    address = f"http://{host}/"
    programs = snippets(call, address, "/uploads/a.jpg")
    runs_nothing(programs, tmp_path)
    (client,) = [node for node in ast.walk(ast.parse(programs["python"]))
                 if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Client"]  # fmt: skip
    assert ast.literal_eval(client.args[0]) == address
    assert json.loads(re.search(r"connect\((.*)\);", programs["javascript"])[1]) == address
    assert shlex.split(programs["cli"])[2] == address
    assert shlex.split(programs["bash"].splitlines()[0]) == [f"api={address}gradio_api"]


def runs_nothing(programs: dict[str, str], folder: Path) -> None:
    """Programs call what those for any address call, and a shell that runs theirs makes no file."""
    calls = [node.func for node in ast.walk(ast.parse(programs["python"])) if isinstance(node, ast.Call)]
    assert {getattr(each, "id", None) or each.attr for each in calls} == {"Client", "handle_file", "predict", "print"}
    assert len(shlex.split(programs["cli"])) == 5
    own = folder / "programs"
    own.mkdir()
    for name in ("curl", "gradio"):  # which would fetch something
        (own / name).write_text("#!/bin/sh\n")
        (own / name).chmod(0o755)
    path = f"{own}{os.pathsep}{os.environ['PATH']}"
    for language in ("bash", "cli"):
        program = programs[language].replace("{command}", "gradio")
        subprocess.run(["bash", "-c", program], cwd=folder, env=os.environ | {"PATH": path}, timeout=LONG)
    assert [file.name for file in folder.iterdir()] == ["programs"]
