"""A host that is not to be asked."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


@pytest.fixture
def elsewhere():
    """A server that nothing here has a reason to ask: (address of a picture, the paths that were asked for)."""
    asked = []

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/face.jpg", asked
    server.shutdown()
