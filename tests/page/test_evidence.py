"""What stands behind the verdict on a photograph, in a real browser, and what of it can be kept."""

import json
import re

import pytest
from photo_tab import EXAMPLES, REAL, answer, answered, remove, unfold, upload
from PIL import Image
from pypdf import PdfReader
from viewports import on_both

from page import texts


@pytest.fixture
def page(first_tab):
    return first_tab


def claiming(folder, software: str):
    """The portrait in a file that says a program of this name made it."""
    exif = Image.Exif()
    exif[0x0131] = software
    Image.open(REAL).save(folder / "claiming.jpg", exif=exif)
    return folder / "claiming.jpg"


@on_both
def test_behind_the_verdict_stand_a_map_scores_and_the_claims_of_the_file(page, tmp_path):
    upload(page, claiming(tmp_path, "Paint <img src=x onerror=alert(1)> *5*"))
    answered(page)
    unfold(page, texts.HEAT_LABEL)
    page.wait_for_selector("#map img")
    assert "It is no map of what was edited" in page.inner_text("#map") and "for fake, odds ×" in page.inner_text(
        "#map"
    )
    unfold(page, texts.HOLD_LABEL)
    page.wait_for_selector("#scores tr")
    assert page.locator("#scores .track").first.bounding_box()["width"] > 80  # room for the bars
    rows = [row.inner_text() for row in page.locator("#scores tr").all()]
    assert rows[0].startswith("as it is") and len(rows) >= 6 and all(re.search(r"\d+, ", row) for row in rows)
    unfold(page, texts.CLAIMS_LABEL)
    page.locator("#claims").get_by_text("proves nothing").wait_for()
    said = page.inner_text("#claims")
    assert "Software (EXIF): Paint <img src=x onerror=alert(1)> *5*" in said and "proves nothing" in said


def test_a_claim_of_ai_changes_the_card_and_works_as_no_markup(page, tmp_path):
    upload(page, claiming(tmp_path, "Midjourney <img src=x onerror=alert(1)> ![](http://example.com/a.png)"))
    answered(page)
    assert page.inner_text("#card h2").endswith("its file says AI made it")
    said = page.locator("#card .claim").inner_text()
    assert "Midjourney <img src=x onerror=alert(1)> ![](http://example.com/a.png). That is a claim, not proof" in said


@pytest.mark.gradio
def test_the_result_can_be_kept(page):
    upload(page, REAL)
    answered(page)
    unfold(page, texts.REPORT_LABEL)
    with page.expect_download() as report:
        page.locator("#report").click()
    kept = json.loads(report.value.path().read_text())
    verdict = kept["verdict"]
    assert kept["content_credentials"]["state"] == "none"
    assert report.value.suggested_filename == "real_eileen_collins-verdict.json"
    assert {"real": "Real", "fake": "Fake", "unsure": "Not sure"}[verdict["label"]] in answer(page)
    with page.expect_download() as sheet:
        page.locator("#sheet").click()
    assert (
        report.value.path() != sheet.value.path()
        and sheet.value.suggested_filename == "real_eileen_collins-verdict.pdf"
    )
    (only,) = PdfReader(sheet.value.path()).pages
    assert kept["picture"]["sha256"] in only.extract_text()


@on_both
def test_a_face_is_chosen_by_its_name_or_in_the_picture(page):
    group = EXAMPLES / "group_portraits.jpg"
    upload(page, group)
    answered(page)
    unfold(page, texts.HEAT_LABEL)
    unfold(page, texts.HOLD_LABEL)
    seen = {chosen(page, 1)}
    for number in (3, 2, 1):
        page.locator("#pick label").nth(number - 1).click()
        seen.add(chosen(page, number))
    for number in (3, 1):
        page.locator("#card .frame").nth(number - 1).click()
        seen.add(chosen(page, number))
    assert len(seen) == 3  # each face has a map of its own


def chosen(page, number):
    """The map of the face, once all that is shown is of it: name, frame, gauge and chart say the same."""
    page.locator("#face h3").get_by_text(re.compile(f"^Face {number}: ")).wait_for()
    assert page.locator("#pick input").nth(number - 1).is_checked()
    assert "chosen" in page.locator("#card .frame").nth(number - 1).get_attribute("class")
    score = re.search(r"((?:[<>] )?\d+) in 100", page.inner_text("#face"))[1]
    page.locator("#scores tr").first.get_by_text(re.compile(f"^{score}, ")).wait_for()
    return page.locator(f'#map [data-number="{number}"] img').get_attribute("src")  # the map comes later


def test_evidence_of_an_earlier_picture_goes_with_it(page, tmp_path):
    upload(page, REAL)
    answered(page)
    page.get_by_role("button", name=texts.HOLD_LABEL).wait_for()
    remove(page)
    page.locator("#evidence").wait_for(state="hidden")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(REAL.read_bytes()[:5000])
    upload(page, broken)
    page.locator("#card h2").get_by_text("could not be judged").wait_for()
    page.wait_for_timeout(500)
    assert not page.locator("#evidence").is_visible()
    plain = tmp_path / "sky.png"
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(plain)
    remove(page)
    page.locator("#card h2").wait_for(state="detached")
    upload(page, plain)
    page.get_by_role("button", name=texts.CLAIMS_LABEL).wait_for()
    assert not page.get_by_role("button", name=texts.HOLD_LABEL).is_visible()  # without a face
