"""The files that ship with the package: the model, and the evaluation that says how good it is.

In the repository, and in the Space made of it, they lie beside the package; an installed package carries copies in
its folder `data`, which the build puts there (`force-include` in pyproject.toml).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
DATA = PACKAGE / "data"


def shipped(name: str) -> Path:
    """The path of a shipped file or folder, by its name in the repository, with "/": "model.onnx"."""
    return (DATA if DATA.is_dir() else PACKAGE.parent) / name
