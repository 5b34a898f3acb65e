"""The verdict on a video, as frozen dataclasses, and its key frames for display."""

from dataclasses import asdict, dataclass, field, replace

import numpy as np

from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.verdict import Reason, kind_of, suspicious, with_codes
from deepfake_detect.video.key_frames import Still


@dataclass(frozen=True)
class FaceObservation:
    """One face in one frame."""

    face: int  # number of the VideoFace
    box: tuple[int, int, int, int]  # left, top, right, bottom in pixels of the upright frame
    score: float  # confidence of the face finder, 0..1
    p_fake: float  # calibrated probability of this frame alone, 0..1
    sharpness: float  # 0 or more, about 0.1 of an ordinary face; see `deepfake_detect.face.quality`


@dataclass(frozen=True)
class JudgedFrame:
    """One judged frame of the timeline."""

    seconds: float  # from the start of the video
    faces: tuple[FaceObservation, ...]  # largest first


@dataclass(frozen=True)
class VideoFace:
    """One face followed through the video."""

    number: int  # from 1, the one seen in most frames first
    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # of its frames together, see `deepfake_detect.video.rule`
    counts: bool  # seen in enough frames to be judged; otherwise the label is "unsure", see `VideoVerdict.label`
    frames: int  # in which it was seen
    first_seconds: float
    last_seconds: float
    key_seconds: float  # of its key frame: the one whose p_fake is nearest to the face's
    box: tuple[int, int, int, int]  # in the key frame, in pixels of the upright frame
    side: int  # pixels on the face's longer side where it is largest
    median_side: int  # the same, the median over its frames
    kind: str | None = None  # of `deepfake_detect.verdict.KINDS`, see `deepfake_detect.video.followed.Followed.kind`

    def to_dict(self) -> dict:
        """The face as JSON-ready values; `has_say` is an older name of `counts`."""
        return asdict(self) | {"has_say": self.counts}


@dataclass(frozen=True)
class VideoVerdict:
    """What the detector says of one video: by the faces that count as of a picture (see `deepfake_detect.crowd`), but
    never real where one that does not count looks fake."""

    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # calibrated probability, 0..1: see `deepfake_detect.video.judge.judge_video`
    confidence: float  # max(p_fake, 1 - p_fake), 0.5..1
    reasons: tuple[Reason, ...]  # why unsure, and warnings
    faces: tuple[VideoFace, ...]
    timeline: tuple[JudgedFrame, ...]  # every judged frame in order
    seconds: float  # length of the video
    frames: int  # judged
    stills: tuple[Still, ...] = field(default=(), repr=False, compare=False)  # key frames, one for each of `faces`
    # Of the most suspicious faces that count and are decided, by their number, where that was asked for; as they were
    # judged before this was looked at
    stability: dict[int, Stability] = field(default_factory=dict, repr=False, compare=False)

    @property
    def kind(self) -> str | None:
        """See `deepfake_detect.verdict.kind_of`."""
        return kind_of(self.label, self.faces)

    def scores(self, number: int) -> list[tuple[float, float]]:
        """The timeline of the face of this number: seconds from the start, and its p_fake in that frame."""
        return [(at.seconds, face.p_fake) for at in self.timeline for face in at.faces if face.face == number]

    def to_dict(self) -> dict:
        """The verdict as JSON-ready values, without the stills and the scores after small changes."""
        values = with_codes(asdict(replace(self, stills=(), stability={})))
        del values["stills"], values["stability"]
        return values | {"faces": tuple(face.to_dict() for face in self.faces), "kind": self.kind}


def key_frames(
    verdict: VideoVerdict, limit: int | None = None
) -> list[tuple[VideoFace, np.ndarray, tuple[int, int, int, int]]]:
    """The key frames of the `limit` most suspicious faces, by default of all, those first, for display.

    Returns:
        (face, picture [H, W, 3] uint8 RGB, the face's box in that picture) each. A picture is at most STILL_SIDE pixels
        large and went through JPEG: it is for people to look at, not to judge. It takes up to 3 MB, and a crowd has
        hundreds of faces, so ask for no more than are shown.
    """
    shown, stills = [], dict(zip(verdict.faces, verdict.stills, strict=True))
    for face in suspicious(verdict.faces)[:limit]:
        still = stills[face]
        left, top, right, bottom = (round(side * still.scale) for side in face.box)
        shown.append((face, still.picture(), (left, top, right, bottom)))
    return shown
