"""Key frames of the faces of a video: kept while frames go by, shown, and scored again after small changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from deepfake_detect.detector import Detector
from deepfake_detect.evidence.robustness import (
    MAX_RESCORED,
    Rescore,
    Stability,
    is_plain,
    rescore,
    square_surroundings,
    surroundings,
)
from deepfake_detect.model.onnx_model import Metadata
from deepfake_detect.verdict import Face, label_of, suspicious
from deepfake_detect.video.rule import VideoRule, log_odds

STILL_SIDE = 1024  # pixels on the longer side of a frame kept for display
# Pixels on the longer side of what is kept of a face: three times those of a crop. 64 frames of five faces come to 250
# MB at worst; those of one person whose face has 200 pixels, to 25 MB.
KEPT_SIDE = 512
RESCORED = 3  # frames of a face that are scored again: of three, two decide


@dataclass(frozen=True)
class Still:
    """A frame kept for display."""

    jpeg: bytes  # at most STILL_SIDE pixels on the longer side
    scale: float  # its pixels per pixel of the frame

    @classmethod
    def of(cls, frame: np.ndarray) -> "Still":
        """Of a frame [H, W, 3] uint8 RGB; compressed, because which one is a face's key frame is known only at the
        end."""
        scale = min(1.0, STILL_SIDE / max(frame.shape[:2]))
        size = [max(1, round(side * scale)) for side in frame.shape[1::-1]]
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
        return cls(jpeg.tobytes(), scale)

    def picture(self) -> np.ndarray:
        """[H, W, 3] uint8 RGB, to be looked at, not judged."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB))


@dataclass(frozen=True)
class FacePixels:
    """A face of one frame with the pixels around it as they were decoded: what scoring it again takes."""

    pixels: np.ndarray  # [H, W, 3] uint8 RGB, at most KEPT_SIDE on the longer side
    face: Face  # in these pixels


def face_pixels(frame: np.ndarray, faces: Sequence[Face], metadata: Metadata) -> tuple[FacePixels | None, ...]:
    """The pixels around the MAX_RESCORED most suspicious faces of a frame [H, W, 3] uint8 RGB; None for the others."""
    kept = {}
    for face in suspicious(faces)[:MAX_RESCORED]:
        if is_plain(face, metadata, frame):
            pixels, box = surroundings(frame, face.box, metadata, KEPT_SIDE)
            box = cast(tuple[int, int, int, int], box)
            kept[face.box] = FacePixels(pixels, replace(face, box=box, square=None, framings=()))
        else:
            assert face.square is not None  # or it were plain
            pixels, (square, *framings) = square_surroundings(frame, [face.square, *face.framings], KEPT_SIDE)
            box = cast(tuple[int, int, int, int], tuple(map(round, square)))
            level = tuple((*one, 0.0) for one in framings)
            kept[face.box] = FacePixels(pixels, replace(face, box=box, square=(*square, 0.0), framings=level))
    return tuple(kept.get(face.box) for face in faces)


def rescored(detector: Detector, face: Face, frames: Sequence[FacePixels]) -> Stability:
    """A face of a video after every change: each score is the middle one of its frames, of two their mean log-odds,
    at the temperature and with the band of the rule for videos.

    Args:
        detector: the one that judged the video.
        face: box of its key frame, p_fake and label of the whole video.
        frames: the face in the RESCORED frames, or fewer, whose scores are nearest to its p_fake; at least one.
    """
    scores: dict[str, list[float]] = {}
    for kept in frames:
        for again in rescore(detector.model, kept.pixels, [kept.face])[0].rescores:
            scores.setdefault(again.name, []).append(again.p_fake)
    rule = VideoRule.of(detector.metadata)
    middle = {name: rule.p_fake(float(np.median(log_odds(found)))) for name, found in scores.items()}
    return Stability(
        face, tuple(Rescore(name, p_fake, label_of(p_fake, rule.unsure_band)) for name, p_fake in middle.items())
    )
