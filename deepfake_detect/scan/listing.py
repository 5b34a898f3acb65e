"""SOURCE -> items: the pictures that are meant, wherever they lie."""

import codecs
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from deepfake_detect.atomic_files import PARTIAL
from deepfake_detect.errors import ScanError
from deepfake_detect.picture.decode import SUFFIXES
from deepfake_detect.scan.filesystem import (
    UNKNOWN,
    entries_of,
    exists,
    has_magic,
    is_folder,
    is_folder_link,
    is_url,
    matches,
    open_file,
)
from deepfake_detect.video.video_file import VIDEO_SUFFIXES

FILE, ROW, MEMBER, BROKEN = "file", "row", "member", "broken"  # kinds of items
MANIFEST = "_scan.json"  # in a folder that a scan has made
PARQUET, TAR, LIST = ".parquet", ".tar", ".txt"
# Columns of a Parquet file with pictures' bytes, and with their paths, where there are several that could be meant.
PICTURES = ("image", "picture", "photo", "img", "jpg", "bytes", "content")
PATHS = ("path", "file", "filename", "file_name", "image_path", "image", "uri", "url")
ROWS = 1024  # read of a column of paths at a time
VIDEO, LINK, OTHER = "video", "linked folder", "other file"  # kinds of files that are left out
NO_PATH = "This row of the table has no path."

Thing = TypeVar("Thing")


class Item(NamedTuple):
    """One picture, or what stands in its place."""

    file: str  # the picture's, or that of the Parquet file or tar that holds it
    kind: str = FILE
    start: int = 0  # the number of a ROW; the byte at which a MEMBER begins; of a BROKEN row its number, of a file -1
    size: int = UNKNOWN  # in bytes
    name: str = ""  # of a MEMBER; what is wrong with something BROKEN, as a sentence

    @property
    def path(self) -> str:
        """As the result names it."""
        if self.kind == MEMBER:
            return f"{self.file}#{self.name}"
        return f"{self.file}#{self.start}" if self.kind in (ROW, BROKEN) and self.start >= 0 else self.file


