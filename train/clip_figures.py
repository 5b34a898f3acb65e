"""Judged clips -> figures: of the rule that is served, of others, and of single frames."""

from collections.abc import Callable, Sequence

import numpy as np

from deepfake_detect.crowd import face_label, weigh
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Face
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import JudgedFrame
from train.clip_scores import ClipScores
from train.clips import Clip
from train.metrics import THRESHOLD, binary_metrics, decided_metrics, grouped_intervals, wilson

PLACES = 16  # of single frames, spread over a clip
Band = tuple[float, float]
Said = tuple[str, float]  # label, p_fake


def figures(clips: Sequence[Clip], said: Sequence[Said], with_intervals: bool = True) -> dict:
    """What verdicts on clips are worth.

    Args:
        clips: [N], of one class or of both.
        said: [N] of the same clips.
        with_intervals: of groups resampled, and Wilson's for rates of one class.

    Returns:
        {"clips", "real", "fake", "groups": how many; "auc", "accuracy", "balanced_accuracy" at p_fake 0.5, of both
        classes alone; "decided": see `decided_metrics`; "false_alarms": share of the real clips called fake, "found":
        share of the fakes called fake, each {"rate", "wrong" or "right", "of", "interval"}, None where there is no such
        clip; "interval"}.
    """
    labels, words = np.array([clip.label for clip in clips]), np.array([label for label, _ in said])
    p_fake, groups = np.array([p for _, p in said]), np.array([clip.group for clip in clips])
    real, fake = int((labels == 0).sum()), int((labels == 1).sum())
    row = {"clips": len(clips), "real": real, "fake": fake, "groups": len(set(groups.tolist()))}
    if real and fake:
        metrics = binary_metrics(p_fake, labels)
        row |= {name: metrics[name] for name in ("auc", "accuracy", "balanced_accuracy")}
        if with_intervals:
            found = grouped_intervals(p_fake, labels, groups)
            row["interval"] = {name: found[name] for name in ("auc", "accuracy", "balanced_accuracy") if name in found}
    row["decided"] = decided_metrics(words.tolist(), labels)
    row["false_alarms"] = _share("wrong", int(((labels == 0) & (words == FAKE)).sum()), real)
    row["found"] = _share("right", int(((labels == 1) & (words == FAKE)).sum()), fake)
    return row


def _share(name: str, count: int, of: int) -> dict | None:
    return {"rate": count / of, name: count, "of": of, "interval": wilson(count, of)} if of else None


def by(clips: Sequence[Clip], said: Sequence[Said], name: Callable[[Clip], str]) -> dict[str, dict]:
    """`figures` of the fakes of each name, each against the real clips of the same sources, or of all where these have
    none."""
    parts = {}
    for value in sorted({name(clip) for clip in clips if clip.label == 1}):
        fakes = [n for n, clip in enumerate(clips) if clip.label == 1 and name(clip) == value]
        sources = {clips[n].source for n in fakes}
        reals = [n for n, clip in enumerate(clips) if clip.label == 0]
        own = [n for n in reals if clips[n].source in sources] or reals
        chosen = sorted(fakes + own)
        parts[value] = figures([clips[n] for n in chosen], [said[n] for n in chosen])
    return parts


def single_frames(clips: Sequence[Clip], scores: Sequence[ClipScores], band: Band) -> dict[str, dict]:
    """What verdicts on single frames would be worth, by the rule for pictures.

    Returns:
        "mean": the mean of the figures of frames at PLACES places of every clip; "best": those of the place with the
        highest AUC, which nobody knows beforehand; "most suspicious": of the frame that looks most like a fake, in
        every clip; "average": of the mean chance of all frames. Each {"auc", "accuracy", "coverage", "right",
        "false_alarms"}.
    """
    frames = [[frame_said(frame, band) for frame in one.timeline] for one in scores]
    places = []
    for place in range(PLACES):
        said = [of[int((place + 0.5) / PLACES * len(of))] for of in frames]
        places.append(_short(figures(clips, said, with_intervals=False)))
    best = max(places, key=lambda row: row["auc"])
    highest = [max(of, key=lambda said: said[1]) for of in frames]
    averages = [float(np.mean([p for _, p in of])) for of in frames]
    plain = [(FAKE if p >= band[1] else REAL if p <= band[0] else UNSURE, p) for p in averages]
    return {
        "mean": {name: _mean([row[name] for row in places]) for name in best},
        "best": best,
        "most suspicious": _short(figures(clips, highest, with_intervals=False)),
        "average": _short(figures(clips, plain, with_intervals=False)),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _short(row: dict) -> dict:
    return {
        "auc": row["auc"],
        "accuracy": row["accuracy"],
        "coverage": row["decided"]["coverage"],
        "right": row["decided"]["accuracy"],
        "false_alarms": row["false_alarms"]["rate"],
    }


def frame_said(frame: JudgedFrame, band: Band) -> Said:
    """Label and p_fake of a single frame, as of a picture; unsure and THRESHOLD where it has no face."""
    faces = [Face(seen.box, seen.score, seen.p_fake, UNSURE) for seen in frame.faces]
    faces = [Face(f.box, f.score, f.p_fake, face_label(f.p_fake, f.side, band)) for f in faces]
    return weigh(faces, band) if faces else (UNSURE, THRESHOLD)


def of_split(clips: Sequence[Clip], scores: Sequence[ClipScores], rule: VideoRule, band: Band) -> dict:
    """All figures of one split.

    Args:
        clips: [N] of the split, of both classes.
        scores: [N] of them.
        rule: that is served.
        band: the model's, for pictures.

    Returns:
        {"all", "methods", "compressions": see `figures`; "rules": {"plain": what holds without a fitted rule, and see
        `single_frames`}; "no_face": clips without one; "seconds": {"median", "most"} that judging a clip took, "clips":
        the median length}.
    """
    said = [one.decided(rule) for one in scores]
    plain = [one.decided(VideoRule(band)) for one in scores]
    spent = [one.spent for one in scores]
    return {
        "all": figures(clips, said),
        "methods": by(clips, said, lambda clip: clip.method),
        "compressions": by(clips, said, lambda clip: f"{clip.source or 'clips'}, {clip.compression}"),
        "rules": {"plain": _short(figures(clips, plain, with_intervals=False)), **single_frames(clips, scores, band)},
        "no_face": sum(not one.has_faces for one in scores),
        "seconds": {
            "median": float(np.median(spent)),
            "most": max(spent),
            "clip": float(np.median([one.seconds for one in scores])),
        },
    }
