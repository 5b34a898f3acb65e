"""Command line: python -m detect PATH... judges pictures, videos, folders and globs; python -m detect scan and
python -m detect summary are commands of their own, see `detect.scan`.

Exit status: 0 every file was read, 1 some failed, 2 bad usage.
"""

import argparse
import glob
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

from detect.arguments import INTERRUPTED, add_model, chosen_model, refuse
from detect.detector import Detector
from detect.files import whole_file
from detect.frames import MAX_SECONDS, MAX_VIDEO_BYTES, VIDEO_SUFFIXES, VideoError
from detect.model import ModelError
from detect.picture import SUFFIXES, PictureError
from detect.records import csv_writer, is_harmless, json_line, record_of
from detect.scan import command as scan_command
from detect.scan import summary_command
from detect.verdict import Verdict
from detect.video import VideoVerdict, judge_video

COMMANDS = {"scan": scan_command.main, "summary": summary_command.main}  # a folder of that name is ./scan


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]](words[1:])
    parser = argparse.ArgumentParser(
        prog="python -m detect",
        description="Judge whether faces in pictures and videos are real or fake. A verdict is evidence, not proof.",
        epilog=f"A video may be {MAX_SECONDS} seconds long and {MAX_VIDEO_BYTES >> 20} MB large. "
        "Exit status: 0 every file was read, 1 some could not be, 2 bad usage. Two more commands, which say more with "
        "--help: `python -m detect scan` judges a bucket into Parquet, `python -m detect summary` sums it up.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a video, a folder or a glob pattern")
    parser.add_argument("--recursive", action="store_true", help="look into the folders of a folder, too")
    parser.add_argument("--format", choices=("table", "jsonl", "csv"), default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    add_model(parser)
    args = parser.parse_args(words)
    paths = list(find_pictures(args.paths, args.recursive))
    if not paths:
        named = ", ".join(args.paths)
        return refuse(parser, f"No pictures or videos in {named}. Name a file, or add --recursive for inner folders.")
    try:
        detector = Detector(chosen_model(args))
        with _output(args.output) as out:
            failed = judge(detector, paths, args.format, out)
    except ModelError as error:
        return refuse(parser, str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return refuse(parser, f"The result cannot be written to {args.output or 'standard output'}: {error.strerror}.")
    return 1 if failed else 0


def find_pictures(patterns: list[str], recursive: bool) -> Iterator[str]:
    """Paths of the files meant, in input order, folders sorted. A name that matches nothing stays as it is."""
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
    closed: list[str] = []  # folders that may not be read, which are to be heard of like such files
    for where, folders, files in os.walk(folder, onerror=lambda error: closed.append(error.filename)):
        yield from closed
        closed.clear()
        folders.sort()
        yield from (os.path.join(where, f) for f in sorted(files) if _suffix(f) in SUFFIXES | VIDEO_SUFFIXES)
        if not recursive:
            break
    yield from closed


def judge(detector: Detector, paths: list[str], style: str, out: io.TextIOBase) -> int:
    """Write one record per file in input order; returns how many could not be read."""
    write = {"table": _table, "jsonl": _jsonl, "csv": _csv}[style](out, paths)
    failed = 0
    with tqdm(total=len(paths), unit="file" if any(map(_is_video, paths)) else "picture", disable=None) as bar:
        results = _results(detector, paths, lambda done, total: bar.set_postfix_str(f"frame {done} of {total}"))
        for path, (result, seconds) in zip(paths, results, strict=True):
            failed += isinstance(result, PictureError | VideoError)
            write(record_of(path, result, seconds))
            bar.update()
    return failed


def _results(
    detector: Detector, paths: list[str], progress: Callable[[int, int], None]
) -> Iterator[tuple[Verdict | PictureError | VideoVerdict | VideoError, float]]:
    """As `Detector.stream`, for pictures and videos: those between two videos are judged in batches."""
    for video, group in groupby(paths, _is_video):
        if not video:
            yield from detector.stream(group)
            continue
        for path in group:
            started = perf_counter()
            try:
                yield judge_video(detector, path, progress), perf_counter() - started
            except VideoError as error:
                yield error, 0.0


def _is_video(path: str) -> bool:
    return _suffix(path) in VIDEO_SUFFIXES


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _jsonl(out: io.TextIOBase, paths: list[str]):
    return lambda record: print(json_line(record), file=out)


def _csv(out: io.TextIOBase, paths: list[str]):
    return csv_writer(out)


def _table(out: io.TextIOBase, paths: list[str]):
    width = min(60, max(len(path) for path in paths))
    print(f"{'file':<{width}}  verdict  p(fake)  faces      ms  remarks", file=out)

    def write(record: dict) -> None:
        name = "".join(c if is_harmless(c) else "?" for c in record["path"])
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


if __name__ == "__main__":
    sys.exit(main())
