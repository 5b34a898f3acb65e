"""Pictures -> verdicts."""

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np

from detect.crop import crop_box, cut, pixel_values
from detect.faces import FaceFinder, FoundFace, enlarged
from detect.hub import hub_file, model_file
from detect.model import Model, in_band, probability
from detect.picture import ROOM, PictureError, Source, open_reduced
from detect.quality import face_warnings, joined
from detect.verdict import FAKE, REAL, UNSURE, Face, Verdict, label_of, worst_label

BATCH = 32  # crops that become pixel values at a time
AHEAD = 32  # pictures: a large one holds up those behind it only when so many small ones are done
SEARCHED = 960  # pixels on the longer side that a large JPEG keeps, at least, to find faces in
ENOUGH = 2  # pixels of a face's square for each of its crop's, from which a reduced picture serves as well as the whole

NO_FACE = "No face was found, so the whole picture was scored; the detector is made for faces."
IN_BAND = "The chance lies between {} and {} in 100, where the detector was wrong too often when it was measured."
DISAGREE = "The faces in this picture got different verdicts."


@dataclass(frozen=True)
class Prepared:
    """A picture on its way to the model: its faces and their crops [len(faces) or 1, S, S, 3] uint8."""

    faces: tuple[FoundFace, ...]
    crops: np.ndarray
    left_out: int = 0  # faces that were found beyond the number asked for
    warnings: tuple[list[str], ...] = ()  # of each face, see `detect.quality`


