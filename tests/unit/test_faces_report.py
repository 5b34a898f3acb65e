"""`python -m train faces`: the finder measured beside a checkout's, and the report that was written so."""

import json
import shutil

import pytest
from PIL import Image
from project import ROOT

from train.__main__ import main
from train.faces import _figures, markdown

REPORT = ROOT / "reports" / "faces"


@pytest.mark.slow
def test_a_checkout_compared_with_itself_changes_nothing(tmp_path, capsys):
    data, empty = tmp_path / "data", tmp_path / "empty"
    data.mkdir()
    empty.mkdir()
    Image.new("RGB", (90, 90), "grey").save(empty / "grey.png")
    rows = ["path,split,label"]
    for label, name in (("real", "real_grace_hopper.jpg"), ("fake", "fake_swap.jpg")):
        shutil.copy(ROOT / "examples" / name, data)
        for split in ("val", "cross", "test"):
            shutil.copy(data / name, data / f"{split}_{name}")
            rows.append(f"{split}_{name},{split},{label}")
    (data / "manifest.csv").write_text("\n".join(rows) + "\n")
    words = ["faces", "--data", str(data), "--without-people", str(empty), "--before", str(ROOT)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "faces.json").read_text())
    assert report["changes"] == []
    assert report["without_people"]["now"] == {"pictures": 1, "with_faces": 0, "faces": 0}
    for finders in report["splits"].values():
        assert finders["now"] == finders["before"]
        assert finders["now"]["pictures"] == finders["now"]["faces"] == 2 and finders["now"]["no_face"] == 0
    assert (tmp_path / "out" / "faces.md").read_text() == markdown(report) in capsys.readouterr().out


@pytest.mark.filterwarnings("error")
def test_where_nothing_is_decided_no_share_is_right():
    row = {"label": "unsure", "p_fake": 0.5, "boxes": [[0, 0, 9, 9]]}
    figures = _figures([row, row], [False, True])
    assert figures["decided"] == 0 and figures["decided_right"] is None
    report = {"splits": {"val": {"now": figures}}, "without_people": {}, "changes": []}
    assert markdown(report).splitlines()[-1].endswith("| 0.0 | – |")


def test_data_without_a_manifest_is_named(tmp_path, capsys):
    assert main(["faces", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "no manifest.csv" in capsys.readouterr().err


def test_the_report_is_what_its_figures_say_and_the_finder_got_no_worse():
    if not (REPORT / "faces.json").is_file():
        pytest.skip("there is no report yet: python -m train faces")
    report = json.loads((REPORT / "faces.json").read_text())
    assert (REPORT / "faces.md").read_text() == markdown(report)
    for split, finders in report["splits"].items():
        now, before = finders["now"], finders["before"]
        assert now["no_face"] <= before["no_face"] and now["auc"] >= before["auc"] - 0.002, split
    empty = report["without_people"]
    assert empty["now"]["faces"] <= empty["before"]["faces"]
    assert not [change for change in report["changes"] if change["why"] == "unexplained"]
