"""Video -> verdict: frames judged one by one, faces followed, one verdict per face and one for the video."""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from typing import cast

import numpy as np

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.face.quality import sharpness
from deepfake_detect.video.decide import HDR, INCOMPLETE, MAX_FACES_PER_FRAME, ScoredFrame, verdict_of
from deepfake_detect.video.key_frames import Still, face_pixels
from deepfake_detect.video.reader import WHOLE, open_video, read_frames
from deepfake_detect.video.video_verdict import VideoVerdict


def judge_video(
    detector: Detector,
    path: str | os.PathLike,
    progress: Callable[[int, int], None] | None = None,
    thorough: bool = THOROUGH,
) -> VideoVerdict:
    """Judge a video by at most MAX_FRAMES frames spread over its whole length.

    The verdict's `p_fake` is that of the faces that count together, see `deepfake_detect.crowd.weigh`; of the face most
    likely to be fake, where none does; of the whole frames, where there is no face.

    Args:
        detector: see `Detector`.
        path: a video file, see `deepfake_detect.video.reader` for what is read and the limits.
        progress: called with (frames done, frames in all), first with 0, last with both the same. An exception that
            it raises, to cancel, passes through; the file is closed then.
        thorough: score decided faces again after small changes, and be unsure of those that do not hold, see
            `deepfake_detect.evidence.robustness`.

    Raises:
        VideoError: the video cannot be read, or takes longer than MAX_WORK_SECONDS; the message says why.

    Example:
        >>> verdict = judge_video(Detector("model.onnx"), "clip.mp4")  # doctest: +SKIP
        >>> [(face.number, face.label, face.frames) for face in verdict.faces]  # doctest: +SKIP
        [(1, 'real', 64), (2, 'unsure', 12)]
    """
    with closing(judge_frames(detector, path, thorough)) as steps:
        for step in steps:
            done, total, verdict = step
            if progress:
                progress(done, total)
    return cast(VideoVerdict, verdict)  # the last step's


def judge_frames(
    detector: Detector, path: str | os.PathLike, thorough: bool = THOROUGH, with_stability: bool = False
) -> Generator[tuple[int, int, VideoVerdict | None], None, None]:
    """`judge_video` step by step, for callers that show progress or stop early: close the generator to stop.

    Args:
        detector: see `judge_video`.
        path: see `judge_video`.
        thorough: see `judge_video`.
        with_stability: score decided faces again even where the verdict does not take it in.

    Yields:
        (frames done, frames in all, None), and at the end (all, all, the verdict).

    Raises:
        VideoError: the video cannot be read, or the next frame is asked for after MAX_WORK_SECONDS.
    """
    video = open_video(path)
    total, seen, rescored = len(video.times), [], thorough or with_stability
    yield 0, total, None
    with closing(read_frames(video)) as frames:
        for seconds, frame in frames:
            seen.append(_score_frame(detector, seconds, frame, rescored))
            if len(seen) < total:
                yield len(seen), total, None
    whole = video.whole and len(seen) >= WHOLE * total
    of_video = [INCOMPLETE] * (not whole) + [HDR] * video.hdr
    yield total, total, verdict_of(detector, seen, video.seconds, of_video, thorough)


def _score_frame(detector: Detector, seconds: float, frame: np.ndarray, rescored: bool) -> ScoredFrame:
    """One frame at a time: a batch would gain nothing on a CPU, and hold as many frames in memory."""
    examined = detector.examine(frame, thorough=False, max_faces=MAX_FACES_PER_FRAME, use_all_cores=False)
    verdict, crops = examined.verdict, examined.crops
    pixels = face_pixels(frame, verdict.faces, detector.metadata) if rescored else (None,) * len(verdict.faces)
    clear = tuple(sharpness(crop) for crop in crops.crops[: len(verdict.faces)])
    return ScoredFrame(
        seconds, verdict.faces, clear, verdict.p_fake, crops.warnings, crops.faces_dropped > 0, Still.of(frame), pixels
    )
