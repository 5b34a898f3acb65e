"""Verdicts as pictures: faces framed in the colour of their label, which always stands beside its word."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deepfake_detect.face.crop import Box, crop_box
from deepfake_detect.report.sentences import MAX_SHOWN, face_name, faces_shown
from deepfake_detect.verdict import FAKE, NO_FACE, REAL, UNSURE, Verdict
from deepfake_detect.video.video_verdict import VideoVerdict, key_frames

VIEW_SIDE = 1024  # pixels of a picture that is shown
TILE_SIDE, TILE_MARGIN = 480, 0.6  # of a key frame: pixels, and what is shown on each side of a face of length 1
COLOURS = {REAL: "#1d6fd8", FAKE: "#d1343c", UNSURE: "#8a6d00", NO_FACE: "#555555"}  # of words and bars, on white
FRAMES = {REAL: "#5aa9ff", FAKE: "#ff6b6b", UNSURE: "#ffc83d"}  # light, with a dark edge: seen on hair and on sky
EDGE = "#111111"
# Of the lines of a video's faces, which are neutral, so that none has the colour of a verdict: pixels of a dash and of
# the gap behind it, None for a whole line
DASHES = (None, (9, 5), (2, 4), (16, 4), (6, 3), (1, 6), (12, 8), (4, 2))


def framed(
    picture: np.ndarray,
    verdict: Verdict,
    largest: tuple[int, int] = (VIEW_SIDE, VIEW_SIDE),
    enlarge: float = 1,
    downscale: float = 1,
) -> Image.Image:
    """The picture with a frame around each face of `faces_shown`, and its number on the frame.

    Args:
        picture: [H, W, 3] uint8 RGB.
        largest: width and height in pixels that the view may have at most.
        enlarge: how many times as large as the picture it may be.
        downscale: pixels of the whole picture, in which the faces' boxes are, for one of `picture`, each way.
    """
    height, width = picture.shape[:2]
    scale = min(largest[0] / width, largest[1] / height, enlarge)
    view = Image.fromarray(picture).resize([max(1, round(side * scale)) for side in (width, height)])
    for name, face in faces_shown(verdict):
        scales = (view.width / width / downscale, view.height / height / downscale)
        box = tuple(round(edge * scales[i % 2]) for i, edge in enumerate(face.box))
        frame(view, box, name, FRAMES[face.label])
    return view


def frame(view: Image.Image, box: Sequence[int], name: str, colour: str) -> None:
    """Draw a frame with a name on it, or only the number that the name begins with where there is room for no more."""
    draw = ImageDraw.Draw(view)
    left, top, right, bottom = (min(max(0, x), view.size[i % 2] - 1) for i, x in enumerate(box))
    thick = min(thickness(view), max(2, (right - left) // 12))
    rim = max(1, thick // 4)
    draw.rectangle((left - rim, top - rim, right + rim, bottom + rim), outline=EDGE, width=thick + 2 * rim)
    draw.rectangle((left, top, right, bottom), outline=colour, width=thick)
    font = ImageFont.load_default(min(30, max(13, max(view.size) // 34)))
    words = name if font.getlength(name) + 8 <= right - left else name.partition(":")[0]
    room = (draw.textbbox((0, 0), words, font)[3] + 6, round(font.getlength(words)) + 8)
    above = max(0, top - room[0])
    across = min(left, max(0, view.width - room[1]))
    draw.rectangle((across, above, across + room[1], above + room[0]), fill=colour, outline=EDGE)
    draw.text((across + 4, above + 2), words, EDGE, font)


def key_pictures(verdict: VideoVerdict) -> list[tuple[Image.Image, str]]:
    """Each face with its surroundings in its key frame, framed, TILE_SIDE pixels large, and a line on it."""
    frames = []
    for face, picture, box in key_frames(verdict, MAX_SHOWN):
        name = face_name(face.number, face.label)
        view = _surroundings(Image.fromarray(picture), box, name, FRAMES[face.label])
        frames.append((view, f"{name}, at {face.key_seconds:.1f} s"))
    return frames


def _surroundings(picture: Image.Image, box: Box, name: str, colour: str) -> Image.Image:
    """The square around a face, or more where that would not hold all of it, with a frame around the face: small faces
    are enlarged first, so that all frames are equally thick."""
    square = crop_box(box, TILE_MARGIN, *picture.size)
    left, top = (max(0, round(min(square[side], box[side]))) for side in (0, 1))
    right, bottom = (min(picture.size[side], round(max(square[side + 2], box[side + 2]))) for side in (0, 1))
    view = picture.crop((left, top, right, bottom))
    scale = TILE_SIDE / max(view.size)
    view = view.resize([max(1, round(side * scale)) for side in view.size], Image.Resampling.BICUBIC)
    corners = [round((side - start) * scale) for side, start in zip(box, (left, top) * 2, strict=True)]
    frame(view, corners, name, colour)
    return view


def thickness(view: Image.Image) -> int:
    """Of a frame, in pixels."""
    return max(3, max(view.size) // 140)
