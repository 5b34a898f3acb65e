"""What tests of publishing share: a small model repository, what has arrived of one, and how a push is refused."""

import os
import re
from pathlib import Path

import pytest
from hub_repos import Hub

from export import ExportError
from export.push import push

NAME = "someone/detector"


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
