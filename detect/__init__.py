"""Run time of the deepfake detector: photo in, verdict out.

    from detect import Detector

    verdict = Detector("model.onnx").predict(["portrait.jpg"])[0]
    print(verdict.label, verdict.p_fake)

Data flows one way: bytes -> picture -> faces -> pixel values -> logits -> probability -> verdict.
"""

from detect.detector import Detector
from detect.model import Model, ModelError
from detect.picture import PictureError, open_picture
from detect.verdict import Face, Verdict

__all__ = ["Detector", "Face", "Model", "ModelError", "PictureError", "Verdict", "open_picture"]
