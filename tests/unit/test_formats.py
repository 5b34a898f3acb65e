"""Formats beside the usual ones: AVIF, BigTIFF and MPO are read, and of others it is said what they are."""

import io
import struct

import numpy as np
import pytest
from pictures import announcing, as_bigtiff, difference, encoded, png, quarters, refusal, tags_on_shared_bytes
from PIL import Image
from project import CASES

from deepfake_detect import judge_video
from deepfake_detect.errors import DetectError
from deepfake_detect.picture import exif
from deepfake_detect.picture.av1 import MAX_BOXES, largest_frame
from deepfake_detect.picture.decode import MAX_AVIF_PIXELS, open_picture
from deepfake_detect.picture.decoders import PlainAvif
from deepfake_detect.picture.formats import SUFFIXES
from deepfake_detect.picture.memory_budget import PixelBudget

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not


# AVIF


def test_avif_is_read(small):
    assert difference(open_picture(encoded(small, "AVIF", quality=95)), small) < 4
    clear = Image.new("RGBA", (64, 48), (255, 0, 0, 51))
    assert open_picture(encoded(clear, "AVIF", quality=98))[9, 9].astype(int) == pytest.approx((255, 204, 204), abs=3)
    grey = open_picture(encoded(small.convert("L"), "AVIF", quality=95))
    assert difference(grey, small.convert("L").convert("RGB")) < 4


@pytest.mark.parametrize("brand", [b"mif1", b"avis", b"avif"])
def test_brands_that_avif_shares_lead_to_it(small, brand):
    data = encoded(small, "AVIF", quality=95)
    changed = data[:8] + brand + data[12:]
    if brand != b"avis":  # that is a row of frames, which this is not
        assert difference(open_picture(changed), small) < 4


def test_half_an_avif_is_called_damaged(small):
    data = encoded(small, "AVIF")
    assert "cut short" in refusal(data[: len(data) // 2])
    assert "cut short" in refusal(data[:40])


def test_the_decoder_of_avif_goes_with_its_picture(small):
    with Image.open(io.BytesIO(encoded(small, "AVIF")), formats=[PlainAvif.format]) as image:
        image.load()
        assert image._decoder is None


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"quality": 100}, {"speed": 10}])
@pytest.mark.parametrize("size", [(64, 48), (17, 1000), (801, 603)])
def test_the_largest_frame_of_an_avif_is_what_its_stream_says(options, size):
    for mode in ("RGB", "RGBA"):
        assert largest_frame(encoded(Image.new(mode, size), "AVIF", **options)) == size[0] * size[1]
    frames = [Image.new("RGB", size, (40 * number, 0, 0)) for number in range(4)]
    row = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], **options)
    assert size[0] * size[1] <= largest_frame(row) <= 4 * size[0] * size[1]


def lying(side: int, said: int) -> bytes:
    """An AVIF whose boxes say that it is small."""
    data = encoded(Image.new("RGB", (side, side), (200, 30, 40)), "AVIF", speed=10)
    return data.replace(struct.pack(">II", side, side), struct.pack(">II", said, said))


def test_an_avif_whose_stream_is_larger_than_its_boxes_say_takes_the_room_of_its_stream(monkeypatch):
    given, back = [], PixelBudget._give_back
    monkeypatch.setattr(PixelBudget, "_give_back", lambda self, pixels: given.append(pixels) or back(self, pixels))
    open_picture(lying(1000, 64))
    assert given == [1_000_000]


def test_an_avif_whose_stream_is_too_large_is_not_decoded(small, monkeypatch):
    monkeypatch.setattr(PlainAvif, "load", lambda self: pytest.fail("it was decoded"))
    data = announcing(encoded(small, "AVIF"), 16_000)
    assert largest_frame(data) == 16_000**2 and "megapixels" in refusal(data)


