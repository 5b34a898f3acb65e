"""A decoded frame -> what a screen would show of it: [H, W, 3] uint8 sRGB, upright, in its display shape.

FFmpeg's swscale converts colours and sizes. What it does not do is done here: mirrored and turned frames, transparency
on white, and the brightness and colours of HDR.
"""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, cast

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

from deepfake_detect.picture.decode import MAX_PIXELS
from deepfake_detect.picture.pixels import STRIP_PIXELS

MAX_ASPECT = 4  # of a pixel, either way; more is no lens and no camera, and left as it is
# By AVColorSpace; what is missing here swscale refuses or knows by itself.
_MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
             7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}  # fmt: skip
_RGB, _UNSPECIFIED, _YCGCO = 0, 2, 8
_UNKNOWN = {"color_trc": 2, "color_primaries": 2, "colorspace": _UNSPECIFIED, "color_range": 0}
HDR_CURVES = frozenset((ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67))  # PQ, HLG

# Linear light in wider primaries -> in those of sRGB (ITU-R BT.2087 for BT.2020; both have its white).
_TO_SRGB: dict[int, np.ndarray] = {
    ColorPrimaries.BT2020: np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
    ),
    ColorPrimaries.SMPTE432: np.array(
        [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]], np.float32
    ),
}  # fmt: skip
_LUMA = np.array([[0.2627, 0.6780, 0.0593]], np.float32)  # of light in BT.2020
# Candelas per square metre.
_WHITE = 203  # of paper in HDR and of a whole screen in SDR, ITU-R BT.2408
_PEAK = 1000  # what phones record and most films are graded for; brighter becomes white
_PQ = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # m1, m2, c1, c2, c3 of SMPTE ST 2084


def colours_of(context: VideoCodecContext) -> dict[str, int]:
    """What a container says of a stream's colours: attributes of frames. Ask before the first frame is decoded."""
    return {name: getattr(context, name) for name in _UNKNOWN}


def fill_in(frame: VideoFrame, colours: dict[str, int]) -> None:
    """Where a frame does not say how its colours are meant, the container does: so are HDR and ProRes often stored."""
    for name, unknown in _UNKNOWN.items():
        if getattr(frame, name) == unknown and not (name == "colorspace" and frame.format.is_rgb):
            setattr(frame, name, colours[name])


def upright(frame: VideoFrame, aspect: Fraction | None) -> np.ndarray:
    """Convert a progressive frame.

    The matrix from luma and chroma to colours is the frame's own; where it has none, that of BT.709 for high
    definition and of BT.601 below, as players take it.

    Args:
        frame: of any pixel format.
        aspect: how many times as wide as high its pixels are, None where the file does not say.

    Returns:
        [H, W, 3] uint8 sRGB, in memory of its own.

    Raises:
        av.FFmpegError, ValueError: swscale does not convert such a frame.
    """
    size = display_size(frame.width, frame.height, aspect)
    turn = _turn(frame)
    if frame.color_trc in HDR_CURVES or frame.color_primaries in _TO_SRGB:
        pixels = _to_srgb(_converted(frame, size, "rgb48le"), frame.color_trc, frame.color_primaries)
    elif any(component.is_alpha for component in frame.format.components):
        pixels = _on_white(_converted(frame, size, "rgba"))
    else:
        pixels = _converted(frame, size, "rgb24")
        if len(frame.format.components) == 1 and frame.color_range == ColorRange.MPEG:
            pixels = _full_range()[pixels]  # swscale takes grey for full
    return np.ascontiguousarray(_turned(pixels, *turn))


