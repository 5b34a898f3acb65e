"""Pillow's decoders, as far as untrusted bytes may use them."""

import os

from PIL import Image, _avif
from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from deepfake_detect.picture.formats import BIG_TIFF, TIFF

AVIF_THREADS = min(2, os.cpu_count() or 1)  # of one decoder: pictures are decoded side by side


class PlainJpeg(JpegImageFile):
    """JPEG whose metadata stays unread.

    Pillow takes all of EXIF apart on opening, for the resolution, and the index of MPO, which phones write inside .jpg.
    Their tags may share bytes, so that a small file can ask for more memory than there is. Of an MPO file, whose
    further pictures that index tells the places of, the first picture is read, as of any JPEG file.
    """

    format = "PLAINJPEG"

    def _read_dpi_from_exif(self) -> None:
        pass


class PlainTiff(TiffImageFile):
    """TIFF whose inner directories stay unread: Pillow takes them apart after decoding, for `PlainJpeg`'s reason."""

    format = "PLAINTIFF"

    def load_end(self) -> None:
        pass


class PlainWebp(WebPImageFile):
    """WebP whose decoder goes when it has given the first frame, if that was asked for: it holds two more pictures of
    that size."""

    format = "PLAINWEBP"

    def _get_next(self) -> tuple[bytes, int, int]:
        frame = super()._get_next()
        if self.tell() == 0:
            self._decoder = None
        return frame


class PlainAvif(AvifImageFile):
    """AVIF whose EXIF stays unread, for `PlainJpeg`'s reason; how it lies, its properties say (see
    `deepfake_detect.picture.orientation`). The decoder, which holds more pictures, goes as `PlainWebp`'s does."""

    format = "PLAINAVIF"

    def _open(self) -> None:
        assert self.fp is not None
        self._decoder = _avif.AvifDecoder(self.fp.read(), "auto", AVIF_THREADS)
        size, self.n_frames, self._mode, profile, _, self.orientation, _ = self._decoder.get_info()
        self._size, self.is_animated = size, self.n_frames > 1
        if profile:
            self.info["icc_profile"] = profile
        self.seek(0)

    def load(self):
        loaded = super().load()
        if self.tell() == 0:
            self._decoder = self.fp = None
        return loaded


Image.register_open(PlainJpeg.format, PlainJpeg, lambda prefix: prefix.startswith(b"\xff\xd8\xff"))
Image.register_open(PlainTiff.format, PlainTiff, lambda prefix: prefix[:4] in (*TIFF, BIG_TIFF))
Image.register_open(PlainWebp.format, PlainWebp, lambda prefix: prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP")
Image.register_open(PlainAvif.format, PlainAvif, Image.OPEN["AVIF"][1])
# What Pillow may try on untrusted bytes. Brands that AVIF and HEIC share go to the first that can read what is inside.
FORMATS = (PlainJpeg.format, "PNG", PlainWebp.format, "BMP", "GIF", PlainTiff.format, PlainAvif.format, "HEIF")


def is_turned_by_its_properties(image: Image.Image) -> bool:
    """Whether a picture is of a format whose `irot` and `imir` alone say how it lies: HEIC or AVIF."""
    return isinstance(image, AvifImageFile | HeifImageFile)
