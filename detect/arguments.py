"""Arguments that several commands take."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from detect.detector import default_model
from detect.hub import environment_model

INTERRUPTED = 130  # what a shell says of Ctrl-C


def add_model(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="FILE_OR_REPO", help="another model.onnx, or owner/name or owner/name@revision on the Hub "
        "(default: the repository that MODEL_REPO and MODEL_REVISION name, otherwise the model.onnx beside detect/)"
    )  # fmt: skip


def chosen_model(args: Namespace) -> str | Path:
    """What `add_model`'s argument, the environment or this project's folder names. Raises ModelError."""
    return args.model or environment_model() or default_model()


def count(text: str) -> int:
    """The type of an argument that is a number from 1 up."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number from 1 up")
    return int(text)


def refuse(parser: ArgumentParser, sentence: str) -> int:
    """Say why a command does not do what it was asked for; returns its exit status."""
    print(f"{parser.prog}: {sentence}", file=sys.stderr)
    return 2
