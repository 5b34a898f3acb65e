"""The address of the page, as the browser or program that asks knows it."""

import os

from fastapi import Request
from gradio.context import LocalContext
from gradio.route_utils import get_root_url

from page.server.request_limits import API


def address_of(request: Request, route: str) -> str:
    """The page's address, without a slash at its end, in a request to a route of this path: on the Hub its own, and
    otherwise what the client, or a proxy before the server, has called it by, with the server's GRADIO_ROOT_PATH."""
    host = os.environ.get("SPACE_HOST")  # told by the Hub
    return f"https://{host}" if host else get_root_url(request, route, request.app.root_path)


def page_address() -> str:
    """The page's address, in one of its events; "" outside of those."""
    request = LocalContext.request.get(None)
    return address_of(request.request, f"{API}/queue/join") if request is not None and request.request else ""
