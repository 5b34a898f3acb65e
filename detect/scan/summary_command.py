"""python -m detect summary DIR.parquet: the command line of what a scan has come to."""

import argparse
import io
import os
import sys
from pathlib import Path

from detect.arguments import INTERRUPTED, count, refuse
from detect.scan import ScanError, without

TOP = 50  # pictures on the page


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m detect summary",
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
        from detect.files import write_text
        from detect.scan.page import page
        from detect.scan.summary import summarize

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
    if isinstance(sys.stdout, io.TextIOWrapper):  # UTF-8, whatever the locale, and for names that are none, too
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    print(f"{summary.totals}. The page is {out}")
    return 0
