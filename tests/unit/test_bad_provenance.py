"""Claims of damaged files and of files made to do harm: nothing is raised, and little time and memory is spent."""

import random
import struct
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from pictures import chunk, encoded
from PIL import ExifTags
from provenance_files import (
    AI_TYPE,
    PICTURE,
    SETTINGS,
    exif_with,
    jpeg_with,
    jumbf,
    png_with,
    private_exif,
    said,
    segments,
    text,
    webp_with,
    xmp,
)

from deepfake_detect.picture.decode import MAX_BYTES
from deepfake_detect.picture.embedded_metadata import MAX_BLOCKS
from deepfake_detect.picture.provenance import read_claims

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not


@pytest.mark.parametrize("raw", [
    b"a\0b", b"line\nbreak\x1b[31m\x07", "\u202eevil\u2066".encode(), b"<b onclick='x'>&amp;", b" \t ", b"x" * 999,
    b"\xe4\xf6\xff", "é".encode() * 200, b"\xf0\x9f" * 400,
])  # fmt: skip
def test_text_is_one_short_line_of_printable_characters(raw):
    assert {kind for kind, _, _ in said(png_with(chunk(b"tEXt", b"Software\0" + raw)))} <= {"software"}
    told = said(encoded(PICTURE, "PNG", exif=exif_with(ExifTags.Base.Software, raw)))
    assert all(character not in str(told) for character in "\x1b\x07\u202e\u2066\n\t\0")
    if b"<b" in raw:
        assert told == [("software", "EXIF", "<b onclick='x'>&amp;")]  # the page escapes it


def samples() -> list[bytes]:
    block = xmp(f'xmp:CreatorTool="x" a:DigitalSourceType="{AI_TYPE}trainedAlgorithmicMedia">')
    exif = private_exif().tobytes()
    files = [encoded(PICTURE, style, exif=exif, xmp=block) for style in ("JPEG", "WEBP", "HEIF")]
    files += [encoded(PICTURE, "TIFF", tiffinfo={700: block, 271: "Canon", 305: "GIMP"})]
    files += [png_with(chunk(b"eXIf", exif[6:]), text("parameters", SETTINGS, b"zTXt"), chunk(b"caBX", jumbf()))]
    return [*files, jpeg_with(segments(jumbf(bytes(300)), 100)), webp_with(b"C2PA", jumbf())]


@pytest.mark.parametrize("number", range(len(samples())))
def test_a_file_cut_anywhere_raises_nothing(number):
    data = samples()[number]
    assert said(data)
    for cut in {*range(80), *range(80, len(data), max(1, len(data) // 150)), len(data) - 1}:
        said(data[:cut])


@pytest.mark.parametrize("number", range(len(samples())))
def test_a_file_with_wrong_bytes_raises_nothing(number):
    data, chance = samples()[number], random.Random(number)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 2, 8, 40))):
            damaged[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        said(bytes(damaged))


@pytest.mark.parametrize("head", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*",
                                  b"\0\0\0\x18ftypheic", b"GIF89a", b"BM"])  # fmt: skip
def test_garbage_says_nothing_and_raises_nothing(head):
    for length in (0, 1, 7, 100, 5000):
        for filler in (bytes(length), b"\xff" * length, random.Random(length).randbytes(length)):
            assert said(head + filler) == []


def test_a_file_over_the_limit_is_not_read():
    data = encoded(PICTURE, "JPEG", exif=private_exif())
    assert said(data) and said(data + bytes(MAX_BYTES)) == []


def overlapping(size: int) -> bytes:
    """EXIF whose every tag is nearly the whole block."""
    count = min((size - 14) // 12, 65_535)
    tags = [0x0110, 0x0131, 0x9286, *range(0xA000, 0xA000 + count - 3)]
    entries = b"".join(struct.pack("<HHII", tag % 65_536, 2, size - 8, 8) for tag in tags)
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries).ljust(size, b"\0")


HARMFUL = {
    "text that explodes": lambda: png_with(*[
        text(word, "\0" * 40_000_000, b"zTXt") for word in ("parameters", "prompt", "Dream")
    ]),
    "the same text again and again": lambda: png_with(text("parameters", "x" * 200_000, b"zTXt") * 5000),
    "chunks without end": lambda: png_with(chunk(b"abCd", b"") * 400_000),
    "segments without end": lambda: jpeg_with(b"\xff\xe5\0\2" * 1_000_000),
    "segments of one box": lambda: jpeg_with(segments(jumbf(bytes(20_000_000)), 65_000)),
    "fill bytes": lambda: jpeg_with(b"\xff" * 5_000_000),
    "webp chunks": lambda: encoded(PICTURE, "WEBP") + b"abcd\0\0\0\0" * 500_000,
    "tags that overlap": lambda: png_with(chunk(b"eXIf", overlapping(900_000))),
    "a tiff of such tags": lambda: overlapping(900_000),
    "directories in a circle": lambda: b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + b"\x08\0\0\0",
    "almost a source type": lambda: png_with(text("XML:com.adobe.xmp", 'DigitalSourceType="trained' * 10_000, b"iTXt")),
    "almost settings": lambda: png_with(text("parameters", "Steps: 1, " * 26_000)),
    "almost a tool": lambda: png_with(text("XML:com.adobe.xmp", "a:CreatorTool  =  " * 14_000, b"iTXt")),
    "an xml bomb": lambda: encoded(PICTURE, "JPEG", xmp=b'<!DOCTYPE a [<!ENTITY b "ccc">]>' + b"&b;" * 9000),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_files_made_to_do_harm_are_read_in_little_time_and_memory(name):
    data = HARMFUL[name]()
    started = time.process_time()
    said(data)
    assert time.process_time() - started < 1
    tracemalloc.start()
    said(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(data) + 4_000_000


def test_what_stands_behind_too_many_parts_is_not_looked_for():
    few, many = ([chunk(b"abCd", b"")] * count for count in (MAX_BLOCKS - 9, MAX_BLOCKS))
    assert said(png_with(*few, text("Software", "GIMP"))) and not said(png_with(*many, text("Software", "GIMP")))


def test_threads_read_alike():
    files = samples()
    expected = [read_claims(data) for data in files]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read_claims, files * 20)) == expected * 20
