"""Faces of successive frames -> tracks, by position: who is the same face as before."""

from collections.abc import Sequence
from itertools import count
from math import hypot, inf

from deepfake_detect.face.crop import Box

# Frames lie up to five seconds apart. Faces of people beside each other are further apart than one face is long, and
# to take two people for one would hide the one who is fake behind the other, so doubt starts a new track.
MAX_SHIFT = 1.0  # of a face's centre from one frame to the next, in lengths of the larger face
MAX_GROWTH = 1.6  # of its length; a cut to a close-up is more
MAX_GAP = 2  # frames that a face may be missing: turned away, behind a hand


def follow(frames: Sequence[Sequence[Box]]) -> list[list[int]]:
    """Link faces greedily, the nearest first.

    Args:
        frames: for each frame, in order, the boxes of its faces in pixels.

    Returns:
        For each frame the track of each of its faces; tracks are numbered from 0 as they appear.
    """
    last: dict[int, tuple[int, Box]] = {}  # track -> the frame in which it was last seen, and where
    numbers = count()
    tracks = []
    for now, boxes in enumerate(frames):
        last = {track: (seen, box) for track, (seen, box) in last.items() if now - seen <= MAX_GAP + 1}
        pairs = sorted(
            (distance, track, face)
            for track, (_, before) in last.items()
            for face, box in enumerate(boxes)
            if (distance := _apart(before, box)) <= MAX_SHIFT
        )
        linked: dict[int, int] = {}  # face -> track
        taken: set[int] = set()  # tracks
        for _, track, face in pairs:
            if face not in linked and track not in taken:
                linked[face] = track
                taken.add(track)
        for face, box in enumerate(boxes):
            if face not in linked:
                linked[face] = next(numbers)
            last[linked[face]] = now, box
        tracks.append([linked[face] for face in range(len(boxes))])
    return tracks


def _apart(one: Box, other: Box) -> float:
    """Distance of the centres of two boxes in lengths of the larger; infinite where one is much the larger."""
    shorter, longer = sorted(max(right - left, bottom - top) for left, top, right, bottom in (one, other))
    if longer > MAX_GROWTH * shorter:
        return inf
    across, down = (one[i] + one[i + 2] - other[i] - other[i + 2] for i in (0, 1))
    return hypot(across, down) / 2 / longer
