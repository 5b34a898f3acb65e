"""Arguments that several commands take."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from pathlib import Path

from deepfake_detect.detector import THOROUGH, default_model
from deepfake_detect.model.hub import environment_model
from deepfake_detect.report.names import shown

INTERRUPTED = 130  # what a shell says of Ctrl-C


def add_model(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="FILE_OR_REPO", help="another model.onnx, or owner/name or owner/name@revision on the Hub "
        "(default: the repository that MODEL_REPO and MODEL_REVISION name, otherwise the model that "
        "comes with this program)"
    )  # fmt: skip


def add_thorough(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--thorough", action=BooleanOptionalAction, default=THOROUGH, help="score decided faces again after small "
        "changes, and be unsure of those that do not hold; takes longer "
        f"(default: {'--thorough' if THOROUGH else '--no-thorough'})"
    )  # fmt: skip


def chosen_model(args: Namespace) -> str | Path:
    """What `add_model`'s argument, the environment or the package names. Raises ModelError."""
    return args.model or environment_model() or default_model()


def count(text: str) -> int:
    """The type of an argument that is a positive integer."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} must be a positive integer")
    return int(text)


def refuse(parser: ArgumentParser, sentence: str) -> int:
    """Say why a command does not do what it was asked for; returns its exit status."""
    print(f"{parser.prog}: {shown(sentence)}", file=sys.stderr)
    return 2
