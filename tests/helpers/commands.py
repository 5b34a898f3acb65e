"""The project's commands: as processes of their own, or, which is quicker, inside this one."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

from project import ROOT
from waiting import LONG


def command(*words: object, **options) -> subprocess.CompletedProcess:
    """Run `python -m ...` from the repository's root."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=LONG, **options
    )


def here(*words: object) -> subprocess.CompletedProcess:
    """The same inside this process, which need not load TensorFlow again."""
    main = import_module(f"{words[0]}.__main__").main
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = main(list(map(str, words[1:])))
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def fit_command(data: Path, recipe: Path, weights: Path, out: Path) -> list[str]:
    return ["train", "fit", "--recipe", str(recipe), "--data", str(data), "--weights", str(weights), "--out", str(out)]
