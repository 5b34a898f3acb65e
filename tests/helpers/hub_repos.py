"""What a Hugging Face Hub holds: repositories, large files, and faults to be made. See hub_server.py."""

import hashlib
import json
from dataclasses import dataclass, field
from threading import Event, Lock

from deepfake_detect.model.onnx_model import CONTRACT


@dataclass
class Repo:
    """A repository: commits are {path: contents}, refs lead to them."""

    private: bool = False
    gated: bool = False
    sdk: str = ""  # of a Space
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)  # of a Space
    messages: list[str] = field(default_factory=list)
    head: str = ""

    def commit(self, files: dict[str, bytes], message: str = "") -> str:
        """Add a commit of these files, and no others; returns its name."""
        listed = [(name, sha256(data)) for name, data in sorted(files.items())]
        self.head = hashlib.sha1(f"{len(self.commits)} {listed}".encode()).hexdigest()
        self.commits[self.head] = dict(files)
        self.messages.append(message)
        return self.head

    def find(self, revision: str) -> str | None:
        """The commit of a branch (main), tag or commit."""
        found = self.head if revision == "main" else self.tags.get(revision, revision)
        return found if found in self.commits else None

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[self.head]


@dataclass
class Fault:
    """What to do in place of answering: a status, "cut", "hang", or bytes to send instead of the contents."""

    method: str
    path: str  # a part of it
    action: int | str | bytes
    times: int = 1
    after: int = 0  # bytes of the contents sent before a cut


class Hub:
    """The server's state: repositories by (kind, name), and everything that it was asked."""

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}  # by sha256
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.leaked: list[str] = []  # requests that brought the token to the second address
        self.url = self.storage = ""
        self.xet = False  # whether large files are offered in xet storage, too
        self.lock, self.closing = Lock(), Event()

    def repo(self, name: str, files: dict[str, bytes], **options) -> Repo:
        """A model repository with one commit."""
        repo = self.repos["model", name] = Repo(**options)
        repo.commit(files)
        return repo

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.method == method and fault.path in path:
                    fault.times -= 1
                    return fault
        return None

    def count(self, method: str, path: str) -> int:
        """How often this was asked."""
        return sum(asked.startswith(method) and path in asked for asked in self.requests)


def is_large(name: str) -> bool:
    """Whether a file goes by way of large file storage, here by its kind."""
    return name.endswith((".onnx", ".png"))


def git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a model repository, with the manifest that `python -m export push` puts beside them."""
    listed = {name: {"sha256": sha256(data), "size": len(data)} for name, data in files.items()}
    manifest = {"contract": CONTRACT, "version": "0.1.0", "files": listed}
    return files | {"manifest.json": json.dumps(manifest).encode()}
