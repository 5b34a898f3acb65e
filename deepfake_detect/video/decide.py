"""Judged frames -> the verdict on a video: faces followed, one verdict for each and one for all of them."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from deepfake_detect.crowd import face_label, remarks, weigh
from deepfake_detect.detector import Detector, in_band_reason
from deepfake_detect.evidence.robustness import Stability, decided
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Face, Reason, label_of
from deepfake_detect.video.followed import FaceInFrame, Followed, warnings
from deepfake_detect.video.key_frames import FacePixels, Still
from deepfake_detect.video.rule import VideoRule, log_odds
from deepfake_detect.video.tracking import follow
from deepfake_detect.video.video_verdict import FaceObservation, JudgedFrame, VideoFace, VideoVerdict

MAX_FACES_PER_FRAME = 16  # judged, the largest: a picture of a thousand faces, shown 64 times, would take minutes
MIN_SEEN = 3  # frames: with fewer, the average could not do without any one of them

NO_FACE = Reason(
    "no_face", "No face was found in any frame, so whole frames were scored; the detector is made for faces."
)
TOO_SELDOM = "No face was seen in at least {} of the {} frames that were judged, too few for a verdict."
LEFT_OUT = "Faces seen in fewer than {} frames have no say in the verdict: {} of {} here."
SUSPECT = "Face {} looks fake but was seen in too few frames to be judged, so the video is not called real."
CROWD = Reason("many_faces", f"Where a frame has more than {MAX_FACES_PER_FRAME} faces, only the largest were judged.")
DISAGREE = Reason("faces_disagree", "The faces in this video got different verdicts.")
HDR = Reason("hdr", "The video is HDR; it was judged in the brightness and colours of an ordinary screen.")
INCOMPLETE = Reason("incomplete", "Part of the video is missing or damaged; only what could be read was judged.")


@dataclass(frozen=True)
class ScoredFrame:
    """A judged frame whose faces are not linked to others yet."""

    seconds: float
    faces: tuple[Face, ...]
    sharpness: tuple[float, ...]  # of each face
    p_fake: float  # where there is no face, of the whole frame
    warnings: tuple[list[Reason], ...]  # of each face
    crowd: bool  # whether there are more faces than those
    still: Still
    pixels: tuple[FacePixels | None, ...]  # of each face


def verdict_of(
    detector: Detector, seen: Sequence[ScoredFrame], seconds: float, of_video: Sequence[Reason], thorough: bool
) -> VideoVerdict:
    """The verdict on the frames of a video.

    Args:
        detector: that judged them.
        seen: the frames, in order.
        seconds: length of the video.
        of_video: what is to be said of the file.
        thorough: see `deepfake_detect.video.judge.judge_video`.
    """
    rule, band = VideoRule.of(detector.metadata), detector.metadata.unsure_band
    tracks = follow([[face.box for face in frame.faces] for frame in seen])
    appearances = defaultdict(list)  # by track
    for frame, row in zip(seen, tracks, strict=True):
        for place, track in enumerate(row):
            seen_face = FaceInFrame(
                frame.seconds,
                frame.faces[place],
                frame.sharpness[place],
                frame.warnings[place],
                frame.pixels[place],
                frame.still,
            )
            appearances[track].append(seen_face)
    order = sorted(appearances, key=lambda track: (-len(appearances[track]), track))
    number = {track: place for place, track in enumerate(order, 1)}
    timeline = tuple(
        JudgedFrame(
            frame.seconds,
            tuple(
                FaceObservation(number[t], f.box, f.score, f.p_fake, sharpness)
                for t, f, sharpness in zip(row, frame.faces, frame.sharpness, strict=True)
            ),
        )
        for frame, row in zip(seen, tracks, strict=True)
    )
    followed = [Followed(number[track], tuple(appearances[track]), rule) for track in order]
    faces = [_face(face, len(face.frames) >= _frames_needed(len(seen))) for face in followed]
    counted = [found for found, face in zip(followed, faces, strict=True) if face.counts]
    stability = _stability(detector, counted, faces)
    taken_in = stability if thorough else {}
    flipped = {number for number, tested in taken_in.items() if tested.flips}
    faces = [replace(face, label=UNSURE, kind=None) if face.number in flipped else face for face in faces]
    whole = [frame.p_fake for frame in seen]
    label, p_fake, reasons = _decide(faces, whole, rule)
    reasons += [*of_video] + [CROWD] * any(frame.crowd for frame in seen)
    reasons += [reason for face in counted for reason in face.remarks(band, taken_in.get(face.number))]
    reasons += warnings(counted, detector.metadata)
    return VideoVerdict(
        label, p_fake, max(p_fake, 1 - p_fake), tuple(dict.fromkeys(reasons)), tuple(faces), timeline, seconds,
        len(seen), tuple(cast(Still, face.typical[0].still) for face in followed), stability,
    )  # fmt: skip


def _face(face: Followed, counts: bool) -> VideoFace:
    key = face.typical[0]
    label = face_label(face.p_fake, face.largest, face.rule.unsure_band) if counts else UNSURE
    return VideoFace(
        face.number,
        label,
        face.p_fake,
        counts,
        len(face.frames),
        face.frames[0].seconds,
        face.frames[-1].seconds,
        key.seconds,
        key.face.box,
        face.largest,
        face.side,
        face.kind if label == FAKE else None,
    )


def _stability(detector: Detector, counted: list[Followed], faces: list[VideoFace]) -> dict[int, Stability]:
    """Of the most suspicious faces that count and are decided, by their number; of none whose pixels were not kept."""
    found = {face.number: face for face in counted}
    tested = {face.number: found[face.number].stability(detector, face.label) for face in decided(faces)}
    return {number: stability for number, stability in tested.items() if stability}


def _frames_needed(frames: int) -> int:
    """In how many of the judged frames a face must be seen to count."""
    return min(MIN_SEEN, frames)


def _decide(faces: list[VideoFace], whole: Sequence[float], rule: VideoRule) -> tuple[str, float, list[Reason]]:
    """Label, p_fake and reasons of a video, by the rule for a picture, see `deepfake_detect.crowd`.

    Args:
        faces: that were followed.
        whole: of every judged frame; where it has no face, the score of all of it.
        rule: gives the band.
    """
    band = rule.unsure_band
    if not faces:
        return UNSURE, _without_faces(whole, rule), [NO_FACE]
    counted = [face for face in faces if face.counts]
    if not counted:
        return (
            UNSURE,
            max(face.p_fake for face in faces),
            [Reason("seldom_seen", TOO_SELDOM.format(_frames_needed(len(whole)), len(whole)))],
        )
    label, p_fake = _weigh(counted, rule)
    reasons = [in_band_reason(band)] if label == label_of(p_fake, band) == UNSURE else []
    # Of faces that are too small, what is said of each says more
    reasons += [remark for remark in remarks(counted, label, band) if remark.code != "face_too_small"]
    if {REAL, FAKE} <= {face.label for face in counted}:
        reasons.append(DISAGREE)
    if len(counted) < len(faces):
        said = LEFT_OUT.format(_frames_needed(len(whole)), len(faces) - len(counted), len(faces))
        reasons.append(Reason("seldom_seen", said))
    suspect = [face for face in faces if not face.counts and label_of(face.p_fake, band) == FAKE]
    if suspect and label == REAL:
        label = UNSURE
        worst = max(suspect, key=lambda face: face.p_fake)
        reasons.append(Reason("suspect_seldom_seen", SUSPECT.format(worst.number)))
    return label, p_fake, reasons


def _weigh(faces: Sequence[VideoFace], rule: VideoRule) -> tuple[str, float]:
    """What several faces come to together, see `deepfake_detect.crowd.weigh`: before the rule's temperature, as the
    faces of pictures are weighed and as the rule was fitted. What they come to then goes through the temperature."""
    low, high = band = rule.unsure_band
    if len(faces) == 1:
        return weigh(faces, band)
    before = (rule.untempered(low), rule.untempered(high))
    label, weighed = weigh([replace(face, p_fake=rule.untempered(face.p_fake)) for face in faces], before)
    least, most = {  # lest rounding move it over an edge of the band
        REAL: (0.0, low),
        UNSURE: (math.nextafter(low, 1), math.nextafter(high, 0)),
        FAKE: (high, 1.0),
    }[label_of(weighed, before)]
    return label, min(max(rule.p_fake(float(log_odds([weighed])[0])), least), most)


def _without_faces(whole: Sequence[float], rule: VideoRule) -> float:
    """Of the scores of whole frames, all of which weigh the same."""
    return rule.p_fake(rule.log_odds(whole, [1] * len(whole), [1.0] * len(whole)))


def decided_again(timeline: Sequence[JudgedFrame], rule: VideoRule) -> tuple[str, float]:
    """Label and p_fake that a video's frames give by another rule, without being thorough.

    Args:
        timeline: of its verdict, with at least one face.
        rule: to decide by.
    """
    appearances = defaultdict(list)  # by face
    for frame in timeline:
        for seen in frame.faces:
            face = Face(seen.box, seen.score, seen.p_fake, UNSURE)
            appearances[seen.face].append(FaceInFrame(frame.seconds, face, seen.sharpness, [], None, None))
    followed = [Followed(number, tuple(frames), rule) for number, frames in sorted(appearances.items())]
    faces = [_face(face, len(face.frames) >= _frames_needed(len(timeline))) for face in followed]
    label, p_fake, _ = _decide(faces, [0.5] * len(timeline), rule)
    return label, p_fake
