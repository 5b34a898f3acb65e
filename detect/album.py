"""Many pictures at a time: each judged and kept as a small view, the worst first, and what all of them amount to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
from PIL import Image

from detect.detector import Detector, Prepared
from detect.explain import WORDS
from detect.picture import PictureError, Source, open_reduced
from detect.records import record_of
from detect.verdict import FAKE, REAL, UNSURE, Verdict

MAX_PICTURES = 200  # in one album
VIEW_SIDE = 96  # pixels of the small view
MAX_WORK_SECONDS = 200  # for one album, so that others come to their turn; crowds take seconds a picture
TOO_SLOW = "This one was not judged: all these pictures together take too long. Send them in parts."


class NotTried(PictureError):
    """A picture that could be judged, but was not."""


class Named(NamedTuple):
    """A file where it lies, and what its owner calls it."""

    path: str
    name: str


@dataclass(frozen=True)
class Judged:
    """One picture of an album."""

    name: str
    result: Verdict | PictureError
    seconds: float
    view: Path | None  # a JPEG of at most VIEW_SIDE pixels

    @property
    def record(self) -> dict:
        """As the command line writes it, see `detect.records`."""
        return record_of(self.name, self.result, self.seconds)


class _Viewed(NamedTuple):
    path: str
    view: Path


class Album(Detector):
    """A detector for many pictures, with the model of another. Its own threads prepare the pictures, so that a single
    one sent to the other detector need not wait until an album is through."""

    def __init__(self, detector: Detector):
        super().__init__(detector.model, detector.face_finder)

    def judge_all(self, pictures: Sequence[Named], views: Path | None = None) -> Iterator[Judged]:
        """Judge pictures in input order; those that are left after MAX_WORK_SECONDS get NotTried as their error.

        Args:
            pictures: at most MAX_PICTURES, if they come from strangers.
            views: the folder for small views; without it, there are none.
        """
        deadline = monotonic() + MAX_WORK_SECONDS
        files = [views and views / f"{place}.jpg" for place in range(len(pictures))]
        sources = [_Viewed(sent.path, file) if file else sent.path for sent, file in zip(pictures, files, strict=True)]
        with closing(self.stream(sources)) as results:
            for sent, file in zip(pictures, files, strict=True):
                if monotonic() > deadline:
                    results.close()
                    yield Judged(sent.name, NotTried(TOO_SLOW), 0.0, None)
                    continue
                result, seconds = next(results)
                yield Judged(sent.name, result, seconds, file if file and file.is_file() else None)

    def prepare(self, picture: Source | _Viewed) -> Prepared:
        """See `Detector.prepare`; makes the view, too, where one is wanted."""
        if not isinstance(picture, _Viewed):
            return super().prepare(picture)
        prepared = super().prepare(picture.path)
        _save_view(open_reduced(picture.path, VIEW_SIDE).pixels, picture.view)
        return prepared


def worst_first(album: Iterable[Judged]) -> list[Judged]:
    """The most suspicious first, then the doubtful, the real ones, and those that could not be read."""
    order = (FAKE, UNSURE, REAL)

    def rank(judged: Judged) -> tuple[int, float]:
        if isinstance(judged.result, PictureError):
            return len(order), 0
        return order.index(judged.result.label), -judged.result.p_fake

    return sorted(album, key=rank)


def summary(album: Sequence[Judged]) -> str:
    """One line on all files: "13 files: 3 Fake, 5 Not sure, 4 Real, 1 could not be read"."""
    labels = Counter(judged.result.label for judged in album if isinstance(judged.result, Verdict))
    late = sum(isinstance(judged.result, NotTried) for judged in album)
    read, unread = labels.total(), len(album) - labels.total() - late
    if not read and not late:
        return f"None of {unread} files could be read" if unread > 1 else "The file could not be read"
    said = ", ".join(f"{labels[label]} {WORDS[label]}" for label in (FAKE, UNSURE, REAL))
    more = f", {unread} could not be read" * (unread > 0) + f", {late} not judged for lack of time" * (late > 0)
    return f"{len(album)} file{'s' * (len(album) != 1)}: {said}{more}"


def _save_view(pixels: np.ndarray, file: Path) -> None:
    view = Image.fromarray(pixels)
    view.thumbnail((VIEW_SIDE, VIEW_SIDE))
    try:
        view.save(file, "JPEG", quality=80)
    except OSError:
        file.unlink(missing_ok=True)  # a full disk costs the view, not the verdict
