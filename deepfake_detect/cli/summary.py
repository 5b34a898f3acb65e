"""deepfake-detect summary DIR.parquet: the command line of what a scan has come to."""

import argparse
import io
import os
import sys
from pathlib import Path

from deepfake_detect.cli.arguments import INTERRUPTED, count, refuse
from deepfake_detect.errors import ScanError
from deepfake_detect.report.names import isolated
from deepfake_detect.scan import without

TOP = 50  # pictures on the page


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="deepfake-detect summary",
        description="Sum up a scan, finished or not: numbers here, and a page with a histogram and the most suspicious "
        "pictures, as far as they can still be opened.",
        epilog="Exit status: 0 the page is written, 2 it could not be.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR.parquet", help="the folder that a scan has made")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="the page (default: DIR.html beside the folder)")
    parser.add_argument("--top", type=count, default=TOP, metavar="N", help=f"pictures shown (default: {TOP})")
    args = parser.parse_args(argv)
    folder = Path(os.path.abspath(args.folder))  # a name of its own even for "."
    out = args.out or folder.parent / f"{folder.stem}.html"
    try:
        from deepfake_detect.atomic_files import write_text
        from deepfake_detect.scan.summary import summarize
        from deepfake_detect.scan.summary_html import page

        summary = summarize(folder, args.top)
        write_text(out, page(summary))
    except ModuleNotFoundError as error:
        return refuse(parser, without(error))
    except ScanError as error:
        return refuse(parser, str(error))
    except OSError as error:
        return refuse(parser, f"{out} cannot be written: {error.strerror}.")
    except KeyboardInterrupt:
        return INTERRUPTED
    if isinstance(sys.stdout, io.TextIOWrapper):  # UTF-8, whatever the locale
        sys.stdout.reconfigure(encoding="utf-8")
    print(f"{summary.totals}. The page is {isolated(str(out))}")
    return 0
