"""Colour profiles: what a picture's numbers mean comes out as sRGB, and a hostile profile as if it were not there."""

import io
import random
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictures import chunk, difference, encoded, png
from PIL import Image, ImageCms
from profiles import ADOBE_RGB, P3, PROPHOTO, hostile, of_grey, of_ink

from deepfake_detect.picture import icc
from deepfake_detect.picture.cicp import BT709, matrix_profile, profile_of_code_points, profile_of_gamma, srgb_curve
from deepfake_detect.picture.decode import open_downscaled, open_picture
from deepfake_detect.picture.icc import KEPT, conversion_of

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED_IN_P3 = (234, 51, 35)  # what Display P3 calls sRGB's (255, 0, 0), to the level
FORMATS = [("PNG", {}), ("TIFF", {}), ("JPEG", {"quality": 98, "subsampling": 0}), ("WEBP", {"lossless": True}),
           ("AVIF", {"quality": 98, "subsampling": "4:4:4"}), ("HEIF", {"quality": 98, "chroma": 444}),
           ("MPO", {"quality": 98, "subsampling": 0}), ("TIFF", {"big_tiff": True})]  # fmt: skip


def patch(colour: tuple[int, ...], mode: str = "RGB", side: int = 48) -> Image.Image:
    return Image.new(mode, (side, side), colour)


def colour_of(data: bytes) -> np.ndarray:
    return open_picture(data).reshape(-1, 3).astype(float).mean(0)


@pytest.mark.parametrize(("style", "options"), FORMATS)
def test_a_p3_photograph_comes_as_srgb_from_every_format(style, options):
    assert colour_of(encoded(patch(RED_IN_P3), style, icc_profile=P3, **options)) == pytest.approx((255, 0, 0), abs=4)
    assert colour_of(encoded(patch(RED_IN_P3), style, **options)) == pytest.approx(RED_IN_P3, abs=4)


