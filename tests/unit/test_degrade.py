"""Degradation in training, and the three tiers of measuring."""

import io

import numpy as np
import pytest
from PIL import Image

from deepfake_detect.face.crop import cut
from deepfake_detect.picture.decode import open_picture
from train.degrade import BAR, bordered, degrade, erase, reframe, relight, saturate, turned
from train.recipe import Degrade, Reframe
from train.tiers import TIERS, compressed, open_degraded, scaled

NOTHING = Degrade(
    share=0.999, resize=0.0, scale=0.5, blur=0.0, sigma=1.0, noise=0.0, noise_std=5.0, jpeg=95, double_jpeg=0.0
)


@pytest.fixture(scope="module")
def picture(portrait) -> np.ndarray:
    return open_picture(portrait)[:300, :280]


def sharpness(picture):
    grey = picture.astype(float).mean(-1)
    return np.abs(np.diff(grey, axis=0)).mean()


def views(picture, **change):
    options = NOTHING.model_copy(update=change)
    return [degrade(picture, options, np.random.default_rng(seed)) for seed in range(12)]


def test_a_share_of_the_views_stays_untouched(picture):
    same = sum(view is picture for view in views(picture, share=0.5))
    assert 2 <= same <= 10 and not any(view is picture for view in views(picture))


def test_each_degradation_does_what_it_says(picture):
    plain = views(picture)
    assert all(view.shape == picture.shape for view in plain)
    assert np.mean([np.abs(v.astype(int) - picture).mean() for v in plain]) < 2.5
    shrunk = views(picture, resize=0.999)
    assert all(150 <= view.shape[0] <= 300 for view in shrunk) and min(v.shape[0] for v in shrunk) < 200
    assert max(map(sharpness, views(picture, blur=0.999, sigma=3.0))) < sharpness(picture)
    assert min(map(sharpness, views(picture, sharpen=0.999, amount=1.5))) > sharpness(picture)
    assert min(map(sharpness, views(picture, noise=0.999, noise_std=20.0))) > sharpness(picture)
    worse = np.mean([np.abs(v.astype(int) - picture).mean() for v in views(picture, jpeg=1)])
    assert worse > 1.3 * np.mean([np.abs(v.astype(int) - picture).mean() for v in plain])


def test_the_newer_degradations_do_what_they_say(picture):
    plain = np.mean([np.abs(v.astype(int) - picture).mean() for v in views(picture)])
    heights = [view.shape[0] for view in views(picture, resize=0.999, enlarge=1.6)]
    assert min(heights) < 290 and 310 < max(heights) <= 480
    assert max(view.shape[0] for view in views(picture, resize=0.999, enlarge=3.0)) == 512
    smooth = views(picture, smooth=0.999)
    assert max(map(sharpness, smooth)) < sharpness(picture)
    edges = np.abs(np.diff(picture.astype(float).mean(-1), axis=0)) > 60  # those stay, unlike under a blur
    blurred = views(picture, blur=0.999, sigma=3.0)
    kept, lost = (np.mean([np.abs(np.diff(v.astype(float).mean(-1), axis=0))[edges].mean() for v in some])
                  for some in (smooth, blurred))  # fmt: skip
    assert kept > 1.3 * lost
    assert np.mean([np.abs(v.astype(int) - picture).mean() for v in views(picture, moire=0.999)]) > 2 * plain
    chained = views(picture, chain=0.999)
    assert len({view.shape for view in chained}) > 6 and min(v.shape[0] for v in chained) >= 170
    webp = views(picture, webp=0.999)
    assert any(not np.array_equal(a, b) for a, b in zip(webp, views(picture), strict=True))
    assert all(view.shape == picture.shape and view.dtype == np.uint8 for view in webp)


def test_a_turn_of_nothing_is_the_cut_of_the_run_time(picture):
    square = (40.0, 60.0, 240.0, 260.0)
    for size in (64, 128, 224):
        difference = turned(picture, square, 0.0, size).astype(int) - cut(picture, square, size, "bilinear")
        assert np.abs(difference).mean() < 1.5, size


def test_a_turn_goes_about_the_squares_middle():
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[40:60, 95:105] = 255  # above the middle
    for angle in (0.0, 20.0, -20.0):
        view = turned(picture, (0.0, 0.0, 200.0, 200.0), angle, 100)
        rows, columns = np.nonzero(view[..., 0] > 128)
        radius = 24.75  # of the mark, in pixels of the view
        assert columns.mean() - 49.5 == pytest.approx(-np.sin(np.deg2rad(angle)) * radius, abs=1), angle
        assert 49.5 - rows.mean() == pytest.approx(np.cos(np.deg2rad(angle)) * radius, abs=1)


