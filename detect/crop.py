"""Face box -> pixel values. Training and service crop with these functions and no others.

The crop is a square around the face. It is moved, and only where the picture is too small also shrunk,
to lie inside the picture: padding would tell a model how tightly a data set was cropped.
"""

import numpy as np
from PIL import Image

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
              "lanczos": Image.Resampling.LANCZOS}  # fmt: skip

Box = tuple[float, float, float, float]


def crop_box(box: Box, margin: float, width: int, height: int) -> Box:
    """The square to cut out for a face.

    Args:
        box: the face (left, top, right, bottom) in pixels.
        margin: added on each side, as a share of the face's longer side (0.3: a square 1.6 times as long).
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        (left, top, right, bottom) in pixels, square, inside the picture.
    """
    left, top, right, bottom = box
    side = min(max(right - left, bottom - top) * (1 + 2 * margin), width, height)
    x = min(max((left + right - side) / 2, 0), width - side)
    y = min(max((top + bottom - side) / 2, 0), height - side)
    return x, y, x + side, y + side


def crop_face(picture: np.ndarray, box: Box | None, margin: float, size: int, resampling: str) -> np.ndarray:
    """Cut a face out and resize it; without a face the whole picture is used.

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


def cut(picture: np.ndarray, region: Box, size: int, resampling: str) -> np.ndarray:
    """A region (left, top, right, bottom) of a picture [H, W, 3] uint8, resized to [size, size, 3]; pixels outside it
    (but for the fractions on its edge) have no say."""
    left, top = int(region[0]), int(region[1])
    right, bottom = int(np.ceil(region[2])), int(np.ceil(region[3]))
    part = Image.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    inner = (region[0] - left, region[1] - top, min(region[2] - left, part.width), min(region[3] - top, part.height))
    return np.asarray(part.resize((size, size), RESAMPLING[resampling], box=inner))


def pixel_values(crops: np.ndarray) -> np.ndarray:
    """Crops [N, S, S, 3] uint8 -> what the model takes: [N, 3, S, S] float32 in 0..1 (the paper's rescale)."""
    return np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)
