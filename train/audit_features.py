"""One picture -> what a shortcut could be made of: facts of its file, and simple statistics of its pixels."""

import hashlib
import io
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

from deepfake_detect.errors import PictureError
from deepfake_detect.face.crop import cut
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.picture.decode import open_picture
from train.crops import Framing, keep_region
from train.data import Sample
from train.degrade import degrade
from train.recipe import Recipe

STAGES = ("file", "crop", "normalised")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIF", "AVIF")  # Pillow's names of what `open_picture` reads
# Luminance table of ITU-T T.81, Annex K, in rows: what the IJG's library, and Pillow with it, scales by the quality.
IJG_LUMINANCE = np.array("""
    16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
    18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
    """.split(), dtype=np.int64)  # fmt: skip
NO_JPEG = 101  # the quality of a file that is no JPEG, so that it can be told from one
BAND_EDGES = (0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)  # of the spectrum, as shares of the highest frequency
BLOCK = 8  # pixels on a side of a JPEG block
EPSILON = 1e-9


@dataclass(frozen=True)
class Measured:
    """What is known of one readable picture."""

    sample: Sample
    name: str  # path inside the data folder
    format: str
    exact_quality: bool  # its quantisation table is one of the IJG's own
    face: bool  # found
    features: dict[str, dict[str, float]]  # stage -> feature -> value
    spectra: dict[str, np.ndarray]  # "crop" and "normalised" -> see `radial_spectrum`

    @property
    def source(self) -> str:
        return self.sample.source or "pictures"


@dataclass(frozen=True)
class Hashed:
    """What tells whether one readable picture is like another."""

    sample: Sample
    sha256: str  # of the file
    phash: int  # see `perceptual_hash`

    @property
    def name(self) -> str:
        return self.sample.name or self.sample.path.name

    @property
    def source(self) -> str:
        return self.sample.source or "pictures"


def hashed(sample: Sample) -> Hashed:
    """Both hashes of a picture. Raises PictureError."""
    phash = perceptual_hash(open_picture(sample.path))
    return Hashed(sample, hashlib.sha256(_content(sample)).hexdigest(), phash)


def _content(sample: Sample) -> bytes:
    try:
        return sample.path.read_bytes()
    except OSError as error:
        raise PictureError("unreadable", f"The file cannot be read: {error.strerror or 'no access'}.") from None


def measure(sample: Sample, recipe: Recipe, finder: FaceFinder) -> tuple[Measured, np.ndarray]:
    """Measure one picture at the three stages.

    "file" is the file as it is, without a look at its pixels. "crop" is what the run time gives the network: decoded,
    cut to the largest face and resized. "normalised" is the same after the recipe's degradation, drawn by the picture's
    name, as training sees it: a share of the pictures, see `Degrade`, stays as it is.

    Args:
        sample: the picture.
        recipe: its size, crop margin, resampling, degradation and seed are used.
        finder: of faces.

    Returns:
        The figures, and the crop [S, S, 3] uint8 RGB.

    Raises:
        PictureError: the picture cannot be opened.
    """
    picture = open_picture(sample.path)
    content = _content(sample)
    faces = finder.find(picture)
    region, square, _ = keep_region(picture, faces[0] if faces else None, Framing(recipe.crop_margin, _slack(recipe)))
    name = sample.name or sample.path.name
    rng = np.random.default_rng([recipe.seed, int(hashlib.sha256(name.encode()).hexdigest()[:16], 16)])
    worn = degrade(region, recipe.degrade, rng)
    zoom = np.tile([worn.shape[1] / region.shape[1], worn.shape[0] / region.shape[0]], 2)
    crops = {
        "crop": cut(region, square, recipe.size, recipe.resampling),
        "normalised": cut(worn, tuple(np.array(square) * zoom), recipe.size, recipe.resampling),
    }
    file, kind, exact = file_features(content)
    spectra = {stage: radial_spectrum(crop) for stage, crop in crops.items()}
    pixels = {stage: pixel_features(crop, spectra[stage]) for stage, crop in crops.items()}
    measured = Measured(sample, name, kind, exact, bool(faces), {"file": file, **pixels}, spectra)
    return measured, crops["crop"]


def _slack(recipe: Recipe) -> float:
    """What training keeps around a crop for its reframing, so that the degradation meets the same pixels here."""
    return recipe.reframe.slack if recipe.reframe else 0.0


