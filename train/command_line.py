"""What the commands of train/ and export/ share: arguments, and how they end."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from deepfake_detect.detector import default_model

SPLIT_FOLDERS = "folders with <split>/<real|fake>/ or <real|fake>/, which make one data set"


def add_model(parser: ArgumentParser, text: str = "an ONNX file (default: model.onnx)") -> None:
    parser.add_argument("--model", type=Path, default=default_model(), help=text)


def add_data(parser: ArgumentParser, text: str) -> None:
    """Folders that make one data set, see `train.data.read_samples`."""
    parser.add_argument("--data", type=Path, required=True, nargs="+", metavar="DIR", help=text)


def add_out(parser: ArgumentParser, text: str, required: bool = True) -> None:
    parser.add_argument("--out", type=Path, required=required, metavar="DIR", help=text)


def add_docs(parser: ArgumentParser) -> None:
    """A Markdown file, see `train.report.update_docs`."""
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the table between its marks in it")


def exit_status(command: str, run: Callable[[], int], errors: tuple[type[Exception], ...], interrupted: str) -> int:
    """Run a command and return its exit status: 2 after one of these errors or an OSError, 130 after Ctrl-C.

    Args:
        command: what it is called: "python -m train fit".
        run: returns its exit status.
        errors: whose messages are sentences for people.
        interrupted: said after Ctrl-C.
    """
    try:
        return run()
    except errors as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error.filename or 'A file'}: {error.strerror or error}."
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        return 130
    print(f"{command}: {sentence}", file=sys.stderr)
    return 2
