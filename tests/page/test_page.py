"""The page in a real browser, as a visitor uses it."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from films import film
from photo_tab import EXAMPLES, REAL, VERDICT, answer, answered, expected_frames, frames, remove, unfold, upload
from PIL import Image
from project import ROOT
from unhurried import unhurried
from viewports import boxes_at_once, on_both
from waiting import LONG, wait_until

from deepfake_detect import Detector
from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.card_texts import UNSURE_WHY
from page import texts
from page.widgets.developers import COPY


@pytest.fixture
def page(first_tab):
    return first_tab


@on_both
def test_one_face_gets_one_card_of_two_screens_at_most(page):
    upload(page, REAL)
    assert VERDICT.search(answer(page))
    card = answered(page)
    assert re.search(r"Likely fake|No sign of a fake|Not sure", card.locator("h2").inner_text())
    assert re.search(r"\d in 100 that it is fake", card.inner_text()) and "A verdict is evidence" in card.inner_text()
    assert any(rate in card.inner_text() for rate in shipped_rates(Detector().model.sha256).values())
    assert frames(page) == expected_frames(REAL)
    assert page.get_by_role("button", name=texts.ANOTHER_PHOTO).is_visible()  # in place of the empty box
    assert not page.locator("#photo").is_visible()
    assert not page.locator("#pick").is_visible() and not page.locator("#face").is_visible()  # nothing to choose
    page.locator("#evidence").wait_for()
    page.wait_for_function("document.documentElement.scrollHeight <= 2 * innerHeight")
    *zones, marker = boxes_at_once(*card.locator(".track > [data-label]").all(), card.locator(".marker"))
    band, p_fake = Detector().metadata.unsure_band, Detector().predict_one(REAL).p_fake
    assert card.locator(".gauge .span").count() == 0  # a range is drawn where the words tell one
    whole = sum(zone["width"] for zone in zones)
    assert zones[0]["width"] / whole == pytest.approx(band[0], abs=0.02)
    assert (marker["x"] + marker["width"] / 2 - zones[0]["x"]) / whole == pytest.approx(p_fake, abs=0.02)


def test_few_words_stand_before_the_first_control(page):
    above = """() => [...document.querySelectorAll("#intro *, [role=tab]")].filter(e => {
        const box = e.getBoundingClientRect(), {top} = document.getElementById("photo").getBoundingClientRect();
        return (!e.children.length || e.role == "tab") && box.height && box.bottom <= top;
    }).map(e => e.innerText).join(" ")"""
    said = page.evaluate(above)
    kept = f"deleted within {texts.KEEP_MINUTES} minutes"
    assert kept in page.inner_text("#foot") and kept in said and "abstains" in said and len(said.split()) <= 30


def test_every_example_works(page):
    for number in range(len(list(EXAMPLES.glob("*.jpg")))):
        page.locator("button.gallery-item").nth(number).click()
        assert VERDICT.search(answer(page))
        remove(page)
        page.locator("#card h2").wait_for(state="detached")


def test_bold_and_plain_text_are_of_one_font_that_is_on_the_device(page):
    assert "static/fonts" not in page.content()
    assert page.evaluate("[...document.fonts].filter(font => font.status == 'loaded').length") == 0
    used = "document.querySelectorAll('.prose :is(p, strong)')"
    assert page.evaluate(f"new Set([...{used}].map(e => getComputedStyle(e).fontFamily)).size") == 1


def test_the_page_says_what_becomes_of_its_fake_examples(page):
    fakes, detector = sorted(EXAMPLES.glob("fake_*.jpg")), Detector(ROOT / "model.onnx")
    labels = [verdict.label for verdict in detector.predict(fakes)]
    counts = [len(fakes), *(labels.count(label) for label in ("fake", "unsure", "real"))]
    assert [int(number) for number in re.findall(r"\d+", page.inner_text("#examples-said"))] == counts


@pytest.mark.parametrize("first_tab", [(390, 700)], ids=["phone"], indirect=True)
def test_what_cannot_be_judged_is_said_in_view_and_leaves_no_broken_image(page):
    upload(page, {"name": "words.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    assert "could not be judged" in answer(page)
    page.wait_for_function("document.querySelector('#card .card').getBoundingClientRect().bottom <= innerHeight")
    assert "words.jpg" in page.inner_text("#card")
    image, seen = page.locator("#photo .image-frame img"), "image => getComputedStyle(image).visibility"
    wait_until(lambda: image.evaluate(seen) == "hidden")
    page.locator("#photo").wait_for(state="hidden")
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    assert not page.get_by_role("button", name=texts.ANOTHER_PHOTO).is_visible()
    upload(page, REAL)
    assert VERDICT.search(answer(page))
    assert image.evaluate(seen) == "visible"


def test_a_broken_file_gets_a_sentence_and_the_page_goes_on(page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(REAL.read_bytes()[:5000])
    upload(page, broken)
    assert "could not be judged" in answer(page)
    assert "damaged or cut short" in answered(page).inner_text()
    assert page.locator("#card figure").count() == 0
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    upload(page, REAL)
    assert VERDICT.search(answer(page))
    assert "Traceback" not in page.content()


def test_after_an_example_files_are_still_read_by_us_first(page, tmp_path):
    """Gradio makes the photo component anew when an example is chosen, and would then open files with Pillow."""
    page.locator("button.gallery-item").first.click()
    assert VERDICT.search(answer(page))
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    upload(page, text)
    assert "could not be judged" in answer(page)
    assert "not a picture" in answered(page).inner_text()


@on_both
def test_every_face_of_a_group_is_framed_and_named(page):
    group = EXAMPLES / "group_portraits.jpg"
    upload(page, group)
    answered(page)
    page.locator("#pick label").nth(2).wait_for()
    names = page.locator("#pick label").all_inner_texts()
    assert [name.split(":")[0].strip() for name in names] == ["1", "2", "3"]
    assert frames(page) == expected_frames(group)
    assert page.locator("#card .frame text").all_text_contents() == ["1", "2", "3"]
    labels = {face.label for face in Detector().predict_one(group).faces}
    assert {"real", "fake"} <= labels and UNSURE_WHY["faces_disagree"] in answered(page).inner_text()


def test_a_picture_without_a_face_is_not_judged_as_one(page, tmp_path):
    plain = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(plain)
    upload(page, plain)
    assert answer(page) == "No face was found"
    assert "No face" in page.inner_text("#card h2") and "in 100" not in page.inner_text("#card")


def test_a_screen_reader_hears_the_answer(page):
    region = page.locator("#card-status[role=status]")
    upload(page, REAL)
    card = answered(page)
    region.get_by_text(card.get_attribute("data-say")).wait_for(state="attached")
    for other in ("album-card", "film-card"):
        assert page.locator(f"#{other}-status[role=status]").count() == 1
    assert page.locator("[aria-live] [data-say], [role=status] .card").count() == 0  # nothing else is read out


@on_both
def test_nothing_is_wider_than_the_screen(page):
    upload(page, REAL)
    answered(page)
    width, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= screen


def test_a_video_that_is_dropped_on_the_photograph_goes_to_its_own_tab(page, tmp_path):
    portrait = np.asarray(Image.open(REAL).convert("RGB").resize((220, 260)))
    upload(page, film(tmp_path / "clip.mp4", [portrait] * 3))
    page.locator("#film-card article").wait_for()
    assert page.locator("#card h2").count() == 0


@on_both
def test_all_parts_are_of_one_width_and_code_is_whole(page):
    unfold(page, texts.DEVELOPERS_LABEL)
    page.locator("#developers pre").first.wait_for()
    parts = [page.locator("#photo"), page.locator("#foot"), page.locator(".label-wrap").last.locator("..")]
    boxes = boxes_at_once(*parts)
    assert all(abs(box["x"] - boxes[0]["x"]) <= 1 and abs(box["width"] - boxes[0]["width"]) <= 1 for box in boxes)
    assert abs(2 * boxes[0]["x"] + boxes[0]["width"] - page.viewport_size["width"]) <= 16  # in the middle
    for code in page.locator("#developers pre").all():
        assert code.evaluate("code => code.scrollWidth <= code.clientWidth")


def test_a_snippet_is_copied_whole(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    unfold(page, texts.DEVELOPERS_LABEL)
    code = page.locator("#snippet-python").get_by_text(page.url.partition("?")[0])
    code.wait_for()
    page.get_by_role("button", name=f"{COPY}: Python").click()
    page.locator("#developers .copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code.text_content()


@pytest.mark.parametrize("language", ["python", "bash"])
def test_snippets_for_developers_run_as_they_are_pasted(page, language, tmp_path):
    unfold(page, texts.DEVELOPERS_LABEL)
    code = page.locator(f"#snippet-{language}").get_by_text(page.url.partition("?")[0])
    code.wait_for()
    runner = [sys.executable, "-c"] if language == "python" else ["bash", "-c"]
    done = subprocess.run(
        [*runner, code.text_content()], cwd=tmp_path, env=os.environ | unhurried(tmp_path), capture_output=True,
        text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0 and "p_fake" in done.stdout, done.stderr
