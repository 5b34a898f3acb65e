"""Colour profiles that the tests make."""

import struct

import numpy as np

from deepfake_detect.picture.cicp import matrix_profile, profile_of_code_points
from deepfake_detect.picture.icc import MAX_PROFILE

_WHITE = (0.3127, 0.3290)


def of_rgb(primaries: tuple[float, ...], gamma: float) -> bytes:
    """A profile of a display: x and y of red, green and blue."""
    return matrix_profile((*_WHITE, *primaries), _Power(gamma))


class _Power:
    def __init__(self, gamma: float):
        self.gamma = gamma

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x**self.gamma


P3 = profile_of_code_points(12, 13)
ADOBE_RGB = of_rgb((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 2.2)
PROPHOTO = of_rgb((0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001), 1.8)


def of_grey(gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"
    return assembled(b"GRAY", b"XYZ ", b"mntr", {b"wtpt": white(), b"kTRC": curve})


def of_ink() -> bytes:
    """CMYK with colours that are duller than those of a simple conversion."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), -1).reshape(-1, 4)  # cyan slowest
    light = (1 - grid[:, :3]) * (1 - grid[:, 3:])
    lab = np.column_stack([light.mean(1) * 100, (light[:, 0] - light[:, 1]) * 60, (light[:, 1] - light[:, 2]) * 60])
    table = np.round(np.clip((lab + np.array([0, 128, 128])) * [2.55, 1, 1], 0, 255)).astype(np.uint8)
    ramp = bytes(range(256))
    identity = np.round(np.eye(3) * 65536).astype(">i4").tobytes()
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + table.tobytes() + 3 * ramp
    return assembled(b"CMYK", b"Lab ", b"prtr", {b"wtpt": white(), b"A2B0": lut, b"A2B1": lut})


def white() -> bytes:
    return b"XYZ " + bytes(4) + np.round(np.array([0.9642, 1, 0.8249]) * 65536).astype(">i4").tobytes()


def assembled(space: bytes, connection: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 2 with these tags."""
    start, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x02400000, kind, space, connection)
    head += bytes(12) + b"acsp" + bytes(28) + white()[8:] + bytes(48)
    return head + table + data


def hostile() -> list[bytes]:
    """Profiles that are broken, of another kind, or ask for more than there is."""
    chains = {b"wtpt": white(), b"D2B1": b"mpet" + struct.pack(">IHHI", 0, 3, 3, 4_000_000_000), b"A2B0": b"mft2"}
    vast = b"mAB " + struct.pack(">IBBHIIIII", 0, 3, 3, 0, 32, 32, 32, 32, 32) + bytes([255] * 16) + bytes(64)
    return [
        b"", b"x", bytes(128), bytes(10_000), P3[:200], P3[: len(P3) // 2], P3[:128] + b"\xff" * len(P3[128:]),
        P3.replace(b"RGB ", b"HSV "), P3.replace(b"mntr", b"link"), P3.replace(b"mntr", b"nmcl"),
        assembled(b"RGB ", b"XYZ ", b"mntr", chains), assembled(b"RGB ", b"Lab ", b"scnr", {b"A2B0": vast}),
        P3 + bytes(MAX_PROFILE), P3[:128] + struct.pack(">I", 2**32 - 1) + P3[132:],
    ]  # fmt: skip
