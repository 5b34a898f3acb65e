"""Small changes: what each does to a picture, what is counted of them, and the command on a miniature data set."""

import json

import numpy as np
import pytest
from commands import here
from PIL import Image
from project import ROOT

from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import Face, Verdict
from train.battery import PerturbedPicture, figures, flipped, perturb
from train.battery_report import MARK, short_markdown
from train.changes import CHANGES, SHRINKING, as_webp, bordered, resized, rotated, sharpened
from train.criteria import BATTERY_CRITERIA, criteria_of
from train.report import END, begin_mark


def said(label: str, p_fake: float, found: bool = True) -> Verdict:
    faces = (Face((0, 0, 200, 200), 0.9, p_fake, label),) if found else ()
    return Verdict(label, p_fake, max(p_fake, 1 - p_fake), (), faces)


def test_a_border_surrounds_the_picture_and_nothing_else_changes():
    picture = np.random.default_rng(0).integers(0, 256, (40, 80, 3), np.uint8)
    framed = bordered(picture, 0.1, "grey")
    assert framed.shape == (56, 96, 3) and (framed[8:-8, 8:-8] == picture).all()
    assert (framed[:8] == 128).all() and (framed[:, -8:] == 128).all()


def test_the_changes_do_what_they_say_and_keep_the_picture_as_it_was(portrait):
    picture = open_picture(portrait)
    before = picture.copy()
    soft = resized(resized(picture, 0.25), 4)
    assert sharpened(soft, 200).std() > sharpened(soft, 100).std() > soft.std()
    back = rotated(rotated(picture, 10), -10)
    middle = tuple(slice(side // 3, 2 * side // 3) for side in picture.shape[:2])
    assert (
        np.abs(back[middle].astype(int) - picture[middle]).mean()
        < 6
        < np.abs(rotated(picture, 10)[middle].astype(int) - picture[middle]).mean()
    )
    assert as_webp(picture, 80).shape == picture.shape and (as_webp(picture, 80) != picture).any()
    assert resized(picture, 0.5).shape == (round(picture.shape[0] / 2), round(picture.shape[1] / 2), 3)
    results = [change(picture) for change in CHANGES.values()]
    assert (picture == before).all() and all(one.dtype == np.uint8 and one.shape[2] == 3 for one in results)
    assert len({one.tobytes() for one in results}) == len(CHANGES) >= 15 and set(SHRINKING) <= set(CHANGES)


def test_only_from_real_to_fake_or_back_is_a_flip():
    assert flipped(said("real", 0.1), said("fake", 0.9)) and flipped(said("fake", 0.9), said("real", 0.1))
    assert not flipped(said("real", 0.1), said("unsure", 0.5)) and not flipped(said("fake", 0.9), said("fake", 0.8))


def test_changes_are_averaged_over_the_pictures_whose_face_is_still_found():
    perturbed = [
        PerturbedPicture("a", said("real", 0.1), {"turn": said("fake", 0.9), "mirror": said("real", 0.2)}),
        PerturbedPicture(
            "b", said("fake", 0.8), {"turn": said("unsure", 0.6), "mirror": said("unsure", 0.5, found=False)}
        ),
        PerturbedPicture("c", said("fake", 0.8), {"turn": said("fake", 0.8)}),
    ]
    found = figures(perturbed, ["turn", "mirror"])
    assert (found["pictures"], found["no_face"], found["flips"]) == (5, 1, 1) and found["flip_rate"] == 0.25
    assert found["mean"] == pytest.approx((0.8 + 0.1 + 0.2 + 0) / 4)
    assert found["worst"] == {"change": pytest.approx(0.8), "picture": "a", "by": "turn"}
    lost = figures(perturbed[1:2], ["mirror"])
    assert (lost["pictures"], lost["no_face"], lost["mean"], lost["worst"], lost["flips"]) == (1, 1, None, None, 0)


def test_what_has_no_face_is_not_changed(by_colour, portrait, tmp_path):
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "plain.png")
    (tmp_path / "broken.jpg").write_bytes(portrait.read_bytes()[:500])
    assert perturb(by_colour, tmp_path / "plain.png", "plain") is None
    assert perturb(by_colour, tmp_path / "broken.jpg", "broken") is None
    perturbed = perturb(by_colour, portrait, "portrait")
    assert set(perturbed.after) == set(CHANGES) and all(verdict.faces for verdict in perturbed.after.values())


@pytest.mark.slow
def test_the_command_writes_a_report_a_picture_and_the_page(model, data, tmp_path):
    page, out = tmp_path / "page.md", tmp_path / "out"
    page.write_text(f"before\n{begin_mark(MARK)}\nold\n{END}\nafter\n")
    done = here("train", "battery", "--model", model, "--data", data, "--pictures", "2", "--out", out,
                "--docs", page)  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((out / "battery.json").read_text())
    assert report["pictures"] == 6 and report["data"] == [data.name] and set(report["changes"]) == set(CHANGES)
    assert report["all"]["pictures"] == sum(found["pictures"] for found in report["changes"].values())
    assert report["all"]["flips"] == sum(found["flips"] for found in report["changes"].values())
    assert report["examples"]["pictures"] == len(list((ROOT / "examples").glob("*.jpg")))
    assert report["criteria"] == criteria_of(report, BATTERY_CRITERIA)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and short_markdown(report) in text
    with Image.open(out / "battery.png") as picture:
        assert picture.width > 400
