"""Command line: python -m bench [PART...]. Results in bench/results.json, and as tables in bench/results.md; what the
part `scan` comes to for a billion pictures in bench/SCALING.md.

The part `reduced` takes --data DIR, see `bench.reduced`; without that it is left out. The part `web` takes what the
tests' environment alone has, see `bench.web`, and is measured where it is named.
"""

import argparse
import json
import sys
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from train.packages import BENCH, needed

with needed("python -m bench", BENCH):
    from bench import engines, folder, page, photo, reduced, scaling, scan, server, training, videos, web
    from bench.report import docs_markdown, markdown
    from deepfake_detect.atomic_files import write_text
    from train.data import DataError
    from train.report import check_marks, update_docs
    from train.timing import machine

FOLDER = Path(__file__).resolve().parent
PARTS = {"engines": engines.measure, "photo": photo.measure, "videos": videos.measure, "folder": folder.measure,
         "server": server.measure, "page": page.measure, "scan": scan.measure, "training": training.measure,
         "reduced": reduced.measure, "web": web.measure}  # fmt: skip
BY_NAME = {"web"}  # that nobody measures without naming them
PACKAGES = ("onnxruntime", "openvino", "keras", "tensorflow", "ai-edge-litert", "torch", "transformers", "gradio",
            "ray", "av", "opencv-python-headless")  # fmt: skip
MARK = "speed"  # of the block in docs/speed.md


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the speed of what serves.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="research pictures, for the part reduced alone")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for results.json and results.md")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the results in short between its marks")
    args = parser.parse_args(argv)
    wrong = [part for part in args.parts if part not in PARTS]
    if wrong:
        parser.error(f"there is no part {wrong[0]}; there are {', '.join(PARTS)}")
    if "reduced" in args.parts and not args.data:
        parser.error("the part reduced takes --data DIR")
    if not args.out.is_dir():
        parser.error(f"{args.out} is no folder; make it first")
    file = args.out / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    parts = args.parts or [part for part in PARTS if part not in BY_NAME and (part != "reduced" or args.data)]
    if args.docs:
        if "engines" not in {*parts, *results}:
            parser.error(f"--docs shows the part engines, which {args.out} lacks; measure it too")
        try:
            check_marks(args.docs, MARK)
        except (DataError, OSError) as error:
            parser.error(str(error))
    measures = PARTS | {"reduced": partial(reduced.measure, args.data)}
    for part in parts:
        print(f"measuring {part}", file=sys.stderr)
        started = perf_counter()
        results[part] = {"machine": machine() | {"packages": packages()}, "tables": measures[part]()}
        print(f"{part}: {perf_counter() - started:.0f} s", file=sys.stderr)
        results = {part: results[part] for part in PARTS if part in results}
        write_text(file, json.dumps(results, indent=1) + "\n")  # at once, lest a later part take it along when it fails
    text = markdown(results)
    write_text(args.out / "results.md", text)
    if "scan" in results:
        scaling.write(results, args.out)
    if args.docs:
        update_docs(args.docs, MARK, docs_markdown(results))
    print(text)
    return 0


def packages() -> dict[str, str]:
    """Versions of what is measured, as far as it is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # the tests' environment has no other engines
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
