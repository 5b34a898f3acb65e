"""The same face scored again after small changes that leave the person as real or fake as before: a verdict that does
not survive them becomes "unsure"."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from deepfake_detect.crowd import face_label, remarks, weigh
from deepfake_detect.face.crop import Box, Square, crop_box, cut, level_together
from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.model.onnx_model import Metadata, Model
from deepfake_detect.model.scoring import score
from deepfake_detect.verdict import FAKE, REAL, UNSURE, AnyFace, Face, Reason, Verdict, suspicious

QUALITIES = (90, 70, 50)  # of JPEG
JPEG, HALF, CUT_TIGHTER, MIRRORED = "JPEG quality {}", "half size", "cut tighter", "mirrored"
TIGHTER = 0.05  # of the square's side, cut off on each side
MAX_RESCORED = 5  # faces of a picture, the most suspicious
LARGEST = 1024  # pixels; a larger face is brought to this first, as a web page does, which bounds the time
AROUND = 0.1  # of a turned square's side, which is kept around it
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
    def fair(self) -> tuple[Rescore, ...]:
        """The changes that leave enough of the face to judge: half the size does not, of a small one."""
        left, top, right, bottom = self.face.box
        halved = max(right - left, bottom - top) / 2
        return tuple(again for again in self.rescores if again.name != HALF or halved >= MIN_FACE)

    @property
    def flips(self) -> tuple[str, ...]:
        """Names of the changes that put the score of a decided face on the other side of 0.5.

        To fall into the unsure band is no flip: a score just outside the band always does under some change, so that
        counting it would do no more than widen the band. To cross 0.5, a score has to pass half of the band. A face
        that is unsure anyway does not flip.
        """
        if self.face.label == FAKE:
            return tuple(again.name for again in self.fair if again.p_fake < 0.5)
        if self.face.label == REAL:
            return tuple(again.name for again in self.fair if again.p_fake > 0.5)
        return ()


def decided(faces: Iterable[AnyFace]) -> list[AnyFace]:
    """The faces that a change may flip, at most MAX_RESCORED: those that are not unsure, the most suspicious first."""
    return suspicious(face for face in faces if face.label != UNSURE)[:MAX_RESCORED]


def rescore(model: Model, picture: np.ndarray, faces: Sequence[Face], downscale: float = 1) -> tuple[Stability, ...]:
    """Score faces of a judged picture again, changed in small ways: six, or without the mirror five for a model whose
    scores are means over mirror images already.

    The changed faces are looked at as any others, in all framings. The picture is neither decoded nor searched for
    faces again, and what is compressed and resized is the surroundings of the face.

    Args:
        model: the one that gave the verdict.
        picture: [H, W, 3] uint8 RGB, as it was decoded.
        faces: of its verdict, in pixels of the whole picture.
        downscale: pixels of the whole picture for one of `picture`, each way.

    Returns:
        One `Stability` a face, in the same order.
    """
    if not faces:
        return ()
    m = model.metadata
    changed = [_variants_of(face, picture, m, downscale) for face in faces]
    names = list(changed[0])
    p_fake = score(model, np.stack([crops[name] for crops in changed for name in names])).reshape(len(faces), -1)
    return tuple(
        Stability(face, tuple(
            Rescore(name, float(p), face_label(float(p), face.side, m.unsure_band))
            for name, p in zip(names, row, strict=True)
        ))
        for face, row in zip(faces, p_fake, strict=True)
    )  # fmt: skip


def _variants_of(face: Face, picture: np.ndarray, metadata: Metadata, downscale: float) -> dict[str, np.ndarray]:
    """`variants` of a judged face of a picture that may be downscaled."""
    left, top, right, bottom = (edge / downscale for edge in face.box)
    squares = [Square(*square).reduced(downscale) for square in face.framings]
    return variants(picture, (left, top, right, bottom), metadata, squares)


def steady(verdict: Verdict, stability: tuple[Stability, ...], band: tuple[float, float]) -> Verdict:
    """The verdict with every face that flipped made unsure, and with a sentence that says so.

    The picture's label follows from its faces as before, see `deepfake_detect.crowd.weigh`: another face that stays
    fake can keep it fake, and one real face that flips makes it unsure. Scores and confidence stay as they were.

    Args:
        verdict: see `deepfake_detect.detector.Detector`.
        stability: of the same verdict, see `rescore`.
        band: the unsure band (low, high) of the same model.

    Returns:
        The same verdict where nothing flipped.
    """
    flipped = {tested.face: tested.flips for tested in stability if tested.flips}
    if not flipped:
        return verdict
    faces = tuple(face.unsure() if face in flipped else face for face in verdict.faces)
    label, _ = weigh(faces, band)
    changes = dict.fromkeys(name for names in flipped.values() for name in names)
    reason = Reason("unstable", FLIPS.format(", ".join(changes)))
    # How many faces look fake among many was counted before
    before = (reason for reason in verdict.reasons if reason.code != "among_many_faces")
    reasons = dict.fromkeys((*before, *remarks(faces, label, band), reason))
    return replace(verdict, label=label, faces=faces, reasons=tuple(reasons))


def variants(
    picture: np.ndarray, box: Box, metadata: Metadata, squares: Sequence[Sequence[float]] = ()
) -> dict[str, np.ndarray]:
    """A face after each change, by the change's name: in F framings, [F, S, S, 3] uint8 RGB.

    The picture is changed before the face is cut out of it, as training and the measured tiers do.

    Args:
        picture: [H, W, 3] uint8 RGB.
        box: the face (left, top, right, bottom) in pixels.
        metadata: gives crop margin, size, resampling and looks; where these are mirrored, the mirror is no change.
        squares: [F] what was cut out for the face, see `deepfake_detect.face.crop.Square`; by default what its box
            gives. The surroundings of one that is turned are turned level before they are changed.
    """
    part, squares = _around(*level_together(picture, squares or box_framings(box, metadata, picture), AROUND))
    if max(part.shape) > LARGEST:
        part, squares = _resized(part, squares, LARGEST / max(part.shape))

    def crops(changed: np.ndarray, squares: Sequence[Box]) -> np.ndarray:
        return np.stack([cut(changed, square, metadata.size, metadata.resampling) for square in squares])

    changed = {
        **{JPEG.format(quality): crops(compressed(part, quality), squares) for quality in QUALITIES},
        HALF: crops(*_resized(part, squares, 0.5)),
        CUT_TIGHTER: crops(part, [_tighter(square) for square in squares]),
    }
    return changed if metadata.looks.mirrored else changed | {MIRRORED: crops(part, squares)[:, :, ::-1]}


def _tighter(square: Box) -> Box:
    inset = TIGHTER * (square[2] - square[0])
    return square[0] + inset, square[1] + inset, square[2] - inset, square[3] - inset


def box_framings(box: Box, metadata: Metadata, picture: np.ndarray) -> list[Box]:
    """What to cut out of a picture [H, W, 3] for the box of an upright face: a square for each framing."""
    height, width = picture.shape[:2]
    return [crop_box(box, metadata.crop_margin, width, height, framing) for framing in metadata.looks.framings]


def surroundings(picture: np.ndarray, box: Box, metadata: Metadata, longest: int) -> tuple[np.ndarray, Box]:
    """A copy of the part of a picture that `variants` looks at, at most `longest` pixels large, and the face in it:
    what to keep of a picture whose face may have to be scored again. Unless it had to be made smaller, the variants of
    the face in this part are those of the face in the picture, to the last bit.

    Args:
        picture: [H, W, 3] uint8 RGB.
        box: the face (left, top, right, bottom) in pixels.
        metadata: gives crop margin and framings.
        longest: pixels on the longer side.
    """
    squares = box_framings(box, metadata, picture)
    part, (inner, *_) = _around(picture, squares)
    left, top = round(squares[0][0] - inner[0]), round(squares[0][1] - inner[1])
    moved = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    if max(part.shape) > longest:
        part, (moved,) = _resized(part, [moved], longest / max(part.shape))
        return part, moved
    return part.copy(), moved  # where it is the whole picture, it would stay as long as the part


def is_plain(face: Face, metadata: Metadata, picture: np.ndarray) -> bool:
    """Whether what was cut out for a face of a picture is what its box gives: neither turned nor kept off a border."""
    given = [(*square, 0.0) for square in box_framings(face.box, metadata, picture)]
    return not face.framings or [tuple(square) for square in face.framings] == given


def square_surroundings(
    picture: np.ndarray, squares: Sequence[Sequence[float]], longest: int
) -> tuple[np.ndarray, list[Box]]:
    """`surroundings` of a face by what was cut out for it, see `deepfake_detect.face.crop.Square`: turned level, and
    the squares in that."""
    part, inner = _around(*level_together(picture, squares, AROUND))
    if max(part.shape) > longest:
        return _resized(part, inner, longest / max(part.shape))
    return part.copy(), inner


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture [H, W, 3] uint8 after one JPEG of this quality (1..100), chroma at half resolution."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def _around(picture: np.ndarray, squares: Sequence[Box]) -> tuple[np.ndarray, list[Box]]:
    """The part of a picture that decides what JPEG and resizing make of squares in it, and the squares in that part.

    It begins on JPEG's grid and goes at least a block beyond the squares, so that compressing it gives the very pixels
    that compressing the whole picture would, at the cost of the face instead of the picture.
    """
    height, width = picture.shape[:2]
    edges = np.array(squares)
    left, top = (max(0, int(edge) // BLOCK - 1) * BLOCK for edge in edges[:, :2].min(0))
    right, bottom = (min(side, (int(edge) // BLOCK + 2) * BLOCK)
                     for edge, side in zip(edges[:, 2:].max(0), (width, height), strict=True))  # fmt: skip
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    return part, [(a - left, b - top, c - left, d - top) for a, b, c, d in squares]


def _resized(picture: np.ndarray, squares: Sequence[Box], scale: float) -> tuple[np.ndarray, list[Box]]:
    """A picture [H, W, 3] uint8 and squares in it, both sides times `scale`, by Lanczos as the tiers do."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = size[0] / width, size[1] / height
    small = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(small), [(left * x, top * y, right * x, bottom * y) for left, top, right, bottom in squares]
