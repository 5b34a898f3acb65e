"""Untrusted bytes -> picture: an RGB array of shape [height, width, 3], uint8, 0..255, upright.

Training and measuring open whole pictures; the detector opens a large JPEG at part of its size, as `open_reduced` does.
What that changes is measured by `bench/reduced.py`.
"""

import io
import logging
import math
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from detect import exif
from detect.room import Room

Image.init()  # registers every format; otherwise Pillow does so on its first failure
pillow_heif.register_heif_opener(thumbnails=False)
# Pillow warns of odd metadata and of size, which is checked here. warnings.catch_warnings is not thread-safe.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())  # otherwise what it says goes to standard error
# In bytes. glibc gives what is larger than 32 MB back to the system; Pillow's 16 MB would stay with the thread.
Image.core.set_block_size(64 * 2**20)


class PlainJpeg(JpegImageFile):
    """JPEG whose metadata stays unread.

    Pillow takes all of EXIF apart on opening, for the resolution, and the index of MPO, which phones write inside .jpg.
    Their tags may share bytes, so that a small file can ask for more memory than there is.
    """

    format = "PLAINJPEG"

    def _read_dpi_from_exif(self) -> None:
        pass


class PlainTiff(TiffImageFile):
    """TIFF whose inner directories stay unread: Pillow takes them apart after decoding, for `PlainJpeg`'s reason."""

    format = "PLAINTIFF"

    def load_end(self) -> None:
        pass


class PlainWebp(WebPImageFile):
    """WebP whose decoder goes when it has given the first frame: it holds two more pictures of that size."""

    format = "PLAINWEBP"

    def _get_next(self) -> tuple[bytes, int, int]:
        frame = super()._get_next()
        self._decoder = None
        return frame


Image.register_open(PlainJpeg.format, PlainJpeg, lambda prefix: prefix.startswith(b"\xff\xd8\xff"))
Image.register_open(PlainTiff.format, PlainTiff, lambda prefix: prefix[:4] in (b"II*\0", b"MM\0*"))
Image.register_open(PlainWebp.format, PlainWebp, lambda prefix: prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP")
# What Pillow may try on untrusted bytes.
FORMATS = (PlainJpeg.format, "PNG", PlainWebp.format, "BMP", "GIF", PlainTiff.format, "HEIF")
FORMAT_NAMES = "JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC"
SUFFIXES = frozenset(".jpg .jpeg .jpe .jfif .png .webp .bmp .dib .gif .tif .tiff .heic .heif .hif".split())

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000  # a 50-megapixel phone camera; 150 MB once decoded
MAX_WEBP_PIXELS = 32_000_000  # while it decodes WebP, Pillow holds three pictures of four bytes a pixel
MIN_SIDE = 16
STRIP_PIXELS = 2**20  # that are brought to RGB at a time
ROOM = Room(MAX_PIXELS)  # that are decoded or in use at the same time, at up to 12 bytes each

# What Pillow and its codecs raise on damaged files.
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError,
                   AttributeError, RuntimeError, MemoryError, struct.error, zlib.error)  # fmt: skip
TOO_LARGE = "The picture has more than {} megapixels. Send a smaller copy."
TOO_MANY_BYTES = f"The file is larger than {MAX_BYTES >> 20} MB. Send a smaller copy."
_DAMAGED = "The picture is damaged or cut short. Send the file again."

# EXIF orientation -> what brings the picture upright.
_TURNS = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
          5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
          8: Image.Transpose.ROTATE_90}  # fmt: skip
_ON_THEIR_SIDE = (5, 6, 7, 8)
_FROM_THE_END = (3, 4, 6, 7)  # whose first row becomes the last row or column


class PictureError(ValueError):
    """A picture that cannot be judged; the message is one sentence for the person who sent it."""


Source = str | os.PathLike | bytes | np.ndarray | Image.Image


def open_picture(source: Source) -> np.ndarray:
    """Open one picture and bring it to upright 8-bit RGB.

    The size is checked on the file's header, before anything is decoded. Animations give their first
    frame, transparency is laid on white, 16-bit samples are scaled to 8 bits.

    Args:
        source: a path, the bytes of a file, a PIL image, or an array [H, W, 3] uint8 in RGB.

    Returns:
        Array [H, W, 3], uint8, 0..255, RGB.

    Raises:
        PictureError: the file is missing, too large, too small, damaged or not of an accepted format.
    """
    return open_reduced(source, None).pixels


class Reduced(NamedTuple):
    """A picture decoded at part of its size."""

    pixels: np.ndarray  # [H, W, 3] uint8 RGB, upright
    zoom: int  # pixels of the file for one of these, each way: 1, 2, 4 or 8
    size: tuple[int, int]  # width and height of the whole, upright


