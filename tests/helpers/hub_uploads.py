"""The part of the Hub's HTTP interface that publishes. Its functions answer one request each, see hub_server.py."""

import base64
import json
import re

from hub_repos import Hub, Repo, git_id, is_large, sha256

WRITER, READER = "hf_writer", "hf_reader"  # the tokens that are known
REPO = r"(?P<prefix>spaces/)?(?P<repo>[^/]+/[^/]+)"
API = r"/api/(?P<kind>models|spaces)/(?P<repo>[^/]+/[^/]+)"


def whoami(self, hub: Hub, token: str) -> None:
    if not token:
        return self.refuse(401, None, "Invalid username or password.")
    self.send(200, {"type": "user", "name": "someone", "orgs": []})


def create(self, hub: Hub, token: str) -> None:
    asked = json.loads(self.body)
    kind, name = asked.get("type") or "model", f"{asked['organization']}/{asked['name']}"
    if token != WRITER:
        return self.refuse(403 if token else 401, None, f"You don't have the rights to create {name}.")
    assert kind != "space" or asked["sdk"] in ("gradio", "static")
    url = {"url": f"{hub.url}/{'spaces/' if kind == 'space' else ''}{name}"}
    if (kind, name) in hub.repos:
        return self.send(409, {"error": "You already created this repo", **url})
    private = asked.get("private") or asked.get("visibility") == "private"
    hub.repos[kind, name] = Repo(private=bool(private), sdk=asked.get("sdk", ""))
    hub.repos[kind, name].commit({".gitattributes": b"*.onnx filter=lfs\n"}, "initial commit")
    self.send(200, url)


def info(self, hub: Hub, token: str, kind: str, repo: str, revision: str | None = None) -> None:
    if opened := self.opened(hub, token, kind[:-1], repo, revision or "main"):
        self.send(200, {"id": repo, "sha": opened[1], "private": opened[0].private, "tags": [], "siblings": []})


def refs(self, hub: Hub, token: str, kind: str, repo: str) -> None:
    if opened := self.opened(hub, token, kind[:-1], repo, "main"):
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": to} for tag, to in opened[0].tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": opened[1]}
        self.send(200, {"branches": [main], "converts": [], "tags": tags})


def tree(self, hub: Hub, token: str, kind: str, repo: str, revision: str) -> None:
    if not (opened := self.opened(hub, token, kind[:-1], repo, revision)):
        return
    entries, folders = [], set()
    for name, data in opened[0].commits[opened[1]].items():
        folders |= {name[: end.start()] for end in re.finditer("/", name)}
        entry = {"type": "file", "path": name, "size": len(data), "oid": git_id(data)}
        if is_large(name):
            entry |= {"oid": git_id(b"pointer"), "lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 130}}
        entries.append(entry)
    self.send(200, entries + [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders])


def preupload(self, hub: Hub, token: str, kind: str, repo: str, revision: str) -> None:
    if not (found := self.writes(hub, token, kind[:-1], repo)):
        return
    ignored = [line for line in found.files.get(".gitignore", b"").decode().splitlines() if line]
    answers = []
    for file in json.loads(self.body)["files"]:
        there = found.files.get(file["path"])
        mode = "lfs" if is_large(file["path"]) else "regular"
        answer = {"path": file["path"], "uploadMode": mode, "shouldIgnore": file["path"] in ignored}
        if there is not None:
            answer["oid"] = sha256(there) if mode == "lfs" else git_id(there)
        answers.append(answer)
    self.send(200, {"files": answers})


def batch(self, hub: Hub, token: str, prefix: str | None, repo: str) -> None:
    if not self.writes(hub, token, "space" if prefix else "model", repo):
        return
    objects = []
    for wanted in json.loads(self.body)["objects"]:
        answer = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in hub.large:
            answer["actions"] = {
                "upload": {"href": f"{hub.storage}/large/{wanted['oid']}"},
                "verify": {"href": f"{hub.url}/verify"},
            }
        objects.append(answer)
    transfer = "xet" if hub.xet and "xet" in json.loads(self.body)["transfers"] else "basic"
    self.send(200, {"transfer": transfer, "objects": objects})


def put(self, hub: Hub, token: str, oid: str) -> None:
    assert sha256(self.body) == oid
    hub.large[oid] = self.body
    self.send(200)


def verify(self, hub: Hub, token: str) -> None:
    asked = json.loads(self.body)
    self.send(200 if len(hub.large.get(asked["oid"], b"")) == asked["size"] else 404, {})


def commit(self, hub: Hub, token: str, kind: str, repo: str, revision: str) -> None:
    if not (found := self.writes(hub, token, kind[:-1], repo)):
        return
    assert revision == "main" and self.headers["Content-Type"] == "application/x-ndjson"
    files, message = dict(found.files), ""
    for line in self.body.splitlines():
        item = json.loads(line)
        value = item["value"]
        if item["key"] == "header":
            message = value["summary"]
        elif item["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        else:
            assert item["key"] == "lfsFile"
            files[value["path"]] = hub.large[value["oid"]]
    made = found.commit(files, message)
    self.send(200, {"success": True, "commitOid": made, "commitUrl": f"{hub.url}/{repo}/commit/{made}"})


def tag(self, hub: Hub, token: str, kind: str, repo: str, revision: str) -> None:
    if not (found := self.writes(hub, token, kind[:-1], repo)):
        return
    name = json.loads(self.body)["tag"]
    if name in found.tags:
        return self.send(409, {"error": f"Tag {name} exists"})
    found.tags[name] = found.find(revision)
    self.send(200, {})


def variable(self, hub: Hub, token: str, repo: str) -> None:
    if not (found := self.writes(hub, token, "space", repo)):
        return
    asked = json.loads(self.body)
    found.variables[asked["key"]] = asked["value"]
    self.send(200, {key: {"key": key, "value": value} for key, value in found.variables.items()})


ROUTES = (
    (("PUT",), r"/large/(?P<oid>[0-9a-f]{64})", put),
    (("GET",), r"/api/whoami-v2", whoami),
    (("POST",), r"/api/repos/create", create),
    (("POST",), r"/api/validate-yaml", lambda self, hub, token: self.send(200, {"errors": [], "warnings": []})),
    (("GET",), API, info),
    (("GET",), rf"{API}/revision/(?P<revision>[^/]+)", info),
    (("GET",), rf"{API}/refs", refs),
    (("GET",), rf"{API}/tree/(?P<revision>[^/]+)", tree),
    (("POST",), rf"{API}/preupload/(?P<revision>[^/]+)", preupload),
    (("POST",), rf"{API}/commit/(?P<revision>[^/]+)", commit),
    (("POST",), rf"{API}/tag/(?P<revision>[^/]+)", tag),
    (("POST",), rf"/{REPO}\.git/info/lfs/objects/batch", batch),
    (("POST",), r"/verify", verify),
    (("POST",), r"/api/spaces/(?P<repo>[^/]+/[^/]+)/variables", variable),
)
