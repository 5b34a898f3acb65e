"""A Hugging Face Hub on 127.0.0.1: as much of its HTTP interface as huggingface_hub uses to load and to publish.

Large files lie on a second address, as on the Hub, so that a redirect leaves the host. `Hub.faults` are made on demand.
"""

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

from hub_repos import Hub, Repo, git_id, is_large, sha256
from hub_uploads import API, READER, REPO, WRITER
from hub_uploads import ROUTES as PUBLISHING
from waiting import PATIENCE


class Cut(Exception):
    """The connection ends here, without a word."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and contents are two writes

    def handle_one(self) -> None:
        hub, path = self.server.hub, unquote(urlsplit(self.path).path)
        self.body = self.read_body()
        if path != "/api/agent-harnesses":  # a look-up of huggingface_hub's own, once a day
            hub.requests.append(f"{self.command} {path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and self.server.is_storage:
            hub.leaked.append(path)
        self.fault = hub.fault(self.command, path)
        try:
            if self.fault and self.fault.action == "hang":
                hub.closing.wait()
                raise Cut
            if self.fault and self.fault.action == "cut" and not self.fault.after:
                raise Cut
            if self.fault and isinstance(self.fault.action, int):
                return self.send(self.fault.action, {"error": "made to fail"}, X_Error_Message="made to fail")
            if token not in ("", WRITER, READER):
                return self.refuse(401, None, "Invalid credentials in Authorization header")
            for methods, pattern, answer in LOADING + PUBLISHING:
                matched = re.fullmatch(pattern, urlsplit(self.path).path)
                if matched and self.command in methods:
                    words = {name: word and unquote(word) for name, word in matched.groupdict().items()}
                    return answer(self, hub, token, **words)
            self.send(404, {"error": "no such page"})
        except (Cut, ConnectionError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def send(self, status: int, content: dict | list | bytes = b"", **headers: object) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if not isinstance(content, bytes):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault and self.fault.action == "cut":
            self.wfile.write(data[: self.fault.after])
            self.wfile.flush()
            raise Cut
        self.wfile.write(data)

    def refuse(self, status: int, code: str | None, message: str) -> None:
        self.send(status, {"error": message}, X_Error_Message=message, **({"X_Error_Code": code} if code else {}))

    def opened(self, hub: Hub, token: str, kind: str, name: str, revision: str) -> tuple[Repo, str] | None:
        """The repository and the commit, if this token may see them; otherwise the answer is given."""
        repo = hub.repos.get((kind, name))
        if not token and (repo is None or repo.private):  # the Hub does not tell strangers which of the two
            return self.refuse(401, "RepoNotFound", "Invalid username or password.")
        if repo is None:
            return self.refuse(404, "RepoNotFound", "Repository not found")
        if repo.gated:
            return self.refuse(401 if not token else 403, "GatedRepo", f"Access to model {name} is restricted.")
        commit = repo.find(revision)
        return (repo, commit) if commit else self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")

    def writes(self, hub: Hub, token: str, kind: str, name: str) -> Repo | None:
        repo = hub.repos.get((kind, name))
        if token != WRITER:
            return self.refuse(403 if token else 401, None, "You don't have the required permissions.")
        return repo or self.refuse(404, "RepoNotFound", "Repository not found")

    def log_message(self, *words) -> None:
        pass


def resolve(self: Handler, hub: Hub, token: str, prefix: str | None, repo: str, revision: str, name: str) -> None:
    opened = self.opened(hub, token, "space" if prefix else "model", repo, revision)
    if not opened:
        return
    found, commit = opened
    data = found.commits[commit].get(name)
    if data is None:
        return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
    headers = {"X_Repo_Commit": commit}
    if not is_large(name):
        return self.send(200, data, ETag=f'"{git_id(data)}"', **headers)
    hub.large[sha256(data)] = data
    headers |= {"X_Linked_ETag": f'"{sha256(data)}"', "X_Linked_Size": len(data), "ETag": f'"{git_id(data)}"'}
    if hub.xet:
        headers |= {"X_Xet_Hash": sha256(data), "X_Xet_Refresh_Route": f"{hub.url}/xet"}
    self.send(302, b"", Location=f"{hub.storage}/large/{sha256(data)}?signature=1", **headers)


def large(self: Handler, hub: Hub, token: str, oid: str) -> None:
    data, asked = hub.large[oid], re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
    if self.fault and isinstance(self.fault.action, bytes):
        data = self.fault.action
    if not asked:
        return self.send(200, data, ETag=f'"{oid}"', Accept_Ranges="bytes")
    start = int(asked[1])
    if start >= len(data):
        hub.requests[-1] += f" from {start}, not satisfied"
        return self.send(416, b"", Content_Range=f"bytes */{len(data)}")
    hub.requests[-1] += f" from {start}"
    self.send(206, data[start:], ETag=f'"{oid}"', Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")


def xet(self: Handler, hub: Hub, token: str, **which: str) -> None:
    """The way to a second storage, with a protocol of its own, which is not in reach here."""
    storage, key, end = "http://127.0.0.1:9", "t", 1 << 40
    headers = {"X_Xet_Cas_Url": storage, "X_Xet_Access_Token": key, "X_Xet_Token_Expiration": end}
    self.send(200, {"casUrl": storage, "accessToken": key, "exp": end}, **headers)


LOADING = (
    (("GET",), r"/xet", xet),
    (("GET",), rf"{API}/xet-write-token/(?P<revision>[^/]+)", xet),
    (("GET", "HEAD"), rf"/{REPO}/resolve/(?P<revision>[^/]+)/(?P<name>.+)", resolve),
    (("GET", "HEAD"), r"/large/(?P<oid>[0-9a-f]{64})", large),
)


@contextmanager
def running_hub():
    """A Hub that runs, empty."""
    hub, servers = Hub(), []
    for is_storage in (False, True):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.hub, server.is_storage = True, hub, is_storage
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
    names = ("127.0.0.1", "localhost")  # to huggingface_hub, another host has another name
    hub.url, hub.storage = (f"http://{n}:{s.server_port}" for n, s in zip(names, servers, strict=True))
    try:
        yield hub
    finally:
        hub.closing.set()
        for server in servers:
            server.shutdown()
            server.server_close()


def use(hub_url: str, home: Path, monkeypatch) -> None:
    """Point the huggingface_hub of this process at a server, an empty cache and no login; it reads the environment
    only when it is imported."""
    from huggingface_hub import constants

    for name, value in {
        "ENDPOINT": hub_url,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub_url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,  # large files come and go by plain HTTP
        "HF_HUB_ETAG_TIMEOUT": PATIENCE,
        "HF_HUB_DOWNLOAD_TIMEOUT": PATIENCE,
    }.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(home / "harnesses"), raising=False)
    monkeypatch.setenv("HF_XET_CACHE", str(home / "xet"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "MODEL_REPO", "MODEL_REVISION"):
        monkeypatch.delenv(name, raising=False)
