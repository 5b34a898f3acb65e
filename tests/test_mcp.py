"""The endpoints as tools of the Model Context Protocol, called by its own client."""

import ast
import asyncio
import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT, free_port, wait_for

from detect import Detector

mcp = pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
REAL = ROOT / "examples" / "real_eileen_collins.jpg"


@pytest.fixture(scope="module")
def tools_server(tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("mcp")
    own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "up"), "GRADIO_MCP_SERVER": "True"}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=os.environ | own, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/", process, folder / "log.txt")
            yield f"http://127.0.0.1:{port}/gradio_api/mcp/", folder / "log.txt"
        finally:
            process.terminate()
            process.wait(20)


def in_session(url, work):
    from mcp.client.streamable_http import streamable_http_client

    async def run():
        async with streamable_http_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            return await work(session)

    with ThreadPoolExecutor(1) as own_thread:  # beside Playwright's event loop, which goes on in the main one
        return own_thread.submit(asyncio.run, run()).result()


async def analyze(session, image):
    names = [tool.name for tool in (await session.list_tools()).tools]
    return await session.call_tool(next(name for name in names if name.endswith("analyze")), {"image": image})


def test_the_endpoints_are_tools_with_typed_parameters(tools_server):
    listed = in_session(tools_server[0], lambda session: session.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert any(name.endswith("analyze") for name in tools) and not any("face_evidence" in name for name in tools)
    for tool in tools.values():
        assert "Judge the faces" in tool.description


def test_a_tool_gives_the_verdict_that_the_library_gives(tools_server):
    expected = json.loads(json.dumps(Detector(ROOT / "model.onnx").predict([REAL])[0].to_dict()))
    picture = "data:image/jpeg;base64," + base64.b64encode(REAL.read_bytes()).decode()

    answer = in_session(tools_server[0], lambda session: analyze(session, picture))
    assert not answer.isError and ast.literal_eval(answer.content[0].text) == expected


def test_an_address_is_refused_before_anything_is_fetched(tools_server, elsewhere):
    url, asked = elsewhere
    answer = in_session(tools_server[0], lambda session: analyze(session, url))
    assert answer.isError and "faces" not in answer.content[0].text and not asked


def test_files_of_the_server_are_not_judged(tools_server, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(REAL.read_bytes())
    for path in (str(secret), "/etc/passwd"):
        answer = in_session(tools_server[0], lambda session, path=path: analyze(session, path))
        assert answer.isError and "faces" not in answer.content[0].text
