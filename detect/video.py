"""Video -> verdict: frames judged one by one, faces followed, one verdict per face and one for the video."""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np

from detect.detector import Detector, in_band_reason
from detect.frames import WHOLE, open_video, read_frames
from detect.tracks import follow
from detect.verdict import FAKE, REAL, UNSURE, Face, label_of, suspicious, worst_label

MAX_FACES_PER_FRAME = 16  # judged, the largest: a picture of a thousand faces, shown 64 times, would take minutes
MIN_SEEN = 3  # frames: with fewer, the average could not do without any one of them
TRIM = 10  # one frame in so many is left out at each end of the average
SPLIT = 0.25  # share of a face's frames called real, and share called fake, from which they contradict each other
STILL_SIDE = 1024  # pixels on the longer side of a frame kept for display

NO_FACE = "No face was found in any frame, so whole frames were scored; the detector is made for faces."
TOO_SELDOM = "No face was seen in at least {} of the {} frames that were judged, too few for a verdict."
LEFT_OUT = "Faces seen in fewer than {} frames have no say in the verdict: {} of {} here."
SUSPECT = "Face {} looks fake but was seen in too few frames to be judged, so the video is not called real."
CROWD = f"Where a frame has more than {MAX_FACES_PER_FRAME} faces, only the largest were judged."
DISAGREE = "The faces in this video got different verdicts."
CONTRADICT = "Face {} was called real in some frames and fake in others."
INCOMPLETE = "Part of the video is missing or damaged; only what could be read was judged."


@dataclass(frozen=True)
class Sighting:
    """One face in one frame."""

    face: int  # number of the VideoFace
    box: tuple[int, int, int, int]  # left, top, right, bottom in pixels of the upright frame
    score: float  # confidence of the face finder, 0..1
    p_fake: float  # calibrated probability of this frame alone, 0..1


@dataclass(frozen=True)
class Moment:
    """One judged frame of the timeline."""

    seconds: float  # from the start of the video
    faces: tuple[Sighting, ...]  # largest first


@dataclass(frozen=True)
class VideoFace:
    """One face followed through the video."""

    number: int  # from 1, the one seen in most frames first
    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # see `robust_average`
    has_say: bool  # seen in enough frames to be judged; otherwise the label is "unsure", see `VideoVerdict.label`
    frames: int  # in which it was seen
    first_seconds: float
    last_seconds: float
    key_seconds: float  # of its key frame: the one whose p_fake is nearest to the face's
    box: tuple[int, int, int, int]  # in the key frame, in pixels of the upright frame


@dataclass(frozen=True)
class Still:
    """A frame kept for display."""

    jpeg: bytes  # at most STILL_SIDE pixels on the longer side
    scale: float  # its pixels per pixel of the frame


@dataclass(frozen=True)
class VideoVerdict:
    """What the detector says of one video. It is fake if any of its faces is that has a say, and never real where a
    face without one looks fake."""

    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # calibrated probability, 0..1: see `judge_video`
    confidence: float  # max(p_fake, 1 - p_fake), 0.5..1
    reasons: tuple[str, ...]  # why unsure, and warnings; whole sentences
    faces: tuple[VideoFace, ...]
    timeline: tuple[Moment, ...]  # every judged frame in order
    seconds: float  # length of the video
    frames: int  # judged
    stills: tuple[Still, ...] = field(default=(), repr=False, compare=False)  # key frames, one for each of `faces`

    def to_dict(self) -> dict:
        """The verdict as JSON-ready values, without the stills."""
        values = asdict(self)
        del values["stills"]
        return values


@dataclass(frozen=True)
class _Seen:
    """A judged frame whose faces are not linked to others yet."""

    seconds: float
    faces: tuple[Face, ...]
    p_fake: float  # where there is no face, of the whole frame
    warnings: tuple[list[str], ...]  # of each face
    crowd: bool  # whether there are more faces than those
    still: Still


