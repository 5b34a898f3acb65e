"""Picture -> faces: where YuNet is asked, at which scales and turns, and what of its answers is believed.

Plain borders are left out of the search. The whole is searched on a small copy; a large picture once more on a larger
copy, in strips. YuNet is nearly blind to a face of 12 pixels and sure of the same pixels enlarged, so that places with
the least evidence are looked at again, enlarged: that is how small faces are found without searching every pixel.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_detect.face.border import content
from deepfake_detect.face.crop import Box
from deepfake_detect.face.found import FoundFace, moved
from deepfake_detect.face.second_look import CLEAR, confirmed, is_face, is_upright, screened
from deepfake_detect.face.tilt import is_cut_off, levelled
from deepfake_detect.face.yunet import SCORE, XS, YS, Yunet

COARSE_SIDE = 320  # YuNet was trained for faces of about 10 to 300 pixels: a portrait is found best on a small copy
FINE_SIDE = 1024  # of the larger copy, at least, where the small one shows no portrait
PORTRAIT_SHARE = 0.2  # of the picture's longest side, from which a face is one
STRIP, OVERLAP = 400_000, 96  # pixels of a strip of the larger copy; a face larger than this is found on the small copy
MIN_SCORE = 0.7
MIN_FACE = 48  # pixels of the original: faces of this size are looked for whatever the picture's size
NEARLY = 1.1  # so little larger a copy shows no more
MIN_PLACE = 32  # pixels of the original from which faint evidence is looked at again, with room for a wrong size
# In a picture that was decoded at part of its size, which is a large one, time counts for more
REDUCED_EVIDENCE_SIDE = 12
EVIDENCE_SIDE, EVIDENCE = 16, 0.015  # to how many pixels such a face may shrink, and what YuNet says of most of those
FAINT_SIDE = 32  # pixels of a copy up to which a face may be faint
MAX_PLACES = 256  # looked at again
MAX_EVIDENCE = 1024  # places, the likeliest, that are told apart at all
STEADY_SIDE = 64  # pixels of a copy: the box of a smaller face is taken from an enlarged look
CREDIBLE = 0.85  # a score under this may be that of a face which is turned
GAIN = 0.03  # by how much a turned copy must be surer
SAME = 0.3  # of the smaller of two boxes, from which on what they share makes them one face
TURNS = (90, 270, 180, 45, 315, 135, 225)  # degrees


@dataclass(frozen=True)
class Search:
    """What was found in a picture, and what was not looked at."""

    faces: tuple[FoundFace, ...]  # largest first
    places_dropped: int = 0  # that might be small faces, beyond MAX_PLACES


class FaceFinder:
    """Finds faces. One instance serves any number of threads.

    Args:
        min_score: faces under this confidence (0..1) are not reported.
    """

    def __init__(self, min_score: float = MIN_SCORE):
        self.min_score = min_score
        self._yunet = Yunet()
        self._pool = ThreadPoolExecutor(2)  # for the two halves of a large picture

    def find(self, picture: np.ndarray) -> list[FoundFace]:
        """Faces of a picture [H, W, 3] uint8 RGB, largest first; boxes lie inside the picture."""
        return list(self.search(picture).faces)

    def search(self, picture: np.ndarray, downscale: int = 1) -> Search:
        """`find`, with what was not looked at.

        Args:
            picture: [H, W, 3] uint8 RGB.
            downscale: pixels of the original for one of these, see `deepfake_detect.picture.decode.Downscaled`.
        """
        height, width = picture.shape[:2]
        left, top, right, bottom = frame = content(picture)
        inner = np.ascontiguousarray(picture[top:bottom, left:right])
        faces, places_dropped = self._upright(inner, downscale)
        if not any(self._is_credible(face, inner) for face in faces):
            faces = self._with_turned(inner, faces)
        faces = [levelled(self._yunet, inner, face) for face in faces]
        if frame != (0, 0, width, height):
            faces = [moved(face, left, top, frame) for face in faces]
        return Search(tuple(sorted(faces, key=lambda face: face.side, reverse=True)), places_dropped)

    def _is_credible(self, face: FoundFace, picture: np.ndarray) -> bool:
        if face.score >= CREDIBLE or is_cut_off(face, picture):
            return True
        portrait = face.side >= PORTRAIT_SHARE * max(picture.shape[:2])
        return portrait and is_upright(self._yunet, picture, face.box)

    def _upright(self, picture: np.ndarray, downscale: int) -> tuple[list[FoundFace], int]:
        longest = max(picture.shape[:2])
        small, scale = _shrunk(picture, COARSE_SIDE)
        rows = self._yunet.rows(small, min(EVIDENCE, self.min_score))
        large = rows[:, 2:4].max(axis=1) >= STEADY_SIDE
        clear = (rows[:, SCORE] >= CLEAR) & (small is picture)  # its box has been drawn on all the pixels there are
        sure = (rows[:, SCORE] >= self.min_score) & (large | clear)
        faces = [_face(row, scale, picture) for row in rows[sure] if is_face(self._yunet, small, row)]
        places = [_scaled(self._small(rows[~sure]), scale)]
        portrait = any(face.side >= PORTRAIT_SHARE * longest for face in faces)
        evidence_side = EVIDENCE_SIDE if downscale == 1 else REDUCED_EVIDENCE_SIDE
        needed = longest * min(1.0, evidence_side * downscale / MIN_FACE)
        fine = min(longest, max(needed, 0 if portrait else FINE_SIDE))
        if fine > COARSE_SIDE and (not portrait or needed > COARSE_SIDE * NEARLY):
            places.append(self._strips(picture, round(fine)))
        rows, too_many = _likeliest(np.concatenate(places))
        rows = _apart(rows, [face.box for face in faces])
        rows = rows[(rows[:, SCORE] >= self.min_score) | (rows[:, 2:4].max(axis=1) * downscale >= MIN_PLACE)]
        weak = np.flatnonzero(rows[:, SCORE] < self.min_score)
        places_dropped = max(0, len(weak) - MAX_PLACES) + too_many
        rows = np.delete(rows, weak[MAX_PLACES:], axis=0)
        rows = rows[(rows[:, SCORE] >= self.min_score) | screened(self._yunet, picture, rows)]
        again = [row for row in (confirmed(self._yunet, picture, row) for row in rows) if row is not None]
        again = [row for row in again if row[SCORE] >= self.min_score]
        kept = _apart(np.stack(again), [face.box for face in faces]) if again else np.empty((0, 0))
        return faces + [_face(row, np.ones(2), picture) for row in kept], places_dropped

    def _small(self, rows: np.ndarray) -> np.ndarray:
        """Without faint evidence of what is no small face: of a large one YuNet would be sure."""
        return rows[(rows[:, SCORE] >= self.min_score) | (rows[:, 2:4].max(axis=1) <= FAINT_SIDE)]

    def _strips(self, picture: np.ndarray, side: int) -> np.ndarray:
        """Rows in pixels of the picture, from a copy of this longest side that is searched in overlapping strips."""
        copy, scale = _shrunk(picture, side)
        along = int(copy.shape[1] >= copy.shape[0])
        length, across = copy.shape[along], copy.shape[1 - along]
        count = max(1, round(length * across / STRIP))
        step = -(-length // count)
        starts = [number * step for number in range(count)]

        def part(start: int) -> np.ndarray:
            begin, end = max(0, start - OVERLAP // 2), min(length, start + step + OVERLAP // 2)
            strip = copy[:, begin:end] if along else copy[begin:end]
            rows = self._small(self._yunet.rows(strip, min(EVIDENCE, self.min_score)))
            rows[:, XS if along else YS] += begin
            return rows

        rows = self._pool.map(part, starts) if count > 1 else map(part, starts)
        return _scaled(np.concatenate(list(rows)), scale)

    def _with_turned(self, picture: np.ndarray, faces: list[FoundFace]) -> list[FoundFace]:
        """The faces, and those that turned copies show; where both show one, the surer counts."""
        small, scale = _shrunk(picture, COARSE_SIDE)
        found = []
        for turn in TURNS:
            turned, back = _turned(small, turn)
            rows = self._yunet.rows(turned, self.min_score)
            found += [
                _turned_back(row, back, turn, scale, picture) for row in rows if is_face(self._yunet, turned, row)
            ]
        kept: list[FoundFace] = []
        for face in sorted(found, key=lambda face: -face.score):
            rivals = [other.score for other in faces if _overlap(face.box, other.box)]
            surer = face.score > max(rivals, default=0) + GAIN * bool(rivals)
            if surer and not any(_overlap(face.box, other.box) for other in kept):
                kept.append(face)
        return kept + [face for face in faces if not any(_overlap(face.box, other.box) for other in kept)]


def _shrunk(picture: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A copy whose longest side is at most so many pixels, and pixels of the picture for one of its, [x, y]."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    small = picture
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small, np.array([width / small.shape[1], height / small.shape[0]])


def _scaled(rows: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return rows * np.append(np.tile(scale, SCORE // 2), 1).astype(np.float32)


def _face(row: np.ndarray, scale: np.ndarray, picture: np.ndarray) -> FoundFace:
    """A row in pixels of a copy as a face of the picture, for whose pixels there are `scale`, [x, y]."""
    height, width = picture.shape[:2]
    corners = np.stack([row[:2], row[:2] + row[2:4]]) * scale
    left, top = np.clip(np.floor(corners[0]), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(corners[1]), [left + 1, top + 1], [width, height]).astype(int)
    landmarks = tuple((float(x), float(y)) for x, y in row[4:14].reshape(5, 2) * scale)
    box = (int(left), int(top), int(right), int(bottom))
    return FoundFace(box, min(1.0, float(row[SCORE])), landmarks)


def _likeliest(rows: np.ndarray) -> tuple[np.ndarray, int]:
    """The MAX_EVIDENCE rows of the highest score, and how many there are beside them."""
    order = np.argsort(-rows[:, SCORE], kind="stable")[:MAX_EVIDENCE]
    return rows[np.sort(order)], len(rows) - len(order)


def _apart(rows: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Rows without those on one of the boxes, or on a more confident row."""
    rows = rows[np.argsort(-rows[:, SCORE], kind="stable")]
    corners = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]).astype(np.float64)
    free = np.ones(len(rows), bool)
    for box in boxes:
        free &= ~_overlaps(corners, box)
    for number in range(len(rows)):
        if free[number]:
            free[number + 1 :] &= ~_overlaps(corners[number + 1 :], corners[number])
    return rows[free].astype(np.float32).reshape(-1, SCORE + 1)


