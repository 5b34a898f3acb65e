"""Items -> the bytes of their pictures, some files ahead of the one asked for."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from detect.picture import MAX_BYTES, TOO_MANY_BYTES, PictureError, read_file
from detect.scan import ScanError
from detect.scan.listing import BROKEN, FILE, ROW, Item, picture_column
from detect.scan.stores import is_url, open_file, read_part

AHEAD = 16  # files that are read side by side: an object store takes its time over each
ROWS = 16  # pictures of a Parquet file in memory at a time
BUFFER = 2**20  # bytes of a Parquet file read at a time, instead of a column of a whole row group
GONE = "There is no such file."
UNREADABLE = "The file cannot be read: "  # then why

Thing, Made = TypeVar("Thing"), TypeVar("Made")


class Reader:
    """Reads items. `folder` is where names that are no URLs and not absolute begin."""

    def __init__(self, folder: str):
        self.folder = folder
        self._pool = ThreadPoolExecutor(AHEAD)

    def read(self, items: Sequence[Item]) -> Iterator[bytes | PictureError]:
        """The bytes of each item's picture in turn, or why it has none."""
        for (kind, file), group in groupby(items, key=lambda item: (item.kind, item.kind == ROW and item.file)):
            if kind == ROW:
                yield from self._rows(self._place(file), [item.start for item in group])
            else:
                yield from _ahead(self._pool, self._read, group)

    def _place(self, name: str) -> str:
        return name if is_url(name) else os.path.join(self.folder, name)

    def _read(self, item: Item) -> bytes | PictureError:
        try:
            if item.kind == BROKEN:
                raise PictureError(item.name)
            if item.size > MAX_BYTES:
                raise PictureError(TOO_MANY_BYTES)
            place = self._place(item.file)
            if item.kind == FILE and not is_url(place):
                data = read_file(Path(place))
            else:
                size = MAX_BYTES + 1 if item.size < 0 else item.size
                data = read_part(place, item.start, size) if size else b""
            if len(data) > MAX_BYTES:
                raise PictureError(TOO_MANY_BYTES)
            return data
        except (PictureError, ScanError) as error:
            return PictureError(str(error))
        except Exception as error:
            return _unreadable(error)

    def _rows(self, file: str, rows: list[int]) -> Iterator[bytes | PictureError]:
        """Of rows in rising order; what comes after damage cannot be read either."""
        given = 0
        try:
            for data in _cells(file, rows):
                yield data
                given += 1
        except (ScanError, LookupError) as error:
            yield from [PictureError(str(error))] * (len(rows) - given)
        except Exception as error:
            yield from [_unreadable(error)] * (len(rows) - given)


def _cells(file: str, rows: list[int]) -> Iterator[bytes | PictureError]:
    wanted = deque(rows)
    with open_file(file) as opened:
        parquet = pq.ParquetFile(opened, buffer_size=BUFFER, pre_buffer=False)
        column, _ = picture_column(parquet.schema_arrow)
        end = 0
        for group in range(parquet.num_row_groups):
            at, end = end, end + parquet.metadata.row_group(group).num_rows
            batches = parquet.iter_batches(ROWS, row_groups=[group], columns=[column], use_threads=False)
            while wanted and wanted[0] < end:
                batch = next(batches).column(0)
                while wanted and wanted[0] < at + len(batch):
                    yield _cell(batch[wanted.popleft() - at])
                at += len(batch)


def _cell(value: pa.Scalar) -> bytes | PictureError:
    data = value.as_py()
    data = data.get("bytes") if isinstance(data, dict) else data
    if data is None:
        return PictureError("This row of the table has no picture in it.")
    return data if len(data) <= MAX_BYTES else PictureError(TOO_MANY_BYTES)


def may_be_read_later(error: str | None) -> bool:
    """Whether what kept a picture from being read may be no fault of its own, as where a store cannot be reached."""
    return error is not None and error.startswith((GONE, UNREADABLE))


def _unreadable(error: Exception) -> PictureError:
    """Whatever keeps a picture from being read, in an object store's words or the system's, is an error of that picture
    alone."""
    if isinstance(error, FileNotFoundError):
        return PictureError(GONE)
    reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0][:200]
    return PictureError(f"{UNREADABLE}{reason.rstrip('.')}.")


def _ahead(pool: ThreadPoolExecutor, make: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
    """What `make` returns for each, in order; as `pool.map`, but never more than AHEAD of the caller."""
    tasks = deque()
    try:
        for thing in things:
            tasks.append(pool.submit(make, thing))
            if len(tasks) == AHEAD:
                yield tasks.popleft().result()
        while tasks:
            yield tasks.popleft().result()
    finally:
        for task in tasks:
            task.cancel()
