"""YuNet through `FaceFinder`: it finds the faces that are there, and none elsewhere."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from boxes import overlap
from PIL import Image

from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace
from deepfake_detect.face.yunet import yunet_path

HOPPER = (175, 110, 355, 330)  # her face in the portrait, by eye


@pytest.fixture(scope="module")
def person(portrait) -> Image.Image:
    with Image.open(portrait) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def pasted(person: Image.Image, size: tuple[int, int], places: list[tuple[int, int, int]]) -> tuple[np.ndarray, list]:
    """The portrait on a grey canvas at each (left, top, width); also where its face is then."""
    canvas, boxes = Image.new("RGB", size, (120, 120, 120)), []
    for left, top, width in places:
        scale = width / person.width
        canvas.paste(person.resize((width, round(person.height * scale)), Image.Resampling.LANCZOS), (left, top))
        boxes.append(tuple(start + edge * scale for start, edge in zip((left, top) * 2, HOPPER, strict=True)))
    return np.asarray(canvas), boxes


def assert_inside(faces: list[FoundFace], picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    for face in faces:
        left, top, right, bottom = face.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert all(type(edge) is int for edge in face.box)
        assert 0 <= face.score <= 1
        assert len(face.landmarks) == 5 and np.isfinite(face.landmarks).all()


def test_the_model_file_of_yunet_is_installed():
    assert yunet_path().is_file()


def test_a_portrait_has_one_face_where_it_is(person, finder):
    picture = np.asarray(person)
    faces = finder.find(picture)
    assert len(faces) == 1
    assert_inside(faces, picture)
    assert overlap(faces[0].box, HOPPER) > 0.8
    assert faces[0].score > 0.8


def test_the_landmarks_lie_on_the_face_in_order(person, finder):
    right_eye, left_eye, nose, right_mouth, left_mouth = finder.find(np.asarray(person))[0].landmarks
    left, top, right, bottom = HOPPER
    assert all(left < x < right and top < y < bottom for x, y in (right_eye, left_eye, nose, right_mouth, left_mouth))
    assert right_eye[0] < nose[0] < left_eye[0] and right_mouth[0] < left_mouth[0]  # as the camera sees her
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_every_face_of_a_collage_is_found_largest_first(person, finder):
    picture, expected = pasted(person, (1200, 700), [(0, 0, 250), (300, 50, 500), (850, 300, 330)])
    faces = finder.find(picture)
    assert_inside(faces, picture)
    assert len(faces) == 3
    for face, place in zip(faces, (expected[1], expected[2], expected[0]), strict=True):
        assert overlap(face.box, place) > 0.6


def test_a_small_face_in_a_large_picture_is_found(person, finder):
    picture, expected = pasted(person, (3000, 2000), [(2000, 900, 192)])
    faces = finder.find(picture)
    assert_inside(faces, picture)
    assert len(faces) == 1
    assert overlap(faces[0].box, expected[0]) > 0.5


def test_a_face_that_the_edge_cuts_off_gets_a_box_inside_the_picture(person, finder):
    for box in ((230, 0, 512, 600), (0, 0, 300, 600), (0, 170, 512, 600), (0, 0, 512, 270)):
        picture = np.asarray(person.crop(box))
        assert_inside(finder.find(picture), picture)


@pytest.mark.parametrize("side", [48, 64, 96, 200, 320, 321, 1024, 1500])
def test_a_portrait_of_any_size_has_its_face(person, finder, side):
    picture = np.asarray(person.resize((side, side * 600 // 512), Image.Resampling.LANCZOS))
    faces = finder.find(picture)
    assert len(faces) == 1
    assert_inside(faces, picture)
    assert overlap(faces[0].box, tuple(edge * side / 512 for edge in HOPPER)) > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_face(finder, seed):
    chance = np.random.default_rng(seed)
    assert finder.find(chance.integers(0, 256, (400 + 300 * seed, 500, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_uniform_picture_has_no_face(finder, grey):
    assert finder.find(np.full((300, 400, 3), grey, np.uint8)) == []


@pytest.mark.parametrize(("height", "width"), [(20, 20_000), (16, 4000), (4000, 16), (20_000, 20), (32, 320), (30, 200),
                                               (200, 30), (16, 16), (32, 32), (33, 1000), (16, 400_000)])  # fmt: skip
def test_very_thin_and_very_small_noise_has_no_face(height, width):
    chance = np.random.default_rng(height)
    picture = np.resize(chance.integers(0, 256, (16, 999, 3), dtype=np.uint8), (height, width, 3))
    assert FaceFinder().find(picture) == []


def test_a_face_in_a_long_strip_is_found(person, finder):
    picture, expected = pasted(person.crop((0, 60, 512, 400)), (4000, 200), [(3000, 0, 300)])
    faces = finder.find(picture)
    assert_inside(faces, picture)
    assert len(faces) == 1
    scale = 300 / 512
    left, top, right, bottom = expected[0]
    assert overlap(faces[0].box, (left, top - 60 * scale, right, bottom - 60 * scale)) > 0.5


def test_the_least_score_decides_what_is_reported(person):
    picture = np.asarray(person)
    score = FaceFinder().find(picture)[0].score
    assert FaceFinder(min_score=score + 0.01).find(picture) == []
    assert len(FaceFinder(min_score=score - 0.01).find(picture)) == 1


def test_a_picture_seen_before_changes_nothing(person):
    picture, finder = np.asarray(person), FaceFinder()
    expected = finder.find(picture)
    for shape in ((20, 3000, 3), (900, 40, 3), (77, 133, 3)):
        finder.find(np.zeros(shape, np.uint8))
        assert finder.find(picture) == expected


def test_eight_threads_share_one_finder(person):
    finder, sides = FaceFinder(), [150, 220, 330, 512] * 8
    pictures = [np.asarray(person.resize((side, side))) for side in sides]
    expected = [finder.find(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(finder.find, pictures)) == expected
    assert all(expected)
