"""One record a file: what the command line and the page's downloads write."""

import csv
import json
import unicodedata
from collections.abc import Callable
from typing import TextIO

from detect.frames import VideoError
from detect.picture import PictureError
from detect.verdict import Verdict
from detect.video import VideoVerdict

COLUMNS = ("path", "label", "p_fake", "confidence", "faces", "reasons", "ms", "error")
FORMULA_SIGNS = tuple("=+-@＝＋－＠")


def record_of(path: str, result: Verdict | VideoVerdict | PictureError | VideoError, seconds: float) -> dict:
    """The path as given with the verdict and the milliseconds it took, or with the error; JSON-ready."""
    path = path.encode(errors="replace").decode()  # names that are not valid UTF-8
    if isinstance(result, PictureError | VideoError):
        return {"path": path, "error": str(result)}
    return {"path": path, **result.to_dict(), "ms": round(seconds * 1000, 2)}


def json_line(record: dict) -> str:
    return json.dumps(record, ensure_ascii=False)


def csv_writer(out: TextIO) -> Callable[[dict], None]:
    """Write the head of a table; returns what writes a row: faces as their number, reasons as one text."""
    # Every text in quotes, because spreadsheets of some countries take semicolons for the ends of cells.
    rows = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    out.write(",".join(COLUMNS) + "\n")

    def write(record: dict) -> None:
        flat = record | {"path": _no_formula(record["path"])}
        if "error" not in record:
            flat |= {"faces": len(record["faces"]), "reasons": " ".join(record["reasons"])}
        rows.writerow(flat)

    return write


def is_harmless(character: str) -> bool:
    """Whether a character of a file name may be shown: no line break, no control code."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _no_formula(text: str) -> str:
    """A text that a spreadsheet would compute gets an apostrophe in front."""
    return f"'{text}" if text.lstrip().startswith(FORMULA_SIGNS) else text
