"""The page in a real browser, as a visitor uses it."""

import io
import json
import re

import cv2
import numpy as np
import pytest
from conftest import ROOT, on_both
from PIL import Image

from detect import Detector, open_picture, texts
from detect.stability import examine
from detect.verdict import suspicious

EXAMPLES = ROOT / "examples"
REAL = EXAMPLES / "real_eileen_collins.jpg"
VERDICT = re.compile(r"The image is (Real|Fake)|Not sure whether the image is real or fake")


@pytest.fixture
def page(first_tab):
    return first_tab


def upload(page, file):
    page.set_input_files("#photo input[type=file]", file)


def headline(page):
    """The answer, when it has come."""
    answer = page.locator("#headline h2").get_by_text(re.compile(f"^(?!{texts.PHOTO_JUDGING})"))
    answer.wait_for()
    return answer.inner_text()


def frames(page, file):
    """How many frames are drawn on the picture that is shown."""
    shown = Image.open(io.BytesIO(page.request.get(page.get_attribute("#faces img", "src")).body())).convert("RGB")
    plain = Image.open(file).convert("RGB").resize(shown.size)
    drawn = (np.abs(np.asarray(shown).astype(int) - np.asarray(plain)).max(axis=-1) > 60).astype(np.uint8)
    joined = cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined)
    return sum(min(width, height) > 40 for _, _, width, height, _ in boxes[1:])


def explanation(page):
    return page.inner_text("#why")


@on_both
def test_an_uploaded_portrait_gets_one_face_box_and_a_verdict(page):
    upload(page, REAL)
    assert VERDICT.search(headline(page))
    page.wait_for_selector("#faces img")
    assert frames(page, REAL) == 1
    page.wait_for_selector("#crop img")
    assert re.search(r"Face 1: (Real|Fake|Not sure), with a chance of .* in 100", page.inner_text("#about"))
    assert not page.locator("#pick").is_visible()  # there is nothing to choose
    text = explanation(page)
    assert "One face was found and judged" in text and "When this model was measured on" in text
    assert "A verdict is evidence, not proof." in text
    assert re.search(r"\d+%", page.inner_text("#label"))


def test_every_example_works(page):
    for number in range(len(list(EXAMPLES.glob("*.jpg")))):
        page.reload()
        page.wait_for_selector("#photo input[type=file]", state="attached")
        page.locator("button.gallery-item").nth(number).click()
        assert VERDICT.search(headline(page))


def test_bold_and_plain_text_are_of_one_font_that_is_on_the_device(page):
    assert "static/fonts" not in page.content()
    assert page.evaluate("[...document.fonts].filter(font => font.status == 'loaded').length") == 0
    used = "document.querySelectorAll('.prose :is(p, strong)')"
    assert page.evaluate(f"new Set([...{used}].map(e => getComputedStyle(e).fontFamily)).size") == 1


def test_the_page_says_what_becomes_of_its_fake_examples(page):
    fakes, detector = sorted(EXAMPLES.glob("fake_*.jpg")), Detector(ROOT / "model.onnx")
    labels = [examine(detector, open_picture(fake))[0].label for fake in fakes]
    counts = [len(fakes), *(labels.count(label) for label in ("fake", "unsure", "real"))]
    assert [int(number) for number in re.findall(r"\d+", page.inner_text("#examples-said"))] == counts


