"""One face in the frames of a video -> what they say together."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from deepfake_detect.crowd import SMALL_RULE, is_small_fake
from deepfake_detect.detector import Detector
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.face.quality import MANY_TOO_SMALL, MIN_FACE, TOO_SMALL
from deepfake_detect.model.onnx_model import Metadata
from deepfake_detect.verdict import FAKE, REAL, Face, Reason, label_of
from deepfake_detect.video.key_frames import RESCORED, FacePixels, Still, rescored
from deepfake_detect.video.rule import VideoRule, log_odds

SPLIT = 0.25  # share of a face's frames called real, and share called fake, from which they contradict each other

CONTRADICT = "Face {}, taken as a photograph, would be called real in some frames and fake in others."
SMALL_FAKE = f"Face {{}} looks fake, but is never larger than {{}} pixels; {SMALL_RULE}."
UNSTABLE = "After a small change ({}) the score of face {} points the other way, so the verdict on it does not count."


@dataclass(frozen=True)
class FaceInFrame:
    """A face in one frame."""

    seconds: float  # from the start of the video
    face: Face
    sharpness: float  # see `deepfake_detect.face.quality`
    warnings: list[Reason]
    pixels: FacePixels | None
    still: Still | None  # of the frame


@dataclass(frozen=True)
class Followed:
    """A face and all frames in which it was seen, in their order."""

    number: int
    frames: tuple[FaceInFrame, ...]
    rule: VideoRule

    @cached_property
    def log_odds(self) -> float:
        """The mean of its frames, see `VideoRule.log_odds`."""
        faces = [seen.face for seen in self.frames]
        sides, sharpness = [face.side for face in faces], [seen.sharpness for seen in self.frames]
        return self.rule.log_odds([face.p_fake for face in faces], sides, sharpness)

    @property
    def p_fake(self) -> float:
        return self.rule.p_fake(self.log_odds)

    @cached_property
    def typical(self) -> list[FaceInFrame]:
        """The frames whose score is nearest to that of all first; the key frame is the first."""
        return sorted(self.frames, key=lambda seen: abs(log_odds([seen.face.p_fake])[0] - self.log_odds))

    @property
    def side(self) -> int:
        """Pixels on the face's longer side, the median over its frames."""
        return round(median(seen.face.side for seen in self.frames))

    @property
    def largest(self) -> int:
        """Pixels on the face's longer side where it is largest."""
        return max(seen.face.side for seen in self.frames)

    @property
    def kind(self) -> str | None:
        """What most of the frames in which it is called fake say that it is most like."""
        kinds = Counter(seen.face.kind for seen in self.frames if seen.face.label == FAKE)
        kind, frames = kinds.most_common(1)[0] if kinds else (None, 0)
        return kind if frames > kinds.total() / 2 else None

    @property
    def is_small_fake(self) -> bool:
        """Whether it looks fake, but is in no frame large enough to be judged."""
        return is_small_fake(self.largest, self.p_fake, self.rule.unsure_band)

    def stability(self, detector: Detector, label: str) -> Stability | None:
        """How its score fares under small changes of its most typical frames; None where the pixels of none were kept,
        because in each there were too many faces more suspicious."""
        pixels = [seen.pixels for seen in self.typical if seen.pixels][:RESCORED]
        if not pixels:
            return None
        key = self.typical[0].face
        return rescored(detector, Face(key.box, key.score, self.p_fake, label), pixels)

    def remarks(self, band: tuple[float, float], tested: Stability | None) -> list[Reason]:
        """Why it is unsure although its score is not, and what is odd about its frames, by the band for pictures."""
        labels = [label_of(seen.face.p_fake, band) for seen in self.frames]
        said = []
        if self.is_small_fake:
            said.append(Reason("face_too_small", SMALL_FAKE.format(self.number, self.largest)))
        if tested and tested.flips:
            said.append(Reason("unstable", UNSTABLE.format(", ".join(tested.flips), self.number)))
        if min(labels.count(REAL), labels.count(FAKE)) >= SPLIT * len(labels):
            said.append(Reason("contradicting_frames", CONTRADICT.format(self.number)))
        return said


def needed_side(metadata: Metadata) -> int:
    """Pixels on the longer side that a face of a video needs to be judged without a warning: as many as the model looks
    at. A photograph is warned of below MIN_FACE only; videos are compressed harder, and their colours at half the
    size."""
    return max(MIN_FACE, math.ceil(metadata.size / (1 + 2 * metadata.crop_margin)))


def warnings(faces: Sequence[Followed], metadata: Metadata) -> list[Reason]:
    """What weakens the verdict on faces: each warning that holds for more than half of a face's frames, once."""
    needed = needed_side(metadata)
    small = (face for face in faces if not face.is_small_fake)  # which is said by itself
    sides = sorted(face.side for face in small if face.side < needed)
    found = []
    if len(sides) == 1:
        found.append(Reason("face_too_small", TOO_SMALL.format(sides[0], needed)))
    elif sides:
        span = f"{sides[0]} to {sides[-1]}" if sides[0] < sides[-1] else f"{sides[0]}"
        found.append(Reason("face_too_small", MANY_TOO_SMALL.format(len(sides), needed, span)))
    for face in faces:
        warned = Counter(warning for seen in face.frames for warning in seen.warnings)
        found += [
            warning
            for warning, frames in warned.items()
            if warning.code != "face_too_small" and frames > len(face.frames) / 2
        ]
    return list(dict.fromkeys(found))
