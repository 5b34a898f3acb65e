"""Files that have or only claim to have a picture inside, each made broken, odd or hostile in one way."""

import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from damaged_pictures import EITHER, JUDGED, REFUSED, Made, cut_short, flipped, other_suffix, sound, zeros
from films import numbered
from hostile_pictures import (
    FRAMES,
    animations,
    bombs,
    false_colours,
    false_tags,
    no_pictures,
    of_one_pixel,
    polyglots,
    thin,
)
from pictures import encoded
from PIL import Image

CLOSED = "closed.jpg"  # a folder


class Entry(NamedTuple):
    path: Path
    what: str  # was done, in words that follow a number of files
    outcome: str  # JUDGED, REFUSED or EITHER


def files(folder: Path, small: Image.Image, every: int = 1, damaged: int = 1) -> list[Entry]:
    """Write all of them into an empty folder, the same every time.

    Args:
        folder: each kind gets a folder of its own in it.
        small: a portrait of about 100 pixels a side.
        every: one in so many of each kind.
        damaged: the same of those that were cut short or have a wrong byte.
    """
    entries = []
    for what, make in KINDS.items():
        inner = folder / make.__name__
        inner.mkdir()
        made = make(small)
        for name, data, outcome in islice(made, 0, None, damaged if make in (cut_short, flipped) else every):
            (inner / name).write_bytes(data() if callable(data) else data)
            entries.append(Entry(inner / name, what, outcome))
    return entries + list(places(folder, entries[0].path))


def in_order(entries: list[Entry]) -> list[Path]:
    """The files as a walk through the folder meets them: those of a folder sorted, then its inner folders sorted. Of
    folders, the one that may not be read."""
    listed = [entry.path for entry in entries if not entry.path.is_dir() or entry.path.name == CLOSED]

    def place(path: Path) -> tuple[tuple[str, ...], str]:
        return (path.parts, "") if path.name == CLOSED else (path.parent.parts, path.name)

    return sorted(listed, key=place)


def odd_names(small: Image.Image) -> Made:
    data = encoded(small, "PNG")
    names = [
        "日本 ñ é 🙂", "e\u0301", "right\u202eto left", "line\nbreak", "tab\t\x01", " spaces ", "-rf", "--help", ".",
        "'\"", "[x]*?", "%s%n", "$(true) `x`; &", "<img src=x onerror=alert(1)>", "=1+1", "C:\\x", "n" * 251, "日" * 83,
        os.fsdecode(b"\xff\xfe not UTF-8"),
    ]  # fmt: skip
    yield from ((f"{name}.png", data, JUDGED) for name in names)
    yield "CAPITALS.PNG", data, JUDGED


def videos(small: Image.Image) -> Made:
    """Pictures that call themselves videos, and such text."""
    for suffix in (".mp4", ".avi", ".mkv", ".webm"):
        yield f"picture{suffix}", encoded(small, "JPEG"), EITHER
        yield f"text{suffix}", b"<html>", REFUSED
        yield f"empty{suffix}", b"", REFUSED


def places(folder: Path, picture: Path) -> Iterator[Entry]:
    """What is no file, or one that may not be read."""
    inner = folder / "places"
    film = numbered(folder / "film.mp4", count=2).rename(folder / "film.jpg")
    yield Entry(film, "videos with a picture's name", REFUSED)
    deep = inner.joinpath(*(["d" * 200] * 5))
    (inner / "folder.jpg").mkdir(parents=True)
    (inner / CLOSED).mkdir()
    deep.mkdir(parents=True)
    for path in (deep / "deep.png", inner / "folder.jpg" / "within.png", inner / "closed.png"):
        path.write_bytes(picture.read_bytes())
    for name, target in (("picture", picture), ("itself", "itself.png"), ("gone", "gone"), ("folder", "folder.jpg"),
                         ("device", "/dev/zero"), ("link", "picture.png")):  # fmt: skip
        (inner / f"{name}.png").symlink_to(target)
    os.mkfifo(inner / "pipe.png")
    os.mknod(inner / "socket.png", stat.S_IFSOCK | 0o600)
    for path in (inner / CLOSED, inner / "closed.png"):
        path.chmod(0)
    for path in (deep / "deep.png", inner / "folder.jpg" / "within.png", inner / "picture.png", inner / "link.png"):
        yield Entry(path, PLACED, JUDGED)
    for name in ("itself.png", "gone.png", "device.png", "pipe.png", "socket.png", "closed.png", CLOSED,
                 "folder.jpg", "folder.png"):  # fmt: skip
        yield Entry(inner / name, PLACED, REFUSED)


PLACED = "links, pipes, folders and files that may not be read"
KINDS: dict[str, Callable[[Image.Image], Made]] = {
    "sound, of every format and mode": sound,
    "cut short": cut_short,
    "with a wrong byte": flipped,
    "empty or with zeros": zeros,
    "with another format's suffix": other_suffix,
    "decompression bombs": bombs,
    "of one pixel": of_one_pixel,
    "of 20000 x 20 pixels": thin,
    f"animations of {FRAMES} frames": animations,
    "with false EXIF or TIFF tags": false_tags,
    "with broken or hostile colour profiles": false_colours,
    "without a picture inside": no_pictures,
    "that are something else, too": polyglots,
    "with odd names": odd_names,
    "with a video's name": videos,
}
