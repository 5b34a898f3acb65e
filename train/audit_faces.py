"""Pictures of an audit that show faces, drawn by OpenCV: sample sheets, mean faces, pairs that are alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.model.onnx_model import LABELS
from deepfake_detect.picture.decode import open_picture

TILE = 128  # pixels
COLUMNS, ROWS = 8, 4  # of a sample sheet
PAIRS, PAIR_TILE = 12, 208  # of a sheet; pixels
BAR = 26  # pixels, the line of text above a sheet
DARK, LIGHT, GREY = (32, 32, 32), (240, 240, 240), (128, 128, 128)
AMPLIFIED = 4  # times, the difference of two mean faces
JPEG_QUALITY = 90


class FaceSheets:
    """Gathers crops as they are measured and keeps no more of them than the sheets need.

    Args:
        size: side S of the crops, in pixels.
        rng: chooses the samples.
    """

    def __init__(self, size: int, rng: np.random.Generator):
        self._size, self._rng = size, rng
        self._sums = defaultdict(lambda: np.zeros((size, size, 3)))
        self._counts = defaultdict(int)
        self._samples = defaultdict(list)

    def add(self, source: str, label: int, crop: np.ndarray) -> None:
        """Take one crop [S, S, 3] uint8 RGB; each of a source and class is as likely to be shown (reservoir sampling,
        Vitter 1985)."""
        key = source, label
        self._sums[key] += crop
        self._counts[key] += 1
        samples, place = self._samples[key], int(self._rng.integers(self._counts[key]))
        if len(samples) < COLUMNS * ROWS:
            samples.append(crop)
        elif place < COLUMNS * ROWS:
            samples[place] = crop

    def write(self, folder: Path) -> dict[str, str]:
        """Write mean_faces.jpg and samples_<number>_<class>.jpg; returns what each of these files shows."""
        sources = sorted({source for source, _ in self._counts})
        write_picture(folder / "mean_faces.jpg", np.vstack([_bar("mean real | mean fake | difference x 4", 3 * TILE),
                      *(self._means(source) for source in sources)]))  # fmt: skip
        shown = {"mean_faces.jpg": "mean faces by source and class"}
        for number, source in enumerate(sources, 1):
            for label, name in enumerate(LABELS):
                samples = self._samples.get((source, label))
                if samples:
                    file = f"samples_{number:02d}_{name}.jpg"
                    title = f"{source}, {name}: {len(samples)} of {self._counts[source, label]}"
                    write_picture(folder / file, sheet([tile(crop) for crop in samples], COLUMNS, title))
                    shown[file] = f"samples: {source}, {name}"
        return shown

    def _means(self, source: str) -> np.ndarray:
        """One source's row: mean real, mean fake, and what the fakes have more of (brighter than grey) or less."""
        blank = np.full((self._size, self._size, 3), GREY, float)
        keys = [(source, label) for label in range(len(LABELS))]
        means = [self._sums[key] / self._counts[key] if self._counts.get(key) else blank for key in keys]
        both = all(self._counts.get(key) for key in keys)
        difference = (means[1] - means[0]) * AMPLIFIED + GREY if both else blank
        tiles = [tile(np.rint(picture.clip(0, 255)).astype(np.uint8)) for picture in (*means, difference)]
        return np.vstack([_bar(source, 3 * TILE), np.hstack(tiles)])


def write_pairs(closest: Sequence[dict], paths: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Draw the first PAIRS of a report's `closest`, of all and by source, for a person to judge.

    Args:
        closest: see `train.audit_duplicates.duplicates`.
        paths: of the pictures, by the names that the pairs give.
        folder: for pairs.jpg and pairs_<number>.jpg.

    Returns:
        What each of these files shows.
    """
    groups = {"all": closest} if closest else {}
    for pair in closest:
        groups.setdefault(f"of {pair['sources']}", []).append(pair)
    shown = {}
    for number, (name, pairs) in enumerate(groups.items()):
        file = f"pairs_{number:02d}.jpg" if number else "pairs.jpg"
        shown[file] = f"closest pairs across splits, {name}"
        write_picture(folder / file, sheet([_pair(pair, paths) for pair in pairs[:PAIRS]], 3, shown[file]))
    return shown


def _pair(pair: dict, paths: Mapping[str, Path]) -> np.ndarray:
    two = np.hstack([tile(open_picture(paths[pair[key]]), PAIR_TILE) for key in ("a", "b")])
    text = (pair["a"], f"{pair['b']}   {pair['distance']} bits, details {pair['match']:.2f}")
    return np.vstack([*(_bar(line, two.shape[1], 0.45) for line in text), two])


def sheet(tiles: Sequence[np.ndarray], columns: int, title: str) -> np.ndarray:
    """Lay tiles of one size, [h, w, 3] uint8 RGB, out in rows under a title."""
    columns = min(columns, len(tiles))
    blank = np.full_like(tiles[0], DARK[0])
    filled = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.hstack(filled[start : start + columns]) for start in range(0, len(filled), columns)]
    return np.vstack([_bar(title, rows[0].shape[1]), *rows])


def tile(picture: np.ndarray, side: int = TILE) -> np.ndarray:
    """A picture [H, W, 3] uint8 RGB whole inside a dark square [side, side, 3]."""
    scale = side / max(picture.shape[:2])
    width, height = (max(1, round(length * scale)) for length in picture.shape[1::-1])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((side, side, 3), DARK, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cv2.resize(picture, (width, height), interpolation=method)
    return square


def _bar(text: str, width: int, scale: float = 0.5) -> np.ndarray:
    """A line of text; OpenCV's letters are ASCII, and it is made smaller until it fits."""
    text = text.encode("ascii", "replace").decode()
    room = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] + 12
    bar = np.full((BAR, width, 3), DARK, np.uint8)
    scale *= min(1, width / room)
    return cv2.putText(bar, text, (6, BAR - 9), cv2.FONT_HERSHEY_SIMPLEX, scale, LIGHT, 1, cv2.LINE_AA)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write [H, W, 3] uint8 RGB as a JPEG, whole or not at all."""
    _, content = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    with atomic_write(path) as partial:
        partial.write_bytes(content.tobytes())
