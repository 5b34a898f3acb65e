"""Files that have or only claim to have a picture inside, each made broken, odd or hostile in one way."""

import io
import os
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from films import numbered
from pictures import chunk, encoded, lossless_jpeg, png, tags_on_shared_bytes, up_to_second_scan
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from detect.picture import MAX_PIXELS, MAX_WEBP_PIXELS

CLOSED = "closed.jpg"  # a folder
JUDGED, REFUSED, EITHER = "judged", "refused", "either"
Made = Iterator[tuple[str, bytes, str]]  # name, contents, what has to come of it


class Entry(NamedTuple):
    path: Path
    what: str  # was done, in words that follow a number of files
    outcome: str  # JUDGED, REFUSED or EITHER


SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif", "HEIF": ".heic"}
MODES = {
    "JPEG": "L RGB CMYK", "PNG": "1 L LA P RGB RGBA I;16", "WEBP": "L RGB RGBA", "BMP": "1 L P RGB RGBA",
    "GIF": "1 L P RGB", "TIFF": "1 L LA P RGB RGBA CMYK LAB I I;16 I;16B F", "HEIF": "L LA RGB RGBA",
}  # fmt: skip
VARIANTS = [
    ("JPEG", {"progressive": True}), ("JPEG", {"subsampling": 0}), ("JPEG", {"restart_marker_rows": 1}), ("MPO", {}),
    ("WEBP", {"lossless": True}), ("PNG", {"transparency": (9, 9, 9)}),
    *(("TIFF", {"compression": name}) for name in ("packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg")),
]  # fmt: skip
PLACES = 50  # at which a byte is flipped
LARGE = (2401, 2803)  # odd sides, large enough for a decoder that leaves out what is not needed
FRAMES = 50


def files(folder: Path, small: Image.Image) -> list[Entry]:
    """Write all of them into an empty folder, the same every time.

    Args:
        folder: each kind gets a folder of its own in it.
        small: a portrait of about 100 pixels a side.
    """
    entries = []
    for what, make in KINDS.items():
        inner = folder / make.__name__
        inner.mkdir()
        for name, data, outcome in make(small):
            (inner / name).write_bytes(data)
            entries.append(Entry(inner / name, what, outcome))
    return entries + list(places(folder, entries[0].path))


def in_order(entries: list[Entry]) -> list[Path]:
    """The files as a walk through the folder meets them: those of a folder sorted, then its inner folders sorted. Of
    folders, the one that may not be read."""
    listed = [entry.path for entry in entries if not entry.path.is_dir() or entry.path.name == CLOSED]

    def place(path: Path) -> tuple[tuple[str, ...], str]:
        return (path.parts, "") if path.name == CLOSED else (path.parent.parts, path.name)

    return sorted(listed, key=place)


def sound(small: Image.Image) -> Made:
    for style, modes in MODES.items():
        for mode in modes.split():
            outcome = REFUSED if mode == "F" else JUDGED
            yield f"{style} {mode.replace(';', '')}{SUFFIX[style]}", encoded(in_mode(small, mode), style), outcome
    for number, (style, options) in enumerate(VARIANTS):
        yield f"{style} variant {number}{SUFFIX.get(style, '.jpg')}", encoded(small, style, **options), JUDGED
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


