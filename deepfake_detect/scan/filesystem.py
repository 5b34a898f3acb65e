"""Files on this machine, and in whatever object store fsspec reaches: listed and read by name.

A name with "://" is a URL. fsspec finds the package for it, and that package finds its credentials.
"""

import glob
import os
import re
from collections.abc import Iterator
from typing import BinaryIO

import fsspec

from deepfake_detect.errors import ScanError

URL = re.compile(r"[A-Za-z][\w+.-]*://")
UNKNOWN = -1  # size in bytes


def is_url(name: str) -> bool:
    return URL.match(name) is not None


def store_of(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The store of a URL, and the name in it.

    Raises:
        ScanError: nothing is known of such URLs, or the package for them is not installed.
    """
    chained = url.count("://") > 1  # as zip://a.jpg::file:///a.zip; elsewhere "::" is part of a name
    try:
        # The cache of listings would fill the memory, of a million names.
        store, path = fsspec.core.url_to_fs(url if chained else url.partition("::")[0], use_listings_cache=False)
        return store, path if chained else store._strip_protocol(url)
    except (ImportError, ValueError) as error:
        raise ScanError("source_unusable", f"{url} cannot be read: {str(error).rstrip('.')}.") from None


def is_folder(name: str) -> bool:
    if not is_url(name):
        return os.path.isdir(name)
    store, path = store_of(name)
    return store.isdir(path)


def exists(name: str) -> bool:
    if not is_url(name):
        return os.path.lexists(name)
    store, path = store_of(name)
    return store.exists(path)


def has_magic(name: str) -> bool:
    """Whether it is a pattern; a file that is called so means itself."""
    return glob.has_magic(name) and not (not is_url(name) and os.path.lexists(name))


def matches(pattern: str) -> Iterator[str]:
    """Names of the files and folders that a glob pattern means, in any order."""
    if not is_url(pattern):
        yield from glob.iglob(pattern, recursive=True)
        return
    store, path = store_of(pattern)
    yield from map(store.unstrip_protocol, store.glob(path))


def entries_of(folder: str, unless: str | None = None) -> Iterator[tuple[str, int, bool]]:
    """(name, bytes or UNKNOWN, whether it is a folder) of all in one folder, in any order; a link is no folder. Nothing
    of a folder in which something has the name `unless`."""
    if not is_url(folder):
        if unless and os.path.lexists(os.path.join(folder, unless)):
            return
        with os.scandir(folder) as entries:  # entry by entry: a list of all names in one folder may be long
            yield from ((entry.path, UNKNOWN, entry.is_dir(follow_symlinks=False)) for entry in entries)
        return
    store, path = store_of(folder)
    entries = store.ls(path, detail=True)
    if any(entry["name"].rpartition("/")[2] == unless for entry in entries):
        return
    for entry in entries:
        name, size, is_inner = entry["name"], entry.get("size"), entry["type"] == "directory"
        if is_inner and name.strip("/") == path.strip("/"):  # some stores list a folder in itself
            continue
        name = store.unstrip_protocol(name.rstrip("/") if is_inner else name)
        yield name, UNKNOWN if size is None else size, is_inner


def is_folder_link(name: str) -> bool:
    return not is_url(name) and os.path.islink(name) and os.path.isdir(name)


def open_file(name: str) -> BinaryIO:
    """A file to be read from anywhere in it."""
    if not is_url(name):
        return open(name, "rb")
    store, path = store_of(name)
    return store.open(path, "rb")


def read_part(name: str, start: int, size: int) -> bytes:
    """At most `size` bytes of a file, from its byte `start`."""
    if is_url(name):
        store, path = store_of(name)
        return store.cat_file(path, start=start, end=start + size)
    with open(name, "rb") as file:
        file.seek(start)
        return file.read(size)
