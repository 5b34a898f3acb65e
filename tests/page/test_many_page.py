"""The tab for many photographs, in a real browser."""

import csv
import io
import json
import re
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest
from albums import FORMULA, MARKUP, REAL
from PIL import Image
from viewports import on_both
from watching_pages import click_when

from page import texts

COLOUR = "element => getComputedStyle(element).color"
# What can be clicked and is smaller than 24 pixels, where it is not hidden or in something larger
SMALL = """all => all.filter(one => {
    const {width, height} = one.getBoundingClientRect();
    return width && height && Math.min(width, height) < 23.9 && !one.parentElement.closest("button, .visually-hidden");
}).map(one => one.outerHTML)"""


@pytest.fixture
def page(first_tab):
    first_tab.get_by_role("tab", name="Album").click()
    first_tab.wait_for_selector("#album input[type=file]", state="attached")
    return first_tab


def test_every_kind_of_picture_may_be_chosen(page, tmp_path):
    files = [tmp_path / f"a.{suffix}" for suffix in ("heic", "tiff", "webp", "bmp", "avif", "mpo")]
    with Image.open(REAL) as picture:
        small = picture.convert("RGB").resize((256, 256))
    for file in files:
        small.save(file)
    upload(page, files)
    headline(page, "^6 files: .* Real$")


def upload(page, files):
    page.set_input_files("#album input[type=file]", files)


def headline(page, words):
    found = page.locator("#album-card h2").get_by_text(re.compile(words))
    found.wait_for()
    return found.inner_text()


def rows(page):
    """Name, word and all that is said, of each row."""
    page.locator("#album-table tr").first.wait_for(state="attached")
    return [
        (row.locator("bdi").inner_text(), re.sub(r"^\W+", "", row.locator("strong").inner_text()), row.inner_text())
        for row in page.locator("#album-table tr").all()
        if row.is_visible()
    ]


