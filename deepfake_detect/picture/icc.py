"""Colour profiles: whatever a picture's numbers mean -> sRGB, which is what the detector was made for.

Relative colorimetric with black point compensation, by littleCMS. A profile that is broken, too large, of another kind
or of other channels than the picture is passed over, and the numbers are taken for sRGB, as without one.
"""

import hashlib
import io
import struct
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from PIL import Image, ImageCms
from PIL.AvifImagePlugin import AvifImageFile
from PIL.PngImagePlugin import PngImageFile

from deepfake_detect.picture.cicp import profile_of_code_points, profile_of_gamma

MAX_PROFILE = 4 * 2**20  # bytes; those of printing presses have up to 3 million
KEPT = 16  # conversions that are kept, at most some megabytes each
ROUNDING = 1  # levels by which a profile's sRGB differs from ours

_KINDS = (b"mntr", b"scnr", b"prtr", b"spac")  # displays, scanners, printers, colour spaces
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_MAX_TAGS = 100
# Tags with chains of floating-point steps, which may share bytes and so be longer than memory. A profile that has them
# has the others, too (ICC.1:2022, 8.3.2).
_CHAINS = (b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3")
_LEVELS = np.linspace(0, 255, 18).round().astype(np.uint8)  # of the lattice on which a profile is tried


@dataclass(frozen=True)
class Conversion:
    """From a profile's colours to sRGB. Thread-safe."""

    mode: str  # of the profile's pixels: "RGB", "L" or "CMYK"
    transform: ImageCms.ImageCmsTransform

    def applied(self, image: Image.Image) -> Image.Image:
        """A new picture: "CMYK" -> "RGB", otherwise "RGB" or "RGBA" -> the same; alpha stays as it is."""
        pixels = image.getchannel(0) if self.mode == "L" else image
        if image.mode == "RGBA" and self.mode == "RGB":
            pixels = image.convert("RGB")
        converted = self.transform.apply(pixels)
        if image.mode == "RGBA":
            converted.putalpha(image.getchannel("A"))
        return converted


def conversion_of(image: Image.Image, data: bytes | None = None) -> Conversion | None:
    """What brings a picture's colours to sRGB; None where they are sRGB or have to be taken for it.

    Of PNG: the chunk cICP, or iCCP, or sRGB, or gAMA with cHRM, the first of these that is there (PNG, third edition).
    Of HEIC and AVIF: the ICC profile, or the code points of `nclx`. Of other formats the ICC profile alone.

    Args:
        image: a loaded picture.
        data: its file, where there is one.
    """
    profile = _profile_of(image, data)
    if not isinstance(profile, bytes) or not 128 < len(profile) <= MAX_PROFILE:
        return None
    mode = _MODES.get(profile[16:20])
    if mode is None or not _fits(mode, image.mode):
        return None
    key = hashlib.sha256(profile).digest()
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    conversion = _made(profile, mode)
    with _lock:
        _kept[key] = conversion
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return conversion


_kept: OrderedDict[bytes, Conversion | None] = OrderedDict()  # by the profile's hash
_lock = Lock()
_SRGB = ImageCms.createProfile("sRGB")


def _profile_of(image: Image.Image, data: bytes | None) -> bytes | None:
    if isinstance(image, PngImageFile):
        if (points := _png_code_points(data)) is not None:
            return profile_of_code_points(*points)
        if "icc_profile" not in image.info and "srgb" not in image.info:
            return profile_of_gamma(image.info.get("gamma"), image.info.get("chromaticity"))
    if profile := image.info.get("icc_profile"):
        return profile
    if nclx := image.info.get("nclx_profile"):  # of HEIC
        return profile_of_code_points(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]))
    if data and isinstance(image, AvifImageFile) and (at := data.find(b"colrnclx")) >= 0 and at + 12 <= len(data):
        return profile_of_code_points(*struct.unpack_from(">HH", data, at + 8))
    return None


def _png_code_points(data: bytes | None) -> tuple[int, int] | None:
    """Primaries and transfer of the chunk cICP, which stands before the pixels."""
    at = 8
    while data and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"cICP" and length == 4:
            return data[at + 8], data[at + 9]
        if kind == b"IDAT":
            return None
        at += 12 + length
    return None


def _fits(mode: str, of_image: str) -> bool:
    """Whether a profile's channels are those of a picture; grey pictures with a colour profile are as usual."""
    if mode == "CMYK" or of_image == "CMYK":
        return mode == of_image
    return of_image != "LAB" and (mode == "RGB" or of_image in ("1", "L", "LA", "La") or of_image.startswith("I"))


def _made(profile: bytes, mode: str) -> Conversion | None:
    if profile[12:16] not in _KINDS or profile[36:40] != b"acsp":
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_without_chains(profile)))
        transform = ImageCms.ImageCmsTransform(
            source, ImageCms.ImageCmsProfile(_SRGB), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )  # fmt: skip
        conversion = Conversion(mode, transform)
        return None if mode != "CMYK" and _changes_nothing(conversion) else conversion
    except (OSError, ValueError, TypeError, MemoryError, struct.error, ImageCms.PyCMSError):
        return None  # littleCMS cannot make sense of it


def _without_chains(profile: bytes) -> bytes:
    """The same with other names for the tags of _CHAINS. Raises ValueError, struct.error where there are no tags."""
    (tags,) = struct.unpack_from(">I", profile, 128)
    if tags > _MAX_TAGS:
        raise ValueError("too many tags")
    changed = bytearray(profile)
    for at in range(132, 132 + 12 * tags, 12):
        if profile[at : at + 4] in _CHAINS:
            changed[at : at + 4] = b"none"
    return bytes(changed)


def _changes_nothing(conversion: Conversion) -> bool:
    """Whether a conversion is one from sRGB to sRGB: tried on a lattice of colours, or on greys."""
    if conversion.mode == "L":
        lattice = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    else:
        lattice = np.stack(np.meshgrid(*[_LEVELS] * 3, indexing="ij"), -1).reshape(len(_LEVELS), -1, 3)
    changed = np.asarray(conversion.applied(Image.fromarray(np.ascontiguousarray(lattice))))
    return int(np.abs(changed.astype(int) - lattice).max()) <= ROUNDING