class Detector:
    """The detector: a model and a face finder. Thread-safe.

    Args:
        model: path of an ONNX file with this project's metadata; `owner/name` or `owner/name@revision`, a repository
            on the Hugging Face Hub with one; or a loaded `Model`.
        face_finder: anything with `find(picture) -> list[FoundFace]`, largest first; YuNet by default.

    Raises:
        ModelError: the model file cannot serve, or cannot be had.

    Example:
        >>> verdict = Detector("model.onnx").predict(["examples/real_grace_hopper.jpg"])[0]
        >>> verdict.label in ("real", "fake", "unsure")
        True
    """

    def __init__(self, model: str | os.PathLike | Model = "model.onnx", face_finder: FaceFinder | None = None):
        self.model = model if isinstance(model, Model) else Model(model_file(model))
        self.face_finder = face_finder or FaceFinder()
        self._pool = ThreadPoolExecutor(os.cpu_count())

    @classmethod
    def from_hub(
        cls,
        repo: str,
        revision: str | None = None,
        variant: str = "fp32",
        cache_dir: str | os.PathLike | None = None,
    ) -> "Detector":
        """The detector of a repository on the Hugging Face Hub, see `detect.hub.hub_file` for arguments and errors.

        Example:
            >>> Detector.from_hub("owner/name", revision="v0.1.0", variant="int8")
        """
        return cls(hub_file(repo, revision, variant, cache_dir))

    @property
    def metadata(self):
        return self.model.metadata

    def predict(self, pictures: Sequence[Source]) -> list[Verdict]:
        """Judge pictures: paths, file contents (bytes), arrays [H, W, 3] uint8 RGB, or PIL images.

        Raises:
            PictureError: a picture cannot be opened; the message names its place in the list. Use
                `stream` to get errors as values and go on.
            TypeError: a single path or file instead of a list.
        """
        if isinstance(pictures, str | bytes | os.PathLike):
            raise TypeError("predict takes a list of pictures; put this one into a list.")
        verdicts = []
        for number, (result, _) in enumerate(self.stream(pictures)):
            if isinstance(result, PictureError):
                raise PictureError(f"Picture {number}: {result}")
            verdicts.append(result)
        return verdicts

    def predict_one(self, picture: Source) -> Verdict:
        """Judge one picture. Raises PictureError with a sentence for the person who sent it."""
        ((result, _),) = self.stream([picture])
        if isinstance(result, PictureError):
            raise result
        return result

    def stream(self, pictures: Iterable[Source]) -> Iterator[tuple[Verdict | PictureError, float]]:
        """Judge any number of pictures in input order, at most AHEAD of them ahead of what the caller takes.

        Yields:
            (verdict or the error of that picture, seconds spent on it).
        """
        sources, tasks = iter(pictures), deque()
        try:
            while True:
                tasks.extend(self._pool.submit(self._try, source) for source in islice(sources, AHEAD - len(tasks)))
                if not tasks:
                    return
                yield tasks.popleft().result()
        finally:  # of a caller who has had enough, too
            for task in tasks:
                task.cancel()

    @ROOM.kept()
    def prepare(self, picture: Source, max_faces: int | None = None) -> Prepared:
        """Open a picture, find its faces, cut out the `max_faces` largest, by default all. Raises PictureError."""
        opened = open_reduced(picture, SEARCHED)
        found = [enlarged(face, opened.zoom, opened.size) for face in self.face_finder.find(opened.pixels)]
        faces = tuple(found[:max_faces])
        m = self.metadata
        squares = [crop_box(face.box, m.crop_margin, *opened.size) for face in faces] or [(0, 0, *opened.size)]
        narrowest = min(min(square[2] - square[0], square[3] - square[1]) for square in squares)
        if opened.zoom > 1 and narrowest < ENOUGH * m.size * opened.zoom:
            opened = open_reduced(picture, math.ceil(ENOUGH * m.size / narrowest * max(opened.size)))
        crops = np.stack(
            [cut(opened.pixels, [e / opened.zoom for e in square], m.size, m.resampling) for square in squares]
        )
        warnings = tuple(face_warnings(opened, face.box, crop) for face, crop in zip(faces, crops, strict=False))
        return Prepared(faces, crops, len(found) - len(faces), warnings)

    def judge(self, prepared: Sequence[Prepared]) -> list[Verdict]:
        """The model over all faces of these pictures, at most BATCH in one run: a crowd would fill the memory."""
        if not prepared:
            return []
        p_fake = self._p_fake(np.concatenate([p.crops for p in prepared]))
        ends = np.cumsum([len(p.crops) for p in prepared])
        return [self._verdict(p, part) for p, part in zip(prepared, np.split(p_fake, ends[:-1]), strict=True)]

    def _p_fake(self, crops: np.ndarray) -> np.ndarray:
        """Crops [N, S, S, 3] uint8 -> [N] in 0..1. Where the score falls into the unsure band, the logits are averaged
        with those of the mirrored face: a second look for the doubtful, which costs the others nothing."""
        m = self.metadata
        logits = self._logits(crops)
        p_fake = probability(logits, m.temperature)
        doubtful = np.flatnonzero(in_band(p_fake, m.unsure_band))
        if len(doubtful):
            both = (logits[doubtful] + self._logits(crops[doubtful, :, ::-1])) / 2
            p_fake[doubtful] = probability(both, m.temperature)
        return p_fake

    def _logits(self, crops: np.ndarray) -> np.ndarray:
        runs = (crops[start : start + BATCH] for start in range(0, len(crops), BATCH))
        return np.concatenate([self.model.logits(pixel_values(run)) for run in runs])

    def _try(self, picture: Source) -> tuple[Verdict | PictureError, float]:
        """Each picture is judged by itself, so that its verdict does not depend on its neighbours, not even in the last
        digit."""
        started = perf_counter()
        try:
            (verdict,) = self.judge([self.prepare(picture)])
        except PictureError as error:
            return error, 0.0
        return verdict, perf_counter() - started

    def _verdict(self, prepared: Prepared, p_fake: np.ndarray) -> Verdict:
        band = self.metadata.unsure_band
        faces = tuple(
            Face(found.box, found.score, float(p), label_of(p, band))
            for found, p in zip(prepared.faces, p_fake, strict=False)
        )
        worst = float(p_fake.max())
        confidence = max(worst, 1 - worst)
        if not faces:
            return Verdict(UNSURE, worst, confidence, (NO_FACE,), ())
        labels = {face.label for face in faces}
        label = worst_label(labels)
        reasons = [in_band_reason(band)] if label == UNSURE else []
        if {REAL, FAKE} <= labels:
            reasons.append(DISAGREE)
        reasons += joined([found.box for found in prepared.faces], prepared.warnings)
        return Verdict(label, worst, confidence, tuple(dict.fromkeys(reasons)), faces)


def in_band_reason(band: tuple[float, float]) -> str:
    """Why a verdict is "unsure", for the unsure band (low, high) in 0..1."""
    return IN_BAND.format(*(round(100 * end) for end in band))


def default_model() -> Path:
    """The model.onnx shipped with this project, beside the package."""
    return Path(__file__).resolve().parent.parent / "model.onnx"