@pytest.mark.parametrize("first_tab", [(390, 700)], ids=["phone"], indirect=True)
def test_what_cannot_be_judged_is_said_in_view_and_leaves_no_broken_image(page):
    upload(page, {"name": "words.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    assert "could not be judged" in headline(page)
    page.wait_for_function("document.querySelector('#why').getBoundingClientRect().bottom <= innerHeight")
    image, seen = page.locator("#photo .image-frame img"), "image => getComputedStyle(image).visibility"
    assert image.evaluate(seen) == "hidden"
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#headline h2").wait_for(state="detached")
    upload(page, REAL)
    assert VERDICT.search(headline(page))
    assert image.evaluate(seen) == "visible"


def test_a_broken_file_gets_a_sentence_and_the_page_goes_on(page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(REAL.read_bytes()[:5000])
    upload(page, broken)
    assert "could not be judged" in headline(page)
    assert "damaged or cut short" in explanation(page)
    assert not page.locator("#label").is_visible() and not page.locator("#faces").is_visible()
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#headline h2").wait_for(state="detached")
    upload(page, REAL)
    assert VERDICT.search(headline(page))
    assert "Traceback" not in page.content()


def test_after_an_example_files_are_still_read_by_us_first(page, tmp_path):
    """Gradio makes the photo component anew when an example is chosen, and would then open files with Pillow."""
    page.locator("button.gallery-item").first.click()
    assert VERDICT.search(headline(page))
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#headline h2").wait_for(state="detached")
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    upload(page, text)
    assert "could not be judged" in headline(page)
    assert "not a picture" in explanation(page)


@on_both
def test_every_face_of_a_group_is_framed_and_named(page):
    upload(page, EXAMPLES / "group_portraits.jpg")
    headline(page)
    assert "3 faces were found and judged" in explanation(page)
    names = page.locator("#pick label").all_inner_texts()
    assert [name.split(":")[0].strip() for name in names] == ["1", "2", "3"]
    assert all(f"{name.strip()} (" in explanation(page) for name in names)
    assert frames(page, EXAMPLES / "group_portraits.jpg") == 3


def test_a_picture_without_a_face_is_not_judged_as_one(page, tmp_path):
    plain = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(plain)
    upload(page, plain)
    assert headline(page) == "No face was found"
    assert "No face was found" in explanation(page) and "in 100" not in explanation(page)
    assert not page.locator("#label").is_visible()


def unfold(page, name):
    page.get_by_role("button", name=name).click()


@on_both
def test_behind_the_verdict_stand_a_map_scores_and_the_claims_of_the_file(page, tmp_path):
    claiming = tmp_path / "claiming.jpg"
    exif = Image.Exif()
    exif[0x0131] = "Paint <img src=x onerror=alert(1)> *5*"
    Image.open(REAL).save(claiming, exif=exif)
    upload(page, claiming)
    headline(page)
    unfold(page, "What the score reacted to")
    page.wait_for_selector("#heat img")
    unfold(page, "Does the score hold?")
    page.wait_for_selector("#scores tr")
    assert page.locator("#scores .track").first.bounding_box()["width"] > 80  # room for the bars
    assert re.search(
        r"Face 1: .*as it is: .*; JPEG quality 90: \d+ in 100;.*cut tighter: \d+ in 100", page.inner_text("#holds")
    )
    unfold(page, "What the file says of itself")
    said = page.inner_text("#claims")
    assert "Software (EXIF): Paint <img src=x onerror=alert(1)> *5*" in said and "proves nothing" in said


def test_a_claim_of_ai_stands_under_the_headline_and_works_as_no_markup(page, tmp_path):
    claiming = tmp_path / "claiming.jpg"
    exif = Image.Exif()
    exif[0x0131] = "Midjourney <img src=x onerror=alert(1)> ![](http://example.com/a.png)"
    Image.open(REAL).save(claiming, exif=exif)
    upload(page, claiming)
    headline(page)
    first = page.locator("#why li").first.inner_text()
    assert "Midjourney <img src=x onerror=alert(1)> ![](http://example.com/a.png). That is a claim, not proof" in first


def test_the_result_can_be_kept(page):
    upload(page, REAL)
    headline(page)
    page.locator("#evidence").wait_for()
    with page.expect_download() as report:
        page.locator("#report").click()
    verdict = json.loads(report.value.path().read_text())["verdict"]
    assert report.value.suggested_filename == "real_eileen_collins-verdict.json"
    assert {"real": "Real", "fake": "Fake", "unsure": "Not sure"}[verdict["label"]] in headline(page)
    with page.expect_download() as sheet:
        page.locator("#sheet").click()
    assert (
        report.value.path() != sheet.value.path()
        and sheet.value.suggested_filename == "real_eileen_collins-verdict.jpg"
    )
    with Image.open(sheet.value.path()) as picture:
        assert picture.size == (1240, 1754)


def test_another_face_of_a_group_can_be_looked_at(page):
    upload(page, EXAMPLES / "group_portraits.jpg")
    headline(page)
    unfold(page, "Does the score hold?")
    page.get_by_text(re.compile("^Face 1: ")).first.wait_for()
    seen = {chosen(page, 1)}
    for number in (3, 2, 1):
        page.locator("#pick label").nth(number - 1).click()
        seen.add(chosen(page, number))
    assert len(seen) == 3  # each face has a picture of its own


def chosen(page, number):
    """The picture of the face, once all that is shown is of it: name, chart and text say the same."""
    page.locator("#holds").get_by_text(re.compile(f"^Face {number}: ")).wait_for()
    page.locator("#about").get_by_text(re.compile(f"^Face {number}: ")).wait_for()
    assert page.locator("#pick input").nth(number - 1).is_checked()
    said = dict(re.findall(r"(?:; |fake )([\w ]+): (\d+) in 100", page.inner_text("#holds")))
    rows = page.locator("#scores tr").all()
    assert {row.locator("th").inner_text(): row.locator("td").last.inner_text().split()[0] for row in rows} == said
    whole = rows[0].locator(".track").bounding_box()["width"]
    drawn = [row.locator(".bar").bounding_box()["width"] / whole for row in rows]
    assert drawn == pytest.approx([int(chance) / 100 for chance in said.values()], abs=0.01)
    return page.get_attribute("#crop img", "src")


@on_both
def test_a_face_can_be_chosen_in_the_picture(page):
    group = EXAMPLES / "group_portraits.jpg"
    upload(page, group)
    headline(page)
    page.locator("#crop img").wait_for()
    picture = page.locator("#faces img")
    box, (width, height) = picture.bounding_box(), Image.open(group).size
    scale = min(box["width"] / width, box["height"] / height)
    beside, above = (box["width"] - width * scale) / 2, (box["height"] - height * scale) / 2
    faces = suspicious(Detector(ROOT / "model.onnx").predict([group])[0].faces)
    for number in (3, 1, 2):
        left, top, right, bottom = faces[number - 1].box
        page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())  # frames come anew
        picture.click(position={"x": beside + (left + right) / 2 * scale, "y": above + (top + bottom) / 2 * scale})
        page.locator("#about").get_by_text(re.compile(f"^Face {number}: ")).wait_for()
    picture.click(position={"x": beside + 3, "y": above + 3})  # no face
    page.wait_for_timeout(500)
    assert page.inner_text("#about").startswith("Face 2: ")


def test_evidence_of_an_earlier_picture_goes_with_it(page, tmp_path):
    upload(page, REAL)
    headline(page)
    page.get_by_role("button", name="Does the score hold?").wait_for()
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#evidence").wait_for(state="hidden")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(REAL.read_bytes()[:5000])
    upload(page, broken)
    page.locator("#headline h2").get_by_text("could not be judged").wait_for()
    page.wait_for_timeout(500)
    assert not page.locator("#evidence").is_visible()
    plain = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(plain)
    page.get_by_role("button", name="Remove Image").click()
    page.locator("#headline h2").wait_for(state="detached")
    upload(page, plain)
    page.get_by_role("button", name="What the file says of itself").wait_for()
    assert not page.get_by_role("button", name="Does the score hold?").is_visible()  # without a face


def test_a_screen_reader_hears_the_answer(page):
    page.wait_for_selector("#headline[aria-live=polite]", state="attached")
    page.get_by_role("tab", name="Video").click()
    page.wait_for_selector("#film-headline[aria-live=polite]", state="attached")


@on_both
def test_nothing_is_wider_than_the_screen(page):
    upload(page, REAL)
    headline(page)
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen
