"""The drawer “Use via API” of the running page, in a real browser: every program in it runs as it is pasted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from project import ROOT
from waiting import LONG

from deepfake_detect import Detector, judge_video
from page.api_list import SAMPLES
from page.calls import CALLS
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
        words.get(language, ["bash", "-c", program]), cwd=folder, env=os.environ | {"PATH": path}, capture_output=True,
        text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


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
        said = run(LANGUAGES[language], program, folder)
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


def test_programs_have_the_address_by_which_the_page_was_called(server):
    def told(**headers):
        answer = httpx.get(f"{server[0]}gradio_api/info", headers=headers).text
        assert json.loads(answer)["named_endpoints"]["/analyze"]["code_snippets"]["python"]
        return answer

    assert "https://faces.example/gradio_api/file=" in told(
        **{"x-forwarded-host": "faces.example", "x-forwarded-proto": "https"}
    )
    own = told()
    assert server[0] in own and "faces.example" not in own, "one who asks decides for all others"