def test_an_avif_whose_stream_is_not_found_is_not_decoded(monkeypatch):
    """Behind more boxes than are looked at, libavif would find it all the same."""
    data, free = lying(1000, 64), struct.pack(">I4s", 8, b"free") * MAX_BOXES
    head = int.from_bytes(data[:4], "big")
    place = data.index(b"iloc")
    start = data.index(struct.pack(">I", data.index(b"mdat") + 4), place)
    moved = struct.pack(">I", data.index(b"mdat") + 4 + len(free))
    hidden = data[:head] + free + data[head:start] + moved + data[start + 4 :]
    with Image.open(io.BytesIO(hidden)) as picture:
        picture.load()  # it is sound
    monkeypatch.setattr(PlainAvif, "load", lambda self: pytest.fail("it was decoded"))
    assert "damaged" in refusal(hidden)
    with pytest.raises(ValueError, match="no stream"):
        largest_frame(data[:head])


def test_more_pixels_of_avif_than_allowed_are_refused():
    data = encoded(Image.new("RGB", (64, 64)), "AVIF")
    side = int(MAX_AVIF_PIXELS**0.5) + 1
    assert f"{MAX_AVIF_PIXELS // 10**6} megapixels" in refusal(
        data.replace(struct.pack(">II", 64, 64), struct.pack(">II", side, side))
    )


def test_streams_that_make_no_sense_are_told(small):
    data = encoded(small, "AVIF")
    for cut in range(0, len(data), 7):
        try:
            assert largest_frame(data[:cut]) == small.width * small.height
        except ValueError:
            pass
    place = data.index(b"iloc")
    for wrong in (b"\xff" * 24, bytes(24), b"\0\0\0\0\xff\xff\xff\xff" * 3):
        try:
            largest_frame(data[: place + 4] + wrong + data[place + 28 :])
        except ValueError:
            pass


# BigTIFF


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg", "quality": 95},
                                     {"compression": "tiff_adobe_deflate"}])  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
def test_bigtiff_is_read_as_tiff_is(small, options, mode):
    if mode == "RGBA" and options.get("compression") == "jpeg":
        pytest.skip("no JPEG has transparency")
    image = small.convert(mode)
    usual = encoded(image, "TIFF", **options)
    big = as_bigtiff(usual) if options else encoded(image, "TIFF", big_tiff=True)  # of which Pillow packs none
    assert big[:4] == b"II+\0" and np.array_equal(open_picture(big), open_picture(usual))


def test_the_orientation_of_a_bigtiff_counts():
    tags = Image.Exif()
    tags[0x0112] = 6
    data = encoded(quarters().transpose(Image.Transpose.ROTATE_90), "TIFF", big_tiff=True, exif=tags)
    assert difference(open_picture(data), quarters()) == 0


def big_directory(entries: list[tuple[int, int, int, int]], more: bytes = b"") -> bytes:
    body = struct.pack("<Q", len(entries)) + b"".join(struct.pack("<HHQQ", *entry) for entry in entries)
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + body + bytes(8) + more


def test_a_bigtiff_whose_tags_share_bytes_is_refused_before_it_costs_memory():
    from pictures import peak

    size = 100_000
    shared = [(40000 + number, 4, size // 4, 60_000) for number in range(2000)]
    hostile = big_directory(shared, bytes(60_000 + size))
    assert exif.is_harmless(big_directory(shared[:1], bytes(60_000 + size))) and not exif.is_harmless(hostile)
    assert peak(hostile) < 10 * len(hostile) and "damaged" in refusal(hostile)


@pytest.mark.parametrize("count", [2**63, 2**64 - 1, 2**40])
def test_numbers_of_a_bigtiff_that_go_beyond_every_file(count):
    for entry in ((256, 4, count, 8), (256, 16, 1, count), (273, 16, count, count), (0x0112, 3, 1, count)):
        refusal(big_directory([entry]))
    refusal(b"II+\0\x08\0\0\0" + struct.pack("<Q", count) + bytes(100))
    refusal(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, count) + bytes(5_000_000))
    assert not exif.is_harmless(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, count) + bytes(5_000_000))


def test_a_big_endian_bigtiff_is_named():
    assert "BigTIFF" in refusal(b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 0) + bytes(99))


def test_the_bigtiff_that_once_was_refused():
    if not CASES.is_dir():
        pytest.skip("the cases (shared/cases) are not on this machine")
    assert open_picture(CASES / "bigtiff.tif").shape == (371, 248, 3)


