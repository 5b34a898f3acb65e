"""What tests of publishing share: a small model repository, what has arrived of one, and how a push is refused."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hub_repos import Hub
from hub_server import WRITER, running_hub, use

from deepfake_detect import __version__
from export import ExportError, repository, space
from export.push import push

NAME, SPACE = "someone/detector", "someone/page"
TAG = f"v{__version__}"


@contextmanager
def writing_hub(home: Path, patch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on this machine, and a token that may write there."""
    with running_hub() as server:
        use(server.url, home, patch)
        patch.setenv("HF_TOKEN", WRITER)
        yield server


def build_small(contents: dict[str, bytes], patch: pytest.MonkeyPatch) -> list[str]:
    """Small folders in place of those that `export.repository` and `export.space` build; what was asked for."""
    asked = []

    def build_model_repo(out: Path, name: str, space: str | None) -> Path:
        asked.append(f"model {name}, space {space}")
        return write(contents, out)

    def build_space(out: Path, name: str) -> Path:
        asked.append(f"space {name}")
        return write({"app.py": b"print()\n", "README.md": b"---\nsdk: gradio\n---\n"}, out)

    patch.setattr(repository, "build_model_repo", build_model_repo)
    patch.setattr(space, "build_space", build_space)
    return asked


def repository_files() -> dict[str, bytes]:
    """Text, an empty file, large files, two of them alike, and a folder in a folder."""
    model = os.urandom(300_000)
    return {
        "README.md": b"---\nlicense: other\n---\n# Card\n",
        "config.json": b'{"model_type": "mobilenet_v2"}\n',
        "empty.txt": b"",
        "model.onnx": model,
        "onnx/model.onnx": model,
        "onnx/model_quantized.onnx": os.urandom(100_000),
        "reports/test/curve é.png": os.urandom(5000),
    }


def write(contents: dict[str, bytes], folder: Path) -> Path:
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def published(server: Hub, kind: str = "model", name: str = NAME) -> dict[str, bytes]:
    files = dict(server.repos[kind, name].files)
    del files[".gitattributes"]  # is there from the beginning
    return files


def refusal(*arguments, **options) -> str:
    with pytest.raises(ExportError) as caught:
        push(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600 and message.endswith(".")
    assert not re.search(r"Traceback|\.py\b|0x|None", message)
    return message
