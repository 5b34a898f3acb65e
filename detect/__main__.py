"""Command line: python -m detect PATH... judges pictures, folders and globs.

Exit status: 0 every picture was read, 1 some failed, 2 bad usage.
"""

import argparse
import csv
import glob
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from detect.detector import Detector, default_model
from detect.files import whole_file
from detect.model import ModelError
from detect.picture import SUFFIXES, PictureError

INTERRUPTED = 130  # what a shell says of Ctrl-C
COLUMNS = ("path", "label", "p_fake", "confidence", "faces", "reasons", "ms", "error")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m detect",
        description="Judge whether the faces in pictures are real or fake. A verdict is evidence, not proof.",
        epilog="Exit status: 0 every picture was read, 1 some could not be, 2 bad usage.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a folder or a glob pattern")
    parser.add_argument("--recursive", action="store_true", help="look into the folders of a folder, too")
    parser.add_argument("--format", choices=("table", "jsonl", "csv"), default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    parser.add_argument(
        "--model", default=default_model(), metavar="FILE_OR_REPO", help="another model.onnx, or owner/name on the Hub"
    )
    args = parser.parse_args(argv)
    paths = list(find_pictures(args.paths, args.recursive))
    if not paths:
        return _usage(f"No pictures in {', '.join(args.paths)}. Name a picture, or add --recursive for inner folders.")
    try:
        detector = Detector(args.model)
        with _output(args.output) as out:
            failed = judge(detector, paths, args.format, out)
    except ModelError as error:
        return _usage(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _usage(f"The result cannot be written to {args.output or 'standard output'}: {error.strerror}.")
    return 1 if failed else 0


def find_pictures(patterns: list[str], recursive: bool) -> Iterator[str]:
    """Paths of the pictures meant, in input order, folders sorted. A name that matches nothing stays as it is."""
    for pattern in patterns:
        if os.path.isdir(pattern):
            yield from _in_folder(pattern, recursive)
        elif os.path.lexists(pattern) or not glob.has_magic(pattern):
            yield pattern
        else:
            matches = sorted(glob.glob(pattern, recursive=True)) or [pattern]
            for match in matches:
                if os.path.isdir(match):
                    yield from _in_folder(match, recursive)
                else:
                    yield match


def _in_folder(folder: str, recursive: bool) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        yield from (os.path.join(where, f) for f in sorted(files) if Path(f).suffix.lower() in SUFFIXES)
        if not recursive:
            break


def judge(detector: Detector, paths: list[str], style: str, out: io.TextIOBase) -> int:
    """Write one record per picture in input order; returns how many could not be read."""
    write = {"table": _table, "jsonl": _jsonl, "csv": _csv}[style](out, paths)
    failed = 0
    progress = tqdm(zip(paths, detector.stream(paths), strict=True), total=len(paths), unit="picture", disable=None)
    for path, (result, seconds) in progress:
        path = path.encode(errors="replace").decode()  # names that are not valid UTF-8
        if isinstance(result, PictureError):
            failed += 1
            write({"path": path, "error": str(result)})
        else:
            write({"path": path, **result.to_dict(), "ms": round(seconds * 1000, 2)})
    return failed


def _jsonl(out: io.TextIOBase, paths: list[str]):
    return lambda record: print(json.dumps(record, ensure_ascii=False), file=out)


def _csv(out: io.TextIOBase, paths: list[str]):
    rows = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    rows.writeheader()

    def write(record: dict) -> None:
        flat = dict(record)
        if "error" not in record:
            flat |= {"faces": len(record["faces"]), "reasons": " ".join(record["reasons"])}
        rows.writerow(flat)

    return write


def _table(out: io.TextIOBase, paths: list[str]):
    width = min(60, max(len(path) for path in paths))
    print(f"{'picture':<{width}}  verdict  p(fake)  faces      ms  remarks", file=out)

    def write(record: dict) -> None:
        name = "".join(c if _is_harmless(c) else "?" for c in record["path"])
        name = name if len(name) <= width else "…" + name[1 - width :]
        if "error" in record:
            print(f"{name:<{width}}  error    {record['error']}", file=out)
            return
        print(
            f"{name:<{width}}  {record['label']:<7}  {record['p_fake']:7.3f}  {len(record['faces']):5d}  "
            f"{record['ms']:6.1f}  {' '.join(record['reasons'])}".rstrip(),
            file=out,
        )

    return write


def _is_harmless(character: str) -> bool:
    """Whether a character of a file name may go to a terminal: no line break, no control code."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


@contextmanager
def _output(path: Path | None):
    """Standard output, or a file that appears under its name only when it is whole. UTF-8, whatever the locale."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.exists() and not path.is_file():  # a device is written to as it is, and opening a folder fails
        with path.open("w", encoding="utf-8", newline="") as out:
            yield out
        return
    real = Path(os.path.realpath(path))  # through a link, which is not to be replaced by the file
    with whole_file(real) as partial, partial.open("w", encoding="utf-8", newline="") as out:
        yield out


def _usage(sentence: str) -> int:
    print(f"python -m detect: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
