"""`python -m detect summary`: what a scan has come to, and its page."""

import base64
import io
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from albums import MARKUP, mixed_files
from conftest import ROOT, command, here
from PIL import Image
from scans import fill, scan, shards
from test_model import write_model

from detect.scan.summary import summarize

EXAMPLES = ROOT / "examples"


def summary(*words: object):
    return here("detect", "summary", *words)


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


def test_totals_and_histogram_count_every_picture(scanned):
    found = summarize(scanned, 50)
    totals = found.totals
    assert (totals.pictures, totals.unread, totals.duplicates) == (6, 1, 2)
    assert {label: counts.sum() for label, counts in found.histogram.items()} == {"real": 3, "unsure": 2, "fake": 0}
    assert dict(found.errors) == {"The picture is damaged or cut short. Send the file again.": 1}


def test_the_most_suspicious_come_first_each_once(scanned):
    everything = [shown.path for shown in summarize(scanned, 50).top]
    chances = [shown.p_fake for shown in summarize(scanned, 50).top]
    assert len(everything) == 3 and chances == sorted(chances, reverse=True)
    assert [shown.path for shown in summarize(scanned, 2).top] == everything[:2]


def test_the_top_is_that_of_all_shards_together(small, tmp_path):
    model = write_model(tmp_path / "m.onnx", weights=(200, 0, -200))
    fill(tmp_path / "album", 30, small)
    for number in (1, 7, 30):
        out = tmp_path / f"{number}.parquet"
        scan(tmp_path / "album", "--out", out, "--model", model, "--shard-rows", number)
        top = summarize(out, 5).top
        assert [Path(shown.path).name for shown in top] == [f"{2 * place:04d}.jpg" for place in range(5)]


def test_the_page_is_one_file_with_nothing_that_runs_or_is_fetched(scanned, tmp_path):
    done = summary(scanned, "--out", tmp_path / "page.html")
    assert done.returncode == 0 and done.stdout == (
        f"6 pictures: 0 Fake, 2 Not sure, 3 Real, 1 could not be read; 2 repeat another one. "
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
    first, second, third = (Path(shown.path) for shown in summarize(out, 3).top)
    kept = {path: path.read_bytes() for path in (first, second)}
    try:
        first.unlink()
        second.write_bytes(third.read_bytes())
        assert [bool(shown.thumbnail) for shown in summarize(out, 3).top] == [False, False, True]
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
    assert "<h1>Scan out.parquet</h1>" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_source_whose_name_is_not_utf_8(scanned, tmp_path):
    shutil.copytree(scanned, tmp_path / "out.parquet")
    manifest = tmp_path / "out.parquet" / "_scan.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"source": ["/pictures/\udcff"]}))
    assert summary(tmp_path / "out.parquet").returncode == 0
    assert "; of /pictures/?</p>" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_scan_whose_own_name_is_not_utf_8(scanned, tmp_path):
    out = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9 " + "日".encode() + b".parquet"))
    shutil.copytree(scanned, out)
    for words, page in (([out], "caf? 日.html"), ([out, "--out", out.with_suffix(".htm")], "caf? 日.htm")):
        ascii_alone = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
        done = command("detect", "summary", *words, env=ascii_alone, encoding="utf-8")
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith(f"The page is {tmp_path}/{page}\n")
    assert "<h1>Scan caf? 日.parquet</h1>" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_what_is_no_scan_is_refused(scanned, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "part-000000.parquet").write_bytes(b"PAR1")
    for words in ((tmp_path / "gone",), (tmp_path / "empty",), (tmp_path / "bad",), (EXAMPLES,), ("/",),
                  (scanned, "--out", tmp_path / "gone" / "page.html")):  # fmt: skip
        done = summary(*words)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
        assert done.stderr.startswith("python -m detect summary: ") and "None" not in done.stderr
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
    assert page.locator("li img").count() == 3 and page.locator("rect").count() >= 3 and not wrong
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 40)")
    page.close()