def test_borders_are_plain_and_leave_the_face_alone(picture):
    square = (60.0, 80.0, 220.0, 240.0)
    changed = []
    for seed in range(60):
        view = bordered(picture, square, np.random.default_rng(seed))
        inner = (
            slice(int(80 + BAR * 160) + 1, int(240 - BAR * 160) - 1),
            slice(int(60 + BAR * 160) + 1, int(220 - BAR * 160) - 1),
        )
        assert view.shape == picture.shape and np.array_equal(view[inner], picture[inner])
        differs = (view != picture).any(-1)
        changed.append([differs[:, :60].mean(), differs[:, 220:].mean(), differs[:80].mean(), differs[240:].mean()])
    sides = np.array(changed) > 0.5
    assert sides.any(1).mean() > 0.9 and sides.any(0).all() and not sides.all(1).all()


def test_small_pictures_are_not_made_smaller_still(picture):
    tiny = picture[100:150, 100:150]
    assert all(min(view.shape[:2]) >= 48 for view in views(tiny, resize=0.999))
    smaller = picture[100:140, 100:140]
    assert all(view.shape == smaller.shape for view in views(smaller, resize=0.999))


def test_framings_lie_inside_the_picture_and_vary_as_asked():
    rng = np.random.default_rng(0)
    squares = np.array([reframe((20, 30, 120, 130), 160, 150, Reframe(scale=0.2, shift=0.1), rng) for _ in range(300)])
    sides = squares[:, 2] - squares[:, 0]
    assert np.allclose(sides, squares[:, 3] - squares[:, 1]) and 80 <= sides.min() < 85 and 115 < sides.max() <= 120
    assert squares.min() >= 0 and (squares[:, 2] <= 160).all() and (squares[:, 3] <= 150).all()
    centres = (squares[:, 0] + squares[:, 2]) / 2
    assert 58 <= centres.min() < 62 and 78 < centres.max() <= 82
    whole = reframe((0, 0, 100, 100), 100, 100, Reframe(scale=0.2, shift=0.2), np.random.default_rng(1))
    assert min(whole) >= 0 and max(whole) <= 100


def test_light_changes_by_no_more_than_asked():
    crop = np.full((8, 8, 3), 128, np.uint8)
    values = [int(relight(crop, 0.2, np.random.default_rng(seed))[0, 0, 0]) for seed in range(50)]
    assert 102 <= min(values) < 112 and 144 < max(values) <= 154


def test_saturation_changes_both_ways(picture):
    def colour(seed):
        crop = saturate(picture, 0.3, np.random.default_rng(seed)).astype(int)
        return (crop.max(-1) - crop.min(-1)).mean()

    own = (picture.max(-1).astype(int) - picture.min(-1)).mean()
    colours = [colour(seed) for seed in range(20)]
    assert min(colours) < 0.85 * own and max(colours) > 1.15 * own


def test_one_rectangle_is_blotted_out_in_a_share_of_the_crops():
    crop = np.arange(48 * 48 * 3, dtype=np.int64).reshape(48, 48, 3).astype(np.uint8)
    shares = []
    for seed in range(60):
        erased = erase(crop, 0.5, np.random.default_rng(seed))
        if erased is crop:
            continue
        rows, columns = np.nonzero((erased != crop).any(-1))
        patch = erased[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (patch == patch[0, 0]).all()
        shares.append(patch.shape[0] * patch.shape[1] / 48**2)
    assert 15 <= len(shares) <= 45 and min(shares) < 0.08 and 0.15 < max(shares) <= 0.22
    assert crop.sum() == np.arange(48 * 48 * 3, dtype=np.int64).reshape(48, 48, 3).astype(np.uint8).sum()


@pytest.mark.parametrize(("tier", "longest"), [("clean", 1000), ("web", 768), ("hard", 512)])
def test_tiers_bound_the_size_and_compress(portrait, tmp_path, tier, longest):
    with Image.open(portrait) as image:
        image.resize((1000, 800)).save(tmp_path / "large.png")
    first, again = (open_degraded(tmp_path / "large.png", tier) for _ in range(2))
    assert max(first.shape) == longest and np.array_equal(first, again)
    assert first.shape[0] == round(longest * 0.8)
    if TIERS[tier].quality:
        expected = io.BytesIO()
        picture = Image.fromarray(open_picture(tmp_path / "large.png")).resize(first.shape[1::-1], Image.LANCZOS)
        picture.save(expected, "JPEG", quality=TIERS[tier].quality, subsampling="4:2:0")
        assert np.array_equal(first, open_picture(expected.getvalue()))


def test_a_small_picture_is_compressed_but_not_enlarged(picture):
    assert scaled(picture, 1.0).shape == picture.shape and scaled(picture, 0.01).shape == (16, 16, 3)
    poor, good = (np.abs(compressed(picture, q).astype(int) - picture).mean() for q in (20, 90))
    assert compressed(picture, 20).shape == picture.shape and poor > 2 * good