def downloaded(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first.click()
    assert download.value.suggested_filename.startswith("verdicts.")
    return Path(download.value.path()).read_bytes()


@on_both
def test_four_files_are_listed_worst_first_with_views_and_downloads(page, mixed, detector):
    upload(page, mixed[:4])
    said = headline(page, "could not be read")
    labels = [verdict.label for verdict in detector.predict(mixed[:2])]
    counts = [labels.count(label) for label in ("fake", "unsure", "real")]
    assert said == "4 files: {} Fake, {} Not sure, {} Real, 1 No face, 1 could not be read".format(*counts)

    listed = rows(page)
    order = ["Likely fake", "Not sure", "No sign of a fake", "No face", "Unread"]
    assert [word for _, word, _ in listed] == sorted((word for _, word, _ in listed), key=order.index)
    by_name = {name: (word, text) for name, word, text in listed}
    assert sorted(by_name) == sorted(file.name for file in mixed[:4])
    assert listed[-1][0] == "broken.jpg" and "damaged or cut short" in listed[-1][2]
    assert "in 100" not in listed[-1][2] and "in 100" in by_name["group_portraits.jpg"][1]
    assert by_name["sky.png"][0] == "No face" and "in 100" not in by_name["sky.png"][1]
    views = page.locator("#album-table tr img")
    page.wait_for_function("[...document.querySelectorAll('#album-table tr img')].every(image => image.naturalWidth)")
    assert views.count() == 3
    page.locator("#album-stop").wait_for(state="hidden")

    records = json.loads(downloaded(page, "Download as JSON"))
    assert [record["path"] for record in records] == [file.name for file in mixed[:4]]
    assert [record.get("label") for record in records] == [*labels, None, "unsure"]
    assert records[0]["ms"] > 0 and "damaged" in records[2]["error"]
    table = list(csv.DictReader(io.StringIO(downloaded(page, "Download as CSV").decode("utf-8-sig"))))
    assert [(row["path"], row["label"], row["error"]) for row in table] == [
        (record["path"], record.get("label", ""), record.get("error", "")) for record in records
    ]
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen
    view = page.locator("#album-table tr img").first.bounding_box()
    assert view["width"] >= 128 and view["x"] >= 0
    assert page.locator("button, a, summary").evaluate_all(SMALL) == []


@pytest.mark.gradio
def test_names_are_only_names(page, mixed):
    upload(page, mixed[4:])
    headline(page, "2 files")
    assert sorted(name for name, _, _ in rows(page)) == sorted([MARKUP, FORMULA])
    assert page.locator("#album-table tr img").count() == 2  # the views
    table = csv.DictReader(io.StringIO(downloaded(page, "Download as CSV").decode("utf-8-sig")))
    assert [row["path"] for row in table] == [MARKUP, f"'{FORMULA}"]


def test_programs_get_names_exactly_and_people_see_them_isolated(page, mixed, tmp_path):
    names = ["می\u200cخواهم.png", "👩\u200d👧 \u200e.png", "gpj.\u202egnp.png"]
    for name in names:
        shutil.copy(mixed[3], tmp_path / name)
    upload(page, [tmp_path / name for name in names])
    headline(page, "3 files")
    assert {name for name, _, _ in rows(page)} == {names[0], names[1], r"gpj.\u202egnp.png"}
    assert [record["path"] for record in json.loads(downloaded(page, "Download as JSON"))] == names
    table = csv.DictReader(io.StringIO(downloaded(page, "Download as CSV").decode("utf-8-sig")))
    assert [row["path"] for row in table] == names


@on_both
def test_a_chip_shows_its_kind_alone_and_a_row_opens_its_card(page, mixed, tmp_path):
    words = tmp_path / "words.pdf"
    words.write_text("no picture")
    upload(page, [*mixed[:4], words])
    headline(page, "5 files")
    assert len(rows(page)) == 5
    tops = sorted(page.locator(".album .chips button").evaluate_all("chips => chips.map(chip => chip.offsetTop)"))
    assert all(lower - upper < 1 or lower - upper > 30 for upper, lower in pairwise(tops))
    page.get_by_role("button", name="Unread 2").click()
    assert sorted(name for name, _, _ in rows(page)) == ["broken.jpg", "words.pdf"]
    page.get_by_role("button", name="All 5").click()
    assert len(rows(page)) == 5
    row = page.locator("#album-table tr", has=page.get_by_role("button", name="Open group_portraits.jpg"))
    headed, colour = row.locator("strong").inner_text(), row.locator("strong span").evaluate(COLOUR)
    chip = page.locator(f'.album .chips [data-kind="{row.get_attribute("data-label")}"]')
    assert chip.inner_text().startswith(headed[0]) and chip.locator("span").evaluate(COLOUR) == colour
    row.get_by_role("button").click()
    page.locator("#card .frame").nth(2).wait_for()
    assert "group_portraits.jpg" in page.inner_text("#card")
    assert page.inner_text("#card h2") == headed and page.locator("#card h2 span").evaluate(COLOUR) == colour


def test_no_row_shows_the_picture_of_another_while_rows_move(page, mixed, heavy):
    """A browser shows an old picture until the one of a new address has come."""
    page.evaluate("""() => {
        window.moved = [];
        new MutationObserver(seen => moved.push(...seen.map(one => one.target.closest(".album")?.tagName ?? "")))
            .observe(document.body, {subtree: true, attributes: true, attributeFilter: ["src"]});
    }""")
    sky = mixed[3]
    upload(page, [sky, *heavy[:20]])
    headline(page, "^21 files")
    assert rows(page)[-1][0] == "sky.png"
    assert "DIV" not in page.evaluate("moved")


@pytest.mark.parametrize("first_tab", [(390, 844)], ids=["phone"], indirect=True)
def test_on_a_phone_the_answer_comes_into_view(page, mixed):
    upload(page, mixed[:4])
    headline(page, "4 files")
    page.wait_for_function("document.querySelector('#album-card h2').getBoundingClientRect().top < 200")


def test_too_many_files_get_a_sentence_and_the_earlier_result_goes(page, mixed, tmp_path):
    upload(page, mixed[:2])
    headline(page, "2 files")
    for number in range(201):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    page.locator("#album").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#album-card h2").wait_for(state="detached")
    page.locator("#album-table").wait_for(state="hidden")
    upload(page, [tmp_path / f"{number}.jpg" for number in range(201)])
    headline(page, "could not be judged")
    assert "These are 201 files; at most 200" in page.inner_text("#album-card")
    page.locator("#album-stop").wait_for(state="hidden")


def test_a_run_can_be_stopped_and_begun_again(page, heavy):
    click_when(page, "#album-stop", "#album-card", r"\d+ of 60 pictures judged")
    upload(page, heavy)
    headline(page, "Stopped")
    page.wait_for_timeout(1500)
    assert headline(page, "") == "Stopped"
    done = int(re.search(r"(\d+) of 60", page.inner_text("#album-card"))[1])
    assert len(rows(page)) == len(json.loads(downloaded(page, "Download as JSON"))) == done  # what was judged stays
    click_when(page, "#album-stop", "#album-card", texts.ALBUM_JUDGING)
    page.get_by_role("button", name="Judge them again").click()
    page.wait_for_function("window.clicked")
    headline(page, "Stopped")


def test_other_files_take_the_place_of_those_being_judged(page, heavy, mixed):
    upload(page, heavy)
    page.locator("#album-card").get_by_text(re.compile(r"\d+ of 60 pictures judged")).wait_for()
    page.locator("#album").get_by_role("button", name=re.compile("clear|remove", re.I)).first.click()
    page.locator("#album-card h2").wait_for(state="detached")
    upload(page, mixed[:1])
    headline(page, "1 file:")
    page.wait_for_timeout(1000)
    assert headline(page, "").startswith("1 file:") and len(rows(page)) == 1


def test_what_a_run_leaves_lies_among_the_uploads(page, server, mixed):
    began = time.time()
    upload(page, mixed[:2])
    headline(page, "2 files")
    page.locator("#album-table tr img").first.wait_for()
    page.locator("#album-json").wait_for()  # the files are written last
    written = [file for file in server[1].rglob("*") if file.is_file() and file.stat().st_ctime >= began - 1]
    assert {"verdicts.csv", "verdicts.json", "0.jpg", "1.jpg"} <= {file.name for file in written}
    source = page.locator("#album-table tr img").first.get_attribute("src")
    assert str(server[1]) in source and not source.startswith("data:")
