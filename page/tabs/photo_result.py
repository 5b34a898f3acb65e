"""What is kept of a judged photograph, for all that is said of it afterwards."""

import math
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from PIL import Image

from deepfake_detect import Detector, Verdict
from deepfake_detect.evidence.occlusion import occlusion_map, overlay
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.picture.content_credentials import ContentCredentials
from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.picture.provenance import Claim
from deepfake_detect.report import printable
from deepfake_detect.report.sentences import faces_shown
from deepfake_detect.verdict import Face

VIEW_SIDE = 1400  # pixels of the picture as it is shown, for screens with several dots a pixel
HEAT_SIDE = 400  # pixels of the occlusion map


@dataclass(eq=False)
class PhotoResult:
    """What was said of a photograph, and what later events need to say more without decoding it again: a view of it as
    a file among the uploads, and of each face that is shown a small crop, some 150 KB.
    """

    run: int
    facts: printable.Picture
    verdict: Verdict
    stability: tuple[Stability, ...]  # of each of the faces that are shown, in their order
    credentials: ContentCredentials
    claims: tuple[Claim, ...]
    view: str  # path of the picture, at most VIEW_SIDE pixels large
    downscale: int  # pixels of the photograph for one of the view, each way
    crops: tuple[np.ndarray, ...]  # [S, S, 3] uint8 of each of the faces that are shown
    _maps: dict[int, np.ndarray] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def faces(self) -> list[Face]:
        """Those that are shown, in their order."""
        return [face for _, face in faces_shown(self.verdict)]

    def heat(self, detector: Detector, number: int) -> np.ndarray:
        """The occlusion map of a face, computed once. Thread-safe."""
        with self._lock:
            if number not in self._maps:
                self._maps[number] = occlusion_map(detector.model, self.crops[number])
            return self._maps[number]

    def coloured(self, detector: Detector, number: int) -> Image.Image:
        """The crop of a face, coloured by its map."""
        face = Image.fromarray(overlay(self.crops[number], self.heat(detector, number)))
        return face.resize((HEAT_SIDE, HEAT_SIDE))


def reduced_view(picture: Downscaled) -> Downscaled:
    """The picture as it is shown, at most VIEW_SIDE pixels large."""
    smaller = max(1, math.ceil(max(picture.pixels.shape[:2]) / VIEW_SIDE))
    if smaller == 1:
        return picture
    reduced = Image.fromarray(picture.pixels).reduce(smaller)
    return Downscaled(np.asarray(reduced), picture.downscale * smaller, picture.size)
