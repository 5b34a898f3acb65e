"""`deepfake-detect summary`: what a scan has come to, and its page."""

import base64
import io
import json
import os
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from albums import GROUP, MARKUP, mixed_files
from commands import command, here
from onnx_files import write_model
from PIL import Image
from project import ROOT
from scans import fill, scan, shards

from deepfake_detect.scan.parquet_rows import SCHEMA
from deepfake_detect.scan.summary import summarize

EXAMPLES = ROOT / "examples"


def summary(*words: object):
    return here("deepfake_detect", "summary", *words)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory) -> Path:
    """A scan by the shipped model: a group, a portrait under three names, two of them odd, a sky, a broken file."""
    folder = tmp_path_factory.mktemp("scan")
    (folder / "album").mkdir()
    for file in mixed_files(folder / "album"):
        if not (folder / "album" / file.name).exists():
            shutil.copy(file, folder / "album")
    assert scan(folder / "album", "--out", folder / "out.parquet", "--shard-rows", 4).returncode == 1
    return folder / "out.parquet"


@pytest.fixture(scope="module")
def group(detector) -> str:
    """What the shipped model says of the group."""
    return detector.predict_one(GROUP).label


def test_totals_and_histogram_count_every_picture(scanned, group):
    found = summarize(scanned, 50)
    totals = found.totals
    assert (totals.pictures, totals.unread, totals.duplicates) == (6, 1, 2)
    assert totals.categories == {"real": 3, group: 1, "no_face": 1}
    counted = {label: counts.sum() for label, counts in found.histogram.items()}
    assert counted == {"real": 3, "unsure": 0, "fake": 0} | {group: 1}
    assert dict(found.errors) == {"The picture is damaged or cut short. Try another copy of the file.": 1}


def test_the_most_suspicious_come_first_each_once(scanned, group):
    found = summarize(scanned, 50)
    assert [shown.category for shown in found.top] == [group, "real"]
    assert [Path(shown.path).name for shown in found.without_face] == ["sky.png"]
    assert [shown.path for shown in summarize(scanned, 1).top] == [found.top[0].path]


def scored(folder: Path, *rows: tuple[str, float, int]) -> Path:
    """A scan's folder, with pictures of such a label, p_fake and number of faces, two to a shard."""
    face = {"box": [0, 0, 9, 9], "score": 0.9, "p_fake": 0.5, "label": "real"}
    folder.mkdir()
    for start in range(0, len(rows), 2):
        shard = [
            dict.fromkeys(SCHEMA.names) | {
                "position": place, "path": f"{place}.jpg", "label": label, "p_fake": p_fake, "confidence": 0.5,
                "reasons": "", "faces": faces, "faces_json": json.dumps([face] * faces), "model_sha256": "0" * 64,
            }
            for place, (label, p_fake, faces) in enumerate(rows[start : start + 2], start + 1)
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(shard, SCHEMA), folder / f"part-{start:06d}.parquet")
    return folder


def test_verdicts_come_before_scores_and_pictures_without_a_face_by_themselves(tmp_path):
    cheetah = ("unsure", 0.997, 0)
    rows = [
        ("real", 0.1, 1), cheetah, ("fake", 0.9, 1), ("unsure", 0.95, 2), ("fake", 0.96, 1), cheetah,
        ("unsure", 0.3, 1), ("real", 0.05, 1), ("fake", 0.9, 1),
    ]  # fmt: skip
    out = scored(tmp_path / "out.parquet", *rows)
    for top in (50, 4, 1):
        found = summarize(out, top)
        assert [shown.path for shown in found.top] == [f"{n}.jpg" for n in (5, 3, 9, 4, 7, 1, 8)][:top]
        assert [shown.path for shown in found.without_face] == ["2.jpg", "6.jpg"][:top]
    done = summary(out)
    assert done.stdout.startswith("9 pictures: 3 Fake, 2 Not sure, 2 Real, 2 No face. The page is ")
    text = out.with_suffix(".html").read_text(encoding="utf-8")
    suspicious, _, without_face = text.partition("<h2>Without a face</h2>")
    assert suspicious.count("<li>") == 7 and '<strong style="color:#555555">No face</strong></p>' in without_face
    assert without_face.count("<li>") == 2 and "In 2 of the pictures" in without_face and "a chance" not in without_face


def test_where_every_picture_has_a_face_there_is_no_such_list(tmp_path):
    out = scored(tmp_path / "out.parquet", ("real", 0.1, 1))
    assert summary(out).stdout.startswith("1 picture: 0 Fake, 0 Not sure, 1 Real. ")
    assert "Without a face" not in out.with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_top_is_that_of_all_shards_together(small, tmp_path):
    model = write_model(tmp_path / "m.onnx", weights=(200, 0, -200))
    fill(tmp_path / "album", 30, small)
    for number in (1, 7, 30):
        out = tmp_path / f"{number}.parquet"
        scan(tmp_path / "album", "--out", out, "--model", model, "--shard-rows", number)
        top = summarize(out, 5).top
        assert [Path(shown.path).name for shown in top] == [f"{2 * place:04d}.jpg" for place in range(5)]


