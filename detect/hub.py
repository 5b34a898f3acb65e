"""A model's name -> the file: a path as it is, or `owner/name` from the Hugging Face Hub."""

import os
import re
from pathlib import Path

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
FILE = "model.onnx"


def model_file(name: str | os.PathLike) -> Path:
    """The path of a model file, downloaded into the Hub's own cache where `name` is a repository.

    Raises:
        OSError: the Hub cannot be reached, or has no such repository or no model.onnx in it.
    """
    path = Path(name)
    if path.suffix == ".onnx" or not REPOSITORY.fullmatch(str(name)) or path.exists():
        return path
    from huggingface_hub import hf_hub_download  # here, because a local file must not wait for it
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(str(name), FILE))
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OSError(f"{FILE} of {name} could not be had from the Hugging Face Hub: {reason}") from None
