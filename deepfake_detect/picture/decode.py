"""Untrusted bytes -> picture: an RGB array of shape [height, width, 3], uint8, 0..255, upright, in sRGB's colours.

Training and measuring open whole pictures; the detector opens a large JPEG at part of its size, as `open_downscaled`
does. What that changes is measured by `bench/reduced.py`.
"""

import io
import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from deepfake_detect.errors import PictureError
from deepfake_detect.picture import animation, exif, formats
from deepfake_detect.picture.av1 import largest_frame
from deepfake_detect.picture.decoders import FORMATS, PlainAvif, PlainJpeg, PlainWebp
from deepfake_detect.picture.formats import FORMAT_NAMES, SUFFIXES
from deepfake_detect.picture.memory_budget import PixelBudget
from deepfake_detect.picture.orientation import ON_THEIR_SIDE, orientation_of
from deepfake_detect.picture.pixels import DAMAGED, DECODER_ERRORS, pixels_of

__all__ = ["FORMATS", "FORMAT_NAMES", "SUFFIXES", "PictureError", "open_downscaled", "open_picture", "read_file"]

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000  # a 50-megapixel phone camera; 150 MB once decoded
MAX_WEBP_PIXELS = 32_000_000  # while it decodes WebP, Pillow holds three pictures of four bytes a pixel
MAX_AVIF_PIXELS = 32_000_000  # libavif holds up to four pictures, of up to six bytes a pixel
MIN_SIDE = 16
PIXEL_BUDGET = PixelBudget(MAX_PIXELS)  # that are decoded or in use at the same time, at up to 12 bytes each

TOO_LARGE = "The picture has more than {} megapixels. Send a smaller copy."
TOO_FEW_PIXELS = "The picture is {} x {} pixels; at least {} on each side are needed."
EMPTY = "The file is empty. Send the picture again."
TOO_MANY_BYTES = f"The file is larger than {MAX_BYTES >> 20} MB. Send a smaller copy."

Source = str | os.PathLike | bytes | np.ndarray | Image.Image


def open_picture(source: Source) -> np.ndarray:
    """Open one picture and bring it to upright 8-bit RGB.

    The size is checked on the file's header, before anything is decoded. Animations give their first
    frame that is not blank, an MPO its first picture, a TIFF its first page; transparency is laid on white,
    16-bit samples are scaled to 8 bits, colours are brought from the file's profile to sRGB (see
    `deepfake_detect.picture.icc`), and what lies otherwise by its metadata is turned upright (see
    `deepfake_detect.picture.orientation`).

    Args:
        source: a path, the bytes of a file, a PIL image, or an array [H, W, 3] uint8 in RGB.

    Returns:
        Array [H, W, 3], uint8, 0..255, RGB.

    Raises:
        PictureError: the file is missing, too large, too small, damaged or not of an accepted format.
    """
    return open_downscaled(source, None).pixels


class Downscaled(NamedTuple):
    """A picture decoded at part of its size."""

    pixels: np.ndarray  # [H, W, 3] uint8 RGB, upright
    downscale: int  # pixels of the file for one of these, each way: 1, 2, 4 or 8
    size: tuple[int, int]  # width and height of the whole, upright


