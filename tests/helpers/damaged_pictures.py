"""Sound pictures of every format and mode, and what is left of them once they are cut short or changed."""

import random
from collections.abc import Callable, Iterator

import numpy as np
from pictures import as_bigtiff, encoded, lossless_jpeg, png
from PIL import Image

JUDGED, REFUSED, EITHER = "judged", "refused", "either"
# Name, contents or, where those take long to make, what makes them, and what has to come of it
Made = Iterator[tuple[str, bytes | Callable[[], bytes], str]]
SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif",
          "AVIF": ".avif", "HEIF": ".heic"}  # fmt: skip
MODES = {
    "JPEG": "L RGB CMYK", "PNG": "1 L LA P RGB RGBA I;16", "WEBP": "L RGB RGBA", "BMP": "1 L P RGB RGBA",
    "GIF": "1 L P RGB", "TIFF": "1 L LA P RGB RGBA CMYK LAB I I;16 I;16B F", "AVIF": "L LA RGB RGBA",
    "HEIF": "L LA RGB RGBA",
}  # fmt: skip
VARIANTS = [
    ("JPEG", {"progressive": True}), ("JPEG", {"subsampling": 0}), ("JPEG", {"restart_marker_rows": 1}), ("MPO", {}),
    ("WEBP", {"lossless": True}), ("PNG", {"transparency": (9, 9, 9)}),
    *(("TIFF", {"compression": name}) for name in ("packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg")),
]  # fmt: skip
PLACES = 50  # at which a byte is flipped
LARGE = (2401, 2803)  # odd sides, large enough for a decoder that leaves out what is not needed


def sound(small: Image.Image) -> Made:
    for style, modes in MODES.items():
        for mode in modes.split():
            outcome = REFUSED if mode == "F" else JUDGED
            yield f"{style} {mode.replace(';', '')}{SUFFIX[style]}", encoded(in_mode(small, mode), style), outcome
    for number, (style, options) in enumerate(VARIANTS):
        yield f"{style} variant {number}{SUFFIX.get(style, '.jpg')}", encoded(small, style, **options), JUDGED
    yield "big.tif", encoded(small, "TIFF", big_tiff=True), JUDGED
    yield "big packed.tif", as_bigtiff(encoded(small, "TIFF", compression="tiff_lzw")), JUDGED
    yield "16 bits a colour.png", png(32, 32, 16, 2, (b"\0" + bytes(range(192))) * 32), JUDGED
    yield from ((f"large {name}", data, JUDGED) for name, data in large(small))


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """A picture in a mode of Pillow's, those that it does not convert to included."""
    grey = np.asarray(image.convert("L"))
    if mode == "LAB":
        return Image.new("LAB", image.size, (128, 128, 128))
    if mode.startswith("I;16"):
        order = ">" if mode.endswith("B") else "<"
        return Image.frombytes(mode, image.size, (grey.astype(f"{order}u2") * 257).astype(f"{order}u2").tobytes())
    return Image.fromarray(grey.astype(np.int32) * 257) if mode == "I" else image.convert(mode)


def large(small: Image.Image) -> Iterator[tuple[str, bytes]]:
    picture = small.resize(LARGE)
    yield "baseline.jpg", encoded(picture, "JPEG", quality=30)
    yield "progressive.jpg", encoded(picture, "JPEG", quality=30, progressive=True)
    yield "cmyk.jpg", encoded(picture.convert("CMYK"), "JPEG", quality=30)
    yield "lossless.jpg", lossless_jpeg(*LARGE)


def cut_short(small: Image.Image) -> Made:
    for style, suffix in SUFFIX.items():
        data = encoded(small, style)
        for twentieth in range(1, 20):
            yield f"{style} {twentieth}{suffix}", data[: len(data) * twentieth // 20], EITHER
    for name, data in large(small):
        for part in (1, 2, 3):
            yield f"{part} {name}", data[: len(data) * part // 4], EITHER


def flipped(small: Image.Image) -> Made:
    """Half of the places in the first kilobyte, where the headers are."""
    for style, suffix in SUFFIX.items():
        chance, data = random.Random(style), encoded(small, style)
        head = chance.sample(range(1024), PLACES // 2)
        for place in head + chance.sample(range(1024, len(data)), PLACES - len(head)):
            yield f"{style} {place}{suffix}", with_wrong_byte(data, place, chance), EITHER
    for name, data in large(small):
        chance = random.Random(name)
        for place in chance.sample(range(len(data)), 5):
            yield f"{place} {name}", with_wrong_byte(data, place, chance), EITHER


def with_wrong_byte(data: bytes, place: int, chance: random.Random) -> bytes:
    return data[:place] + bytes([data[place] ^ chance.randrange(1, 256)]) + data[place + 1 :]


def zeros(small: Image.Image) -> Made:
    """As a full disk, or a file system that lost a part, leaves them."""
    for style, suffix in SUFFIX.items():
        data = encoded(small, style)
        third = len(data) // 3
        yield f"empty{suffix}", b"", REFUSED
        yield f"all{suffix}", bytes(len(data)), REFUSED
        yield f"within{suffix}", data[:third] + bytes(third) + data[2 * third :], EITHER


def other_suffix(small: Image.Image) -> Made:
    suffixes = list(SUFFIX.values())
    for number, style in enumerate(SUFFIX):
        for further in (1, 2):
            yield f"{style}{suffixes[(number + further) % len(suffixes)]}", encoded(small, style), JUDGED
