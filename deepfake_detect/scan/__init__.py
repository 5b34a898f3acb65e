"""Many pictures, of a folder or a bucket, into Parquet; again from where it was broken off, and in sum.

SOURCE -> listing, sorted and kept -> shards of consecutive pictures -> bytes -> the first of the same bytes judged ->
rows -> one Parquet file a shard. Which pictures a shard holds follows from the listing alone, and what is done, from
the rows in its file; all else is done again. The engine, threads or Ray, only says who judges.
"""

PACKAGES = ("pyarrow", "fsspec")


def without(missing: ModuleNotFoundError) -> str:
    """What to do about a package that only scans need; any other is a defect, and raised again."""
    name = (missing.name or "").partition(".")[0]
    if name not in PACKAGES:
        raise missing
    return f"This needs the package {name}: pip install {' '.join(PACKAGES)}"
