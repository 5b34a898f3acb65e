"""Animations: the first frame that shows something, as many begin with a blank one."""

import io
import struct
from contextlib import suppress
from time import monotonic

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.PngImagePlugin import PngImageFile

from deepfake_detect.errors import PictureError
from deepfake_detect.picture.decoders import FORMATS, PlainAvif, PlainWebp
from deepfake_detect.picture.pixels import DECODER_ERRORS, pixels_of

MAX_FRAMES = 40  # that are looked at
MAX_SECONDS = 2  # by the clock: on a busy machine, fewer frames are looked at
MAX_PIXELS = 12_500_000  # of a frame: the decoders of animations hold several
MAX_SUM = 100_000_000  # pixels of all frames that are looked at
UNIFORM = 8  # levels between the darkest and the brightest pixel of each channel, at most, of a blank frame

_KINDS = (GifImageFile, PngImageFile, PlainWebp, PlainAvif)


def may_go_on(image: Image.Image) -> bool:
    """Whether a picture is of a format that has animations; the pages of a TIFF are none."""
    return isinstance(image, _KINDS)


def is_blank(pixels: np.ndarray) -> bool:
    """Whether a frame [H, W, 3] uint8 is of one colour, as one is that is transparent all over."""
    return _is_uniform(pixels[::16, ::16]) and _is_uniform(pixels)


def first_shown(data: bytes) -> np.ndarray | None:
    """The first frame that is not blank, among those that follow the first one.

    Args:
        data: an animation's file, whose first frame was read.

    Returns:
        As `deepfake_detect.picture.pixels.pixels_of`; None where there is none within the limits.
    """
    until = monotonic() + MAX_SECONDS
    # the frames may end, or be damaged
    with suppress(PictureError, *DECODER_ERRORS), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        size = image.size
        frames = min(MAX_FRAMES, MAX_SUM // (size[0] * size[1]))
        if isinstance(image, GifImageFile):
            frames = min(frames, _frames_within(data, size))
        for frame in range(1, frames):
            image.seek(frame)
            if image.size != size or monotonic() > until:
                break
            pixels = pixels_of(image, data)
            if not is_blank(pixels):
                return pixels
    return None


def _is_uniform(pixels: np.ndarray) -> bool:
    flat = pixels.reshape(-1, 3)
    return bool((flat.max(0) - flat.min(0) <= UNIFORM).all())


def _frames_within(gif: bytes, size: tuple[int, int]) -> int:
    """How many of a GIF's first MAX_FRAMES frames lie within it: for one that does not, Pillow would take memory before
    it tells its size."""
    at, frames = 13 + _table(gif[10]), 0
    try:
        while frames < MAX_FRAMES:
            if gif[at] == 0x2C:
                left, top, width, height, flags = struct.unpack_from("<HHHHB", gif, at + 1)
                if left + width > size[0] or top + height > size[1]:
                    break
                at += 10 + _table(flags) + 1
                frames += 1
            elif gif[at] == 0x21:
                at += 2
            else:
                break
            while length := gif[at]:
                at += 1 + length
            at += 1
    except (IndexError, struct.error):
        pass  # cut short
    return frames


def _table(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
