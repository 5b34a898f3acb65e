"""A model's name -> the file: a path as it is, or `owner/name` from the Hugging Face Hub.

Files come into the Hub's own cache and are checked against the manifest.json that `python -m export push` puts beside
them. Where the Hub is out of reach, the cache serves. huggingface_hub is imported only where a repository is meant: a
local file must not wait for it.
"""

import logging
import os
import re
from pathlib import Path

from deepfake_detect.errors import ModelError
from deepfake_detect.model.hub_repository import COMMIT, HubRepository, OutOfReach

FILES = {"fp32": ("model.onnx", "onnx/model.onnx"), "int8": ("onnx/model_quantized.onnx",)}  # the first that is there
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
NAMED = re.compile(rf"({REPOSITORY.pattern})(?:@(\S+))?")

log = logging.getLogger(__name__)


def model_file(name: str | os.PathLike) -> Path:
    """The path of a model file; one of the Hub, where `name` is `owner/name` or `owner/name@revision`.

    Raises:
        ModelError: see `hub_file`. A path that does not exist is returned as it is.
    """
    path = Path(name)
    named = NAMED.fullmatch(str(name))
    if path.suffix == ".onnx" or not named or named[1].startswith(".") or path.exists():  # ../x is meant as a path
        return path
    return hub_file(named[1], named[2])


def environment_model() -> Path | None:
    """The file of the repository that MODEL_REPO names, at MODEL_REVISION where that is set; None without MODEL_REPO.

    Raises:
        ModelError: see `hub_file`.
    """
    repo, revision = (os.environ.get(name, "").strip() for name in ("MODEL_REPO", "MODEL_REVISION"))
    if repo:
        return hub_file(repo, revision or None)
    if revision:
        raise ModelError(
            "hub_settings", "MODEL_REVISION is set, but MODEL_REPO is not: set it to owner/name, or neither."
        )
    return None


def hub_file(
    repo: str, revision: str | None = None, variant: str = "fp32", cache_dir: str | os.PathLike | None = None
) -> Path:
    """A model file of a Hub repository, from the network or the cache, and checked.

    Args:
        repo: owner/name.
        revision: a branch, tag or commit; by default the branch main. A whole commit that is in the cache needs no
            network.
        variant: "fp32" or "int8".
        cache_dir: in place of the Hub's own cache.

    Raises:
        ModelError: the Hub cannot be reached and the file is not in the cache; it has no such repository, revision or
            file, or keeps it from this token; or the file is not what the repository's manifest says.
        ValueError: no such variant.
    """
    if variant not in FILES:
        raise ValueError(f"There is no variant {variant!r}; choose one of {', '.join(FILES)}.")
    if not REPOSITORY.fullmatch(repo):
        raise ModelError(
            "hub_settings", f"{repo!r} is not the name of a repository on the Hugging Face Hub; give owner/name."
        )
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except ValueError:
        raise ModelError("hub_settings", f"{repo!r} cannot be the name of a repository on the Hub.") from None
    folder = None if cache_dir is None else Path(cache_dir)
    repository, names = HubRepository(repo, revision or "main", folder), FILES[variant]
    if COMMIT.fullmatch(repository.revision) and (path := repository.good_copy(names)):
        return path
    try:
        name, commit = repository.first_of(names)
    except OutOfReach as error:
        return repository.from_cache(names, str(error))
    try:
        path = repository.fetch(name, commit)
    except ModelError as error:
        if not (path := repository.good_copy(names)):
            raise
        log.warning("%s Until then the older copy of %s in the cache serves.", error, repository)
    return path
