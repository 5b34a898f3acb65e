"""Command line: deepfake-detect PATH... judges pictures, videos, folders and globs; deepfake-detect scan and
deepfake-detect summary are commands of their own, see `deepfake_detect.scan`.

Exit status: 0 every file was read, 1 some failed, 2 bad usage.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import TextIO

from tqdm import tqdm

from deepfake_detect import __version__
from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.cli import scan as scan_command
from deepfake_detect.cli import summary as summary_command
from deepfake_detect.cli.arguments import INTERRUPTED, add_model, add_thorough, chosen_model, refuse
from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.errors import ModelError, PictureError, VideoError
from deepfake_detect.report.names import isolated, shown
from deepfake_detect.report.records import csv_writer, json_line, record_of
from deepfake_detect.scan.finding import Search, suffix_of
from deepfake_detect.verdict import Verdict
from deepfake_detect.video.frame_plan import MAX_SECONDS
from deepfake_detect.video.judge import judge_video
from deepfake_detect.video.video_file import MAX_VIDEO_BYTES, VIDEO_SUFFIXES
from deepfake_detect.video.video_verdict import VideoVerdict

COMMANDS = {"scan": scan_command.main, "summary": summary_command.main}  # a folder of that name is ./scan


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]](words[1:])
    parser = argparse.ArgumentParser(
        prog="deepfake-detect",
        description="Judge whether faces in pictures and videos are real or fake. A verdict is evidence, not proof.",
        epilog=f"A video may be {MAX_SECONDS} seconds long and {MAX_VIDEO_BYTES >> 20} MB large. "
        "Exit status: 0 every file was read, 1 some could not be, 2 bad usage. Two more commands, which say more with "
        "--help: `deepfake-detect scan` judges a bucket into Parquet, `deepfake-detect summary` sums it up.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a video, a folder or a glob pattern")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--recursive", action="store_true", help="look into the folders of a folder, too")
    parser.add_argument("--format", choices=("table", "jsonl", "csv"), default="table", help="(default: table)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to standard output")
    add_thorough(parser)
    add_model(parser)
    args = parser.parse_args(words)
    search = Search(args.paths, args.recursive)
    paths = search.paths
    if not paths:
        named = ", ".join(args.paths)
        refuse(parser, f"No pictures or videos in {named}. Name a file, or add --recursive for inner folders.")
        _tell_of_skipped(search)
        return 2
    try:
        detector = Detector(chosen_model(args))
        _tell_of_skipped(search)
        with _output(args.output) as out:
            failed = judge(detector, paths, args.format, out, args.thorough)
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


def _tell_of_skipped(search: Search) -> None:
    for sentence in search.passed_over:
        print(sentence, file=sys.stderr)


def judge(detector: Detector, paths: list[str], style: str, out: TextIO, thorough: bool = THOROUGH) -> int:
    """Write one record per file in input order; returns how many could not be read."""
    write = {"table": _table, "jsonl": _jsonl, "csv": _csv}[style](out, paths)
    failed = 0
    with tqdm(total=len(paths), unit="file" if any(map(_is_video, paths)) else "picture", disable=None) as bar:
        results = _results(
            detector, paths, thorough, lambda done, total: bar.set_postfix_str(f"frame {done} of {total}")
        )
        for path, (result, seconds) in zip(paths, results, strict=True):
            failed += isinstance(result, PictureError | VideoError)
            write(record_of(path, result, seconds))
            bar.update()
    return failed


def _results(
    detector: Detector, paths: list[str], thorough: bool, progress: Callable[[int, int], None]
) -> Iterator[tuple[Verdict | PictureError | VideoVerdict | VideoError, float]]:
    """As `Detector.stream`, for pictures and videos: those between two videos side by side."""
    for video, group in groupby(paths, _is_video):
        if not video:
            yield from detector.stream(group, thorough)
            continue
        for path in group:
            started = perf_counter()
            try:
                yield judge_video(detector, path, progress, thorough), perf_counter() - started
            except VideoError as error:
                yield error, 0.0


def _is_video(path: str) -> bool:
    return suffix_of(path) in VIDEO_SUFFIXES


def _jsonl(out: TextIO, paths: list[str]):
    return lambda record: print(json_line(record), file=out)


def _csv(out: TextIO, paths: list[str]):
    return csv_writer(out)


def _table(out: TextIO, paths: list[str]):
    width = min(60, max(len(shown(path)) for path in paths))
    print(f"{'file':<{width}}  verdict  p(fake)  faces      ms  remarks", file=out)

    def write(record: dict) -> None:
        name = _cell(record["path"], width)
        if "error" in record:
            print(f"{name}  error    {record['error']}", file=out)
            return
        if not record["faces"]:  # whose score says nothing
            print(f"{name}  no face  {'':7}  {0:5d}  {record['ms']:6.1f}  {' '.join(record['reasons'])}", file=out)
            return
        print(
            f"{name}  {record['label']:<7}  {record['p_fake']:7.3f}  {len(record['faces']):5d}  "
            f"{record['ms']:6.1f}  {' '.join(record['reasons'])}".rstrip(),
            file=out,
        )

    return write


def _cell(name: str, width: int) -> str:
    """A name as it may be shown, so many signs wide; of a longer one its end."""
    seen = shown(name)
    seen = seen if len(seen) <= width else "…" + seen[1 - width :]
    return isolated(seen) + " " * (width - len(seen))


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
    with atomic_write(real) as partial, partial.open("w", encoding="utf-8", newline="") as out:
        yield out
