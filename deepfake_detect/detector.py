"""Pictures -> verdicts: decode, find, crop, score, decide and, where asked for, score again after small changes."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from deepfake_detect.crowd import LEFT_OUT, MAX_FACES, face_label, remarks, weigh
from deepfake_detect.errors import PictureError
from deepfake_detect.evidence.robustness import Stability, decided, rescore, steady
from deepfake_detect.face.face_crops import FaceCrops, crop_faces, face_framings, face_squares
from deepfake_detect.face.finder import FaceFinder, Search
from deepfake_detect.face.found import enlarged
from deepfake_detect.face.quality import joined
from deepfake_detect.model.hub import hub_file, model_file
from deepfake_detect.model.onnx_model import Metadata, Model
from deepfake_detect.model.scoring import score, scores
from deepfake_detect.picture.decode import PIXEL_BUDGET, Downscaled, Source, open_downscaled
from deepfake_detect.shipped import shipped
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Face, Reason, Verdict, label_of, longer_side

# Whether a verdict is checked by small changes of its faces, wherever nobody says otherwise: in Python, on the command
# line, on the page and in the reports. Chosen on val, see reports/thorough.
THOROUGH = False
PREFETCH = 32  # pictures, at least: a large one holds up those behind it only when so many small ones are done
# Pixels on the longer side that a large JPEG keeps, at least, to find faces in: of the 4000 that are usual, a quarter.
DETECTION_SIDE = 960
COARSEST = 4  # at least every fourth pixel each way, or the smallest faces would be lost in a long strip
# Pixels of a face's square for each of its crop's, from which a downscaled picture serves as well as the whole
MIN_OVERSAMPLING = 2

NO_FACE = Reason("no_face", "No face was found, so the whole picture was scored; the detector is made for faces.")
IN_BAND = "The score lies between {} and {} in 100, where too many verdicts were wrong when the detector was measured."
PLACES_LEFT_OUT = "The picture has very many places that might be small faces; {} of them were not looked at."
DISAGREE = Reason("faces_disagree", "The faces in this picture got different verdicts.")


class Examined(NamedTuple):
    """One picture, decoded once, and all that came of it."""

    verdict: Verdict
    # Of the faces that were scored again, see `deepfake_detect.evidence.robustness.decided`, as they were judged before
    stability: tuple[Stability, ...]
    crops: FaceCrops  # with the picture as it was decoded


class Detector:
    """The detector: a model and a face finder. Thread-safe.

    Args:
        model: path of an ONNX file with this project's metadata; `owner/name` or `owner/name@revision`, a repository
            on the Hugging Face Hub with one; or a loaded `Model`. By default, the model that ships with the package.
        face_finder: anything with `find(picture) -> list[FoundFace]`, largest first; YuNet by default.

    Raises:
        ModelError: the model file cannot serve, or cannot be had.

    Example:
        >>> verdict = Detector().predict(["examples/real_grace_hopper.jpg"])[0]
        >>> verdict.label in ("real", "fake", "unsure")
        True
    """

    def __init__(self, model: str | os.PathLike | Model | None = None, face_finder: FaceFinder | None = None):
        self.model = model if isinstance(model, Model) else Model(model_file(model or default_model()))
        self.face_finder = face_finder or FaceFinder()
        cores = os.cpu_count() or 1
        self._pool, self._ahead = ThreadPoolExecutor(cores), max(PREFETCH, 2 * cores)

    @classmethod
    def from_hub(
        cls,
        repo: str,
        revision: str | None = None,
        variant: str = "fp32",
        cache_dir: str | os.PathLike | None = None,
    ) -> "Detector":
        """The detector of a repository on the Hugging Face Hub, see `deepfake_detect.model.hub.hub_file` for arguments
        and errors.

        Example:
            >>> Detector.from_hub("owner/name", revision="v0.1.0", variant="int8")
        """
        return cls(hub_file(repo, revision, variant, cache_dir))

    @property
    def metadata(self) -> Metadata:
        return self.model.metadata

    def predict(self, pictures: Sequence[Source], thorough: bool = THOROUGH) -> list[Verdict]:
        """Judge pictures.

        Args:
            pictures: paths, file contents (bytes), arrays [H, W, 3] uint8 RGB, or PIL images.
            thorough: score decided faces again after small changes, and be unsure of those that do not hold, see
                `deepfake_detect.evidence.robustness`.

        Raises:
            PictureError: a picture cannot be opened; the message names its place in the list. Use
                `stream` to get errors as values and go on.
            TypeError: a single path or file instead of a list.
        """
        if isinstance(pictures, str | bytes | os.PathLike):
            raise TypeError("predict takes a list of pictures; put this one into a list.")
        verdicts = []
        for number, (result, _) in enumerate(self.stream(pictures, thorough)):
            if isinstance(result, PictureError):
                raise PictureError(result.code, f"Picture {number}: {result}")
            verdicts.append(result)
        return verdicts

    def predict_one(self, picture: Source, thorough: bool = THOROUGH) -> Verdict:
        """Judge one picture, see `predict`. Raises PictureError with a sentence for the person who sent it."""
        return self.examine(picture, thorough).verdict

    def stream(
        self,
        pictures: Iterable[Source],
        thorough: bool = THOROUGH,
        on_examined: Callable[[int, Examined], None] | None = None,
    ) -> Iterator[tuple[Verdict | PictureError, float]]:
        """Judge any number of pictures in input order, only so many of them ahead of what the caller takes. Each is
        judged by itself, so that its verdict does not depend on its neighbours, not even in the last digit.

        Args:
            pictures: see `predict`.
            thorough: see `predict`.
            on_examined: called with the place of each picture, from 0, and what came of it, before its verdict is
                handed out; in another thread, and in no particular order.

        Yields:
            (verdict or the error of that picture, seconds spent on it, waiting for memory included).
        """
        sources = iter(enumerate(pictures))
        tasks: deque = deque()
        try:
            while True:
                tasks.extend(
                    self._pool.submit(self._try, place, source, thorough, on_examined)
                    for place, source in islice(sources, self._ahead - len(tasks))
                )
                if not tasks:
                    return
                yield tasks.popleft().result()
        finally:  # of a caller who has had enough, too
            for task in tasks:
                task.cancel()

    @PIXEL_BUDGET.hold()
    def examine(
        self,
        picture: Source,
        thorough: bool = THOROUGH,
        with_stability: bool = False,
        max_faces: int = MAX_FACES,
        use_all_cores: bool = True,
    ) -> Examined:
        """Judge one picture, and keep what was found on the way.

        Args:
            picture: see `predict`.
            thorough: see `predict`.
            with_stability: score decided faces again even where the verdict does not take it in.
            max_faces: judged at most, the largest.
            use_all_cores: see `Model.outputs`; for a caller who judges several pictures side by side, False.

        Raises:
            PictureError: it cannot be opened.
        """
        crops, band = self.prepare(picture, max_faces), self.metadata.unsure_band
        p_fake, kinds = scores(self.model, crops.framed, use_all_cores)
        verdict = decide(crops, p_fake, band, kinds)
        again = decided(verdict.faces) if thorough or with_stability else []
        stability = rescore(self.model, crops.picture.pixels, again, crops.picture.downscale)
        return Examined(steady(verdict, stability, band) if thorough else verdict, stability, crops)

    @PIXEL_BUDGET.hold()
    def prepare(self, picture: Source, max_faces: int = MAX_FACES) -> FaceCrops:
        """Open a picture, find its faces, cut out the `max_faces` largest. Raises PictureError."""
        opened, m = open_downscaled(picture, DETECTION_SIDE, COARSEST), self.metadata
        search = _searched(self.face_finder, opened)
        found = [enlarged(face, opened.downscale, opened.size) for face in search.faces]
        faces = found[:max_faces]
        squares = face_squares(faces, m.crop_margin, opened.size)
        framings = face_framings(faces, m.crop_margin, m.looks.framings, opened.size)
        every = [*squares, *(square for several in framings for square in several)]
        narrowest = min(min(square[2] - square[0], square[3] - square[1]) for square in every)
        if opened.downscale > 1 and narrowest < MIN_OVERSAMPLING * m.size * opened.downscale:
            opened = open_downscaled(picture, math.ceil(MIN_OVERSAMPLING * m.size / narrowest * max(opened.size)))
        return crop_faces(
            opened, faces, squares, framings, m.size, m.resampling, len(found) - len(faces), search.places_dropped
        )  # fmt: skip

    def score(self, framed: np.ndarray, use_all_cores: bool = False) -> np.ndarray:
        """Faces [N, F, S, S, 3] uint8 RGB, each in F framings, see `FaceCrops.framed`, or [N, S, S, 3] -> calibrated
        p_fake [N], 0..1; see `deepfake_detect.model.scoring.scores`."""
        return score(self.model, framed, use_all_cores)

    @PIXEL_BUDGET.hold()
    def _try(
        self, place: int, picture: Source, thorough: bool, on_examined: Callable[[int, Examined], None] | None
    ) -> tuple[Verdict | PictureError, float]:
        started = perf_counter()
        try:
            examined = self.examine(picture, thorough, use_all_cores=False)
        except PictureError as error:
            return error, 0.0
        seconds = perf_counter() - started
        if on_examined:
            on_examined(place, examined)
        return examined.verdict, seconds


def decide(
    crops: FaceCrops, p_fake: np.ndarray, band: tuple[float, float], kinds: Sequence[str | None] | None = None
) -> Verdict:
    """The verdict on a picture, from the scores of its faces.

    Args:
        crops: its N faces, or the whole picture.
        p_fake: [N] calibrated probabilities, see `Detector.score`.
        band: the unsure band (low, high) of the same model.
        kinds: [N] what each is most like if it is fake, see `deepfake_detect.model.scoring.Scores`.
    """
    kinds = kinds or [None] * len(crops.faces)
    labels = [face_label(float(p), longer_side(found.box), band) for found, p in zip(crops.faces, p_fake, strict=False)]
    faces = tuple(
        Face(
            found.box,
            found.score,
            float(p),
            label,
            kind if label == FAKE else None,
            crops.squares[n],
            crops.framings[n],
        )
        for n, (found, p, label, kind) in enumerate(zip(crops.faces, p_fake, labels, kinds, strict=False))
    )
    unseen = [Reason("places_left_out", PLACES_LEFT_OUT.format(crops.places_dropped))] if crops.places_dropped else []
    if not faces:
        whole = float(p_fake.max())
        return Verdict(UNSURE, whole, max(whole, 1 - whole), (NO_FACE, *unseen), ())
    label, together = weigh(faces, band)
    reasons = [in_band_reason(band)] if label == label_of(together, band) == UNSURE else []
    reasons += remarks(faces, label, band)
    if {REAL, FAKE} <= {face.label for face in faces}:
        reasons.append(DISAGREE)
    if crops.faces_dropped:
        reasons.append(Reason("many_faces", LEFT_OUT.format(len(faces) + crops.faces_dropped, len(faces))))
    reasons += unseen
    reasons += joined([found.box for found in crops.faces], crops.warnings)
    return Verdict(
        label, together, max(together, 1 - together), tuple(dict.fromkeys(reasons)), faces, crops.faces_dropped
    )


def _searched(finder: FaceFinder, opened: Downscaled) -> Search:
    """Of a finder of someone's own, which has `find` alone, what that says."""
    if isinstance(finder, FaceFinder):
        return finder.search(opened.pixels, opened.downscale)
    return Search(tuple(finder.find(opened.pixels)))


def in_band_reason(band: tuple[float, float]) -> Reason:
    """Why a verdict is "unsure", for the unsure band (low, high) in 0..1."""
    return Reason("uncertain", IN_BAND.format(*(round(100 * end) for end in band)))


def default_model() -> Path:
    """The model.onnx that ships with the package."""
    return shipped("model.onnx")
