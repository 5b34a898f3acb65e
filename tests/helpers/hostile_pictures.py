"""Pictures that lie, swell or are something else, too, and files without a picture."""

import io
import random
import struct
import zipfile
import zlib
from functools import partial

from damaged_pictures import EITHER, JUDGED, REFUSED, SUFFIX, Made
from pictures import announcing, chunk, encoded, png, tags_on_shared_bytes, up_to_second_scan
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from profiles import hostile

from deepfake_detect.picture.decode import MAX_PIXELS, MAX_WEBP_PIXELS

FRAMES = 50


def bombs(small: Image.Image) -> Made:
    """A few bytes that claim or become many pixels; those of the last five may be decoded, just so."""
    gif = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x4c\x01\0;"
    jpeg, bmp, heif, avif = (encoded(small, style) for style in ("JPEG", "BMP", "HEIF", "AVIF"))
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
    yield "header.avif", replaced(avif, avif.index(b"ispe") + 8, struct.pack(">II", 16_000, 16_000)), REFUSED
    yield "stream.avif", announcing(avif, 16_000), REFUSED
    yield "header.webp", replaced(webp, 21, b"\xff\xff\xff\x0f"), REFUSED
    yield "canvas.webp", replaced(film, 24, b"\xff\x3f\0\xff\x3f\0"), REFUSED
    yield "header.tif", with_tag(with_tag(encoded(small, "TIFF"), 256, 60_000), 257, 60_000), REFUSED
    two_scans = {"progressive": True, "subsampling": 0}
    size, webp_size = ((7000, pixels // 7000) for pixels in (MAX_PIXELS, MAX_WEBP_PIXELS))
    yield "just so.gif", lambda: encoded(Image.new("P", size), "GIF"), JUDGED
    yield "just so.jpg", lambda: up_to_second_scan(encoded(Image.new("RGB", size), "JPEG", **two_scans)), JUDGED
    yield "just so.png", lambda: encoded(Image.new("RGBA", size), "PNG", exif=exif(0x0112, 6)), JUDGED
    yield "just so.tif", lambda: encoded(Image.new("1", size), "TIFF", compression="group4"), JUDGED
    yield "just so.webp", lambda: encoded(Image.new("RGB", webp_size), "WEBP", lossless=True, method=0), JUDGED


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
            yield f"{size[0]}{SUFFIX[style]}", partial(encoded, small.resize(size), style), JUDGED


def animations(small: Image.Image) -> Made:
    frames = [small.rotate(7 * number) for number in range(FRAMES)]
    for style in ("GIF", "PNG", "TIFF", "WEBP", "AVIF"):
        film = partial(encoded, frames[0], style, save_all=True, append_images=frames[1:])
        yield f"film{SUFFIX[style]}", film, JUDGED


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
    shared = tags_on_shared_bytes(2000, 32_000)
    yield "shared bytes.tif", shared, REFUSED
    yield "shared bytes big.tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + shared, REFUSED
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


def false_colours(small: Image.Image) -> Made:
    """Colour profiles that are broken or hostile, which cost a picture its profile and no more."""
    for style in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        for number, profile in enumerate(hostile()):
            if style != "PNG" or len(profile) < 2**20:
                yield f"{number}{SUFFIX[style]}", partial(encoded, small, style, icc_profile=profile), JUDGED


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
