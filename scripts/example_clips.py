"""The clips in examples/clips: a camera that moves over a portrait in the public domain, and over a face swap made of
two. They show what a manifest of clips looks like; nothing is measured on them."""

import csv
import sys
from collections.abc import Iterator
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
WIDTH, HEIGHT, FRAMES, FPS = 240, 288, 24, 12
CODEC = {"crf": "30", "preset": "veryslow"}


def frames(portrait: np.ndarray) -> Iterator[np.ndarray]:
    """Views [HEIGHT, WIDTH, 3] uint8 RGB of a portrait: the camera draws near, and sways a little."""
    height, width = portrait.shape[:2]
    fit = max(WIDTH / width, HEIGHT / height)
    for number in range(FRAMES):
        way = number / (FRAMES - 1)
        scale = fit * (1.05 + 0.1 * way)
        x, y = width / 2 + 0.02 * width * np.sin(4 * way), height / 2 - 0.02 * height * way
        shown = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
        yield cv2.warpAffine(portrait, shown, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)


def write_clip(portrait: np.ndarray, path: Path) -> None:
    """A clip of FRAMES frames as H.264 in MP4."""
    with atomic_write(path) as partial, av.open(partial, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options=CODEC)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames(portrait):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))


def main(folder: Path) -> int:
    rows = []
    for path, (label, method, group, portrait) in CLIPS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_clip(open_picture(EXAMPLES / portrait), folder / path)
        rows.append((path, "test", label, "portrait", method, "crf 30", group, f"examples/{portrait}"))
    with atomic_write(folder / "manifest.csv") as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES / "clips"))
