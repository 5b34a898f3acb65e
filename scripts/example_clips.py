"""The clips of examples/, each a camera that moves over a picture of that folder, in which nothing moves.

Those in clips/ show what a manifest of clips looks like; nothing is measured on them. Those in videos/ can be tried on
the page.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.picture.decode import open_picture

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CLIPS = {  # path: label, method, group, portrait
    "test/real/portrait_000.mp4": ("real", "original", "hopper", "real_grace_hopper.jpg"),
    "test/fake/portrait_000.mp4": ("fake", "train blend", "tesla", "fake_swap.jpg"),
}
COLUMNS = ("path", "split", "label", "source", "method", "compression", "group", "origin")
SMALL, FPS = (240, 288), 12
CODEC = {"preset": "veryslow"}
Size = tuple[int, int]  # width and height of a view


def draw_near(portrait: np.ndarray, size: Size, count: int) -> Iterator[np.ndarray]:
    """Views [H, W, 3] uint8 RGB of a portrait: the camera draws near, and sways a little."""
    height, width = portrait.shape[:2]
    fit = max(size[0] / width, size[1] / height)
    for number in range(count):
        way = number / (count - 1)
        x, y = width / 2 + 0.02 * width * np.sin(4 * way), height / 2 - 0.02 * height * way
        yield _view(portrait, size, fit * (1.05 + 0.1 * way), x, y)


def pass_by(group: np.ndarray, size: Size, count: int) -> Iterator[np.ndarray]:
    """Views [H, W, 3] uint8 RGB of a picture of several people: the camera goes from the left to the right end."""
    height, width = group.shape[:2]
    scale = size[1] / height
    half = size[0] / scale / 2
    for number in range(count):
        yield _view(group, size, scale, half + (width - 2 * half) * number / (count - 1), height / 2)


VIDEOS: dict[str, tuple[str, Callable[[np.ndarray, Size, int], Iterable[np.ndarray]], Size]] = {
    "group_portraits.mp4": ("group_portraits.jpg", pass_by, (480, 342)),
    "real_eileen_collins.mp4": ("real_eileen_collins.jpg", draw_near, (320, 400)),
}


def _view(picture: np.ndarray, size: Size, scale: float, x: float, y: float) -> np.ndarray:
    """What is seen around a place of a picture, so many times as large."""
    shown = np.array([[scale, 0, size[0] / 2 - scale * x], [0, scale, size[1] / 2 - scale * y]])
    return cv2.warpAffine(picture, shown, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)


def write_clip(views: Iterable[np.ndarray], size: Size, path: Path, crf: int) -> None:
    """A clip as H.264 in MP4, of which a browser can show the beginning before the end has come."""
    start = {"movflags": "+faststart"}
    with atomic_write(path) as partial, av.open(partial, "w", format="mp4", options=start) as container:
        stream = container.add_stream("libx264", rate=FPS, options=CODEC | {"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for view in views:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(view), "rgb24")))
        container.mux(stream.encode(None))


def write_videos(folder: Path) -> None:
    """The clips of the page, of four seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (picture, moved, size) in VIDEOS.items():
        write_clip(moved(open_picture(EXAMPLES / picture), size, 4 * FPS), size, folder / name, 24)


def write_data(folder: Path) -> None:
    """The data folder of clips of two seconds, with its manifest."""
    rows = []
    for path, (label, method, group, portrait) in CLIPS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_clip(draw_near(open_picture(EXAMPLES / portrait), SMALL, 2 * FPS), SMALL, folder / path, 30)
        rows.append((path, "test", label, "portrait", method, "crf 30", group, f"examples/{portrait}"))
    with atomic_write(folder / "manifest.csv") as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])


def main(folder: Path) -> int:
    write_data(folder / "clips")
    write_videos(folder / "videos")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES))
