"""Command line: python -m bench [PART...]. Results in bench/results.json, and as tables in bench/results.md."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime

from bench import int8, page
from detect.files import write_text
from train.timing import machine

FOLDER = Path(__file__).resolve().parent
PARTS: dict[str, Callable[[], list[dict]]] = {"int8": int8.measure, "page": page.measure}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the speed of what serves.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for results.json and results.md")
    args = parser.parse_args(argv)
    wrong = [part for part in args.parts if part not in PARTS]
    if wrong:
        parser.error(f"there is no part {wrong[0]}; there are {', '.join(PARTS)}")
    if not args.out.is_dir():
        parser.error(f"{args.out} is no folder; make it first")
    file = args.out / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for part in args.parts or PARTS:
        print(f"measuring {part}", file=sys.stderr)
        results[part] = {"machine": machine() | {"onnxruntime": onnxruntime.__version__}, "tables": PARTS[part]()}
    write_text(file, json.dumps(results, indent=1) + "\n")
    text = markdown(results)
    write_text(args.out / "results.md", text)
    print(text)
    return 0


def markdown(results: dict) -> str:
    """All tables: each has "title", "columns" and "rows", whose values are texts, numbers or None."""
    parts = []
    for part, found in results.items():
        m = found["machine"]
        parts.append(f"## {part}\n\n{m['cores']} cores of {m['cpu']}, Python {m['python']}, "
                     f"onnxruntime {m['onnxruntime']}")  # fmt: skip
        for table in found["tables"]:
            head = [f"| {' | '.join(table['columns'])} |", "|---" * len(table["columns"]) + "|"]
            rows = [f"| {' | '.join(map(_cell, row))} |" for row in table["rows"]]
            parts.append(f"### {table['title']}\n\n" + "\n".join(head + rows))
    return "# Measured speed\n\n" + "\n\n".join(parts) + "\n"


def _cell(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return "–" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