def file_features(content: bytes) -> tuple[dict[str, float], str, bool]:
    """What a picture file tells without its pixels.

    Args:
        content: the file's bytes, of a picture that `deepfake_detect.picture.decode.open_picture` opens.

    Returns:
        ({width, height: pixels; kilobytes; bits_per_pixel; jpeg_quality: 1..100, NO_JPEG for other formats; chroma:
        luminance samples for each chroma sample, 1, 2 or 4; and 0 or 1 for each format}, the format's name, whether
        the quality is exact, see `jpeg_quality`).
    """
    with Image.open(io.BytesIO(content)) as image:
        kind = "JPEG" if image.format == "MPO" else image.format
        quality, exact, chroma = float(NO_JPEG), False, 1.0
        if kind == "JPEG":
            quality, exact = jpeg_quality(image.quantization)
            chroma = {1: 2.0, 2: 4.0}.get(JpegImagePlugin.get_sampling(image), 1.0)
        pixels = image.width * image.height
        return {
            "width": float(image.width),
            "height": float(image.height),
            "kilobytes": len(content) / 1024,
            "bits_per_pixel": len(content) * 8 / pixels,
            "jpeg_quality": quality,
            "chroma": chroma,
            **{f"is_{name.lower()}": float(kind == name) for name in FORMATS},
        }, kind, exact  # fmt: skip


def jpeg_quality(tables: dict[int, list[int]]) -> tuple[float, bool]:
    """Estimate the quality setting, 1..100, that a JPEG was last saved with.

    The IJG's library derives its quantisation table from one standard table and the quality. The estimate is the
    quality whose luminance table differs least, in the sum over its 64 entries, from the file's. Programs with tables
    of their own (cameras, Photoshop) get the nearest quality, which is then not exact.

    Args:
        tables: by number, 64 entries each in rows, as `PIL.Image.Image.quantization`; number 0 is the luminance.

    Returns:
        (the quality, whether the tables are equal).
    """
    if not tables:
        return float(NO_JPEG), False
    own = np.array(tables.get(0, next(iter(tables.values()))))
    distance = np.abs(_ijg_tables() - own).sum(axis=1)
    best = int(distance.argmin())
    return float(best + 1), bool(distance[best] == 0)


def _ijg_tables() -> np.ndarray:
    """[100, 64]: the luminance table of every quality, as jpeg_quality_scaling of the IJG's library computes it."""
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((IJG_LUMINANCE * scale[:, None] + 50) // 100, 1, 255)


def pixel_features(crop: np.ndarray, spectrum: np.ndarray) -> dict[str, float]:
    """Statistics of a crop that know nothing of faces.

    Args:
        crop: [S, S, 3] uint8 RGB.
        spectrum: of that crop, see `radial_spectrum`.

    Returns:
        brightness: mean grey level; saturation: mean of HSV's; red, green, blue: means; all 0..255. sharpness:
        variance of the Laplacian of the grey levels (Pech-Pacheco et al. 2000), in squared grey levels. blockiness:
        see `blockiness`. band_1 .. band_5: mean of the spectrum between BAND_EDGES, in decibels.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    red, green, blue = (float(v) for v in cv2.mean(crop)[:3])
    edges = [round(edge * len(spectrum)) for edge in BAND_EDGES]
    return {
        "brightness": float(grey.mean()),
        "saturation": cv2.mean(cv2.cvtColor(crop, cv2.COLOR_RGB2HSV))[1],
        "red": red,
        "green": green,
        "blue": blue,
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        "blockiness": blockiness(grey),
        **{f"band_{number}": float(spectrum[low:high].mean()) for number, (low, high) in enumerate(pairwise(edges), 1)},
    }


def blockiness(grey: np.ndarray) -> float:
    """How far steps between neighbouring pixels repeat every 8 pixels, as after strong JPEG compression.

    The mean step at the most prominent of the 8 offsets, over the mean step; averaged over rows and columns. About 1
    without a grid. A resized crop shows the grid of its file only where the scale is near 1.

    Args:
        grey: [H, W] float, H and W over 16.
    """
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(grey, axis=axis)).mean(axis=1 - axis)
        by_offset = [steps[offset::BLOCK].mean() for offset in range(BLOCK)]
        ratios.append((max(by_offset) + EPSILON) / (steps.mean() + EPSILON))
    return float(np.mean(ratios))


def radial_spectrum(crop: np.ndarray) -> np.ndarray:
    """Radially averaged power spectrum of a crop [S, S, 3] uint8 RGB.

    Of the grey levels less their mean under a Hann window; each ring's mean power over the sum of all rings, so that
    contrast has no say.

    Returns:
        [S // 2] float64, decibels: frequencies of 1 .. S // 2 cycles a side.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    side = len(grey)
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window * window[:, None])) ** 2
    cycles = np.fft.fftfreq(side) * side
    radius = np.rint(np.hypot(cycles, cycles[:, None])).astype(np.int64).ravel()
    rings = (np.bincount(radius, power.ravel()) / np.bincount(radius))[1 : side // 2 + 1] + EPSILON
    return 10 * np.log10(rings / rings.sum())


def perceptual_hash(picture: np.ndarray) -> int:
    """64-bit hash of a picture [H, W, 3] uint8 RGB that survives scaling and compression, not cropping or mirroring.

    Grey, 32 x 32, DCT; a bit says whether one of the 8 x 8 lowest coefficients lies above their median (the pHash of
    Zauner 2010). The constant coefficient has no say in the median.
    """
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    lowest = cv2.dct(grey.astype(np.float32))[:8, :8].ravel()
    return int.from_bytes(np.packbits(lowest > np.median(lowest[1:])).tobytes(), "big")
