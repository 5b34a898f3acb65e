"""Pixels and the faces found in them -> what the model looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_detect.face.crop import Square, cut, face_square
from deepfake_detect.face.found import FoundFace
from deepfake_detect.face.quality import face_warnings
from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.verdict import Reason


@dataclass(frozen=True)
class FaceCrops:
    """The faces of one picture, each cut out; where none was found, the whole picture."""

    picture: Downscaled  # as it was decoded
    faces: tuple[FoundFace, ...]  # largest first, in pixels of the whole picture
    squares: tuple[Square, ...]  # [N] what was cut out, in pixels of the whole picture: one a face, or all of it
    framings: tuple[tuple[Square, ...], ...]  # [N][F] what is looked at, one for each of the model's framings
    crops: np.ndarray  # [N, S, S, 3] uint8 RGB: the squares
    framed: np.ndarray  # [N, F, S, S, 3] uint8 RGB: the framings
    warnings: tuple[list[Reason], ...]  # of each face, see `deepfake_detect.face.quality`
    faces_dropped: int = 0  # faces that were found beyond the number asked for
    places_dropped: int = 0  # that might be faces and were not looked at, see `deepfake_detect.face.finder.Search`


def face_squares(faces: Sequence[FoundFace], margin: float, size: tuple[int, int]) -> tuple[Square, ...]:
    """What to cut out of a picture of this width and height: a square for each face; without any, the whole."""
    return tuple(face_square(face, margin, *size) for face in faces) or (Square(0, 0, *size),)


def face_framings(
    faces: Sequence[FoundFace], margin: float, framings: Sequence[float], size: tuple[int, int]
) -> tuple[tuple[Square, ...], ...]:
    """What the network looks at in a picture of this width and height: of each face a square for each framing, see
    `deepfake_detect.face.crop.crop_box`; without any face the whole."""
    found = tuple(tuple(face_square(face, margin, *size, framing) for framing in framings) for face in faces)
    return found or ((Square(0, 0, *size),),)


def crop_faces(
    picture: Downscaled,
    faces: Sequence[FoundFace],
    squares: Sequence[Square],
    framings: Sequence[tuple[Square, ...]],
    size: int,
    resampling: str,
    faces_dropped: int = 0,
    places_dropped: int = 0,
) -> FaceCrops:
    """Cut the faces of a picture out.

    Args:
        picture: as it was decoded.
        faces: in pixels of the whole picture.
        squares: see `face_squares`.
        framings: see `face_framings`.
        size: side S of the crops in pixels.
        resampling: see `deepfake_detect.face.crop.crop_face`.
        faces_dropped: see `FaceCrops`.
        places_dropped: see `FaceCrops`.
    """
    cuts = {
        square: cut(picture.pixels, square.reduced(picture.downscale), size, resampling)
        for square in {*squares, *(square for several in framings for square in several)}
    }
    crops = np.stack([cuts[square] for square in squares])
    framed = np.stack([np.stack([cuts[square] for square in several]) for several in framings])
    warnings = tuple(face_warnings(picture, face.box, crop) for face, crop in zip(faces, crops, strict=False))
    return FaceCrops(
        picture, tuple(faces), tuple(squares), tuple(framings), crops, framed, warnings, faces_dropped, places_dropped
    )
