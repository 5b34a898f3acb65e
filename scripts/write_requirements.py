"""Write requirements*.txt from the lists in pyproject.toml, where the versions are to be changed.

python -m scripts.write_requirements

The Space installs requirements.txt, of which it sees nothing else, so that file names everything itself; virtual
environments are made of the others.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# {} Written from pyproject.toml by `python -m scripts.write_requirements`.\n"
# File -> what it is for, the files that it includes, the extras that it adds.
FILES = {
    "requirements.txt": ("What the Space, the page and the command line need.", (), ("page",)),
    "requirements-scan.txt": ("What `deepfake-detect scan` and `summary` need.", ("requirements.txt",), ("scan",)),
    "requirements-train.txt": ("Training, evaluation and export.", ("requirements.txt",), ("train",)),
    "requirements-test.txt": (
        "Everything `make test` needs.",
        ("requirements-scan.txt", "requirements-train.txt"),
        ("test",),
    ),
}


def requirements_text(name: str) -> str:
    """What the file of this name should hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    what, included, extras = FILES[name]
    packages = [] if included else list(project["dependencies"])
    for extra in extras:
        packages += project["optional-dependencies"][extra]
    return "\n".join([HEAD.format(what).rstrip(), *(f"-r {other}" for other in included), *sorted(packages), ""])


if __name__ == "__main__":
    for name in FILES:
        (ROOT / name).write_text(requirements_text(name), encoding="utf-8")
