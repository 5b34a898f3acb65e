"""The files of a result that a visitor takes home: the report as JSON and as PDF. They lie among the uploads, with
which they are deleted."""

import re
from pathlib import Path

from deepfake_detect.atomic_files import atomic_write, write_text
from deepfake_detect.report.names import json_text
from page.server.upload_folder import new_folder

MAX_STEM = 60  # characters of a file's name in those of its reports


def write_reports(name: str, instead: str, told: dict, sheet: bytes) -> tuple[str, str]:
    """Paths of the JSON report and of the PDF.

    Args:
        name: that the owner of what was judged gave it, of which the files are called.
        instead: what they are called where nothing of that is left.
        told: JSON-ready values.
        sheet: bytes of the PDF.

    Raises:
        OSError: they cannot be written.
    """
    folder = new_folder()
    stem = re.sub(r"[^\w-]+", "_", Path(name).stem, flags=re.ASCII).strip("_")[:MAX_STEM] or instead
    report, printed = folder / f"{stem}-verdict.json", folder / f"{stem}-verdict.pdf"
    write_text(report, json_text(told, indent=1) + "\n")
    with atomic_write(printed) as partial:
        partial.write_bytes(sheet)
    return str(report), str(printed)
