"""Run time of the deepfake detector: photo or video in, verdict out.

    from detect import Detector, judge_video

    detector = Detector("model.onnx")
    verdict = detector.predict(["portrait.jpg"])[0]
    print(verdict.label, verdict.p_fake, judge_video(detector, "clip.mp4").label)

Data flows one way: bytes -> picture -> faces -> pixel values -> logits -> probability -> verdict. A video is a row of
pictures: file -> frames -> the same for each -> faces followed -> verdict.
"""

import os

# From 1.29 on, onnxruntime reports what it runs to its maker, by way of files in the user's folder. It reads this once,
# when it is imported, so whatever imports it imports this package first.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from detect.detector import Detector
from detect.frames import VideoError, sample_frames
from detect.model import Model, ModelError
from detect.picture import PictureError, open_picture
from detect.verdict import Face, Verdict
from detect.video import VideoFace, VideoVerdict, judge_video, key_frames

__all__ = [
    "Detector",
    "Face",
    "Model",
    "ModelError",
    "PictureError",
    "Verdict",
    "VideoError",
    "VideoFace",
    "VideoVerdict",
    "judge_video",
    "key_frames",
    "open_picture",
    "sample_frames",
]
