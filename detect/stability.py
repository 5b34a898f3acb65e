"""The same face scored again after small changes that leave the person as real or fake as before: a verdict that does
not survive them becomes "unsure"."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from detect.crop import Box, crop_box, cut
from detect.detector import Detector, Prepared
from detect.faces import FoundFace
from detect.model import Metadata, in_band
from detect.picture import Source, open_picture
from detect.quality import MIN_FACE
from detect.verdict import FAKE, REAL, UNSURE, Face, Verdict, suspicious, worst_label

QUALITIES = (90, 70, 50)  # of JPEG
HALF, MIRRORED = "half size", "mirrored"
TIGHTER = 0.05  # of the square's side, cut off on each side
MAX_FACES = 5  # of a picture, the most suspicious; with 6 variants each they fit into one run of the model
LARGEST = 1024  # pixels; a larger face is brought to this first, as a web page does, which bounds the time
BLOCK = 16  # JPEG with chroma at half resolution works on blocks of this side

FLIPS = "After a small change ({}) the score of a face points the other way, so the verdict on it does not count."


@dataclass(frozen=True)
class Rescore:
    """One face after one change."""

    name: str  # what was done, for people: "JPEG quality 50"
    p_fake: float  # calibrated probability, 0..1
    label: str  # "real" | "fake" | "unsure": what the detector would have said


@dataclass(frozen=True)
class Stability:
    """A judged face and its scores after every change."""

    face: Face
    rescores: tuple[Rescore, ...]

    @property
    def flips(self) -> tuple[str, ...]:
        """Names of the changes that put the score of a decided face on the other side of 0.5.

        To fall into the unsure band is no flip: a score just outside the band always does under some change, so that
        counting it would do no more than widen the band. To cross 0.5, a score has to pass half of the band. A face
        that is unsure anyway does not flip, and half the size does not count where it leaves less of a face than the
        detector can judge.
        """
        left, top, right, bottom = self.face.box
        halved = max(right - left, bottom - top) / 2
        fair = [again for again in self.rescores if again.name != HALF or halved >= MIN_FACE]
        if self.face.label == FAKE:
            return tuple(again.name for again in fair if again.p_fake < 0.5)
        if self.face.label == REAL:
            return tuple(again.name for again in fair if again.p_fake > 0.5)
        return ()


def examine(
    detector: Detector, source: Source, opened: np.ndarray | None = None
) -> tuple[Verdict, tuple[Stability, ...]]:
    """Judge a picture thoroughly: the verdict, in which faces that do not survive small changes are unsure, and the
    scores of the MAX_FACES most suspicious ones after each change. See `rescore` and `steady`.

    Args:
        detector: see `Detector`.
        source: the picture, see `Detector.predict`.
        opened: the same picture [H, W, 3] uint8 RGB, where the caller has opened it already.

    Raises:
        PictureError: it cannot be opened.
    """
    verdict = detector.predict_one(source)
    picture = open_picture(source) if opened is None else opened
    stability = rescore(detector, picture, suspicious(verdict.faces)[:MAX_FACES])
    return steady(verdict, stability), stability


def rescore(detector: Detector, picture: np.ndarray, faces: Sequence[Face]) -> tuple[Stability, ...]:
    """Score faces of a judged picture again, changed in small ways: six, or without the mirror five for a face in the
    unsure band, whose score is the mean of both looks already.

    The changed crops of all faces go through `Detector.judge` at once: six looks a face in one run of the model, and
    one more run for those that fall into the unsure band, as with any picture. The picture is neither decoded nor
    searched for faces again, and what is compressed and resized is the surroundings of the face.

    Args:
        detector: the one that gave the verdict.
        picture: [H, W, 3] uint8 RGB, as `detect.picture.open_picture` gives it.
        faces: of its verdict.

    Returns:
        One `Stability` a face, in the same order.
    """
    if not faces:
        return ()
    changed = [variants(picture, face.box, detector.metadata) for face in faces]
    found = tuple(FoundFace(face.box, face.score, ()) for face in faces)
    names = list(changed[0])
    judged = detector.judge([Prepared(found, np.stack([crops[name] for crops in changed])) for name in names])
    return tuple(
        Stability(face, tuple(
            Rescore(name, again.faces[number].p_fake, again.faces[number].label)
            for name, again in zip(names, judged, strict=True)
            if name != MIRRORED or not in_band(face.p_fake, detector.metadata.unsure_band)
        ))
        for number, face in enumerate(faces)
    )  # fmt: skip


def steady(verdict: Verdict, stability: tuple[Stability, ...]) -> Verdict:
    """The verdict with every face that flipped made unsure, and with a sentence that says so.

    The picture's label follows from its faces as before: another face that stays fake keeps it fake, and one real face
    that flips makes it unsure. Scores and confidence stay as they were.

    Args:
        verdict: see `detect.detector.Detector`.
        stability: of the same verdict, see `rescore`.

    Returns:
        The same verdict where nothing flipped.
    """
    flipped = {tested.face: tested.flips for tested in stability if tested.flips}
    if not flipped:
        return verdict
    faces = tuple(replace(face, label=UNSURE) if face in flipped else face for face in verdict.faces)
    label = worst_label(face.label for face in faces)
    changes = dict.fromkeys(name for names in flipped.values() for name in names)
    return replace(verdict, label=label, faces=faces, reasons=(*verdict.reasons, FLIPS.format(", ".join(changes))))


def variants(picture: np.ndarray, box: Box, metadata: Metadata) -> dict[str, np.ndarray]:
    """A face after each change, by the change's name: crops [S, S, 3] uint8 RGB.

    The picture is changed before the face is cut out of it, as training and the measured tiers do.

    Args:
        picture: [H, W, 3] uint8 RGB.
        box: the face (left, top, right, bottom) in pixels.
        metadata: gives crop margin, size and resampling.
    """
    part, square = _around(picture, crop_box(box, metadata.crop_margin, picture.shape[1], picture.shape[0]))
    if max(part.shape) > LARGEST:
        part, square = _resized(part, square, LARGEST / max(part.shape))
    inset = TIGHTER * (square[2] - square[0])
    tighter = (square[0] + inset, square[1] + inset, square[2] - inset, square[3] - inset)

    def crop(changed: np.ndarray, square: Box) -> np.ndarray:
        return cut(changed, square, metadata.size, metadata.resampling)

    return {
        **{f"JPEG quality {quality}": crop(compressed(part, quality), square) for quality in QUALITIES},
        HALF: crop(*_resized(part, square, 0.5)),
        "cut tighter": crop(part, tighter),
        MIRRORED: crop(part, square)[:, ::-1],
    }


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture [H, W, 3] uint8 after one JPEG of this quality (1..100), chroma at half resolution."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def _around(picture: np.ndarray, square: Box) -> tuple[np.ndarray, Box]:
    """The part of a picture that decides what JPEG and resizing make of a square in it, and the square in that part.

    It begins on JPEG's grid and goes at least a block beyond the square, so that compressing it gives the very pixels
    that compressing the whole picture would, at the cost of the face instead of the picture.
    """
    height, width = picture.shape[:2]
    left, top = (max(0, int(edge) // BLOCK - 1) * BLOCK for edge in square[:2])
    right, bottom = (min(side, (int(edge) // BLOCK + 2) * BLOCK)
                     for edge, side in zip(square[2:], (width, height), strict=True))  # fmt: skip
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    return part, (square[0] - left, square[1] - top, square[2] - left, square[3] - top)


def _resized(picture: np.ndarray, square: Box, scale: float) -> tuple[np.ndarray, Box]:
    """A picture [H, W, 3] uint8 and a square in it, both sides times `scale`, by Lanczos as the tiers do."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = size[0] / width, size[1] / height
    small = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(small), (square[0] * x, square[1] * y, square[2] * x, square[3] * y)
