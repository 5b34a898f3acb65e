"""The page in a real browser, as a visitor uses it."""

import re

import pytest
from conftest import ROOT
from PIL import Image

EXAMPLES = ROOT / "examples"
REAL = EXAMPLES / "real_eileen_collins.jpg"
VERDICT = re.compile(r"The image is (Real|Fake)|Not sure whether the image is real or fake")


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def page(server, browser, request):
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(15_000)
    page.foreign, page.problems = [], []
    page.on(
        "request", lambda r: page.foreign.append(r.url) if r.url.startswith("http") and server[0] not in r.url else 0
    )
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(server[0])
    page.wait_for_selector("#photo input[type=file]", state="attached")
    yield page
    page.close()


def upload(page, file):
    page.set_input_files("#photo input[type=file]", file)


def headline(page):
    return page.locator("#headline h2").inner_text()


def explanation(page):
    return page.inner_text("#why")


def test_an_uploaded_portrait_gets_one_face_box_and_a_verdict(page):
    upload(page, REAL)
    assert VERDICT.search(headline(page))
    page.wait_for_selector("#faces img.base-image, #faces img")
    assert page.locator("#faces .mask, #faces img.mask").count() == 1
    text = explanation(page)
    assert "One face was found and judged" in text and "When this model was measured on" in text
    assert "A verdict is evidence, not proof." in text
    assert re.search(r"\d+%", page.inner_text("#label"))
    assert not page.foreign and not page.problems


def test_every_example_works(page):
    for number in range(len(list(EXAMPLES.glob("*.jpg")))):
        page.reload()
        page.wait_for_selector("#photo input[type=file]", state="attached")
        page.locator("button.gallery-item").nth(number).click()
        assert VERDICT.search(headline(page))


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


def test_every_face_of_a_group_is_framed_and_named(page):
    upload(page, EXAMPLES / "group_portraits.jpg")
    headline(page)
    assert "3 faces were found and judged" in explanation(page)
    names = page.locator("#faces .legend-item, #faces .legend button").all_inner_texts()
    assert [name.split(":")[0].strip() for name in names] == ["1", "2", "3"]


def test_a_picture_without_a_face_is_not_judged_as_one(page, tmp_path):
    plain = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(plain)
    upload(page, plain)
    assert "Not sure" in headline(page)
    assert "No face was found" in explanation(page)
    assert not page.locator("#label").is_visible()


def test_nothing_is_wider_than_the_screen(page):
    upload(page, REAL)
    headline(page)
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen
