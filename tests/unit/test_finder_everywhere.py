"""Faces of every size, turn and place, in pictures of every shape; and what is none."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import sklearn.datasets
from boxes import overlap
from PIL import Image
from project import ROOT

from deepfake_detect import Detector
from deepfake_detect.face.border import content
from deepfake_detect.face.crop import crop_face, cut, face_square, level
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace, enlarged
from deepfake_detect.picture.decode import open_downscaled, open_picture

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"
CASES = ROOT.parent / "shared" / "cases"
FINDER = FaceFinder()


def example(name: str) -> Image.Image:
    with Image.open(EXAMPLES / f"real_{name}.jpg") as image:
        return image.convert("RGB")


def head(name: str, side: int) -> tuple[Image.Image, tuple[int, int, int, int]]:
    """A portrait whose face is so many pixels large, and where that is in it."""
    picture = example(name)
    box = FINDER.find(np.asarray(picture))[0].box
    scale = side / max(box[2] - box[0], box[3] - box[1])
    size = [max(1, round(edge * scale)) for edge in picture.size]
    return picture.resize(size, Image.Resampling.LANCZOS), tuple(round(edge * scale) for edge in box)


def composed(size: tuple[int, int], *placed: tuple[str, int, int, int]) -> tuple[np.ndarray, list]:
    """Portraits (name, left, top, side of the face) on a canvas with a gentle texture; and where the faces are."""
    waves = 110 + 20 * np.sin(np.arange(size[0]) / 37)[None] + 20 * np.cos(np.arange(size[1]) / 23)[:, None]
    canvas, boxes = Image.fromarray(waves.astype(np.uint8)).convert("RGB"), []
    for name, left, top, side in placed:
        portrait, box = head(name, side)
        canvas.paste(portrait, (left, top))
        boxes.append(tuple(edge + start for edge, start in zip(box, (left, top) * 2, strict=True)))
    return np.asarray(canvas), boxes


def assert_found(picture: np.ndarray, boxes: list) -> None:
    faces = FINDER.find(picture)
    for box in boxes:
        assert max((overlap(face.box, box) for face in faces), default=0) > 0.5, (box, faces)
    assert len(faces) == len(boxes)


@pytest.mark.parametrize("name", ["eileen_collins", "grace_hopper"])
@pytest.mark.parametrize(("size", "place"), [
    ((1080, 10_000), (100, 5000)), ((1080, 10_000), (880, 9700)), ((8000, 1000), (3000, 300)), ((4000, 3000), (0, 0)),
    ((4000, 3000), (2000, 1490)),
])  # fmt: skip
def test_a_face_of_48_pixels_is_found_in_a_picture_of_any_shape(name, size, place):
    picture, boxes = composed(size, (name, *place, 48))
    assert_found(picture, boxes)


@pytest.mark.parametrize("side", [48, 80, 150])
def test_a_small_face_beside_a_large_one_is_found(side):
    picture, boxes = composed((2400, 1700), ("grace_hopper", 0, 0, 600), ("eileen_collins", 1500, 100, side))
    assert_found(picture, boxes)


def test_a_small_face_in_a_large_jpeg_is_found_through_its_reduced_picture():
    picture, (box,) = composed((4000, 3000), ("grace_hopper", 3000, 2000, 64))
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=92)
    opened = open_downscaled(file.getvalue(), 960, 4)
    (face,) = (enlarged(f, opened.downscale, opened.size) for f in FINDER.search(opened.pixels, opened.downscale).faces)
    assert opened.downscale == 4 and overlap(face.box, box) > 0.5


@pytest.mark.parametrize("name", ["eileen_collins", "grace_hopper"])
@pytest.mark.parametrize("turn", [90, 135, 180, 225, 270])
def test_a_turned_portrait_is_found_and_cut_level(name, turn):
    upright = np.asarray(example(name))
    (expected,) = FINDER.find(upright)
    turned = np.asarray(example(name).rotate(-turn, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120)))
    face = FINDER.find(turned)[0]
    apart = (face.angle - turn - expected.angle + 180) % 360 - 180
    assert abs(apart) < 15
    height, width = turned.shape[:2]
    crop = cut(turned, face_square(face, 0.3, width, height), 96, "bilinear").astype(float)
    as_it_was = crop_face(upright, expected.box, 0.3, 96, "bilinear").astype(float)
    lying = crop_face(turned, face.box, 0.3, 96, "bilinear").astype(float)
    middle = (slice(16, 80),) * 2  # beyond, there may be nothing to be cut
    likeness = [np.corrcoef(c[middle].ravel(), as_it_was[middle].ravel())[0, 1] for c in (crop, lying)]
    assert likeness[0] > 0.5 and likeness[0] > likeness[1] + 0.2


def test_the_crop_of_an_upright_face_is_what_its_box_gives():
    picture = np.asarray(example("grace_hopper"))
    (face,) = FINDER.find(picture)
    height, width = picture.shape[:2]
    square = face_square(face, 0.3, width, height)
    assert face.angle == 0 and face.frame is None
    assert np.array_equal(cut(picture, square, 160, "bilinear"), crop_face(picture, face.box, 0.3, 160, "bilinear"))


def test_a_turned_square_is_turned_level():
    picture = np.zeros((200, 200, 3), np.uint8)
    cv2.line(picture, (60, 60), (140, 140), (255, 255, 255), 5)
    face = FoundFace((60, 60, 140, 140), 0.9, (), 45.0)
    part, (left, top, right, bottom) = level(picture, face_square(face, 0.1, 200, 200))
    rows = np.flatnonzero(part[..., 0].max(axis=1) > 128)
    assert right - left == pytest.approx(96) and bottom - top == pytest.approx(96)
    assert len(rows) < 9 and abs(rows.mean() - (top + bottom) / 2) < 2


# Borders


def framed(picture: np.ndarray, colour: tuple, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (30, 60, 200), (250, 240, 200)])
@pytest.mark.parametrize("borders", [(31, 31, 0, 0), (0, 0, 57, 57), (0, 150, 0, 0), (384, 384, 384, 384)])
def test_a_plain_border_is_left_out_and_changes_no_score(detector, colour, borders):
    picture = np.asarray(example("grace_hopper"))
    height, width = picture.shape[:2]
    top, _, left, _ = borders
    bordered = framed(picture, colour, *borders)
    assert content(bordered) == (left, top, left + width, top + height)
    (one,), (other,) = (detector.predict([p])[0].faces for p in (picture, bordered))
    assert other.box == tuple(edge + start for edge, start in zip(one.box, (left, top) * 2, strict=True))
    assert other.p_fake == pytest.approx(one.p_fake, abs=1e-6)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 60, 200)])
def test_a_border_in_a_jpeg_ends_where_the_picture_begins(colour):
    picture = np.asarray(example("grace_hopper"))
    file = io.BytesIO()
    Image.fromarray(framed(picture, colour, 90, 60, 77, 120)).save(file, "JPEG", quality=75)
    found = content(open_picture(file.getvalue()))
    assert np.abs(np.subtract(found, (77, 90, 77 + 512, 90 + 600))).max() <= 1


def test_a_plain_backdrop_is_no_border():
    canvas = np.full((400, 300, 3), 240, np.uint8)
    cv2.ellipse(canvas, (150, 230), (80, 110), 0, 0, 360, (120, 90, 70), -1)
    cv2.ellipse(canvas, (150, 400), (120, 90), 0, 0, 360, (40, 60, 90), -1)
    assert content(canvas) == (0, 0, 300, 400)
    assert content(np.full((90, 90, 3), 77, np.uint8)) == (0, 0, 90, 90)


# What is no face


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_pictures_without_people_have_no_face(name):
    picture = open_picture(Path(sklearn.datasets.__file__).parent / "images" / name)
    assert FINDER.find(picture) == []


def test_pictures_of_gradio_without_people_have_no_face():
    import gradio

    folder = Path(gradio.__file__).parent / "media_assets" / "images"
    found = {name: FINDER.find(open_picture(folder / name)) for name in ("cheetah1.jpg", "groot.jpeg", "tower.jpg")}
    assert not any(found.values()), found


@pytest.mark.parametrize(("name", "box"), [("hidden_face.jpg", (1386, 1337, 1450, 1411)), ("pano_8000.jpg", None),
                                           ("tall_avatar_10000.jpg", None)])  # fmt: skip
def test_cases_that_failed(name, box):
    if not (CASES / name).is_file():
        pytest.skip("the shared cases are not here")
    faces = FINDER.find(open_picture(CASES / name))
    assert len(faces) == (2 if box else 1)
    assert box is None or overlap(faces[1].box, box) > 0.6


def test_the_cases_through_the_detector():
    if not (CASES / "hidden_face.jpg").is_file():
        pytest.skip("the shared cases are not here")
    detector = Detector(ROOT / "model.onnx")
    verdict, tall, wide = detector.predict(
        [CASES / n for n in ("hidden_face.jpg", "tall_avatar_10000.jpg", "pano_8000.jpg")]
    )
    large, small = verdict.faces  # whatever this model makes of it, the small one is judged, and has its say
    assert verdict.p_fake == small.p_fake > large.p_fake
    assert len(tall.faces) == len(wide.faces) == 1
