"""Large JPEG files, which are decoded at part of their size: faces and verdicts stay those of the whole picture."""

import io

import numpy as np
import pytest
from pictures import lossless_jpeg, up_to_second_scan
from PIL import Image
from project import ROOT

from deepfake_detect import Detector
from deepfake_detect import detector as module
from deepfake_detect.detector import DETECTION_SIDE, MIN_OVERSAMPLING
from deepfake_detect.errors import PictureError
from deepfake_detect.evidence.robustness import compressed
from deepfake_detect.face.found import FoundFace
from deepfake_detect.picture import decode as picture
from deepfake_detect.picture.decode import open_downscaled, open_picture
from deepfake_detect.picture.memory_budget import PixelBudget

pytestmark = pytest.mark.slow

REAL = ROOT / "examples" / "real_eileen_collins.jpg"


def jpeg(picture: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def portrait():
    with Image.open(REAL) as image:
        return image.convert("RGB")


def large(portrait: Image.Image, face: int = 1200) -> Image.Image:
    """12 megapixels, with the portrait at `face` pixels in its middle."""
    canvas = Image.new("RGB", (4000, 3000), (90, 110, 130))
    canvas.paste(portrait.resize((face, face), Image.Resampling.LANCZOS), (2000 - face // 2, 1500 - face // 2))
    return canvas


@pytest.fixture
def decoded(monkeypatch):
    """How much smaller than the file every picture was that the detector decoded."""
    downscales = []

    def noted(source, *limits):
        opened = open_downscaled(source, *limits)
        downscales.append(opened.downscale)
        return opened

    monkeypatch.setattr(module, "open_downscaled", noted)
    return downscales


@pytest.mark.parametrize(
    ("longest", "downscale"), [(None, 1), (3000, 1), (2001, 1), (2000, 2), (1000, 4), (960, 4), (9, 8)]
)
def test_the_longer_side_keeps_what_was_asked_for(portrait, longest, downscale):
    opened = open_downscaled(jpeg(large(portrait)), longest)
    assert opened.downscale == downscale and opened.size == (4000, 3000)
    assert opened.pixels.shape == (3000 // downscale, 4000 // downscale, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_reduced_picture_is_upright_and_like_the_whole(portrait, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(large(portrait).crop((700, 300, 3704, 2700)), exif=exif)
    opened, whole = open_downscaled(data, 700), open_picture(data)
    assert opened.downscale == 4 and opened.size == whole.shape[1::-1]
    reduced = np.asarray(Image.fromarray(whole).reduce(4))
    assert opened.pixels.shape == reduced.shape
    assert np.abs(opened.pixels.astype(int) - reduced).mean() < 1.5


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("side", [4001, 4003, 4007])
def test_sides_need_not_be_multiples_of_the_downscale(portrait, side, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_downscaled(jpeg(large(portrait).resize((side, side - 1000)), exif=exif), 1000)
    size = (side, side - 1000) if orientation < 5 else (side - 1000, side)
    assert opened.downscale == 4 and opened.size == size
    assert opened.pixels.shape[1::-1] == tuple(-(-edge // 4) for edge in size)


def test_the_downscale_of_a_strip_is_that_of_its_longer_side():
    for width in range(16, 40):
        assert open_downscaled(jpeg(Image.new("RGB", (width, 9000))), 960).downscale == 8


class AtTheEdge:
    """Finds a face in the last pixels of a picture."""

    def find(self, picture):
        height, width = picture.shape[:2]
        return [FoundFace((width - 1, 0, width, height), 0.9, ((0.0, 0.0),) * 5)]


def test_a_face_at_the_edge_is_within_the_picture(detector, portrait):
    verdict = Detector(detector.model, AtTheEdge()).predict_one(jpeg(large(portrait).resize((4001, 3001))))
    assert verdict.faces[0].box == (4000, 0, 4001, 3001)


def with_end_in_comment(data: bytes) -> bytes:
    """With the bytes of its end in a comment after the first scan."""
    first = up_to_second_scan(data)[:-2]
    return first + b"\xff\xfe\0\4\xff\xd9" + data[len(first) :]


def of_one_component(data: bytes) -> bytes:
    """With a first scan of the brightness alone."""
    start = data.index(b"\xff\xda\0\x0c\3")
    return data[:start] + b"\xff\xda\0\x08\1" + data[start + 5 : start + 7] + data[start + 11 :]


@pytest.mark.parametrize(("progressive", "changed", "downscale"), [
    (False, bytes, 4), (False, of_one_component, 1), (True, bytes, 1), (True, up_to_second_scan, 1),
    (True, with_end_in_comment, 1),
])  # fmt: skip
def test_the_memory_that_a_decoding_takes_is_what_the_decoder_holds(
    portrait, progressive, changed, downscale, monkeypatch
):
    """libjpeg keeps a progressive file in memory in its whole size, and one whose first scan lacks a component."""
    budget, given, back = picture.PIXEL_BUDGET, [], PixelBudget._give_back
    monkeypatch.setattr(PixelBudget, "_give_back", lambda self, pixels: given.append(pixels) or back(self, pixels))
    opened = open_downscaled(changed(jpeg(large(portrait), progressive=progressive)), 960)
    assert opened.downscale == 4 and given == [4000 // downscale * 3000 // downscale] and budget._left == budget.size


def test_a_lossless_jpeg_comes_whole():
    """Pillow, asked for a part of its size, would write past the end of its memory."""
    opened = open_downscaled(lossless_jpeg(2401, 2803), 960)
    assert opened.downscale == 1 and opened.size == (2401, 2803)
    assert opened.pixels.shape == (2803, 2401, 3) and (opened.pixels == 128).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_other_formats_come_whole(portrait, kind):
    file = io.BytesIO()
    portrait.save(file, kind)
    opened = open_downscaled(file.getvalue(), 100)
    assert opened.downscale == 1 and opened.pixels.shape == (512, 512, 3)


def test_a_large_face_is_judged_on_the_reduced_picture_alone(detector, portrait, decoded):
    picture = large(portrait.crop((100, 0, 350, 250)), 2900)
    (verdict,) = detector.predict([jpeg(picture)])
    assert decoded == [4]
    (whole,) = detector.predict([compressed(np.asarray(picture), 92)])
    (face,), (other,) = verdict.faces, whole.faces
    assert verdict.reasons == whole.reasons
    assert np.abs(np.subtract(face.box, other.box)).max() <= 0.05 * 2900
    assert face.p_fake == pytest.approx(other.p_fake, abs=0.1)


def test_a_small_face_in_a_large_picture_is_cut_from_as_many_pixels_as_it_needs(detector, portrait, decoded):
    size = detector.metadata.size
    (alone,) = detector.predict([portrait])[0].faces
    for face in (700, 300):
        decoded.clear()
        (verdict,) = detector.predict([jpeg(large(portrait, face))])
        left, top, right, bottom = verdict.faces[0].box
        square = max(right - left, bottom - top) * (1 + 2 * detector.metadata.crop_margin)
        assert decoded[0] == 4000 // DETECTION_SIDE and len(decoded) == 2
        assert square / decoded[1] >= MIN_OVERSAMPLING * size or decoded[1] == 1
        scale = face / portrait.width
        expected = np.array(alone.box) * scale + np.tile((2000 - face / 2, 1500 - face / 2), 2)
        assert np.abs(np.subtract((left, top, right, bottom), expected)).max() < 0.1 * face


def test_a_small_picture_is_decoded_once_and_whole(detector, decoded):
    detector.predict([REAL])
    assert decoded == [1]


def test_a_large_file_cut_short_is_refused(portrait):
    data = jpeg(large(portrait))
    with pytest.raises(PictureError, match="damaged or cut short"):
        open_downscaled(data[: len(data) // 2], 960)
