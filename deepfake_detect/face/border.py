"""A picture's plain borders: the bars of a letterbox, the margins of a screenshot, a frame of any one colour."""

import numpy as np

SAMPLES = 64  # pixels of a line that are looked at
EVEN = 8  # levels of 255 by which a border may differ from its own colour
UNEVEN = 24  # and its outermost line: in a narrow border, JPEG rings up to the edge
OUTLIERS = 0.02  # share of a line of the border that may differ all the same
EDGE = 0.6  # share of a picture's first line that differs: a border ends along a line, a plain backdrop around a head
RINGS = 17  # lines before that in which something may differ: a block of JPEG with chroma at half its size, and one
SHARP = 0.6  # share of the edge's height that two lines make: the side of a face against the dark is softer
PLAIN = 2  # levels by which a border differs from its colour that needs no sharp edge: JPEG blurs colours over a block
ROUNDS = 3  # one border may lie around another

Frame = tuple[int, int, int, int]


def content(picture: np.ndarray) -> Frame:
    """Where a picture [H, W, 3] uint8 lies inside its plain borders: left, top, right, bottom; all of it without any.

    A border ends in a straight edge. A plain backdrop behind a person does not, and stays.
    """
    height, width = picture.shape[:2]
    frame = [0, 0, width, height]
    around = all(_is_even(line) for line in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    for number in range(ROUNDS):
        before = list(frame)
        for side in range(4):
            left, top, right, bottom = frame
            inner = picture[top:bottom, left:right]
            lines = (inner.swapaxes(0, 1), inner, inner[:, ::-1].swapaxes(0, 1), inner[::-1])[side]
            depth = _depth(lines, around and not number)
            frame[side] += depth if side < 2 else -depth
        if frame == before:
            break
    return tuple(frame)


def _is_even(line: np.ndarray) -> bool:
    line = line[:: max(1, len(line) // SAMPLES)]
    return (np.abs(line - np.median(line, axis=0)).max(axis=1) > UNEVEN).mean() <= OUTLIERS


def _depth(lines: np.ndarray, around: bool) -> int:
    """How many of the first lines [L, P, 3] are border; 0 where no edge ends it. Of a border that goes all `around` the
    picture the edge need not be clean: there is no body that would reach the edge."""
    lines = lines[:, :: max(1, lines.shape[1] // SAMPLES)]
    colour = np.median(lines[0], axis=0)
    if not _is_even(lines[0]):
        return 0
    differs = np.abs(lines - np.rint(colour).astype(np.int16)).max(axis=2)
    begins = int(((differs > EVEN).mean(axis=1) > OUTLIERS).argmax())
    within = np.flatnonzero((differs[begins:] > EVEN).mean(axis=0) > OUTLIERS)  # beside it there may be border, too
    if not len(within):
        return 0
    near = differs[begins : begins + RINGS, within[0] : within[-1] + 1]
    level = np.quantile(near, 1 - EDGE, axis=1)
    rise = np.diff(level, prepend=0)
    edge = int(rise.argmax())
    height = level[edge : edge + 4].max()
    sharp = level[min(edge + 1, len(level) - 1)] - level[max(edge - 1, 0)] * (edge > 0) > SHARP * height
    plain = begins > 0 and ((differs[:begins] > PLAIN).mean(axis=1) <= OUTLIERS).mean() > 0.5
    before = near[: max(0, edge - 1)] > height / 2  # what rings is fainter than the picture, a head is not
    if not around and before.size and before.mean(axis=1).max() > OUTLIERS:
        return 0
    return begins + edge if height > EVEN and (sharp or plain) else 0