class Listing:
    """The pictures of some sources, in any order, possibly with repetitions.

    Args:
        sources: names of pictures, folders (with all inside them), Parquet files, tars, lists of names (.txt, one a
            line), glob patterns; each may be a URL.
    """

    def __init__(self, sources: Iterable[str]):
        self.sources = sources
        self.left_out: Counter[str] = Counter()  # files so far that are no pictures, by their kind
        self.suffixes: Counter[str] = Counter()  # of those that are of the kind OTHER

    def __iter__(self) -> Iterator[Item]:
        """Raises ScanError where a source is not there or cannot be read."""
        for source in self.sources:
            if has_magic(source):
                for name in _readable(source, matches(source)):
                    yield from _or_broken(name, self._named(name))
            else:
                yield from _readable(source, self._named(source))

    def _named(self, name: str) -> Iterator[Item]:
        if is_folder(name):
            yield from self._folder(name)
        elif _suffix(name) == LIST:
            yield from self._listed(name)
        elif not exists(name):
            raise ScanError(
                "source_missing", f"There is no {name}. Name a picture, a folder, a Parquet file, a tar or a list."
            )
        else:
            yield from self._meant(name)

    def _folder(self, name: str) -> Iterator[Item]:
        """All in a folder but the scans; a folder inside it that cannot be read is an item itself."""
        folders: list[str] = []
        yield from self._files(entries_of(name), folders)
        while folders:
            inner = folders.pop()
            yield from _or_broken(inner, self._files(entries_of(inner, unless=MANIFEST), folders))

    def _files(self, entries: Iterable[tuple[str, int, bool]], folders: list[str]) -> Iterator[Item]:
        """What lies in one folder; those inside it are added to `folders`."""
        for name, size, is_inner in entries:
            if is_inner:
                folders.append(name)
            else:
                yield from self._found(name, size)

    def _found(self, name: str, size: int) -> Iterator[Item]:
        """A file that was come upon: nobody has said that it is a picture or holds any."""
        suffix = _suffix(name)
        if suffix in SUFFIXES:
            yield Item(name, size=size)
        elif suffix in (PARQUET, TAR):
            yield from _or_broken(name, self._meant(name))
        elif suffix in VIDEO_SUFFIXES:
            self.left_out[VIDEO] += 1
        elif not os.path.basename(name).startswith(PARTIAL):  # this scan's own listing, where `--out` is in a source
            if is_folder_link(name):
                self.left_out[LINK] += 1
            else:
                self._leave_out(suffix)

    def _leave_out(self, suffix: str) -> None:
        self.left_out[OTHER] += 1
        self.suffixes[suffix] += 1

    def _meant(self, name: str) -> Iterator[Item]:
        """A file that somebody has named, or whose suffix says that it holds pictures."""
        suffix = _suffix(name)
        if suffix == PARQUET:
            yield from self._rows(name)
        elif suffix == TAR:
            yield from self._members(name)
        else:
            yield from self._picture(name)

    def _picture(self, name: str) -> Iterator[Item]:
        if _suffix(name) in VIDEO_SUFFIXES:
            self.left_out[VIDEO] += 1
        else:
            yield Item(name)

    def _listed(self, name: str) -> Iterator[Item]:
        with open_file(name) as file:
            for line in file:
                if path := os.fsdecode(line.removeprefix(codecs.BOM_UTF8)).strip():  # with which some editors begin
                    yield from _or_broken(path, self._meant(path))

    def _rows(self, name: str) -> Iterator[Item]:
        try:
            with open_file(name) as file:
                parquet = pq.ParquetFile(file)
                column, paths = picture_column(parquet.schema_arrow)
                if not paths:
                    yield from (Item(name, ROW, row) for row in range(parquet.metadata.num_rows))
                    return
                row = 0
                for batch in parquet.iter_batches(ROWS, columns=[column]):
                    for path in batch.column(0).to_pylist():
                        yield from self._picture(path) if path else [Item(name, BROKEN, row, name=NO_PATH)]
                        row += 1
        except (pa.ArrowException, OSError, LookupError) as error:
            raise ScanError("source_unusable", f"{name} cannot be used: {_first_line(error)}.") from None

    def _members(self, name: str) -> Iterator[Item]:
        """The pictures in a tar, as webdataset packs them."""
        try:
            with open_file(name) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                while member := tar.next():
                    tar.members.clear()  # type: ignore[attr-defined] # or all of them would be kept
                    if tar.offset <= member.offset or not 0 <= member.size <= sys.maxsize:  # it would go in a circle
                        raise tarfile.ReadError(f"it is damaged at byte {member.offset}")
                    suffix = _suffix(member.name)
                    if member.isfile() and suffix in SUFFIXES:
                        yield Item(name, MEMBER, member.offset_data, member.size, member.name)
                    elif member.isfile() and suffix in VIDEO_SUFFIXES:
                        self.left_out[VIDEO] += 1
                    elif member.isfile():
                        self._leave_out(suffix)
                file.seek(tar.offset)  # of the header that ended it: damage ends it without an error, as zeros do
                if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                    raise tarfile.ReadError(f"it is cut short or damaged at byte {tar.offset}")
        except (tarfile.TarError, OSError, ValueError, OverflowError, MemoryError) as error:  # it believes headers
            text = f"{name} is not a whole, uncompressed tar: {_first_line(error)}."
            raise ScanError("source_unusable", text) from None


def _readable(name: str, things: Iterable[Thing]) -> Iterator[Thing]:
    """The same; whatever keeps them from being read is a ScanError that names `name`."""
    try:
        yield from things
    except ScanError:
        raise
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise ScanError("source_unusable", f"{name} cannot be read: {reason.rstrip('.')}.") from None
    except Exception as error:  # every object store has its own, for a missing bucket or a refused key
        if not is_url(name):
            raise
        raise ScanError("source_unusable", f"{name} cannot be read: {_first_line(error)}.") from None


def _or_broken(name: str, items: Iterable[Item]) -> Iterator[Item]:
    """Items of something that was come upon, and one more where it cannot be read to its end."""
    try:
        yield from _readable(name, items)
    except ScanError as error:
        yield Item(name, BROKEN, -1, name=str(error))


def picture_column(schema: pa.Schema) -> tuple[str, bool]:
    """The column of a Parquet file with its pictures, and whether they are paths.

    Bytes go before paths: the binary column, or the struct with the field "bytes", as Hugging Face data sets have it;
    of several, the first that PICTURES names. A column of paths is one of text that PATHS names.

    Raises:
        LookupError: there is none; the message says what was looked for.
    """
    for wanted, names in ((_holds_bytes, PICTURES), (_holds_text, PATHS)):
        columns = [field.name for field in schema if wanted(field.type)]
        called = [name for name in names if name in columns]
        if called or (len(columns) == 1 and wanted is _holds_bytes):
            return (called or columns)[0], wanted is _holds_text
    raise LookupError(
        f"of its columns, {', '.join(schema.names)}, none holds the bytes of pictures, and none that holds text is "
        f"called {', '.join(PATHS[:-1])} or {PATHS[-1]}"
    )


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _holds_bytes(kind.field(place).type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _first_line(error: Exception) -> str:
    lines = str(error).strip("'\" \n").splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
