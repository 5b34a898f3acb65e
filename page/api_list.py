"""The list of the API, as the page's drawer and the clients fetch it: with files of this server as sample values, and
with programs that work as they are pasted, all with the address by which the one who asks has called the page.

Gradio's own route gives everybody the address by which the first one has called it, has a file of nobody's in its
commands for a shell, and sends one file where an endpoint takes a list.
"""

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from urllib.parse import quote

from gradio.blocks import Block
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from page.api import Page
from page.calls import CALLS, snippets
from page.server.address import address_of
from page.server.request_limits import API

PATH = f"{API}/info"
SAMPLES = {"image": "real_grace_hopper.jpg", "images": "real_grace_hopper.jpg", "video": "real_eileen_collins.mp4"}


def sample_path(blocks: Iterable[Block], parameter: str) -> str:
    """Where the example for a parameter lies among the uploads, from where it may be fetched and judged.

    Args:
        blocks: of the page.
        parameter: a key of SAMPLES.
    """
    kept = (file for block in blocks for file in getattr(block, "keep_in_cache", ()))
    return next(file for file in sorted(kept) if file.endswith(SAMPLES[parameter]))


def api_list(request: Request) -> JSONResponse:
    """The answer to a request for the list."""
    page: Page = request.app.get_blocks()
    told, address = deepcopy(page.api_told), f"{address_of(request, PATH)}/"
    for name, endpoint in told["named_endpoints"].items():
        call = CALLS[name.removeprefix("/")]
        sample = sample_path(page.blocks.values(), call.parameter)
        file = _sample_file(f"{address}gradio_api/file={quote(sample)}")
        for parameter in endpoint["parameters"]:
            if parameter["parameter_name"] == call.parameter:
                parameter["example_input"] = [file] if call.several else file
        endpoint["code_snippets"] = snippets(call, address, sample)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})  # a cache would give others this address


def _sample_file(url: str) -> dict:
    return {"path": url, "url": url, "orig_name": Path(url).name, "meta": {"_type": "gradio.FileData"}}


ROUTES = [Route(path, api_list) for path in (PATH, f"{PATH}/")]  # before Gradio's own