# MPO


def test_of_an_mpo_the_first_picture_is_read_and_its_index_is_not(small):
    data = encoded(small, "MPO", save_all=True, append_images=[Image.new("RGB", small.size, "red")], quality=95)
    assert data.count(b"\xff\xd8\xff") == 2 and ".mpo" in SUFFIXES
    assert difference(open_picture(data), small) < 6
    assert data.index(b"MPF\0") > 0
    hostile = tags_on_shared_bytes(2000, 20_000)[:20_000]
    segment = b"\xff\xe2" + struct.pack(">H", 2 + 4 + len(hostile)) + b"MPF\0" + hostile
    assert difference(open_picture(data[:2] + segment + data[2:]), small) < 6


# Others


def tiff(tags: dict[int, int]) -> bytes:
    return encoded(Image.new("RGB", (32, 32)), "TIFF", tiffinfo=tags)


OTHERS = {
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), b"\xff\x4f\xff\x51" + bytes(99)],
    "JPEG XL": [b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), b"\xff\x0a" + bytes(99)],
    "Photoshop": [b"8BPS\0\1" + bytes(99)],
    "PDF": [b"%PDF-1.7\n"],
    "SVG": [b'<?xml version="1.0"?>\n<!-- made -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', b"\xef\xbb\xbf<svg>"],
    "web page": [b"<!DOCTYPE html><html></html>", b"\n <HTML><img></HTML>"],
    "raw file": [
        b"FUJIFILMCCD-RAW 0201" + bytes(99), b"IIRO\x08\0\0\0", b"IIU\0\x18\0\0\0", b"\0\0\0\x18ftypcrx \0\0\0\1",
        b"II*\0\x10\0\0\0CR\2\0" + bytes(99), tiff({0xC612: 1}), tiff({254: 1, 330: 8}),
    ],
    "video": [
        b"\0\0\0\x18ftypisom" + bytes(99), b"\0\0\0\x18ftypdash" + bytes(99), b"\x1a\x45\xdf\xa3" + bytes(99),
        b"RIFF\0\0\0\0AVI " + bytes(99), b"\0\0\0\x08wide\0\0\x10\0mdat" + bytes(99), b"\x7f\0\0\0mdat" + bytes(99),
    ],
    "ZIP": [b"PK\3\4" + bytes(99)],
    "GIMP": [b"gimp xcf v011"],
    "Netpbm": [b"P6 32 32 255 " + bytes(99)],
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_a_format_that_is_not_read_is_named_with_what_to_send(what):
    for data in OTHERS[what]:
        said = refusal(data)
        assert what in said and ("Send" in said or "Save" in said or "Export" in said or "send" in said), said


NO_VIDEOS = [*(b"\0\0\0\x18ftyp" + brand + bytes(99) for brand in (b"M4A ", b"miaf", b"heic", b"avif")),
             b"I'm free of it", b"skipfree"]  # fmt: skip


def test_sound_stills_and_words_are_no_video():
    for data in NO_VIDEOS:
        assert "video" not in refusal(data)


def test_a_damaged_picture_of_a_format_that_is_read_is_called_damaged():
    for data in (
        b"\xff\xd8\xff\xe0" + bytes(99),
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        b"GIF89a",
        png(32, 32, 8, 2, b"")[:20],
    ):
        assert "damaged" in refusal(data)


def test_what_is_nothing_known_is_told_what_to_send():
    assert "AVIF" in refusal(b"just a few words") and "AVIF" in refusal(b"BM and words")


def test_suffixes_cover_the_formats():
    assert {".avif", ".mpo", ".apng", ".jpg", ".heic", ".tif", ".webp", ".bmp", ".gif", ".png"} <= SUFFIXES


@pytest.mark.parametrize("address", ["https://example.com/a.jpg", "s3://bucket/a.jpg"])
def test_an_address_is_told_from_a_file_that_is_not_there(by_colour, address):
    for refused in (lambda: by_colour.predict_one(address), lambda: judge_video(by_colour, address)):
        with pytest.raises(DetectError, match="download it") as caught:
            refused()
        assert caught.value.code == "not_found"
