"""Clips -> what the detector says of them, frame by frame: kept in a file, so that rules can be tried without judging
again, and that judging goes on where it was cut off."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from os import cpu_count
from pathlib import Path
from time import perf_counter

from tqdm import tqdm

from deepfake_detect.detector import Detector
from deepfake_detect.errors import VideoError
from deepfake_detect.video.decide import decided_again
from deepfake_detect.video.judge import judge_video
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import FaceObservation, JudgedFrame
from train.clips import Clip
from train.data import DataError
from train.identity import network_sha256

VERSION = 1  # of what is kept, and of how frames are judged: scores of another one are made anew


@dataclass(frozen=True)
class ClipScores:
    """One clip as `judge_video` judged it, without being thorough."""

    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # 0..1
    seconds: float  # of the clip
    spent: float  # seconds that judging it took
    timeline: tuple[JudgedFrame, ...]

    @property
    def has_faces(self) -> bool:
        return any(frame.faces for frame in self.timeline)

    def decided(self, rule: VideoRule) -> tuple[str, float]:
        """Label and p_fake by a rule; a clip without faces stays what it is."""
        return decided_again(self.timeline, rule) if self.has_faces else (self.label, self.p_fake)


@dataclass(frozen=True)
class ScoredClips:
    """The clips that could be read, with their scores, and the others."""

    clips: list[Clip]
    scores: list[ClipScores]
    unreadable: list[dict]  # {"clip", "code", "reason"}


def scores_file(folder: Path, detector: Detector) -> Path:
    """Where the scores of a detector are kept: another one for each network and way of reading its scores. The rule for
    videos, which may be fitted on these scores, and measured figures make no difference."""
    described = asdict(detector.metadata)
    del described["metrics"], described["video"]
    key = json.dumps([VERSION, network_sha256(detector.model.path), described], sort_keys=True)
    return folder / f"scores_{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl"


def score_clips(detector: Detector, clips: Sequence[Clip], file: Path) -> ScoredClips:
    """Judge every clip that the file does not hold yet; each is added to it as soon as it is judged.

    Args:
        detector: the product's own.
        clips: to judge, as many at once as there are cores.
        file: see `scores_file`.

    Raises:
        DataError: the file is none of these.
    """
    known = _read(file)
    left = [clip for clip in clips if _key(clip) not in known]
    if left:
        file.parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(cpu_count()) as pool, file.open("a", encoding="utf-8") as out:
            judged = pool.map(lambda clip: _judge(detector, clip), left)
            for clip, record in zip(
                left, tqdm(judged, total=len(left), desc="clips", unit="clip", disable=None), strict=True
            ):
                known[_key(clip)] = record
                if record.get("code") != "too_slow":  # which is of this hour, not of the clip
                    out.write(json.dumps({"clip": _key(clip)} | record) + "\n")
                    out.flush()
    found = [(clip, known[_key(clip)]) for clip in clips]
    return ScoredClips(
        [clip for clip, record in found if "code" not in record],
        [_scores(record) for _, record in found if "code" not in record],
        [{"clip": clip.name} | record for clip, record in found if "code" in record],
    )


def _key(clip: Clip) -> str:
    return f"{clip.name}, {clip.path.stat().st_size} bytes"


def _judge(detector: Detector, clip: Clip) -> dict:
    started = perf_counter()
    try:
        verdict = judge_video(detector, clip.path, thorough=False)
    except VideoError as error:
        return {"code": error.code, "reason": str(error)}
    frames = [
        [frame.seconds, [[f.face, f.box, f.score, f.p_fake, f.sharpness] for f in frame.faces]]
        for frame in verdict.timeline
    ]
    spent = perf_counter() - started
    return {"label": verdict.label, "p_fake": verdict.p_fake, "seconds": verdict.seconds, "spent": spent,
            "frames": frames}  # fmt: skip


def _scores(record: dict) -> ClipScores:
    timeline = tuple(
        JudgedFrame(seconds, tuple(FaceObservation(number, tuple(box), *rest) for number, box, *rest in faces))
        for seconds, faces in record["frames"]
    )
    return ClipScores(record["label"], record["p_fake"], record["seconds"], record["spent"], timeline)


def _read(file: Path) -> dict[str, dict]:
    """What a file holds, whose last line may have been cut off; that is taken away."""
    if not file.is_file():
        return {}
    whole, _, rest = file.read_bytes().rpartition(b"\n")
    if rest:
        with file.open("r+b") as opened:
            opened.truncate(len(whole) + 1 if whole else 0)
    try:
        records = [json.loads(line) for line in whole.splitlines()]
        return {record.pop("clip"): record for record in records}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{file} does not hold scores of clips; delete it, and they are made anew.") from None
