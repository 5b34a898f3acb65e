"""Colour by code points (ITU-T H.273, "CICP"), or by gamma and chromaticities as PNG has them -> an ICC profile."""

import struct
from collections.abc import Callable
from functools import lru_cache

import numpy as np

Chromaticities = tuple[float, ...]  # x and y of white, red, green, blue

_D65 = (0.3127, 0.3290)
BT709 = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_BT601 = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
# ColourPrimaries -> chromaticities. What is missing here is no colour of pictures, or unspecified: sRGB's are taken.
_PRIMARIES = {
    1: BT709,
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: _BT601,
    7: _BT601,
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_WHITE = 203  # cd/m2 of white in HDR (ITU-R BT.2408): what is brighter becomes white
_SAMPLES = 1024  # of a curve
_GAMMAS = 0.1, 1.0  # of PNG's gAMA, between which it is believed
_CLOSE = 0.02  # of gamma and chromaticities: within it they mean sRGB's


def profile_of_code_points(primaries: int, transfer: int) -> bytes | None:
    """An ICC profile for pixels with these code points; None where they are those of sRGB, or say nothing.

    The curves of television (1, 6, 14, 15) count as sRGB's, as in browsers. HDR (16, PQ; 18, HLG) is brought to
    SDR: white of 203 cd/m2 and all that is brighter becomes white.
    """
    curve = {4: _gamma(2.2), 5: _gamma(2.8), 8: _gamma(1.0), 16: _pq, 18: _hlg}.get(transfer, srgb_curve)
    chromaticities = _PRIMARIES.get(primaries, BT709)
    return None if (curve, chromaticities) == (srgb_curve, BT709) else matrix_profile(chromaticities, curve)


def profile_of_gamma(gamma: float | None, chromaticities: Chromaticities | None) -> bytes | None:
    """An ICC profile for PNG's gAMA (0.45455 is usual) and cHRM; None where they are about sRGB's or make no sense."""
    chromaticities = chromaticities if chromaticities and len(chromaticities) == 8 else BT709
    if gamma is None or not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return None
    if abs(gamma - 1 / 2.2) < _CLOSE and np.abs(np.subtract(chromaticities, BT709)).max() < _CLOSE:
        return None
    try:
        return matrix_profile(tuple(chromaticities), _gamma(round(1 / gamma, 4)))
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, struct.error):  # such primaries span no colours
        return None


Curve = Callable[[np.ndarray], np.ndarray]  # samples 0..1 -> light 0..1


def srgb_curve(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _pq(x: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = x ** (1 / m2)
    return 10_000 / _WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg(x: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100, on a display of 1000 cd/m2, each channel by itself."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(x <= 0.5, x**2 / 3, (np.exp((x - c) / a) + b) / 12)
    return 1000 / _WHITE * scene**1.2


@lru_cache(16)
def _gamma(power: float) -> Curve:
    return lambda x: x**power


@lru_cache(16)
def matrix_profile(chromaticities: Chromaticities, curve: Curve) -> bytes:
    """A matrix and curves, as an ICC profile of version 4 (ICC.1:2022). Raises numpy.linalg.LinAlgError, ValueError."""
    white, *primaries = (_xyz(*chromaticities[at : at + 2]) for at in range(0, 8, 2))
    columns = np.column_stack(primaries)
    matrix = _to_d50(white) @ (columns * np.linalg.solve(columns, white))
    samples = np.clip(curve(np.linspace(0, 1, _SAMPLES)), 0, 1)
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 4:
        raise ValueError("not the colours of a picture")
    light = b"curv" + struct.pack(">II", 0, _SAMPLES) + np.round(samples * 65535).astype(">u2").tobytes()
    bodies = {b"wtpt": _xyz_tag(_D50)} | {
        name: _xyz_tag(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)
    }
    shared = [b"rTRC", b"gTRC", b"bTRC"]
    start = 128 + 4 + 12 * (len(bodies) + len(shared))
    table, data = struct.pack(">I", len(bodies) + len(shared)), b""
    for name, body in bodies.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body
    for name in shared:
        table += struct.pack(">4sII", name, start + len(data), len(light))
    data += light
    head = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _s15(_D50) + bytes(48)
    return head + table + data


def _xyz(x: float, y: float) -> np.ndarray:
    if not 0 < y <= 1:
        raise ValueError("no chromaticity")
    return np.array([x / y, 1, (1 - x - y) / y])


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _to_d50(white: np.ndarray) -> np.ndarray:
    """Bradford's adaptation of XYZ [3] to the white of profiles."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD)


def _xyz_tag(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + _s15(values)


def _s15(values: np.ndarray) -> bytes:
    """As s15Fixed16Number."""
    return np.round(np.asarray(values) * 65536).astype(">i4").tobytes()