def judge_video(
    detector: Detector, path: str | os.PathLike, progress: Callable[[int, int], None] | None = None
) -> VideoVerdict:
    """Judge a video by at most MAX_FRAMES frames spread over its whole length.

    The verdict's `p_fake` is that of the face most likely to be fake among those that have a say; of all, where none
    has; of the whole frames, where there is no face.

    Args:
        detector: see `Detector`.
        path: a video file, see `detect.frames` for what is read and the limits.
        progress: called with (frames done, frames in all), first with 0, last with both the same. An exception that
            it raises, to cancel, passes through; the file is closed then.

    Raises:
        VideoError: the video cannot be read, or takes longer than MAX_WORK_SECONDS; the message says why.

    Example:
        >>> verdict = judge_video(Detector("model.onnx"), "clip.mp4")  # doctest: +SKIP
        >>> [(face.number, face.label, face.frames) for face in verdict.faces]  # doctest: +SKIP
        [(1, 'real', 64), (2, 'unsure', 12)]
    """
    with closing(judge_frames(detector, path)) as steps:
        for step in steps:
            done, total, verdict = step
            if progress:
                progress(done, total)
    return verdict


def judge_frames(
    detector: Detector, path: str | os.PathLike
) -> Generator[tuple[int, int, VideoVerdict | None], None, None]:
    """`judge_video` step by step, for callers that show progress or stop early: close the generator to stop.

    Yields:
        (frames done, frames in all, None), and at the end (all, all, the verdict).

    Raises:
        VideoError: the video cannot be read, or the next frame is asked for after MAX_WORK_SECONDS.
    """
    video = open_video(path)
    total, seen = len(video.times), []
    yield 0, total, None
    with closing(read_frames(video)) as frames:
        for seconds, frame in frames:
            seen.append(_look(detector, seconds, frame))
            if len(seen) < total:
                yield len(seen), total, None
    whole = video.whole and len(seen) >= WHOLE * total
    yield total, total, _verdict(seen, video.seconds, whole, detector.metadata.unsure_band)


def robust_average(p_fake: Sequence[float]) -> float:
    """The mean of log-odds, less one value in TRIM (rounded up) at each end: [N] in 0..1 -> 0..1.

    Log-odds, because near 0 and 1 probabilities hardly differ where the evidence does. Without its ends, so that no
    single frame decides; of one or two values nothing can be left out. The median would be as robust, but is blind
    to a face that is fake through a third of the video; here that third pulls the mean towards doubt. A mean and not
    a sum, because frames of one video repeat each other: sixty of them are no sixty witnesses.
    """
    odds = np.sort(_log_odds(p_fake))
    cut = math.ceil(len(odds) / TRIM) if len(odds) > 2 else 0
    return float(1 / (1 + np.exp(-odds[cut : len(odds) - cut].mean())))


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
        picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        left, top, right, bottom = (round(side * still.scale) for side in face.box)
        shown.append((face, picture, (left, top, right, bottom)))
    return shown


def _look(detector: Detector, seconds: float, frame: np.ndarray) -> _Seen:
    """One frame at a time: a batch would gain nothing on a CPU, and hold as many frames in memory."""
    prepared = detector.prepare(frame, MAX_FACES_PER_FRAME)
    verdict = detector.judge([prepared])[0]
    return _Seen(seconds, verdict.faces, verdict.p_fake, prepared.warnings, prepared.left_out > 0, _still(frame))


def _still(frame: np.ndarray) -> Still:
    """Compressed, because which frame is a face's key frame is known only at the end."""
    scale = min(1.0, STILL_SIDE / max(frame.shape[:2]))
    size = [max(1, round(side * scale)) for side in frame.shape[1::-1]]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1 else frame
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return Still(jpeg.tobytes(), scale)


def _log_odds(p_fake: Sequence[float]) -> np.ndarray:
    p = np.asarray(p_fake, np.float64)
    return np.log(p) - np.log1p(-p)


