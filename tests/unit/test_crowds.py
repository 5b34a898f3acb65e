"""The measured rules for many faces: a miniature report, and the rules that are set beside the served one."""

import json

import numpy as np
import pytest
from data_sets import make_faces
from PIL import Image

from train import crowds
from train.crowds_report import crowds_markdown, short_markdown
from train.data import DataError

pytestmark = pytest.mark.slow

BAND = (0.12, 0.87)


@pytest.fixture(scope="module")
def splits(portrait, tmp_path_factory):
    """Pictures of val and cross that `by_colour` tells apart."""
    folder = tmp_path_factory.mktemp("crowds")
    for seed, split in enumerate(("val", "cross")):
        make_faces(portrait, folder / split / "real", 6, True, seed)
        make_faces(portrait, folder / split / "fake", 6, False, seed)
    return folder


def test_a_miniature_report_of_crowds(splits, model, tmp_path, monkeypatch):
    monkeypatch.setattr(crowds, "RESAMPLES", 4)
    monkeypatch.setattr(crowds, "GROUPS", 20)
    monkeypatch.setattr(crowds, "NUMBERS", (1, 2, 16))
    monkeypatch.setattr(crowds, "TILED", {1: 2, 4: 1})
    monkeypatch.setattr(crowds, "SIDES", (48, 64))
    page = tmp_path / "page.md"
    page.write_text("<!-- report: crowds -->\n<!-- end of report -->\n")
    assert crowds.run(model, splits, tmp_path / "out", page) == 0
    report = json.loads((tmp_path / "out" / "crowds.json").read_text())
    for split in ("val", "cross"):
        figures = report["splits"][split]
        assert (figures["real"], figures["fake"]) == (6, 6)
        rows = {(row["faces"], row["fakes"]): row["rules"] for row in figures["rates"]}
        assert set(rows) == {(1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (16, 0), (16, 1), (16, 8), (16, 16)}
        assert rows[2, 1]["served"]["fake"] == rows[16, 16]["served"]["fake"] == 1
        assert rows[16, 0]["served"] == rows[16, 0]["most suspicious"] == {
            "fake": 0, "real": 1, "interval": {"fake": [0, 0], "real": [1, 1]},
        }  # fmt: skip
        assert rows[16, 1]["most suspicious"]["fake"] == 1 and rows[16, 1]["served"]["fake"] == 0
        assert [row["found"] for row in figures["composed"]] == [2, 4]
        assert all(row["real"] == row["pictures"] and row["worst_fake"] == 0 for row in figures["composed"])
        assert figures["calibration"][0]["rules"]["served"]["ece"] < 0.01
    assert [row["side"] for row in report["sizes"]] == [48, 64]
    assert all(row["decided"]["said_fake"] == {"pictures": 6, "wrong": 0} for row in report["sizes"])
    assert (tmp_path / "out" / "crowds.md").read_text() == crowds_markdown(report)
    assert short_markdown(report) in page.read_text()
    with Image.open(tmp_path / "out" / "crowds.png") as picture:
        assert picture.width > 400


def test_without_marks_nothing_is_measured(splits, model, tmp_path):
    (tmp_path / "page.md").write_text("no marks")
    with pytest.raises(DataError, match="no lines"):
        crowds.run(model, splits, tmp_path / "out", tmp_path / "page.md")
    assert not (tmp_path / "out").exists()


def test_every_rule_leaves_one_face_as_it_is_and_falls_with_more_real_ones():
    rng = np.random.default_rng(0)
    real = 1 / (1 + np.exp(-rng.normal(-2, 2, 5000)))
    rules = crowds.RULES | {"Sidak": crowds.sidak(real)}
    alone = np.linspace(0.2, 0.99, 50)[:, None]
    for name, rule in rules.items():
        assert np.allclose(rule(alone, BAND), alone[:, 0], atol=1e-9), name
        crowd = np.hstack([alone, np.full((50, 15), 0.02)])
        assert (rule(crowd, BAND) < alone[:, 0]).all() == (name != "most suspicious"), name


def test_sidak_keeps_the_rate_of_false_alarms():
    rng = np.random.default_rng(1)
    rule = crowds.sidak(1 / (1 + np.exp(-rng.normal(-2, 2, 20_000))))
    crowds_of_real = (1 / (1 + np.exp(-rng.normal(-2, 2, (4000, number)))) for number in (1, 4, 16))
    shares = [(rule(scores, BAND) >= BAND[1]).mean() for scores in crowds_of_real]
    assert all(0.01 < share < 0.05 for share in shares)
