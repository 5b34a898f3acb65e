"""What commands for developers say where the packages that they need are not installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

OWN = ("deepfake_detect", "train", "export", "bench", "page")


@contextmanager
def needed(command: str, install: str) -> Iterator[None]:
    """Around a command's imports: end with one sentence where a package is missing.

    Args:
        command: as it was called.
        install: what installs the packages.

    Raises:
        SystemExit: a package is missing.
        ModuleNotFoundError: a module of this project's own is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OWN:
            raise
        sys.exit(f"{command} needs the package {error.name}, which is not installed here. {install}")


TRAINING = '`make test` makes .venv-test, which has it: use .venv-test/bin/python. Or: pip install -e ".[train]"'
BENCH = "`make bench` makes .venv-bench, which has it: use .venv-bench/bin/python."