def open_downscaled(source: Source, longest: int | None, coarsest: int = 8) -> Downscaled:
    """`open_picture`, but a large JPEG is decoded at a half, a quarter or an eighth of its size, which takes a fraction
    of the time: its pixels are about the means of those that they stand for.

    Args:
        source: see `open_picture`; what is no JPEG file comes in its full size.
        longest: pixels that the longer side keeps at least, or None for all.
        coarsest: pixels of the file for one of the picture, each way, at most.

    Raises:
        PictureError: see `open_picture`.
    """
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3:
            raise PictureError(
                "bad_array", f"An array must be [height, width, 3] uint8, not {source.shape} {source.dtype}."
            )
        _check_size(source.shape[1], source.shape[0])
        return _whole(source)
    if isinstance(source, Image.Image):
        _check_size(*source.size)
        return _whole(_decode(source, math.prod(source.size)))
    if source == "":  # which as a Path is the current folder
        raise PictureError("not_found", "There is no such file.")
    data = source if isinstance(source, bytes) else read_file(Path(source))
    if len(data) > MAX_BYTES:
        raise PictureError("file_too_large", TOO_MANY_BYTES)
    if not data:
        raise PictureError("empty_file", EMPTY)
    if data[:4] in (*formats.TIFF, formats.BIG_TIFF):
        _check_tiff(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            _check_size(*size, _most_pixels(image))
            if longest is None or not isinstance(image, PlainJpeg) or _is_lossless(image, data):
                return _whole(_decode(image, _held_pixels(image, data), data))
            longest = max(longest, max(size) // coarsest)
            width, height = (max(1, side * longest // max(size)) for side in size)
            image.draft(None, (width, height))
            downscale = math.ceil(max(size) / max(image.size))
            pixels = _decode(image, math.prod(size if _is_held_whole(image, data) else image.size), data)
            return Downscaled(pixels, downscale, size[::-1] if orientation_of(image) in ON_THEIR_SIDE else size)
    except PictureError:
        raise
    except UnidentifiedImageError:
        if formats.looks_like_a_picture(data):
            raise PictureError("damaged", DAMAGED) from None
        raise PictureError("unsupported_format", formats.refusal(data) or formats.UNKNOWN) from None
    except Image.DecompressionBombError:
        raise PictureError("too_large", TOO_LARGE.format(MAX_PIXELS // 10**6)) from None
    except DECODER_ERRORS:
        raise PictureError("damaged", DAMAGED) from None


def _whole(pixels: np.ndarray) -> Downscaled:
    return Downscaled(pixels, 1, pixels.shape[1::-1])


def read_file(path: Path) -> bytes:
    """The bytes of a file, or MAX_BYTES + 1 of a larger one. Raises PictureError where it cannot be read."""
    try:
        if path.is_dir():
            may = os.access(path, os.R_OK | os.X_OK)
            raise PictureError(
                "not_a_file", "This is a folder, not a picture." if may else "This folder may not be read."
            )
        if not path.is_file():
            if not path.exists():
                raise PictureError("not_found", formats.not_there(path))
            raise PictureError("not_a_file", "This is not an ordinary file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except PictureError:
        raise
    except OSError as error:
        raise PictureError("unreadable", f"The file cannot be read: {error.strerror or 'no access'}.") from None
    except ValueError:  # a null character in the name
        raise PictureError("not_found", "There is no such file.") from None


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if width * height > most:
        raise PictureError("too_large", TOO_LARGE.format(most // 10**6))
    if min(width, height) < MIN_SIDE:
        raise PictureError("too_small", TOO_FEW_PIXELS.format(width, height, MIN_SIDE))


def _most_pixels(image: Image.Image) -> int:
    if isinstance(image, PlainWebp):
        return MAX_WEBP_PIXELS
    return MAX_AVIF_PIXELS if isinstance(image, PlainAvif) else MAX_PIXELS


def _held_pixels(image: Image.Image, data: bytes) -> int:
    """Of a picture that is decoded as a whole. Raises PictureError where an AVIF's stream says more than its header."""
    announced = math.prod(image.size)
    if not isinstance(image, PlainAvif):
        return announced
    held = max(announced, largest_frame(data))
    if held > MAX_AVIF_PIXELS:
        raise PictureError("too_large", TOO_LARGE.format(MAX_AVIF_PIXELS // 10**6))
    return held


def _check_tiff(data: bytes) -> None:
    """Raise PictureError where Pillow must not read a TIFF file, or would find no more in it than a small preview."""
    if not exif.is_harmless(data):
        raise PictureError("damaged", DAMAGED)
    wanted = frozenset({formats.DNG_VERSION, formats.SUBFILE_TYPE, formats.SUB_DIRECTORIES})
    if formats.is_raw(data, exif.read_tags(data, wanted, 8)):
        raise PictureError("unsupported_format", formats.RAW)


def _is_lossless(image: PlainJpeg, data: bytes) -> bool:
    """Whether a JPEG that was opened up to its first scan is lossless: that scan names a predictor. libjpeg decodes it
    in its whole size alone, and Pillow, where it was asked for less, writes past the end of its memory."""
    assert image.fp is not None  # open until the pixels are decoded
    return data[image.fp.tell() - 3] > 0


def _is_held_whole(image: PlainJpeg, data: bytes) -> bool:
    """Whether libjpeg keeps the coefficients of a whole JPEG, which was opened up to its first scan: where it is
    progressive or that scan lacks a component, however many follow (jdinput.c, `initial_setup`)."""
    assert image.fp is not None
    start = data.rfind(b"\xff\xda", 0, image.fp.tell() - 8)  # the rest of a scan's header has eight bytes or more
    return "progressive" in image.info or data[start + 4] < image.layers


def _decode(image: Image.Image, pixels: int, data: bytes | None = None) -> np.ndarray:
    """[H, W, 3] uint8; takes the room of so many pixels. Raises PictureError."""
    with PIXEL_BUDGET.reserve(pixels):
        found = pixels_of(image, data)
    if data is None or pixels > animation.MAX_PIXELS or not (animation.may_go_on(image) and animation.is_blank(found)):
        return found
    if not getattr(image, "is_animated", False):
        return found
    with PIXEL_BUDGET.reserve(2 * pixels):
        shown = animation.first_shown(data)
    return found if shown is None else shown
