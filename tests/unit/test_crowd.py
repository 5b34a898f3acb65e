"""Many faces, one picture: what the rule promises, and what whole pictures of many or small faces get."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import write_model
from PIL import Image
from project import ROOT

from deepfake_detect import Detector, Face, Model
from deepfake_detect.crowd import ALONE, MAX_FACES, SMALL, face_label, too_small, weigh
from deepfake_detect.detector import decide
from deepfake_detect.evidence.robustness import Rescore, Stability, steady
from deepfake_detect.face.crop import Square, crop_box, cut
from deepfake_detect.face.face_crops import FaceCrops
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace
from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.picture.decode import open_downscaled
from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.sentences import explain
from deepfake_detect.verdict import label_of
from train.crowds import tiled

pytestmark = pytest.mark.slow

BANDS = st.tuples(st.integers(0, 50), st.integers(51, 100)).map(lambda band: (band[0] / 100, band[1] / 100))
SHIPPED = (0.12, 0.87)
SCORES = st.floats(1e-15, 1 - 1e-15)
CROWDS = st.lists(SCORES, min_size=1, max_size=40)


def judged(*p_fake: float, band: tuple[float, float] = SHIPPED, side: int = 100) -> list[Face]:
    return [Face((0, 0, side, side), 0.9, p, face_label(p, side, band)) for p in p_fake]


def odds(p: float) -> float:
    return p / (1 - p)


# The rule


@given(SCORES, BANDS)
def test_one_face_alone_is_the_picture(p, band):
    assert weigh(judged(p, band=band), band) == (label_of(p, band), p)


@given(CROWDS, BANDS)
def test_label_and_chance_agree(p_fake, band):
    label, p = weigh(judged(*p_fake, band=band), band)
    assert label == label_of(p, band) and min(p_fake) <= p <= max(p_fake)


@given(CROWDS, BANDS, st.randoms())
def test_the_order_of_faces_does_not_matter(p_fake, band, random):
    before = weigh(judged(*p_fake, band=band), band)
    random.shuffle(p_fake)
    assert weigh(judged(*p_fake, band=band), band) == before


@given(CROWDS, st.integers(0, 39), SCORES, BANDS)
def test_a_more_suspicious_face_never_makes_a_picture_less_suspicious(p_fake, place, score, band):
    order = ("real", "unsure", "fake")
    label, p = weigh(judged(*p_fake, band=band), band)
    place %= len(p_fake)
    p_fake[place] = max(score, p_fake[place])
    worse, higher = weigh(judged(*p_fake, band=band), band)
    assert order.index(worse) >= order.index(label) and higher >= p - 1e-12


@given(CROWDS, SCORES, BANDS)
def test_one_more_face_as_suspicious_as_the_picture_never_makes_it_less_suspicious(p_fake, score, band):
    label, p = weigh(judged(*p_fake, band=band), band)
    score = max(score, p)
    worse, higher = weigh(judged(*p_fake, score, band=band), band)
    assert higher >= p - 1e-12 and (label != "fake" or worse == "fake" or higher == pytest.approx(band[1], abs=1e-12))


@given(CROWDS, BANDS)
def test_a_picture_is_real_where_all_its_faces_are_and_nowhere_else(p_fake, band):
    label, p = weigh(judged(*p_fake, band=band), band)
    assert (label == "real") == all(score <= band[0] for score in p_fake)
    assert label != "real" or p == max(p_fake)


@pytest.mark.parametrize(("number", "label"), [(1, "fake"), (2, "fake"), (ALONE, "fake"), (ALONE + 1, "unsure"),
                                               (256, "unsure")])  # fmt: skip
def test_one_face_decides_up_to_a_number_of_faces(number, label):
    assert weigh(judged(0.999999, *[0.05] * (number - 1)), SHIPPED)[0] == label


def test_several_suspicious_faces_decide_a_crowd():
    assert weigh(judged(*[0.99] * 8, *[0.2] * 8), SHIPPED)[0] == "fake"
    assert weigh(judged(*[0.99] * 64), SHIPPED) == ("fake", pytest.approx(0.99))


def test_the_mean_of_the_odds_decides():
    label, p = weigh(judged(0.9, 0.5), SHIPPED)
    assert label == "unsure" and odds(p) == pytest.approx((9 + 1) / 2)


def test_false_alarms_do_not_grow_with_the_number_of_faces():
    """Calibrated scores by construction: log-odds of real faces around -2, of fake ones around 2, both with variance
    4, whose difference is the likelihood ratio itself."""
    rng = np.random.default_rng(0)
    alarms, naive = [], []
    for number in (1, 4, 16, 64, 256):
        scores = 1 / (1 + np.exp(-rng.normal(-2, 2, (400, number))))
        alarms.append(np.mean([weigh(judged(*group), SHIPPED)[0] == "fake" for group in scores]))
        naive.append(np.mean(scores.max(1) >= SHIPPED[1]))
    assert naive[0] < 0.04 and naive[-1] > 0.99
    assert max(alarms) <= 0.06 and max(alarms[2:]) <= alarms[0] and alarms[-1] == 0


# Faces that have no say


def test_a_small_face_is_real_or_unsure_but_never_fake():
    small = MIN_FACE - 1
    assert too_small(small) and not too_small(MIN_FACE)
    assert [face_label(p, small, SHIPPED) for p in (0.05, 0.5, 0.999)] == ["real", "unsure", "unsure"]


def test_small_faces_cannot_make_a_picture_fake_nor_hide_a_fake():
    small = judged(*[0.99999] * 30, side=40)
    assert weigh(small, SHIPPED)[0] == weigh([*small, *judged(0.05)], SHIPPED)[0] == "unsure"
    calm = judged(*[0.05] * 30, side=40)
    assert weigh(calm, SHIPPED)[0] == weigh([*calm, *judged(0.05)], SHIPPED)[0] == "real"
    assert weigh([*calm, *judged(0.9)], SHIPPED) == ("fake", 0.9)


def test_a_face_that_does_not_hold_leaves_the_others_their_say():
    """After it has become unsure, the same rule decides again."""
    detector = Detector(Model(ROOT / "model.onnx"))
    band = detector.metadata.unsure_band
    for others, label in ((judged(0.999), "fake"), (judged(0.05), "unsure")):
        faces = [*judged(0.99), *others]
        verdict = decide(crops_of(*faces), np.array([face.p_fake for face in faces]), band)
        assert verdict.label == "fake"
        flipped = Stability(verdict.faces[0], (Rescore("mirrored", 0.1, "real"),))
        settled = steady(verdict, (flipped,), band)
        assert (settled.label, settled.faces[0].label, settled.p_fake) == (label, "unsure", verdict.p_fake)
        assert weigh(settled.faces, band)[0] == label


@pytest.mark.parametrize(("fakes", "said"), [(1, []), (2, ["One face would be called fake by itself"])])
def test_of_a_face_that_does_not_hold_it_is_not_said_that_it_looks_fake(fakes, said):
    detector = Detector(Model(ROOT / "model.onnx"))
    scores = np.array([0.99, 0.98][:fakes] + [0.02] * 30)
    verdict = decide(crops_of(*judged(*scores)), scores, detector.metadata.unsure_band)
    assert (verdict.label, len(_outweighed(verdict))) == ("unsure", 1)
    flipped = Stability(verdict.faces[0], (Rescore("mirrored", 0.1, "real"),))
    settled = _outweighed(steady(verdict, (flipped,), detector.metadata.unsure_band))
    assert [sentence.partition(", but")[0] for sentence in settled] == said


def _outweighed(verdict) -> list[str]:
    return [reason.text for reason in verdict.reasons if reason.code == "among_many_faces"]


def crops_of(*faces: Face) -> FaceCrops:
    picture = open_downscaled(np.zeros((100, 100, 3), np.uint8), None)
    found = tuple(FoundFace(face.box, face.score, ()) for face in faces)
    squares = tuple(Square(*face.box) for face in faces)
    crops, framings = np.zeros((len(faces), 8, 8, 3), np.uint8), tuple((square,) for square in squares)
    return FaceCrops(picture, found, squares, framings, crops, crops[:, None], ([],) * len(faces))


# Whole pictures


@pytest.fixture(scope="module")
def portraits() -> list[np.ndarray]:
    names = ("real_grace_hopper", "real_eileen_collins", "real_nikola_tesla")
    pictures = [np.asarray(Image.open(ROOT / "examples" / f"{name}.jpg").convert("RGB")) for name in names]
    squares = [
        (picture, crop_box(FaceFinder().find(picture)[0].box, 0.3, *picture.shape[1::-1])) for picture in pictures
    ]
    return [cut(picture, square, 160, "bilinear") for picture, square in squares]


@pytest.mark.parametrize(("fakes", "reals", "label"), [(1, 0, "fake"), (1, 3, "fake"), (1, 15, "unsure"),
                                                       (4, 12, "fake"), (0, 16, "real")])  # fmt: skip
def test_one_that_looks_fake_does_not_make_a_crowd_fake(by_colour, portraits, fakes, reals, label):
    red, blue = (np.stack([picture.mean(2)] * 3, 2).astype(np.uint8) for picture in (portraits[0], portraits[1]))
    red[..., 2], blue[..., 0] = red[..., 2] // 2, blue[..., 0] // 2
    verdict = by_colour.predict([tiled([red] * fakes + [blue] * reals)])[0]
    labels = [face.label for face in verdict.faces]
    assert (labels.count("fake"), labels.count("real")) == (fakes, reals)
    assert verdict.label == label == label_of(verdict.p_fake, by_colour.metadata.unsure_band)
    outweighed = [reason for reason in verdict.reasons if reason.code == "among_many_faces"]
    assert [reason.text.startswith("One face would be called fake") for reason in outweighed] == [True] * (
        fakes == 1 and reals == 15
    )


def test_a_crowd_of_portraits_is_found_and_judged_by_the_shipped_model(portraits):
    crowd, shipped = tiled([portraits[number % 3] for number in range(25)]), Detector(ROOT / "model.onnx")
    verdict = shipped.predict([crowd])[0]
    assert verdict.faces_found == len(verdict.faces) == 25 and verdict.faces_left_out == 0
    assert verdict.label != "fake" and (verdict.label, verdict.p_fake) == weigh(
        verdict.faces, shipped.metadata.unsure_band
    )


def test_of_more_faces_than_are_judged_the_largest_are_and_it_is_said(tmp_path):
    class Stadium:
        def find(self, picture):
            return [FoundFace((n, 0, n + 400 - n, 400 - n), 0.9, ()) for n in range(MAX_FACES + 50)]

    detector = Detector(write_model(tmp_path / "m.onnx", bias=(5, 0)), Stadium())
    picture = np.random.default_rng(0).integers(0, 256, (400, 800, 3), np.uint8)
    verdict = detector.predict([picture])[0]
    assert (len(verdict.faces), verdict.faces_found, verdict.faces_left_out) == (MAX_FACES, MAX_FACES + 50, 50)
    (reason,) = [reason for reason in verdict.reasons if reason.code == "many_faces"]
    assert reason.text == f"{MAX_FACES + 50} faces were found; only the {MAX_FACES} largest were judged."
    record = verdict.to_dict()
    assert (record["faces_found"], record["faces_left_out"]) == (MAX_FACES + 50, 50)
    told = explain(verdict, shipped_rates(detector.model.sha256))
    (judged_sentence,) = [line for line in told if "were found and" in line]
    assert f"{MAX_FACES + 50} faces were found and the {MAX_FACES} largest of them judged" in judged_sentence


@pytest.mark.parametrize("copies", [1, 6])
def test_small_faces_alone_leave_a_picture_unsure_and_it_is_said_what_to_do(by_colour, person, copies):
    small = np.asarray(Image.fromarray(person).resize((96, 112)))  # the face has about 45 pixels
    verdict = by_colour.predict([np.hstack([small] * copies)])[0]
    assert len(verdict.faces) == copies and all(too_small(face.side) for face in verdict.faces)
    assert verdict.label == "unsure" and SMALL in verdict.reasons and "Find a larger copy" in SMALL.text
    assert math.isclose(verdict.p_fake, max(face.p_fake for face in verdict.faces), abs_tol=1e-3)


def test_small_faces_beside_a_large_one_do_not_weaken_its_verdict(by_colour, person):
    canvas = np.full((420, 900, 3), 120, np.uint8)
    canvas[20 : 20 + person.shape[0], 20 : 20 + person.shape[1]] = person
    small = np.asarray(Image.fromarray(person[..., ::-1]).resize((96, 112)))  # blue: real
    for column in range(5):
        canvas[150:262, 320 + 110 * column : 416 + 110 * column] = small
    verdict = by_colour.predict([canvas])[0]
    assert [too_small(face.side) for face in verdict.faces] == [False] + [True] * 5
    assert verdict.label == "fake" and verdict.p_fake == verdict.faces[0].p_fake