def display_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Width and height with square pixels: the shorter side grows, unless that would be too many pixels."""
    if not aspect or not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        return width, height
    one = Fraction(1)
    wide = round(width * max(aspect, one)), round(height * max(1 / aspect, one))
    if wide[0] * wide[1] <= MAX_PIXELS:
        return wide
    return max(1, round(width * min(aspect, one))), max(1, round(height * min(1 / aspect, one)))


def _converted(frame: VideoFrame, size: tuple[int, int], form: str) -> np.ndarray:
    """[H, W, channels], uint8 or uint16."""
    matrix = frame.colorspace
    if matrix == _YCGCO:
        raise ValueError("swscale takes YCgCo for BT.601")
    if matrix == _UNSPECIFIED and not frame.format.is_rgb:
        if frame.color_trc in HDR_CURVES or frame.color_primaries == ColorPrimaries.BT2020:
            matrix = 9
        else:
            matrix = 1 if frame.width >= 1280 or frame.height > 576 else 6
    new = frame.reformat(
        *size, form, src_colorspace=_MATRICES.get(matrix), interpolation=Interpolation.BICUBIC, threads=1
    )
    return new.to_ndarray()


@cache
def _full_range() -> np.ndarray:
    return np.rint(np.clip((np.arange(256) - 16) * 255 / 219, 0, 255)).astype(np.uint8)


def _on_white(rgba: np.ndarray) -> np.ndarray:
    rgb = np.empty((*rgba.shape[:2], 3), np.uint8)
    for rows in _strips(rgba):
        alpha = rgba[rows, :, 3:].astype(np.uint16)
        rgb[rows] = (rgba[rows, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return rgb


def _strips(pixels: np.ndarray) -> list[slice]:
    """Rows that are worked on at a time, so that what that takes in memory is small."""
    step = max(1, STRIP_PIXELS // pixels.shape[1])
    return [slice(a, b) for a, b in pairwise([*range(0, len(pixels), step), len(pixels)])]


# How a frame is held


def _turn(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Of the display matrix: whether rows become columns, then whether left and right and top and bottom change places.

    An angle between is taken for the nearest right one.
    """
    # In PyAV 18 a frame whose side data were looked at refers to itself, and keeps its memory until Python's garbage
    # collector comes by: a gigabyte, and which memory the decoder has next becomes a matter of chance.
    frame = frame.reformat(8, 8, "gray", interpolation=Interpolation.POINT, threads=1)
    try:
        data = [bytes(item) for item in cast(Any, frame.side_data) if item.type == Type.DISPLAYMATRIX]
    except ValueError:  # PyAV does not know something else that is beside the frame
        quarter = round(frame.rotation / 90) % 4  # anticlockwise
        return quarter % 2 == 1, quarter in (2, 3), quarter in (1, 2)
    if not data or len(data[0]) < 36:
        return False, False, False
    a, b, _, c, d, *_ = np.frombuffer(data[0][:36], np.int32).astype(np.int64).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _turned(pixels: np.ndarray, swap: bool, mirror: bool, flip: bool) -> np.ndarray:
    pixels = pixels.transpose(1, 0, 2) if swap else pixels
    return pixels[:: -1 if flip else 1, :: -1 if mirror else 1]


# HDR and wide colours


def _to_srgb(signal: np.ndarray, curve: int, primaries: int) -> np.ndarray:
    """[H, W, 3] uint16 in a video's own curve and primaries -> uint8 sRGB.

    HDR is brought to the range of SDR as ITU-R BT.2390-11, section 5.4.1 has it: what is darker than half of paper
    white stays, what is brighter is bent, up to the peak. The brightest of the three channels is bent and the others
    go with it, so that hues stay.
    """
    bend = curve in HDR_CURVES
    matrix = _TO_SRGB.get(primaries, _TO_SRGB[ColorPrimaries.BT2020] if bend else np.eye(3, dtype=np.float32))
    pixels = np.empty(signal.shape, np.uint8)
    for rows in _strips(signal):
        light = _linear(curve)[signal[rows]]
        if curve == ColorTrc.ARIB_STD_B67:  # from the scene to a screen of _PEAK
            light *= _screen_gain()[_indices(cv2.transform(light, _LUMA))][..., None]
        light = np.maximum(cv2.transform(light, matrix), 0)
        if bend:
            light *= _bending()[_indices(np.sqrt(light.max(axis=2) * np.float32(_WHITE / _PEAK)))][..., None]
        pixels[rows] = _encoded()[_indices(light)]
    return pixels


def _indices(values: np.ndarray) -> np.ndarray:
    """Of 0..1, in tables of 65536; what is more is taken for 1."""
    return (np.minimum(values, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)


@cache
def _linear(curve: int) -> np.ndarray:
    """Signal [65536] -> light, in units of paper white; of HLG that of the scene, 0..1."""
    signal = np.linspace(0, 1, 65536)
    if curve == ColorTrc.SMPTE2084:
        light = _pq_to_nits(signal) / _WHITE
    elif curve == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    else:  # as everywhere here, ordinary video is taken for sRGB
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@cache
def _screen_gain() -> np.ndarray:
    """Luma of the scene [65536] -> what a screen makes of it, in units of paper white: HLG's OOTF, ITU-R BT.2100."""
    return (_PEAK / _WHITE * np.linspace(0, 1, 65536) ** 0.2).astype(np.float32)


@cache
def _bending() -> np.ndarray:
    """Square root of light over _PEAK [65536] -> factor that BT.2390 gives it, on a screen as bright as paper white."""
    light = np.linspace(0, 1, 65536) ** 2 * _PEAK
    peak, white = _nits_to_pq(np.array([_PEAK, _WHITE], float))
    x, top = _nits_to_pq(light) / peak, white / peak
    knee = 1.5 * top - 0.5
    t = np.clip((x - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * top
    factor = np.ones_like(x)
    bent = x > knee
    factor[bent] = _pq_to_nits(spline[bent] * peak) / light[bent]
    return factor.astype(np.float32)


@cache
def _encoded() -> np.ndarray:
    """Light [65536] -> uint8 sRGB."""
    light = np.linspace(0, 1, 65536)
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * signal).astype(np.uint8)


def _pq_to_nits(signal: np.ndarray) -> np.ndarray:
    m1, m2, c1, c2, c3 = _PQ
    root = signal ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _nits_to_pq(nits: np.ndarray) -> np.ndarray:
    m1, m2, c1, c2, c3 = _PQ
    power = (nits / 10_000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2
