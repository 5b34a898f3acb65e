"""A picture of Pillow's -> [H, W, 3] uint8, upright, in sRGB: strip by strip, or each step would hold a copy of it."""

import struct
import zlib

import numpy as np
from PIL import Image

from deepfake_detect.errors import PictureError
from deepfake_detect.picture.icc import Conversion, conversion_of
from deepfake_detect.picture.orientation import FROM_THE_END, ON_THEIR_SIDE, TURNS, orientation_of

STRIP_PIXELS = 2**20  # that are brought to RGB at a time
DAMAGED = "The picture is damaged or cut short. Try another copy of the file."
FLOATING_POINT = "Floating-point pictures are not read here. Save it as an 8-bit PNG or JPEG."
# What Pillow and its codecs raise on damaged files.
DECODER_ERRORS = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError,
                  AttributeError, RuntimeError, MemoryError, struct.error, zlib.error)  # fmt: skip


def pixels_of(image: Image.Image, data: bytes | None = None) -> np.ndarray:
    """Decode a picture and bring it upright and to sRGB; transparency is laid on white.

    Args:
        image: opened; of an animation, the frame that it stands at.
        data: the file, where there is one.

    Raises:
        PictureError: the picture is damaged or of floating-point samples.
    """
    try:
        image.load()
        return _pixels(image, orientation_of(image), conversion_of(image, data))
    except PictureError:
        raise
    except DECODER_ERRORS:
        raise PictureError("damaged", DAMAGED) from None


def _pixels(image: Image.Image, orientation: int | None, colour: Conversion | None) -> np.ndarray:
    width, height = image.im.size  # of a TIFF, `size` would be the upright one
    aside = orientation in ON_THEIR_SIDE
    pixels = np.empty((width, height, 3) if aside else (height, width, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = _to_rgb(image.crop((0, top, width, bottom)) if rows < height else image, colour)
        if orientation in TURNS:
            strip = strip.transpose(TURNS[orientation])
        place = slice(height - bottom, height - top) if orientation in FROM_THE_END else slice(top, bottom)
        pixels[(slice(None), place) if aside else place] = np.asarray(strip)
    return pixels


def _to_rgb(image: Image.Image, colour: Conversion | None) -> Image.Image:
    if image.mode == "F":
        raise PictureError("unsupported_format", FLOATING_POINT)
    if colour and image.mode == "CMYK":
        return colour.applied(image)
    if image.mode.startswith("I"):  # 16-bit grey; some files of it arrive in 32-bit containers
        samples = np.asarray(image).astype(np.int64)
        image = Image.fromarray((np.clip(samples, 0, 65535) >> 8).astype(np.uint8), "L")
    transparent = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    image = image if image.mode == mode else image.convert(mode)  # convert would copy it
    image = colour.applied(image) if colour else image
    if transparent:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image
