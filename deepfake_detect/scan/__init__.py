"""Many pictures, of a folder or a bucket, into Parquet; again from where it was broken off, and in sum.

    from deepfake_detect.scan import scan

    totals = scan("photos", "verdicts.parquet")

SOURCE -> listing, sorted and kept -> shards of consecutive pictures -> bytes -> the first of the same bytes judged ->
rows -> one Parquet file a shard. Which pictures a shard holds follows from the listing alone, and what is done, from
the rows in its file; all else is done again. The engine, threads or Ray, only says who judges.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepfake_detect.scan.run import scan
    from deepfake_detect.scan.totals import Totals

__all__ = ["Totals", "scan"]
PACKAGES = ("pyarrow", "fsspec")


def __getattr__(name: str) -> object:
    """`scan` and `Totals`, loaded when they are asked for: other parts of this package do without PACKAGES."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from deepfake_detect.scan.run import scan
        from deepfake_detect.scan.totals import Totals
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(without(missing), name=missing.name) from missing
    return scan if name == "scan" else Totals


def without(missing: ModuleNotFoundError) -> str:
    """What to do about a package that only scans need; any other is a defect, and raised again."""
    name = (missing.name or "").partition(".")[0]
    if name not in PACKAGES:
        raise missing
    return f"This needs the package {name}: pip install {' '.join(PACKAGES)}"
