"""Models of a Hub, and what is said when they cannot be had."""

import re
from pathlib import Path

import pytest
from project import ROOT

from deepfake_detect import Detector, ModelError

MODEL = (ROOT / "model.onnx").read_bytes()
NAME = "someone/detector"
DEAD = "http://127.0.0.1:9"


def disconnect(monkeypatch, url: str = DEAD) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def refusal(name: str = NAME, **options) -> str:
    """The message of the error; it must be one sentence or two that name the repository."""
    with pytest.raises(ModelError) as caught:
        Detector.from_hub(name, **options)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500 and message.endswith(".")
    assert not re.search(r"Traceback|\.py\b|0x|None", message)
    return message


def blob(path: Path) -> Path:
    """The file that the cache's link leads to."""
    return path.resolve(strict=True)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of models of a Hub since this was last asked."""
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("deepfake_detect.model.hub")]
    caplog.clear()
    return messages
