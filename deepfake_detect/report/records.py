"""One record a file: what the command line and the page's downloads write."""

import csv
from collections.abc import Callable
from typing import TextIO

from deepfake_detect.errors import PictureError, VideoError
from deepfake_detect.report.names import as_text, json_text
from deepfake_detect.verdict import Verdict
from deepfake_detect.video.video_verdict import VideoVerdict

COLUMNS = ("path", "label", "p_fake", "confidence", "faces", "reasons", "ms", "error", "reason_codes", "error_code",
           "kind")  # fmt: skip
FORMULA_SIGNS = tuple("=+-@＝＋－＠")


def record_of(path: str, result: Verdict | VideoVerdict | PictureError | VideoError, seconds: float) -> dict:
    """The path, exactly as given, with the verdict and the milliseconds it took, or with the error; JSON-ready."""
    if isinstance(result, PictureError | VideoError):
        return {"path": path, "error": str(result), "error_code": result.code}
    return {"path": path, **result.to_dict(), "ms": round(seconds * 1000, 2)}


def json_line(record: dict) -> str:
    """Of bytes of a name that are no text see `deepfake_detect.report.names`."""
    return json_text(record)


def csv_writer(out: TextIO) -> Callable[[dict], None]:
    """Write the head of a table; returns what writes a row: faces as their number, reasons as one text, codes
    between spaces."""
    # Every text in quotes, because spreadsheets of some countries take semicolons for the ends of cells.
    rows = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    out.write(",".join(COLUMNS) + "\n")

    def write(record: dict) -> None:
        flat = record | {"path": _no_formula(as_text(record["path"]))}
        if "error" not in record:
            joined = {name: " ".join(record[name]) for name in ("reasons", "reason_codes")}
            flat |= {"faces": len(record["faces"]), **joined}
        rows.writerow(flat)

    return write


def _no_formula(text: str) -> str:
    """A text that a spreadsheet would compute gets an apostrophe in front."""
    return f"'{text}" if text.lstrip().startswith(FORMULA_SIGNS) else text
