"""Verdicts as pictures: faces framed in the colour of their label, which always stands beside its word."""

import numpy as np
from PIL import Image, ImageDraw

from detect.crop import Box, crop_box
from detect.explain import MAX_SHOWN, WORDS, face_name, faces_shown
from detect.verdict import FAKE, REAL, UNSURE, Verdict
from detect.video import VideoVerdict, key_frames

VIEW_SIDE = 1024  # pixels of a picture that is shown
TILE_SIDE, TILE_MARGIN = 480, 0.6  # of a key frame: pixels, and what is shown on each side of a face of length 1
COLOURS = {REAL: "#1d6fd8", FAKE: "#d1343c", UNSURE: "#8a6d00"}
WORD_COLOURS = {WORDS[name]: colour for name, colour in COLOURS.items()}
FACE_COLOURS = {face_name(n, name): colour for name, colour in COLOURS.items() for n in range(1, MAX_SHOWN + 1)}
# Of the lines in a timeline, told apart with any kind of colour vision (Okabe & Ito 2008).
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#b8a800")


def framed(picture: np.ndarray, verdict: Verdict) -> tuple:
    """The picture, at most VIEW_SIDE pixels large, and a labelled frame per face, for gr.AnnotatedImage."""
    view = Image.fromarray(picture)
    view.thumbnail((VIEW_SIDE, VIEW_SIDE))
    scale = view.width / picture.shape[1], view.height / picture.shape[0]
    thick = thickness(view)
    frames = []
    for name, face in faces_shown(verdict):
        left, top, right, bottom = (round(x * scale[i % 2]) for i, x in enumerate(face.box))
        frame = np.zeros((view.height, view.width), np.float32)
        frame[top:bottom, left:right] = 1
        frame[top + thick : bottom - thick, left + thick : right - thick] = 0  # the face itself stays untinted
        frames.append((frame, name))
    return view, frames


def key_pictures(verdict: VideoVerdict) -> list[tuple[Image.Image, str]]:
    """Each face with its surroundings in its key frame, framed, TILE_SIDE pixels large, and a line on it."""
    frames = []
    for face, picture, box in key_frames(verdict, MAX_SHOWN):
        view = _surroundings(Image.fromarray(picture), box, COLOURS[face.label])
        frames.append((view, f"{face_name(face.number, face.label)}, at {face.key_seconds:.1f} s"))
    return frames


def _surroundings(picture: Image.Image, box: Box, colour: str) -> Image.Image:
    """The square around a face, or more where that would not hold all of it, with a frame around the face: small faces
    are enlarged first, so that all frames are equally thick."""
    square = crop_box(box, TILE_MARGIN, *picture.size)
    left, top = (max(0, round(min(square[side], box[side]))) for side in (0, 1))
    right, bottom = (min(picture.size[side], round(max(square[side + 2], box[side + 2]))) for side in (0, 1))
    view = picture.crop((left, top, right, bottom))
    scale = TILE_SIDE / max(view.size)
    view = view.resize([max(1, round(side * scale)) for side in view.size], Image.Resampling.BICUBIC)
    corners = [round((side - start) * scale) for side, start in zip(box, (left, top) * 2, strict=True)]
    ImageDraw.Draw(view).rectangle(corners, outline=colour, width=thickness(view))
    return view


def thickness(view: Image.Image) -> int:
    """Of a frame, in pixels."""
    return max(2, max(view.size) // 150)
