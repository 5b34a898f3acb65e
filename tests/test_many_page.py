"""The tab for many photographs, in a real browser."""

import csv
import io
import json
import re
import time
from pathlib import Path

import pytest
from albums import FORMULA, MARKUP, REAL, heavy_files, mixed_files
from conftest import on_both
from PIL import Image
from waiting import wait_until


@pytest.fixture
def mixed(tmp_path) -> list[Path]:
    return mixed_files(tmp_path)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory) -> list[Path]:
    return heavy_files(tmp_path_factory.mktemp("heavy"))


@pytest.fixture
def page(first_tab):
    first_tab.get_by_role("tab", name="Many").click()
    first_tab.wait_for_selector("#many input[type=file]", state="attached")
    return first_tab


def test_every_kind_of_picture_may_be_chosen(page, tmp_path):
    files = [tmp_path / f"a.{suffix}" for suffix in ("heic", "tiff", "webp", "bmp")]
    with Image.open(REAL) as picture:
        small = picture.convert("RGB").resize((256, 256))
    for file in files:
        small.save(file)
    upload(page, files)
    headline(page, "^4 files: .* Real$")


def upload(page, files):
    page.set_input_files("#many input[type=file]", files)


def headline(page, words):
    found = page.locator("#many-headline h2").get_by_text(re.compile(words))
    found.wait_for()
    return found.inner_text()


def rows(page):
    """The words of each row's cells."""
    page.locator("#many-table [role=row][data-index]").first.wait_for()
    return [row.locator("[role=gridcell]").all_inner_texts()
            for row in page.locator("#many-table [role=row][data-index]").all()]  # fmt: skip