def test_the_page_is_one_file_with_nothing_that_runs_or_is_fetched(scanned, group, tmp_path):
    done = summary(scanned, "--out", tmp_path / "page.html")
    assert done.returncode == 0 and done.stdout == (
        f"6 pictures: {int(group == 'fake')} Fake, {int(group == 'unsure')} Not sure, 3 Real, 1 No face, "
        f"1 could not be read; 2 repeat another one. "
        f"The page is {tmp_path / 'page.html'}\n"
    )
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in text and MARKUP not in text and "http" not in re.sub("http-equiv", "", text)
    assert "A verdict is evidence, not proof." in text and "&lt;img src=x onerror=alert(1)&gt;.jpg" in text
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', text)
    pictures = [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([\w+/=]+)", text)]
    assert len(pictures) == 3 and all(max(picture.size) <= 280 for picture in pictures)


def test_a_picture_that_has_gone_or_changed_has_no_thumbnail(scanned, tmp_path):
    shutil.copytree(scanned.parent, tmp_path / "moved")
    out = tmp_path / "moved" / "out.parquet"
    manifest = out / "_scan.json"
    manifest.write_text(manifest.read_text().replace(str(scanned.parent), str(tmp_path / "moved")))
    assert all(shown.thumbnail for shown in summarize(out, 3).top)
    album = scanned.parent / "album"
    first, third = (Path(shown.path) for shown in summarize(out, 3).top)
    (second,) = (Path(shown.path) for shown in summarize(out, 3).without_face)
    kept = {path: path.read_bytes() for path in (first, second)}
    try:
        first.unlink()
        second.write_bytes(third.read_bytes())
        found = summarize(out, 3)
        assert [bool(shown.thumbnail) for shown in [*found.top, *found.without_face]] == [False, True, False]
        assert summary(out).returncode == 0
        assert (tmp_path / "moved" / "out.html").read_text(encoding="utf-8").count("cannot be shown") == 2
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
    assert len(list(album.iterdir())) == 6


def test_an_unfinished_scan_says_so_and_bare_shards_will_do(scanned, tmp_path):
    out = tmp_path / "out.parquet"
    shutil.copytree(scanned, out)
    (out / "part-000001.parquet").unlink()
    assert summary(out).returncode == 0
    assert "2 of 6 are still to be judged." in (tmp_path / "out.html").read_text(encoding="utf-8")
    for name in ("_scan.json", "_listing.sqlite"):
        (out / name).unlink()
    found = summarize(out, 5)
    assert len(shards(out)) == 1 and found.totals.pictures == 4 and all(shown.thumbnail for shown in found.top)


def test_a_scan_is_summed_up_from_inside_its_folder(scanned, tmp_path, monkeypatch):
    shutil.copytree(scanned, tmp_path / "out.parquet")
    monkeypatch.chdir(tmp_path / "out.parquet")
    done = summary(".")
    assert done.returncode == 0 and done.stdout.endswith(f"The page is {tmp_path / 'out.html'}\n")
    assert "<h1>Scan <bdi>out.parquet</bdi></h1>" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_source_whose_name_is_not_utf_8(scanned, tmp_path):
    shutil.copytree(scanned, tmp_path / "out.parquet")
    manifest = tmp_path / "out.parquet" / "_scan.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"source": ["/pictures/\udcff"]}))
    assert summary(tmp_path / "out.parquet").returncode == 0
    assert "; of <bdi>/pictures/\\xff</bdi></p>" in (tmp_path / "out.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_scan_whose_own_name_is_not_utf_8(scanned, tmp_path):
    out = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9 " + "日".encode() + b".parquet"))
    shutil.copytree(scanned, out)
    for words, page in (([out], r"caf\xe9 日.html"), ([out, "--out", out.with_suffix(".htm")], r"caf\xe9 日.htm")):
        ascii_alone = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
        done = command("deepfake_detect", "summary", *words, env=ascii_alone, encoding="utf-8")
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith(f"The page is {tmp_path}/{page}\n")
    assert r"<h1>Scan <bdi>caf\xe9 日.parquet</bdi></h1>" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_a_name_that_runs_from_the_right_does_not_reorder_the_words_around_it(scanned, tmp_path):
    shutil.copytree(scanned, tmp_path / "صور.parquet")
    done = summary(tmp_path / "صور.parquet", "--top", 1)
    assert done.stdout.endswith(f"The page is \u2068{tmp_path}/صور.html\u2069\n")
    page = (tmp_path / "صور.html").read_text(encoding="utf-8")
    assert "<h1>Scan <bdi>صور.parquet</bdi></h1>" in page
    assert "<title>Scan \u2068صور.parquet\u2069</title>" in page


def test_what_is_no_scan_is_refused(scanned, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "part-000000.parquet").write_bytes(b"PAR1")
    for words in ((tmp_path / "gone",), (tmp_path / "empty",), (tmp_path / "bad",), (EXAMPLES,), ("/",),
                  (scanned, "--out", tmp_path / "gone" / "page.html")):  # fmt: skip
        done = summary(*words)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
        assert done.stderr.startswith("deepfake-detect summary: ") and "None" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "empty"]


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_it_fits_the_screen(scanned, browser, tmp_path, width, height):
    out = tmp_path / "page.html"
    summary(scanned, "--out", out)
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    wrong = []
    page.on("console", lambda said: wrong.append(said.text))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else wrong.append(asked.url))
    page.goto(out.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("li img").count() == 3 and page.locator("rect").count() >= 2 and not wrong
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 40)")
    page.close()
