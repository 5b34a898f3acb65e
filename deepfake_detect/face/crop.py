"""Face box -> pixel values. Training and service crop with these functions and no others.

The crop is a square around the face. It is moved, and only where the picture is too small also shrunk,
to lie inside the picture: padding would tell a model how tightly a data set was cropped.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
              "lanczos": Image.Resampling.LANCZOS}  # fmt: skip

Box = tuple[float, float, float, float]


class Square(NamedTuple):
    """What is cut out for a face: a square around its centre, in pixels, turned."""

    left: float
    top: float
    right: float
    bottom: float
    angle: float = 0.0  # degrees clockwise

    def reduced(self, downscale: float) -> "Square":
        """The square in a picture with so many times fewer pixels each way."""
        left, top, right, bottom = (edge / downscale for edge in self[:4])
        return Square(left, top, right, bottom, self.angle)


def crop_box(box: Box, margin: float, width: int, height: int, framing: float = 1.0) -> Box:
    """The square to cut out for a face.

    Args:
        box: the face (left, top, right, bottom) in pixels.
        margin: added on each side, as a share of the face's longer side (0.3: a square 1.6 times as long).
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        framing: so many times the side that the margin gives.

    Returns:
        (left, top, right, bottom) in pixels, square, inside the picture.
    """
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top) * (1 + 2 * margin) * framing, width, height)
    x = min(max((left + right - side) / 2, 0), width - side)
    y = min(max((top + bottom - side) / 2, 0), height - side)
    return x, y, x + side, y + side


def face_square(face, margin: float, width: int, height: int, framing: float = 1.0) -> Square:
    """The square to cut out for a face of the finder: `crop_box` inside the picture's plain borders, turned as the
    face is.

    Args:
        face: a `deepfake_detect.face.found.FoundFace`.
        margin: see `crop_box`.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        framing: see `crop_box`.
    """
    left, top, right, bottom = face.frame or (0, 0, width, height)
    box = face.box[0] - left, face.box[1] - top, face.box[2] - left, face.box[3] - top
    square = crop_box(box, margin, right - left, bottom - top, framing)
    return Square(square[0] + left, square[1] + top, square[2] + left, square[3] + top, face.angle)


def level(picture: np.ndarray, square: Sequence[float], around: float = 0.0) -> tuple[np.ndarray, Box]:
    """The part of a picture [H, W, 3] uint8 around a turned square, turned level, and the square in it.

    Args:
        picture: it is continued in the mirror beyond its edge, where a corner of the turned square lies outside.
        square: see `Square`; of one that is not turned, the picture itself comes back.
        around: how much more than the square, as a share of its side, on each side.
    """
    angle = square[4] if len(square) > 4 else 0.0
    left, top, right, bottom = square[:4]
    if not angle:
        return picture, (left, top, right, bottom)
    side, (x, y) = right - left, ((left + right) / 2, (top + bottom) / 2)
    size = max(1, round(side * (1 + 2 * around)))
    onto = np.asarray(
        cv2.getRotationMatrix2D((x - 0.5, y - 0.5), angle, 1), np.float64
    )  # whole numbers are the pixels' centres
    onto[:, 2] += size / 2 - np.array([x, y])
    part = cv2.warpAffine(picture, onto, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    start = (size - side) / 2
    return part, (max(0.0, start), max(0.0, start), min(size, start + side), min(size, start + side))


def level_together(
    picture: np.ndarray, squares: Sequence[Sequence[float]], around: float = 0.0
) -> tuple[np.ndarray, list[Box]]:
    """`level` of several squares of one face, which are turned alike: around the largest, and all of them in it."""
    angle = squares[0][4] if len(squares[0]) > 4 else 0.0
    if not angle:
        return picture, [(left, top, right, bottom) for left, top, right, bottom in (square[:4] for square in squares)]
    largest = max(squares, key=lambda square: square[2] - square[0])
    part, inner = level(picture, largest, around)
    if all(square == largest for square in squares):
        return part, [inner] * len(squares)
    turn, size = np.radians(angle), part.shape[0]
    onto = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = np.add(largest[:2], largest[2:4]) / 2
    found = []
    for square in squares:
        side = min(square[2] - square[0], size)
        x, y = onto @ (np.add(square[:2], square[2:4]) / 2 - middle) + (size - side) / 2
        left, top = (float(min(max(edge, 0), size - side)) for edge in (x, y))
        found.append((left, top, left + side, top + side))
    return part, found


def crop_face(picture: np.ndarray, box: Box | None, margin: float, size: int, resampling: str) -> np.ndarray:
    """Cut a face out upright and resize it; without a face the whole picture is used.

    Args:
        picture: [H, W, 3] uint8 RGB.
        box: the face in pixels, or None.
        margin: see `crop_box`.
        size: side S of the result in pixels.
        resampling: "bilinear", "bicubic" or "lanczos", as Pillow does them (with antialiasing).

    Returns:
        [S, S, 3] uint8 RGB.
    """
    height, width = picture.shape[:2]
    region = (0, 0, width, height) if box is None else crop_box(box, margin, width, height)
    return cut(picture, region, size, resampling)


def crop_judged(
    picture: np.ndarray, face, margin: float, size: int, resampling: str, downscale: float = 1
) -> np.ndarray:
    """The crop [S, S, 3] uint8 on which a face was judged, cut anew at any size.

    Args:
        picture: [H, W, 3] uint8 RGB.
        face: a `deepfake_detect.verdict.Face`, in pixels of the whole picture; one whose `square` is not known is cut
            by its box.
        margin: see `crop_box`.
        size: side S of the result in pixels.
        resampling: see `crop_face`.
        downscale: pixels of the whole picture for one of `picture`, each way.
    """
    if face.square is None:
        return crop_face(picture, tuple(edge / downscale for edge in face.box), margin, size, resampling)
    return cut(picture, Square(*face.square).reduced(downscale), size, resampling)


def cut(picture: np.ndarray, region: Sequence[float], size: int, resampling: str) -> np.ndarray:
    """A region (left, top, right, bottom), or a `Square`, of a picture [H, W, 3] uint8, resized to [size, size, 3];
    pixels outside it (but for the fractions on its edge) have no say."""
    picture, region = level(picture, region)
    left, top = int(region[0]), int(region[1])
    right, bottom = int(np.ceil(region[2])), int(np.ceil(region[3]))
    part = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    inner = (region[0] - left, region[1] - top, min(region[2] - left, part.width), min(region[3] - top, part.height))
    return np.asarray(part.resize((size, size), RESAMPLING[resampling], box=inner))


def pixel_values(crops: np.ndarray) -> np.ndarray:
    """Crops [N, S, S, 3] uint8 -> what the model takes: [N, 3, S, S] float32 in 0..1 (the paper's rescale)."""
    return np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)
