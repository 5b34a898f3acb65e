"""Run time of the deepfake detector: photo or video in, verdict out.

    from deepfake_detect import Detector, judge_video

    detector = Detector()
    verdict = detector.predict(["portrait.jpg"])[0]
    print(verdict.label, verdict.p_fake, judge_video(detector, "clip.mp4").label)

Data flows one way: bytes -> picture -> faces -> pixel values -> logits -> probability -> verdict. A video is a row of
pictures: file -> frames -> the same for each -> faces followed -> verdict.
"""

__version__ = "0.1.0"

from deepfake_detect import runtime  # noqa: F401  before onnxruntime

# isort: split
from deepfake_detect.detector import Detector
from deepfake_detect.errors import ModelError, PictureError, VideoError
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import Face, Verdict
from deepfake_detect.video.judge import judge_video
from deepfake_detect.video.reader import sample_frames
from deepfake_detect.video.video_verdict import VideoFace, VideoVerdict, key_frames

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
    "__version__",
    "judge_video",
    "key_frames",
    "open_picture",
    "sample_frames",
]