def _overlaps(boxes: np.ndarray, other: Box | np.ndarray) -> np.ndarray:
    """`_overlap` of each of boxes [N, 4] with another: [N] bool."""
    inner = np.minimum(boxes[:, 2:], other[2:]) - np.maximum(boxes[:, :2], other[:2])
    areas = np.minimum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), (other[2] - other[0]) * (other[3] - other[1]))
    return (inner > 0).all(axis=1) & (np.prod(inner, axis=1) > SAME * areas)


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes are of one face: what they share is much of the smaller one, as evidence around a face is no
    face beside it."""
    return bool(_overlaps(np.array([one], np.float64), other)[0])


def _turned(picture: np.ndarray, turn: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture turned anticlockwise by degrees, whole, and the map [2, 3] from its pixels back."""
    height, width = picture.shape[:2]
    onto = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1)
    size = np.rint(np.abs(onto[:, :2]) @ (width, height)).astype(int)
    onto[:, 2] += (size - (width, height)) / 2
    turned = cv2.warpAffine(picture, onto, [int(side) for side in size], flags=cv2.INTER_LINEAR)
    return turned, cv2.invertAffineTransform(onto)


def _turned_back(row: np.ndarray, back: np.ndarray, turn: int, scale: np.ndarray, picture: np.ndarray) -> FoundFace:
    """A row of a turned copy as a face of the picture: around the same centre, as long along each of its sides."""
    x, y = (back @ (*(row[:2] + row[2:4] / 2), 1)) * scale
    share = np.sin(np.radians(turn)) ** 2
    sides = (np.array([[1 - share, share], [share, 1 - share]]) @ row[2:4]) * scale
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor((x, y) - sides / 2), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil((x, y) + sides / 2), [left + 1, top + 1], [width, height]).astype(int)
    landmarks = np.hstack([row[4:14].reshape(5, 2), np.ones((5, 1))]) @ back.T * scale
    places = tuple((float(x), float(y)) for x, y in landmarks)
    box = (int(left), int(top), int(right), int(bottom))
    return FoundFace(box, min(1.0, float(row[SCORE])), places)
