"""Commands as processes of their own, forked from one that has loaded Keras already: each would need seconds to."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import RLock
from unittest.mock import patch

from project import ROOT
from tqdm import tqdm

LOADED = ["children", "train.fit", "train.evaluate", "train.audit", "export.__main__", "export.onnx"]


def start(words: Sequence[object], output: Path, prepare: Callable[[], None] | None = None) -> ForkServerProcess:
    """Run `python -m WORDS...` from the repository's root, its output going into a file.

    `prepare` is called first in the new process.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    process = context.Process(target=_run, args=([str(word) for word in words], output, prepare))
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)):  # for what is forked: the first call starts it
        process.start()
    return process


def finished(*args: object) -> int:
    """The same, and once it has ended its exit status: the command's, or minus the signal that killed it."""
    process = start(*args)
    process.join()
    return process.exitcode


def _run(words: list[str], output: Path, prepare: Callable[[], None] | None) -> None:
    os.chdir(ROOT)
    with output.open("wb") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    tqdm.set_lock(RLock())  # the one it makes for several processes would be missed at the end, where those are killed
    if prepare:
        prepare()
    sys.exit(import_module(f"{words[0]}.__main__").main(words[1:]))
