"""The page in web/ served as a plain web server does, and a real Chromium that opens it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder as a plain web server gives them, and made-up ones by their path."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}  # fmt: skip
    made: dict[str, Callable[[], bytes]]

    def __init__(self, *args, made: dict, **options):
        self.made = made
        super().__init__(*args, **options)

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path not in self.made:
            super().do_GET()
            return
        data = self.made[path]()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder: Path, made: dict[str, Callable[[], bytes]]) -> Iterator[str]:
    """The address, without a slash at its end, of a server for a folder; `made`: path -> what gives other files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder), made=made))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chromium() -> Iterator:
    """A page of Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser.new_page()
        browser.close()