def downloaded(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first.click()
    assert download.value.suggested_filename.startswith("verdicts.")
    return Path(download.value.path()).read_bytes()


@on_both
def test_four_files_are_listed_worst_first_with_views_and_downloads(page, mixed, detector):
    upload(page, mixed[:4])
    said = headline(page, "could not be read")
    labels = [verdict.label for verdict in detector.predict([mixed[0], mixed[1], mixed[3]])]
    counts = [labels.count(label) for label in ("fake", "unsure", "real")]
    assert said == "4 files: {} Fake, {} Not sure, {} Real, 1 could not be read".format(*counts)

    listed = rows(page)
    order = ["Fake", "Not sure", "Real", "Unreadable"]
    assert [cells[1] for cells in listed] == sorted((cells[1] for cells in listed), key=order.index)
    by_name = {cells[3]: cells for cells in listed}
    assert sorted(by_name) == sorted(file.name for file in mixed[:4])
    assert (
        listed[-1][3] == "broken.jpg"
        and "damaged or cut short" in listed[-1][5]
        and listed[-1][2] == listed[-1][4] == ""
    )
    assert by_name["group_portraits.jpg"][4] == "3" and by_name["sky.png"][4] == "0"
    assert 0 <= int(by_name["sky.png"][2]) <= 100 and "No face was found" in by_name["sky.png"][5]
    views = page.locator("#many-table [data-index] img")
    page.wait_for_function(
        "[...document.querySelectorAll('#many-table [data-index] img')].every(image => image.naturalWidth)"
    )
    assert views.count() == 3
    assert not page.locator("#many-stop").is_visible()

    records = json.loads(downloaded(page, "Download as JSON"))
    assert [record["path"] for record in records] == [file.name for file in mixed[:4]]
    assert [record.get("label") for record in records] == [labels[0], labels[1], None, labels[2]]
    assert records[0]["ms"] > 0 and "damaged" in records[2]["error"]
    table = list(csv.DictReader(io.StringIO(downloaded(page, "Download as CSV").decode("utf-8-sig"))))
    assert [(row["path"], row["label"], row["error"]) for row in table] == [
        (record["path"], record.get("label", ""), record.get("error", "")) for record in records
    ]
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen
    chance = page.locator("#many-table [role=row][data-index] [role=gridcell]").nth(2).bounding_box()
    assert chance["x"] + chance["width"] <= screen  # seen without scrolling


def test_names_are_only_names(page, mixed):
    upload(page, mixed[4:])
    headline(page, "2 files")
    assert sorted(cells[3] for cells in rows(page)) == sorted([MARKUP, FORMULA])
    assert page.locator("#many-table [data-index] img").count() == 2  # the views
    table = csv.DictReader(io.StringIO(downloaded(page, "Download as CSV").decode("utf-8-sig")))
    assert [row["path"] for row in table] == [MARKUP, f"'{FORMULA}"]


def test_a_column_sorts(page, mixed):
    upload(page, mixed[:4])
    headline(page, "4 files")
    rows(page)
    page.locator("#many-table th").filter(has_text="File").get_by_role("button").first.click()
    page.get_by_text("Sort ascending").click()
    names = page.locator("#many-table [role=row][data-index] [role=gridcell]:nth-child(4)")
    wait_until(lambda: names.all_inner_texts() == sorted(file.name for file in mixed[:4]))
    for name in ("Verdict", "Chance"):  # names are not broken, and the signs beside them not covered
        head = page.locator("#many-table th").filter(has_text=name)
        line = head.locator(".header").evaluate("name => [name.offsetHeight, getComputedStyle(name).lineHeight]")
        assert line[0] < 1.5 * float(line[1].removesuffix("px"))
        head.get_by_role("button").first.click()
        page.get_by_text("Sort ascending").click()
        sign, button = head.locator(".sort-indicator").bounding_box(), head.get_by_role("button").first.bounding_box()
        assert sign["x"] + sign["width"] <= button["x"] + 4
    assert [cells[1] for cells in rows(page)] != sorted(cells[1] for cells in rows(page))  # sorts add up, as is said
    assert "Sorts add up" in page.inner_text("#many-why") and "Clear sort" in page.inner_text("#many-why")


@pytest.mark.parametrize("first_tab", [(390, 844)], ids=["phone"], indirect=True)
def test_on_a_phone_the_answer_comes_into_view(page, mixed):
    upload(page, mixed[:4])
    headline(page, "4 files")
    page.wait_for_function("document.querySelector('#many-headline h2').getBoundingClientRect().top < 200")


def test_too_many_files_get_a_sentence_and_the_earlier_result_goes(page, mixed, tmp_path):
    upload(page, mixed[:2])
    headline(page, "2 files")
    for number in range(201):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    page.locator("#many").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#many-headline h2").wait_for(state="detached")
    assert not page.locator("#many-table").is_visible()
    upload(page, [tmp_path / f"{number}.jpg" for number in range(201)])
    headline(page, "could not be judged")
    assert "These are 201 files; at most 200" in page.inner_text("#many-why")
    assert not page.locator("#many-stop").is_visible()


def test_a_run_can_be_stopped_and_begun_again(page, heavy):
    upload(page, heavy)
    page.locator("#many-why").get_by_text(re.compile(r"\d+ of 60 pictures judged")).wait_for()
    page.get_by_role("button", name="Stop").click()
    headline(page, "Stopped")
    page.wait_for_timeout(1500)
    assert headline(page, "") == "Stopped"
    page.get_by_role("button", name="Judge them again").click()
    page.locator("#many-why").get_by_text(re.compile(r"\d+ of 60 pictures judged")).wait_for()
    assert not page.get_by_role("button", name="Judge them again").is_visible()
    page.get_by_role("button", name="Stop").click()
    headline(page, "Stopped")


def test_other_files_take_the_place_of_those_being_judged(page, heavy, mixed):
    upload(page, heavy)
    page.locator("#many-why").get_by_text(re.compile(r"\d+ of 60 pictures judged")).wait_for()
    page.locator("#many").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#many-headline h2").wait_for(state="detached")
    upload(page, mixed[:1])
    headline(page, "1 file:")
    page.wait_for_timeout(1000)
    assert headline(page, "").startswith("1 file:") and len(rows(page)) == 1


def test_what_a_run_leaves_lies_among_the_uploads(page, server, mixed):
    began = time.time()
    upload(page, mixed[:2])
    headline(page, "2 files")
    page.locator("#many-table [data-index] img").first.wait_for()
    written = [file for file in server[1].rglob("*") if file.is_file() and file.stat().st_ctime >= began - 1]
    assert {"verdicts.csv", "verdicts.json", "0.jpg", "1.jpg"} <= {file.name for file in written}
    source = page.locator("#many-table [data-index] img").first.get_attribute("src")
    assert str(server[1]) in source and not source.startswith("data:")