def test_wide_profiles_give_what_littlecms_gives(small):
    for profile in (P3, ADOBE_RGB, PROPHOTO):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        expected = ImageCms.profileToProfile(
            small, source, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        assert difference(open_picture(encoded(small, "PNG", icc_profile=profile)), expected) < 0.1
        assert difference(open_picture(encoded(small, "PNG", icc_profile=profile)), small) > 2


def test_the_strips_of_a_large_picture_and_its_parts_are_converted_alike(small):
    large = small.resize((2400, 2800))
    data = encoded(large, "JPEG", quality=95, icc_profile=ADOBE_RGB)
    whole = open_picture(data)
    for downscale, longest in ((2, 1400), (4, 700), (8, 350)):
        part = open_downscaled(data, longest)
        assert part.downscale == downscale
        shrunk = Image.fromarray(whole).resize(part.pixels.shape[1::-1], Image.Resampling.BOX)
        assert difference(part.pixels, shrunk) < 1.5


@pytest.mark.parametrize("style", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparency_is_laid_on_white_after_its_colours_are_converted(style):
    options = {"lossless": True} if style == "WEBP" else {}
    data = encoded(patch((*RED_IN_P3, 128), "RGBA"), style, icc_profile=P3, **options)
    assert colour_of(data) == pytest.approx((255, 127, 127), abs=4)


def test_grey_and_ink():
    grey = open_picture(encoded(patch(128, "L"), "PNG", icc_profile=of_grey(1.0)))
    assert (grey == 188).all()  # half of the light
    assert (open_picture(encoded(patch((128, 255), "LA"), "PNG", icc_profile=of_grey(1.0))) == 188).all()
    assert difference(open_picture(encoded(patch(128, "L"), "PNG", icc_profile=of_grey(2.2))), patch((128,) * 3)) <= 1
    red, paper = patch((0, 255, 255, 0), "CMYK"), patch((0, 0, 0, 0), "CMYK")
    for style in ("JPEG", "TIFF"):
        assert colour_of(encoded(red, style)) == pytest.approx((255, 0, 0), abs=3)
        dull = colour_of(encoded(red, style, icc_profile=of_ink()))
        assert 100 < dull[0] < 200
        assert (open_picture(encoded(paper, style, icc_profile=of_ink())) == 255).all()


def test_a_grey_picture_with_a_colour_profile_is_converted_as_colours():
    linear = profile_of_code_points(1, 8)
    assert (open_picture(encoded(patch(128, "L"), "PNG", icc_profile=linear)) == 188).all()


def test_srgb_by_any_name_changes_not_one_pixel_and_is_not_kept_busy(small):
    renamed = SRGB.replace(b"sRGB", b"none")
    for profile in (SRGB, renamed, _in_tables()):
        for style in ("PNG", "JPEG"):
            with_profile, without = (encoded(small, style, icc_profile=data) for data in (profile, b""))
            assert np.array_equal(open_picture(with_profile), open_picture(without))
        image = small.copy()
        image.info["icc_profile"] = profile
        assert conversion_of(image) is None


def _in_tables() -> bytes:
    """sRGB with a curve of 1024 samples, as most cameras have it."""
    return matrix_profile(BT709, srgb_curve)


@pytest.mark.parametrize("profile", [ADOBE_RGB, of_ink()])
def test_channels_that_are_not_the_pictures_are_passed_over(small, profile):
    image = small.convert("CMYK") if profile[16:20] == b"RGB " else small
    data, plain = (encoded(image, "TIFF", **options) for options in ({"icc_profile": profile}, {}))
    assert np.array_equal(open_picture(data), open_picture(plain))
    assert np.array_equal(
        open_picture(encoded(small, "PNG", icc_profile=of_grey(1.0))), open_picture(encoded(small, "PNG"))
    )


# PNG's own ways, and code points


def test_png_says_its_colours_in_several_ways_and_the_first_counts():
    rows = (b"\0" + bytes(RED_IN_P3) * 32) * 32

    def found(*chunks: bytes) -> tuple[int, ...]:
        return tuple(int(c) for c in open_picture(png(32, 32, 8, 2, rows, b"".join(chunks)))[0, 0])

    cicp, srgb = chunk(b"cICP", bytes([12, 13, 0, 1])), chunk(b"sRGB", b"\0")
    iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(PROPHOTO))
    usual, linear = (chunk(b"gAMA", struct.pack(">I", gamma)) for gamma in (45455, 100_000))
    wide = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
    assert found() == found(srgb) == found(usual) == RED_IN_P3
    assert found(cicp) == found(cicp, iccp) == found(cicp, srgb, linear) == pytest.approx((255, 0, 0), abs=3)
    assert found(iccp) == found(iccp, linear) != RED_IN_P3
    assert found(srgb, linear) == RED_IN_P3
    assert found(linear) == pytest.approx((246, 124, 104), abs=3)
    assert found(usual, wide) == pytest.approx((255, 0, 0), abs=12)  # a gamma of 2.2 is not quite sRGB's curve
    assert found(chunk(b"cICP", bytes([1, 13, 0, 1])), iccp) == RED_IN_P3


@pytest.mark.parametrize("gamma", [0, 1, 2**31 - 1])
def test_gamma_and_chromaticities_without_sense_are_passed_over(gamma):
    rows = (b"\0" + bytes(RED_IN_P3) * 32) * 32
    for wide in ((0,) * 8, (31270, 32900) * 4, (2**31 - 1,) * 8, (31270, 0) * 4):
        odd = chunk(b"gAMA", struct.pack(">I", gamma)) + chunk(b"cHRM", struct.pack(">8I", *wide))
        assert (open_picture(png(32, 32, 8, 2, rows, odd)) == RED_IN_P3).all()
        assert profile_of_gamma(0.9, tuple(value / 100_000 for value in wide)) is None


def test_code_points_of_heic_and_avif_count_where_there_is_no_profile():
    avif = encoded(patch(RED_IN_P3), "AVIF", quality=98, subsampling="4:4:4")
    at = avif.index(b"colrnclx") + 8
    assert colour_of(avif[:at] + b"\0\x0c" + avif[at + 2 :]) == pytest.approx((255, 0, 0), abs=4)
    heif = encoded(patch(RED_IN_P3), "HEIF", quality=98, chroma=444, color_primaries=12, transfer_characteristics=13)
    assert colour_of(heif) == pytest.approx((255, 0, 0), abs=5)


def test_hdr_is_brought_to_sdr():
    """White of 203 cd/m2 becomes white, and a grey of 18 in 100 of it the grey that it is in sRGB."""
    for transfer, white_level, grey_level in ((16, 148, 105), (18, 191, 111)):
        image = patch((white_level,) * 3)
        image.paste((grey_level,) * 3, (0, 0, 48, 24))
        image.info["icc_profile"] = profile_of_code_points(9, transfer)
        found = open_picture(image)
        assert found[47, 0].min() >= 250 and found[0, 0].astype(int) == pytest.approx((118,) * 3, abs=3)


def test_code_points_of_srgb_and_of_nothing_need_no_profile():
    for points in ((1, 13), (1, 1), (2, 2), (1, 6), (0, 0), (255, 255), (3, 99)):
        assert profile_of_code_points(*points) is None


# Hostile profiles


@pytest.mark.slow
@pytest.mark.parametrize("style", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_a_broken_profile_is_passed_over(small, style):
    plain = open_picture(encoded(small, style))
    for number, profile in enumerate(hostile()):
        if style == "PNG" and len(profile) > 2**20:
            continue  # Pillow itself refuses it
        found = open_picture(encoded(small, style, icc_profile=profile))
        assert difference(found, Image.fromarray(plain)) < 1, number


@pytest.mark.slow
def test_profiles_with_wrong_bytes_give_a_picture_in_time(small):
    chance = random.Random(3)
    image = small.resize((64, 64))
    slowest = 0.0
    for number in range(300):
        profile = bytearray(chance.choice((P3, of_grey(2.2), of_ink(), SRGB)))
        for _ in range(chance.choice((1, 3, 20))):
            profile[chance.randrange(chance.choice((len(profile), min(len(profile), 300))))] = chance.randrange(256)
        other = image.convert({b"GRAY": "L", b"CMYK": "CMYK"}.get(bytes(profile[16:20]), "RGB"))
        other.info["icc_profile"] = bytes(profile)
        began = time.process_time()
        found = open_picture(other)
        slowest = max(slowest, time.process_time() - began)
        assert found.shape == (64, 64, 3), number
    assert slowest < 2 and len(icc._kept) <= KEPT


def test_threads_share_conversions(small):
    data = [encoded(small, "PNG", icc_profile=profile) for profile in (P3, ADOBE_RGB, PROPHOTO, SRGB)]
    expected = [open_picture(one) for one in data]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(open_picture, data * 15))
    assert all(np.array_equal(one, expected[place % 4]) for place, one in enumerate(found))
