"""deepfake-detect scan SOURCE... --out DIR.parquet: the command line of a scan."""

import argparse
import sys
from pathlib import Path

from deepfake_detect.cli.arguments import INTERRUPTED, add_model, add_thorough, chosen_model, count, refuse
from deepfake_detect.errors import ModelError, ScanError
from deepfake_detect.report.names import isolated
from deepfake_detect.scan import without

MOST_ROWS = 1_000_000  # of a shard, which is in memory as a whole
STOPPED = "Stopped. The same command with --resume goes on."


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="deepfake-detect scan",
        description="Judge all pictures of a folder or a bucket into Parquet, one row each. A verdict is evidence, not "
        "proof.",
        epilog="Exit status: 0 every picture was read, 1 some could not be, 2 the scan could not be made.",
    )
    parser.add_argument(
        "source", nargs="+", metavar="SOURCE", help="a folder (with those inside it), a glob pattern, a picture, a "
        "Parquet file or a folder of them, with a column of pictures or of paths, a tar as webdataset packs it, a .txt "
        "with a path a line; or the URL of one of these in an object store"
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR.parquet", help="the folder to make")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="this process, or Ray")
    parser.add_argument(
        "--address", help="of a Ray cluster, `auto` on one of its machines (default: what the variable RAY_ADDRESS "
        "says, otherwise Ray on this one)"
    )  # fmt: skip
    parser.add_argument(
        "--shard-rows", type=_shard_rows, metavar="N", help="pictures in one Parquet file (default: 1000)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with a scan that was broken off")
    add_thorough(parser)
    add_model(parser)
    args = parser.parse_args(argv)
    if args.address and args.engine != "ray":
        parser.error("--address is that of a Ray cluster; add --engine ray")
    try:
        from deepfake_detect.scan import scan
        from deepfake_detect.scan.progress import ProgressBar

        with ProgressBar() as bar:
            totals = scan(
                args.source, args.out, chosen_model(args), args.engine, args.resume, bar, address=args.address,
                shard_rows=args.shard_rows, thorough=args.thorough,
            )  # fmt: skip
        print(f"{totals}. They are in {isolated(str(args.out))}", file=sys.stderr)
        return 1 if totals.unread else 0
    except ModuleNotFoundError as error:
        return refuse(parser, without(error))
    except (ModelError, ScanError) as error:
        return refuse(parser, str(error))
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED


def _shard_rows(text: str) -> int:
    if count(text) > MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text} is more than {MOST_ROWS}, the most that a file holds")
    return count(text)
