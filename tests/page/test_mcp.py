"""The endpoints as tools of the Model Context Protocol, called by its own client."""

import ast
import base64
import json

import numpy as np
import pytest
from films import film
from PIL import Image
from project import ROOT
from servers import serving
from tools import data_url, in_session

from deepfake_detect import Detector
from page.server.upload_folder import upload_folder

mcp = pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
REAL = ROOT / "examples" / "real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def tools_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mcp")
    temporary = folder / "tmp"
    temporary.mkdir()
    with serving(folder, GRADIO_MCP_SERVER=True, TMPDIR=temporary) as started:
        yield f"{started.url}gradio_api/mcp/", started.log, folder


async def analyze(session, image):
    names = [tool.name for tool in (await session.list_tools()).tools]
    return await session.call_tool(next(name for name in names if name.endswith("analyze")), {"image": image})


def test_every_endpoint_that_takes_one_file_is_a_tool_and_works(tools_server, tmp_path):
    listed = in_session(tools_server[0], lambda session: session.list_tools()).tools
    assert sorted(tool.name for tool in listed) == ["analyze", "analyze_video", "predict"]
    clip = film(tmp_path / "clip.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 3)
    for tool in listed:
        assert "Judge the faces" in tool.description
        (name, described), *_ = tool.inputSchema["properties"].items()
        assert described["type"] == "string" and "no address" in described["description"]
        sent = {name: data_url(clip, "video/mp4") if name == "video" else data_url(REAL, "image/jpeg")}
        answer = in_session(tools_server[0], lambda session, n=tool.name, sent=sent: session.call_tool(n, sent))
        assert not answer.isError and "label" in answer.content[0].text, tool.name


def test_the_drawer_of_the_page_shows_the_tools(tools_server, browser):
    page = browser.new_page()
    page.goto(tools_server[0].removesuffix("gradio_api/mcp/"))
    page.get_by_role("button", name="API").first.click()
    page.locator("li.snippet").get_by_text("MCP").wait_for()
    page.close()


def test_what_is_sent_lies_among_the_uploads_which_are_deleted(tools_server):
    data = REAL.read_bytes() + b"sent to a tool"  # behind the picture's end
    image = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    assert not in_session(tools_server[0], lambda session: analyze(session, image)).isError
    found = [file for file in tools_server[2].rglob("*") if file.is_file() and file.read_bytes() == data]
    assert found and all(
        file.is_relative_to(tools_server[1].parent / "uploads" / upload_folder().name) for file in found
    )


@pytest.mark.gradio
def test_a_tool_gives_the_verdict_that_the_library_gives(tools_server):
    expected = json.loads(json.dumps(Detector(ROOT / "model.onnx").predict([REAL])[0].to_dict()))
    answer = in_session(tools_server[0], lambda session: analyze(session, data_url(REAL, "image/jpeg")))
    assert not answer.isError and ast.literal_eval(answer.content[0].text) == expected


def test_an_address_is_refused_before_anything_is_fetched(tools_server, elsewhere):
    url, asked = elsewhere
    answer = in_session(tools_server[0], lambda session: analyze(session, url))
    assert answer.isError and "faces" not in answer.content[0].text and not asked


def test_files_of_the_server_are_not_judged(tools_server, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(REAL.read_bytes())
    for path in (str(secret), f"file://{secret}", "/etc/passwd"):
        answer = in_session(tools_server[0], lambda session, path=path: analyze(session, path))
        assert answer.isError and "faces" not in answer.content[0].text