def open_reduced(source: Source, longest: int | None) -> Reduced:
    """`open_picture`, but a large JPEG is decoded at a half, a quarter or an eighth of its size, which takes a fraction
    of the time: its pixels are about the means of those that they stand for.

    Args:
        source: see `open_picture`; what is no JPEG file comes in its full size.
        longest: pixels that the longer side keeps at least, or None for all.

    Raises:
        PictureError: see `open_picture`.
    """
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3:
            raise PictureError(f"An array must be [height, width, 3] uint8, not {source.shape} {source.dtype}.")
        _check_size(source.shape[1], source.shape[0])
        return _whole(source)
    if isinstance(source, Image.Image):
        _check_size(*source.size)
        return _whole(_decode(source, math.prod(source.size)))
    data = source if isinstance(source, bytes) else read_file(Path(source))
    if len(data) > MAX_BYTES:
        raise PictureError(TOO_MANY_BYTES)
    if not data:
        raise PictureError("The file is empty. Send the picture again.")
    if data[:4] in (b"II*\0", b"MM\0*") and not exif.is_harmless(data):
        raise PictureError(_DAMAGED)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            _check_size(*size, MAX_WEBP_PIXELS if isinstance(image, PlainWebp) else MAX_PIXELS)
            if longest is None or not isinstance(image, PlainJpeg) or _is_lossless(image, data):
                return _whole(_decode(image, math.prod(size)))
            image.draft(None, [max(1, side * longest // max(size)) for side in size])
            zoom = math.ceil(max(size) / max(image.size))
            pixels = _decode(image, math.prod(size if _is_held_whole(image, data) else image.size))
            return Reduced(pixels, zoom, size[::-1] if _orientation(image) in _ON_THEIR_SIDE else size)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"This is not a picture in a format read here. Send a {FORMAT_NAMES} file.") from None
    except Image.DecompressionBombError:
        raise PictureError(TOO_LARGE.format(MAX_PIXELS // 10**6)) from None
    except _DECODER_ERRORS:
        raise PictureError(_DAMAGED) from None


def _whole(pixels: np.ndarray) -> Reduced:
    return Reduced(pixels, 1, pixels.shape[1::-1])


def read_file(path: Path) -> bytes:
    """The bytes of a file, or MAX_BYTES + 1 of a larger one. Raises PictureError where it cannot be read."""
    try:
        if path.is_dir():
            may = os.access(path, os.R_OK | os.X_OK)
            raise PictureError("This is a folder, not a picture." if may else "This folder may not be read.")
        if not path.is_file():
            raise PictureError("There is no such file." if not path.exists() else "This is not an ordinary file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror or 'no access'}.") from None
    except ValueError:  # a null character in the name
        raise PictureError("There is no such file.") from None


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if width * height > most:
        raise PictureError(TOO_LARGE.format(most // 10**6))
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"The picture is {width} x {height} pixels; at least {MIN_SIDE} on each side are needed.")


def _is_lossless(image: PlainJpeg, data: bytes) -> bool:
    """Whether a JPEG that was opened up to its first scan is lossless: that scan names a predictor. libjpeg decodes it
    in its whole size alone, and Pillow, where it was asked for less, writes past the end of its memory."""
    return data[image.fp.tell() - 3] > 0


def _is_held_whole(image: PlainJpeg, data: bytes) -> bool:
    """Whether libjpeg keeps the coefficients of a whole JPEG, which was opened up to its first scan: where it is
    progressive or that scan lacks a component, however many follow (jdinput.c, `initial_setup`)."""
    start = data.rfind(b"\xff\xda", 0, image.fp.tell() - 8)  # the rest of a scan's header has eight bytes or more
    return "progressive" in image.info or data[start + 4] < image.layers


def _decode(image: Image.Image, pixels: int) -> np.ndarray:
    """[H, W, 3] uint8; takes the room of so many pixels. Raises PictureError."""
    try:
        with ROOM.taken(pixels):
            image.load()
            return _pixels(image)
    except PictureError:
        raise
    except _DECODER_ERRORS:
        raise PictureError(_DAMAGED) from None


def _orientation(image: Image.Image) -> int | None:
    """Of a loaded picture. Pillow's reader of EXIF takes all of it apart, see `PlainJpeg`, or fails at an odd tag."""
    if isinstance(image, PlainTiff):
        return image.tag_v2.get(ExifTags.Base.Orientation)
    return exif.orientation((image.info.get("exif") or b"").removeprefix(b"Exif\0\0"))


def _pixels(image: Image.Image) -> np.ndarray:
    """[H, W, 3] uint8, turned as EXIF says, strip by strip: at once, every step would hold another copy of it all."""
    (width, height), orientation = image.im.size, _orientation(image)  # of a TIFF, `size` would be the upright one
    aside = orientation in _ON_THEIR_SIDE
    pixels = np.empty((width, height, 3) if aside else (height, width, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = _to_rgb(image.crop((0, top, width, bottom)) if rows < height else image)
        if orientation in _TURNS:
            strip = strip.transpose(_TURNS[orientation])
        place = slice(height - bottom, height - top) if orientation in _FROM_THE_END else slice(top, bottom)
        pixels[(slice(None), place) if aside else place] = np.asarray(strip)
    return pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise PictureError("Floating-point pictures are not read here. Save it as an 8-bit PNG or JPEG.")
    if image.mode.startswith("I"):  # 16-bit grey; some files of it arrive in 32-bit containers
        samples = np.asarray(image).astype(np.int64)
        image = Image.fromarray((np.clip(samples, 0, 65535) >> 8).astype(np.uint8), "L")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB")  # convert would copy it
