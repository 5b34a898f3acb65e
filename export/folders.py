"""Folders that are whole or not there, with a manifest of what they hold."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_detect import __version__
from deepfake_detect.atomic_files import PARTIAL, stale_partials, write_text
from deepfake_detect.model.onnx_model import CONTRACT
from export import ExportError

MANIFEST = "manifest.json"
REPLACED = ".replaced-"  # as PARTIAL, of the folder whose place is being taken


@contextmanager
def whole_folder(out: Path, mark: str) -> Iterator[Path]:
    """Give an empty folder beside `out`; on success it gets its manifest and takes the place of `out`.

    Args:
        out: the folder to make. Its parent must exist: a name that does not may well be mistyped.
        mark: a file that every such folder holds, so that folders of another kind are not replaced.

    Raises:
        ExportError: `out` is no folder, or holds anything but what this made and nobody has changed since.
    """
    out = Path(os.path.realpath(out))  # a link stays one, and what it leads to is replaced
    _tidy(out)
    check_free(out, mark)
    partial, old = (out.with_name(f"{prefix}{os.getpid()}-{out.name}") for prefix in (PARTIAL, REPLACED))
    try:
        partial.mkdir()
        yield partial
        write_text(partial / MANIFEST, json.dumps(manifest(partial), indent=1) + "\n")
        if out.exists():
            os.replace(out, old)
        os.replace(partial, out)
    finally:
        if old.exists() and not out.exists():  # interrupted between the two
            os.replace(old, out)
        for folder in (partial, old):
            shutil.rmtree(folder, ignore_errors=True)


def _tidy(out: Path) -> None:
    """Remove what a killed call has left, and put the old folder back if that was killed between the two renames."""
    replaced = stale_partials(out, REPLACED)
    if replaced and not out.exists():
        os.replace(replaced[0], out)
    for folder in (*replaced, *stale_partials(out)):
        shutil.rmtree(folder, ignore_errors=True)


def check_free(out: Path, mark: str) -> None:
    """Raise ExportError unless a folder of this kind may take this place, see `whole_folder`."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise ExportError(f"{out} is a file. Give --out the name of a folder.")
    strangers = [f"it has no {MANIFEST} of its own"]
    try:
        listed = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
        found = fingerprints(out)
        strangers = sorted(name for name in found.keys() | listed.keys() if found.get(name) != listed.get(name))
        strangers = [f"{name} differs" for name in strangers[:1]]
        if not strangers and mark not in listed:
            strangers = [f"it holds no {mark}"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    if strangers:
        raise ExportError(
            f"{out} is not as this command wrote it ({strangers[0]}) and is left alone. Give --out a new folder."
        )


def manifest(folder: Path) -> dict:
    """{"contract", "version", "files": see `fingerprints`} of a folder."""
    return {"contract": CONTRACT, "version": __version__, "files": fingerprints(folder)}


def fingerprints(folder: Path) -> dict[str, dict]:
    """{path with "/": {"sha256", "size" in bytes}} of every file, sorted; without the manifest and Python's caches."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
        for name, path in sorted(files.items())
        if name != MANIFEST and "__pycache__" not in path.parts
    }


def copy(root: Path, folder: Path, names: list[str]) -> None:
    """Copy files by their names in the project into a folder, with the folders that they lie in."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
