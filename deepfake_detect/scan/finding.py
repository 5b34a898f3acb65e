"""What the command line is given -> the files that are meant, and what it passed over."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from deepfake_detect.picture.formats import HEAD, SUFFIXES, looks_like_a_picture
from deepfake_detect.report.names import shown
from deepfake_detect.video.video_file import VIDEO_SUFFIXES

FEW = 8  # suffixes that a sentence names
MAX_SUFFIX = 16  # signs of one


class Search:
    """Files that are meant by names, folders and glob patterns.

    What is named, by itself or by a pattern, is taken as it is. Of what lies in a folder, pictures and videos are
    taken: by their suffix, and pictures whose suffix says nothing by the bytes with which they begin. The others are
    counted, hidden ones included.

    Args:
        patterns: names that match nothing stay as they are.
        recursive: look into the folders of a folder, too.
    """

    def __init__(self, patterns: Iterable[str], recursive: bool):
        self.recursive = recursive
        self.skipped: Counter[str] = Counter()  # files by their suffix
        self.closed_folders = 0  # that lie in a folder and were not looked into
        self.linked_folders = 0  # the same, where `recursive` looks into the others: links could lead in a circle
        self.paths = [path for pattern in patterns for path in self._meant(pattern)]  # in input order, folders sorted

    def _meant(self, pattern: str) -> Iterator[str]:
        if os.path.isdir(pattern):
            yield from self._in_folder(pattern)
        elif os.path.lexists(pattern) or not glob.has_magic(pattern):
            yield pattern
        else:
            for match in sorted(glob.glob(pattern, recursive=True)) or [pattern]:
                if os.path.isdir(match):
                    yield from self._in_folder(match)
                else:
                    yield match

    def _in_folder(self, folder: str) -> Iterator[str]:
        unread: list[str] = []  # folders that may not be read, which are to be heard of like such files
        for where, folders, files in os.walk(folder, onerror=lambda error: unread.append(error.filename)):
            yield from unread
            unread.clear()
            folders.sort()
            for name in sorted(files):
                path = os.path.join(where, name)
                if _is_meant(path):
                    yield path
                else:
                    self.skipped[suffix_of(path)] += 1
            if not self.recursive:
                self.closed_folders += len(folders)
                break
            self.linked_folders += sum(os.path.islink(os.path.join(where, name)) for name in folders)
        yield from unread

    @property
    def passed_over(self) -> list[str]:
        """What was passed over, as sentences for people; empty where nothing was."""
        said = []
        if number := self.skipped.total():
            what = (
                "file that is neither a picture nor a video"
                if number == 1
                else "files that are neither pictures nor videos"
            )
            said.append(f"Skipped {number} {what}: {by_suffix(self.skipped)}.")
        if number := self.closed_folders:
            was = "folder inside was" if number == 1 else "folders inside were"
            said.append(f"{number} {was} not looked into; --recursive does.")
        if number := self.linked_folders:
            was = "link to a folder was" if number == 1 else "links to folders were"
            said.append(f"{number} {was} not followed; name the folder itself.")
        return said


def suffix_of(path: str) -> str:
    """In small letters, with its dot; empty where there is none, as in ".DS_Store"."""
    return Path(path).suffix.lower()


def by_suffix(files: Counter[str]) -> str:
    """Files as "4 .txt, 2 .pdf, 1 without a suffix": the most first, and at most FEW kinds of them."""
    kinds = sorted(files.items(), key=lambda kind: (-kind[1], kind[0]))
    said = [f"{number} {shown(suffix)[:MAX_SUFFIX] or 'without a suffix'}" for suffix, number in kinds[:FEW]]
    if rest := sum(number for _, number in kinds[FEW:]):
        said.append(f"{rest} of other kinds")
    return ", ".join(said)


def _is_meant(path: str) -> bool:
    suffix = suffix_of(path)
    if suffix in SUFFIXES or suffix in VIDEO_SUFFIXES:
        return True
    try:
        if not os.path.isfile(path):  # a pipe would keep its reader waiting
            return False
        with open(path, "rb") as file:
            return looks_like_a_picture(file.read(HEAD), tiff=not suffix)
    except OSError:
        return False
