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

from deepfake_detect.detector import THOROUGH, Detector, Examined
from deepfake_detect.errors import NotTriedError, PictureError
from deepfake_detect.report.records import record_of
from deepfake_detect.report.sentences import WORDS, counted
from deepfake_detect.verdict import CATEGORIES, NO_FACE, Verdict

MAX_PICTURES = 200  # in one album
VIEW_SIDE = 256  # pixels of the small view, for screens with several dots a pixel
MAX_WORK_SECONDS = 200  # for one album, so that others come to their turn; crowds take seconds a picture
UNREAD, NOT_TRIED = "unread", "not_tried"  # kinds of rows beside the categories of verdicts
SHOWN_AS = {**{category: WORDS[category] for category in CATEGORIES}, UNREAD: "Unread", NOT_TRIED: "Not tried"}
TOO_SLOW = "This one was not judged: all these pictures together take too long. Send them in parts."


class Named(NamedTuple):
    """A file where it lies, and what its owner calls it."""

    path: str
    name: str


@dataclass(frozen=True)
class BatchItem:
    """One picture of an album."""

    name: str
    result: Verdict | PictureError
    seconds: float
    view: Path | None  # a JPEG of at most VIEW_SIDE pixels

    @property
    def kind(self) -> str:
        """Of SHOWN_AS."""
        if isinstance(self.result, Verdict):
            return self.result.category
        return NOT_TRIED if isinstance(self.result, NotTriedError) else UNREAD

    @property
    def record(self) -> dict:
        """As the command line writes it, see `deepfake_detect.report.records`."""
        return record_of(self.name, self.result, self.seconds)


class Album:
    """Judges many pictures with the model of a detector. Threads of its own do the work, so that a single picture sent
    to that detector need not wait until an album is through."""

    def __init__(self, detector: Detector):
        self.detector = Detector(detector.model, detector.face_finder)

    def judge_all(self, pictures: Sequence[Named], views: Path | None = None) -> Iterator[BatchItem]:
        """Judge pictures in input order; those that are left after MAX_WORK_SECONDS get NotTriedError as their error.

        Args:
            pictures: at most MAX_PICTURES, if they come from strangers.
            views: the folder for small views; without it, there are none.
        """
        deadline = monotonic() + MAX_WORK_SECONDS
        files = [views and views / f"{place}.jpg" for place in range(len(pictures))]

        def keep_view(place: int, examined: Examined) -> None:
            if files[place]:
                _save_view(examined.crops.picture.pixels, files[place])

        sources = [sent.path for sent in pictures]
        with closing(self.detector.stream(sources, THOROUGH, keep_view)) as results:
            for sent, file in zip(pictures, files, strict=True):
                if monotonic() > deadline:
                    results.close()
                    yield BatchItem(sent.name, NotTriedError("too_slow", TOO_SLOW), 0.0, None)
                    continue
                result, seconds = next(results)
                yield BatchItem(sent.name, result, seconds, file if file and file.is_file() else None)


def worst_first(album: Iterable[BatchItem]) -> list[BatchItem]:
    """The fakes first, then the doubtful and the real ones, each the most suspicious first; behind them, in the order
    in which they came, those without a face, whose scores say nothing, and those that could not be read."""

    def rank(judged: BatchItem) -> tuple[int, float]:
        if isinstance(judged.result, PictureError):
            return len(CATEGORIES), 0
        category = judged.result.category
        return CATEGORIES.index(category), 0 if category == NO_FACE else -judged.result.p_fake

    return sorted(album, key=rank)


def counts(album: Iterable[BatchItem]) -> Counter[str]:
    """How many there are of each kind of SHOWN_AS."""
    return Counter(judged.kind for judged in album)


def summary(album: Sequence[BatchItem]) -> str:
    """One line on all files: "14 files: 3 Fake, 5 Not sure, 4 Real, 1 No face, 1 could not be read"."""
    found = counts(album)
    late, unread = found.pop(NOT_TRIED, 0), found.pop(UNREAD, 0)
    read = found.total()
    if not read and not late:
        return f"None of {unread} files could be read" if unread > 1 else "The file could not be read"
    more = f", {unread} could not be read" * (unread > 0) + f", {late} not judged for lack of time" * (late > 0)
    return f"{len(album)} file{'s' * (len(album) != 1)}: {counted(found)}{more}"


def _save_view(pixels: np.ndarray, file: Path) -> None:
    view = Image.fromarray(pixels)
    view.thumbnail((VIEW_SIDE, VIEW_SIDE))
    try:
        view.save(file, "JPEG", quality=80)
    except OSError:
        file.unlink(missing_ok=True)  # a full disk costs the view, not the verdict