def bombs(small: Image.Image) -> Made:
    """A few bytes that claim or become many pixels; those of the last five may be decoded, just so."""
    gif = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\0;"
    jpeg, bmp, heif = (encoded(small, style) for style in ("JPEG", "BMP", "HEIF"))
    start, ispe = jpeg.index(b"\xff\xc0") + 5, heif.index(b"ispe") + 8
    webp = encoded(small, "WEBP", lossless=True)
    film = encoded(small, "WEBP", save_all=True, append_images=[small.rotate(90)])
    yield "header.png", png(60_000, 60_000, 8, 2, b""), REFUSED
    yield "most.png", png(2**31 - 1, 2**31 - 1, 8, 2, b""), REFUSED
    for kind in (b"zTXt", b"iCCP"):
        hidden = chunk(kind, b"a\0\0" + zlib.compress(bytes(50_000_000)))
        yield f"{kind.decode()}.png", png(16, 16, 8, 0, bytes(16 * 17), hidden), EITHER
    yield "screen.gif", gif + b",", REFUSED
    yield "frame.gif", gif[:6] + struct.pack("<HH", 20, 20) + gif[10:] + frame, REFUSED
    yield "header.jpg", replaced(jpeg, start, struct.pack(">HH", 65500, 65500)), REFUSED
    yield "header.bmp", replaced(bmp, 18, struct.pack("<ii", 30_000, 30_000)), REFUSED
    yield "header.heic", replaced(heif, ispe, struct.pack(">II", 30_000, 30_000)), REFUSED
    yield "header.webp", replaced(webp, 21, b"\xff\xff\xff\x0f"), REFUSED
    yield "canvas.webp", replaced(film, 24, b"\xff\x3f\0\xff\x3f\0"), REFUSED
    yield "header.tif", with_tag(with_tag(encoded(small, "TIFF"), 256, 60_000), 257, 60_000), REFUSED
    size, webp_size = ((7000, pixels // 7000) for pixels in (MAX_PIXELS, MAX_WEBP_PIXELS))
    yield "just so.gif", encoded(Image.new("P", size), "GIF"), JUDGED
    whole = encoded(Image.new("RGB", size), "JPEG", progressive=True, subsampling=0)
    yield "just so.jpg", up_to_second_scan(whole), JUDGED
    yield "just so.png", encoded(Image.new("RGBA", size), "PNG", exif=exif(0x0112, 6)), JUDGED
    yield "just so.tif", encoded(Image.new("1", size), "TIFF", compression="group4"), JUDGED
    yield "just so.webp", encoded(Image.new("RGB", webp_size), "WEBP", lossless=True, method=0), JUDGED


def replaced(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def with_tag(tiff: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF file with another number in a tag that it has."""
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    (place,) = (place for place in places if struct.unpack_from("<H", tiff, place)[0] == tag)
    return replaced(tiff, place + 2, struct.pack("<HII", 4, 1, value))


def of_one_pixel(small: Image.Image) -> Made:
    for style, suffix in SUFFIX.items():
        yield f"one{suffix}", encoded(Image.new("RGB", (1, 1)), style), REFUSED


def thin(small: Image.Image) -> Made:
    for style in list(SUFFIX)[:-1]:  # the encoder of HEIF takes none of these
        length = 16_000 if style == "WEBP" else 20_000  # WebP has no more
        for size in ((length, 20), (20, length)):
            yield f"{size[0]}{SUFFIX[style]}", encoded(small.resize(size), style), JUDGED


def animations(small: Image.Image) -> Made:
    frames = [small.rotate(7 * number) for number in range(FRAMES)]
    for style in ("GIF", "PNG", "TIFF", "WEBP"):
        yield f"film{SUFFIX[style]}", encoded(frames[0], style, save_all=True, append_images=frames[1:]), JUDGED


def false_tags(small: Image.Image) -> Made:
    """EXIF and TIFF directories that lie."""
    inner = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8)
    lies = {
        "no such orientation": exif(0x0112, 9),
        "one pixel": exif(0xA002, 1) + exif(0xA003, 1),
        "many pixels": exif(0xA002, 10**9),
        "its own inner directory": b"II*\0\x08\0\0\0" + inner + struct.pack("<I", 8),
        "behind the end": b"MM\0*\x7f\xff\xff\xff",
        "four billion numbers": b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 12, 2**32 - 1, 8) + bytes(4),
        "shared bytes": tags_on_shared_bytes(2000, 32_000),
        "another picture": b"II*\0\x08\0\0\0" + struct.pack("<HI", 0, 14) + encoded(small.rotate(180), "JPEG"),
        "no directory": b"\xff" * 500,
    }
    for style in ("JPEG", "PNG", "WEBP"):
        for name, block in lies.items():
            yield f"{name}{SUFFIX[style]}", encoded(small, style, exif=b"Exif\0\0" + block), JUDGED
    for tag in (256, 257, 258, 259, 262, 273, 277, 278, 279):  # sizes, samples, and where the pixels lie
        for value in (0, 1, 65535, 2**32 - 1):
            yield f"{tag} is {value}.tif", with_tag(encoded(small, "TIFF"), tag, value), EITHER


def exif(tag: int, value: int) -> bytes:
    tags = Image.Exif()
    tags[tag] = value
    return tags.tobytes().removeprefix(b"Exif\0\0")


def no_pictures(small: Image.Image) -> Made:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99">%s<rect width="9" height="9"/></svg>'
    contents = {
        "svg": svg % b"", "svg with script": svg % b"<script>alert(1)</script>",
        "svg with entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg % b"&x;",
        "html": b"<!DOCTYPE html><html><body><img src='a.jpg'><script>alert(1)</script></body></html>",
        "text": b"just a few words", "ones": b"\xff" * 999, "noise": random.Random(1).randbytes(9999),
        "magick": b"push graphic-context\nfill 'url(https://127.0.0.1/x.jpg\"|ls \"-la)'\npop graphic-context",
        "pdf": encoded(small, "PDF"), "zip": zipped(), "elf": b"\x7fELF" + bytes(99),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\nshowpage\n",
        **{f"the first bytes of {style}": encoded(small, style)[:3] for style in SUFFIX},
        **{f"in {style}": encoded(small, style) for style in ("PPM", "TGA", "ICO", "EPS", "PCX", "JPEG2000")},
    }  # fmt: skip
    for name, data in contents.items():
        for suffix in (".jpg", ".png"):
            yield name + suffix, data, REFUSED


def polyglots(small: Image.Image) -> Made:
    jpeg, image, webp, tiff = (encoded(small, style) for style in ("JPEG", "PNG", "WEBP", "TIFF"))
    text = PngInfo()
    text.add_text("Comment", "<?php system($_GET['c']); ?>")
    yield "and zip.jpg", jpeg + zipped(), JUDGED
    yield "and zip.png", image + zipped(), JUDGED
    yield "and html.jpg", encoded(small, "JPEG", comment=b"<script>alert(1)</script>"), JUDGED
    yield "and php.png", encoded(small, "PNG", pnginfo=text), JUDGED
    yield "and jpeg.png", image + jpeg, JUDGED
    yield "and jpeg.tif", tiff + jpeg, JUDGED
    yield "and film.webp", webp + b"RIFF" + struct.pack("<I", 99) + b"AVI " + bytes(99), JUDGED
    yield "and html.bmp", encoded(small, "BMP") + b"<html><script>alert(1)</script></html>", JUDGED
    yield "javascript.gif", b"GIF89a/*" + encoded(small, "GIF")[8:] + b"*/=alert(1)", JUDGED
    yield "pdf and jpeg.jpg", b"%PDF-1.4\n" + jpeg, REFUSED
    yield "html and png.png", b"<html>" + image, REFUSED
    yield "jpeg around png.jpg", b"\xff\xd8\xff\xe0" + image, REFUSED
    yield "heic around text.heic", b"\0\0\0\x18ftypheic" + b"heicmif1" * 20, REFUSED


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("../../x.sh", "echo")
    return buffer.getvalue()


def odd_names(small: Image.Image) -> Made:
    data = encoded(small, "PNG")
    names = [
        "日本 ñ é 🙂", "e\u0301", "right\u202eto left", "line\nbreak", "tab\t\x01", " spaces ", "-rf", "--help", ".",
        "'\"", "[x]*?", "%s%n", "$(true) `x`; &", "<img src=x onerror=alert(1)>", "=1+1", "C:\\x", "n" * 251, "日" * 83,
        os.fsdecode(b"\xff\xfe not UTF-8"),
    ]  # fmt: skip
    yield from ((f"{name}.png", data, JUDGED) for name in names)
    yield "CAPITALS.PNG", data, JUDGED


def videos(small: Image.Image) -> Made:
    """Pictures that call themselves videos, and such text."""
    for suffix in (".mp4", ".avi", ".mkv", ".webm"):
        yield f"picture{suffix}", encoded(small, "JPEG"), EITHER
        yield f"text{suffix}", b"<html>", REFUSED
        yield f"empty{suffix}", b"", REFUSED


def places(folder: Path, picture: Path) -> Iterator[Entry]:
    """What is no file, or one that may not be read."""
    inner = folder / "places"
    film = numbered(folder / "film.mp4", count=2).rename(folder / "film.jpg")
    yield Entry(film, "videos with a picture's name", REFUSED)
    deep = inner.joinpath(*(["d" * 200] * 5))
    (inner / "folder.jpg").mkdir(parents=True)
    (inner / CLOSED).mkdir()
    deep.mkdir(parents=True)
    for path in (deep / "deep.png", inner / "folder.jpg" / "within.png", inner / "closed.png"):
        path.write_bytes(picture.read_bytes())
    for name, target in (("picture", picture), ("itself", "itself.png"), ("gone", "gone"), ("folder", "folder.jpg"),
                         ("device", "/dev/zero"), ("link", "picture.png")):  # fmt: skip
        (inner / f"{name}.png").symlink_to(target)
    os.mkfifo(inner / "pipe.png")
    os.mknod(inner / "socket.png", stat.S_IFSOCK | 0o600)
    for path in (inner / CLOSED, inner / "closed.png"):
        path.chmod(0)
    for path in (deep / "deep.png", inner / "folder.jpg" / "within.png", inner / "picture.png", inner / "link.png"):
        yield Entry(path, PLACED, JUDGED)
    for name in ("itself.png", "gone.png", "device.png", "pipe.png", "socket.png", "closed.png", CLOSED,
                 "folder.jpg", "folder.png"):  # fmt: skip
        yield Entry(inner / name, PLACED, REFUSED)


PLACED = "links, pipes, folders and files that may not be read"
KINDS: dict[str, Callable[[Image.Image], Made]] = {
    "sound, of every format and mode": sound,
    "cut short": cut_short,
    "with a wrong byte": flipped,
    "empty or with zeros": zeros,
    "with another format's suffix": other_suffix,
    "decompression bombs": bombs,
    "of one pixel": of_one_pixel,
    "of 20000 x 20 pixels": thin,
    f"animations of {FRAMES} frames": animations,
    "with false EXIF or TIFF tags": false_tags,
    "without a picture inside": no_pictures,
    "that are something else, too": polyglots,
    "with odd names": odd_names,
    "with a video's name": videos,
}
