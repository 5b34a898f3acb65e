"""Items -> the bytes of their pictures, some files ahead of the one asked for."""

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from deepfake_detect.errors import PictureError, ScanError
from deepfake_detect.picture.decode import MAX_BYTES, TOO_MANY_BYTES, read_file
from deepfake_detect.scan.filesystem import is_url, open_file, read_part
from deepfake_detect.scan.listing import BROKEN, FILE, MEMBER, ROW, Item, picture_column

PREFETCH = 16  # files that are read side by side: an object store takes its time over each
ROWS = 16  # pictures of a Parquet file in memory at a time
BUFFER = 2**20  # bytes of a Parquet file read at a time, instead of a column of a whole row group
GONE, UNREADABLE = "not_found", "unreadable"  # codes of errors that may be gone another time

Thing = TypeVar("Thing")
Made = TypeVar("Made")


class Reader:
    """Reads items. `folder` is where names that are no URLs and not absolute begin."""

    def __init__(self, folder: str):
        self.folder = folder
        self._pool = ThreadPoolExecutor(PREFETCH)
        self._table: _Table | None = None  # the one read last: whoever asks for its next rows goes on in it

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
                raise PictureError("source_unusable", item.name)
            if item.size > MAX_BYTES:
                raise PictureError("file_too_large", TOO_MANY_BYTES)
            place = self._place(item.file)
            if item.kind == FILE and not is_url(place):
                data = read_file(Path(place))
            else:
                size = item.size if item.kind == MEMBER else MAX_BYTES + 1  # a file may have grown since
                data = read_part(place, item.start, size) if item.size else b""  # of which stores give no part
            if len(data) > MAX_BYTES:
                raise PictureError("file_too_large", TOO_MANY_BYTES)
            return data
        except (PictureError, ScanError) as error:
            return PictureError(error.code, str(error))
        except Exception as error:
            return _unreadable(error)

    def _rows(self, file: str, rows: list[int]) -> Iterator[bytes | PictureError]:
        try:
            table = self._table if self._table and self._table.name == file else _Table(file)
            self._table = table
        except (ScanError, LookupError) as error:
            yield from [PictureError("source_unusable", str(error))] * len(rows)
        except Exception as error:
            yield from [_unreadable(error)] * len(rows)
        else:
            yield from (self._picture(table.cell(row)) for row in rows)

    def _picture(self, cell: Any) -> bytes | PictureError:
        """What a cell of a column of pictures holds, or the file that it names instead."""
        if isinstance(cell, dict):
            if cell["bytes"] is None and cell.get("path"):
                return self._read(Item(cell["path"]))
            cell = cell["bytes"]
        if cell is None:
            return PictureError("no_picture", "This row of the table has no picture in it.")
        return (
            PictureError("file_too_large", TOO_MANY_BYTES)
            if isinstance(cell, bytes) and len(cell) > MAX_BYTES
            else cell
        )


class _Table:
    """The column of pictures of a Parquet file, read from front to back; going back begins a row group anew.

    What comes after damage in a row group cannot be read either; the next one can.
    """

    def __init__(self, name: str):
        self.name = name
        self._parquet = pq.ParquetFile(open_file(name), buffer_size=BUFFER, pre_buffer=False)
        self._column, _ = picture_column(self._parquet.schema_arrow)
        sizes = [self._parquet.metadata.row_group(group).num_rows for group in range(self._parquet.num_row_groups)]
        self._starts = [0, *accumulate(sizes[:-1])]
        self._group, self._at = -1, 0  # the row group that is being read, and the row at which `_batch` begins
        self._batch: Any = ()
        self._batches: Iterator[Any] = iter(())
        self._damage: PictureError | None = None

    def cell(self, row: int) -> object:
        """Of a row: None, bytes, a dict of a Hugging Face picture, or why it cannot be read, as a PictureError."""
        group = bisect_right(self._starts, row) - 1
        if group != self._group or row < self._at:
            self._begin(group)
        try:
            while not self._damage and row >= self._at + len(self._batch):
                self._at, self._batch = self._at + len(self._batch), ()
                self._batch = next(self._batches).column(0)
        except StopIteration:
            self._damage = PictureError("damaged", "The table has fewer rows than when it was listed.")
        except Exception as error:
            self._damage = _unreadable(error)
        return self._damage or self._batch[row - self._at].as_py()

    def _begin(self, group: int) -> None:
        self._group, self._at, self._batch, self._damage = group, self._starts[group], (), None
        self._batches = self._parquet.iter_batches(ROWS, row_groups=[group], columns=[self._column], use_threads=False)


def may_be_read_later(error_code: str | None) -> bool:
    """Whether what kept a picture from being read may be no fault of its own, as where a store cannot be reached."""
    return error_code in (GONE, UNREADABLE)


def _unreadable(error: Exception) -> PictureError:
    """Whatever keeps a picture from being read, in an object store's words or the system's, is an error of that picture
    alone."""
    if isinstance(error, FileNotFoundError):
        return PictureError(GONE, "There is no such file.")
    reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0][:200]
    return PictureError(UNREADABLE, f"The file cannot be read: {reason.rstrip('.')}.")


def _ahead(pool: ThreadPoolExecutor, make: Callable[[Thing], Made], things: Iterable[Thing]) -> Iterator[Made]:
    """What `make` returns for each, in order; as `pool.map`, but never more than PREFETCH of the caller."""
    tasks: deque = deque()
    try:
        for thing in things:
            tasks.append(pool.submit(make, thing))
            if len(tasks) == PREFETCH:
                yield tasks.popleft().result()
        while tasks:
            yield tasks.popleft().result()
    finally:
        for task in tasks:
            task.cancel()
