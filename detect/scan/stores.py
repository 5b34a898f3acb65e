"""Files on this machine, and in whatever object store fsspec reaches: listed and read by name.

A name with "://" is a URL. fsspec finds the package for it, and that package finds its credentials.
"""

import glob
import os
import re
from collections.abc import Iterator
from typing import BinaryIO

import fsspec

from detect.scan import ScanError

URL = re.compile(r"[A-Za-z][\w+.-]*://")
UNKNOWN = -1  # size in bytes


def is_url(name: str) -> bool:
    return URL.match(name) is not None


def store_of(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The store of a URL, and the name in it.

    Raises:
        ScanError: nothing is known of such URLs, or the package for them is not installed.
    """
    try:
        return fsspec.core.url_to_fs(url, use_listings_cache=False)  # of a million names it would fill the memory
    except (ImportError, ValueError) as error:
        raise ScanError(f"{url} cannot be read: {str(error).rstrip('.')}.") from None


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


def files_in(folder: str, but_with: str) -> Iterator[tuple[str, int]]:
    """(name, bytes or UNKNOWN) of all files below a folder, in any order.

    Args:
        folder: its name.
        but_with: folders below it that hold a file of this name are passed over.
    """
    if not is_url(folder):
        yield from _files_here(folder, but_with)
        return
    store, path = store_of(folder)
    for _, _, files in store.walk(path, detail=True, on_error="raise"):
        yield from ((store.unstrip_protocol(file["name"]), file.get("size") or 0) for file in files.values())


def _files_here(folder: str, but_with: str) -> Iterator[tuple[str, int]]:
    """Entry by entry: a list of all names in one folder may be long."""
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    yield entry.path, UNKNOWN
                elif not os.path.lexists(os.path.join(entry.path, but_with)):
                    folders.append(entry.path)


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