def _verdict(seen: list[_Seen], seconds: float, whole: bool, band: tuple[float, float]) -> VideoVerdict:
    tracks = follow([[face.box for face in frame.faces] for frame in seen])
    places = defaultdict(list)  # track -> (frame, face) of every sighting
    for frame, row in enumerate(tracks):
        for face, track in enumerate(row):
            places[track].append((frame, face))
    order = sorted(places, key=lambda track: (-len(places[track]), track))
    number = {track: place for place, track in enumerate(order, 1)}
    timeline = tuple(
        Moment(
            frame.seconds,
            tuple(Sighting(number[t], f.box, f.score, f.p_fake) for t, f in zip(row, frame.faces, strict=True)),
        )
        for frame, row in zip(seen, tracks, strict=True)
    )
    faces, stills, remarks = [], [], []
    for track in order:
        face, key, own = _face(number[track], places[track], seen, band)
        faces.append(face)
        stills.append(seen[key].still)
        remarks += own if face.has_say else []
    label, p_fake, reasons = _decide(faces, seen, band)
    reasons += [INCOMPLETE] * (not whole) + [CROWD] * any(frame.crowd for frame in seen) + remarks
    return VideoVerdict(
        label, p_fake, max(p_fake, 1 - p_fake), tuple(dict.fromkeys(reasons)), tuple(faces), timeline, seconds,
        len(seen), tuple(stills),
    )  # fmt: skip


def _face(
    number: int, places: list[tuple[int, int]], seen: list[_Seen], band: tuple[float, float]
) -> tuple[VideoFace, int, list[str]]:
    """A face from its sightings (frame, face in it): with the place of its key frame, and sentences on it."""
    p_frames = [seen[frame].faces[face].p_fake for frame, face in places]
    p_fake = robust_average(p_frames)
    key = int(np.abs(_log_odds(p_frames) - _log_odds([p_fake])).argmin())
    frame, face = places[key]
    has_say = len(places) >= _frames_needed(seen)
    judged = VideoFace(
        number,
        label_of(p_fake, band) if has_say else UNSURE,
        p_fake,
        has_say,
        len(places),
        seen[places[0][0]].seconds,
        seen[places[-1][0]].seconds,
        seen[frame].seconds,
        seen[frame].faces[face].box,
    )
    labels = [label_of(p, band) for p in p_frames]
    contradict = min(labels.count(REAL), labels.count(FAKE)) >= SPLIT * len(labels)
    return judged, frame, [CONTRADICT.format(number)] * contradict + seen[frame].warnings[face]


def _frames_needed(seen: list[_Seen]) -> int:
    """In how many of the judged frames a face must be seen to have a say."""
    return min(MIN_SEEN, len(seen))


def _decide(faces: list[VideoFace], seen: list[_Seen], band: tuple[float, float]) -> tuple[str, float, list[str]]:
    """Label, p_fake and reasons of a video, by the rule for a picture: fake if any face is, unsure if any is."""
    if not faces:
        return UNSURE, robust_average([frame.p_fake for frame in seen]), [NO_FACE]
    heard = [face for face in faces if face.has_say]
    if not heard:
        return UNSURE, max(face.p_fake for face in faces), [TOO_SELDOM.format(_frames_needed(seen), len(seen))]
    labels = {face.label for face in heard}
    label = worst_label(labels)
    reasons = [in_band_reason(band)] if label == UNSURE else []
    if {REAL, FAKE} <= labels:
        reasons.append(DISAGREE)
    if len(heard) < len(faces):
        reasons.append(LEFT_OUT.format(_frames_needed(seen), len(faces) - len(heard), len(faces)))
    suspect = [face for face in faces if not face.has_say and label_of(face.p_fake, band) == FAKE]
    if suspect and label == REAL:
        label = UNSURE
        reasons.append(SUSPECT.format(max(suspect, key=lambda face: face.p_fake).number))
    return label, max(face.p_fake for face in heard), reasons
