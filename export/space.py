"""The folder that becomes the Space on the Hub: this repository without what serves only development."""

import re
import subprocess
from argparse import ArgumentParser
from fnmatch import fnmatch
from pathlib import Path

from deepfake_detect.atomic_files import write_text
from export import ExportError
from export.card import ROOT
from export.clients import NAME
from export.folders import copy, whole_folder
from export.repository import linked

# What git tracks and a Space has no use for. README.md is written anew.
LEFT_OUT = (
    ".*", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "README.md", "RELEASE.md", "bench/*", "docs/*", "export/*",
    "model_int8.onnx", "pyproject.toml", "ray-job.yaml", "reports/*", "requirements-*.txt", "scripts/*", "tests/*",
    "train/*", "web/*",
)  # fmt: skip
# What the page reads of its own errors
KEPT = ("reports/shipped/*/*", "reports/battery/battery.json", "reports/videos/report.json")

TEXT = """\
## How often it is wrong

The page says so itself, in the tab on its reliability, from the reports in this folder:
[on kinds of fakes it was trained on](reports/shipped/test/report.md) and
[on sources it never saw](reports/shipped/cross/report.md).

![The page, with the verdict on a portrait](reports/page/real_eileen_collins_desktop_light.png)
![Reliability: what a chance is worth](reports/shipped/test/reliability.png)

## From a program

```python
from gradio_client import Client, handle_file

client = Client("{name}")
print(client.predict(image=handle_file("examples/real_grace_hopper.jpg"), api_name="/analyze"))
```

`/predict`, `/analyze`, `/analyze_batch` and `/analyze_video` answer the same way; the link “Use via API” at the foot of
the page describes them. Without the page, in a copy of this folder:
`python -m deepfake_detect examples`.

On your own machine: `pip install -r requirements.txt`, then `python app.py`. The portraits in `examples/` are in the
public domain, the fakes made from them by this project: [credits](examples/CREDITS.md).
"""


def build_space(out: Path, name: str = NAME, root: Path = ROOT) -> Path:
    """Make the folder of the Space, which starts by itself where its requirements.txt is installed.

    It is made beside `out` and renamed, so it is whole or not there. Files come as they lie in the project's folder.

    Args:
        out: the folder; one that this made earlier, and nobody has changed since, is replaced.
        name: of the Space, "owner/name", for its README.
        root: the project's folder, a git repository.

    Returns:
        `out`.

    Raises:
        ExportError: git does not know the project's files, one of them is missing, or `out` is taken.
    """
    readme = space_readme((root / "README.md").read_text(encoding="utf-8"), name)
    names = sorted({*filter(serves, tracked(root)), *linked(readme)})
    missing = [name for name in names if not (root / name).is_file()]
    if missing:
        raise ExportError(f"{missing[0]} belongs to the Space and is missing. Restore it with git.")
    with whole_folder(out, "app.py") as folder:
        copy(root, folder, names)
        write_text(folder / "README.md", readme)
    return out


def serves(name: str) -> bool:
    """Whether the Space has a use for a file of the project."""
    kept, left_out = (any(fnmatch(name, pattern) for pattern in patterns) for patterns in (KEPT, LEFT_OUT))
    return kept or not left_out


def tracked(root: Path) -> list[str]:
    """The files that git tracks in a folder, with "/"."""
    words = ["git", "-C", str(root), "ls-files", "-z"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[0]
        raise ExportError(f"The Space is made of what git tracks, and git gives no list: {reason}.") from None
    return list(filter(None, done.stdout.split("\0")))


def space_readme(readme: str, name: str) -> str:
    """The Space's README: the project's front matter, introduction and licence, and what to know of the Space."""
    _, front, body = readme.split("---\n", 2)
    parts = [section(body, "# "), TEXT.format(name=name), section(body, "## Licence")]
    return f"---\n{front}---\n\n" + "\n\n".join(part.strip() for part in parts) + "\n"


def section(text: str, heading: str) -> str:
    """A section of a Markdown text, from the first line that begins with `heading` to the next heading below title."""
    found = re.search(rf"^{re.escape(heading)}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ExportError(f"README.md has no section “{heading.strip()}”.")
    return found[0]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `python -m export space`."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    parser.add_argument("--name", default=NAME, metavar="OWNER/NAME", help="of the Space on the Hub")
