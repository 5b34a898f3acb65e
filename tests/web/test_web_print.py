"""What a visitor keeps of a verdict: a card on paper, and as JSON, with what the file says of itself."""

import hashlib
import io
import json
import re

import pytest
from playwright.sync_api import expect
from provenance_files import private_exif
from pypdf import PdfReader
from waiting import LONG
from web_site import EXAMPLES, READY, judge, opened

from deepfake_detect.picture.provenance import read_claims
from deepfake_detect.report.evaluation_texts import limits
from deepfake_detect.report.sentences import CLAIM_KINDS, NO_CLAIMS
from export.web_texts import CODES, PAGE
from scripts.web_serving import serving

GROUP = next(path for path in EXAMPLES if path.stem == "group_portraits")
A4 = (595, 842)  # points


@pytest.fixture(scope="module")
def shared(site, private_browser):
    with serving(site, {}) as address, opened(private_browser, address, color_scheme="dark") as page:
        page.locator(READY).wait_for(state="attached")
        yield page


@pytest.fixture
def page(shared):
    """The page as on a screen, ready and without cards."""
    yield shared
    shared.emulate_media(media="null", color_scheme="dark")
    shared.evaluate("() => { delete window.print; }")  # of a test's own
    if shared.locator("#clear").is_visible():
        shared.click("#clear")


def printed(page) -> list[str]:
    """The text of each page on paper, on one line and with ligatures undone."""
    reader = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    assert all([round(side) for side in sheet.mediabox[2:]] == list(A4) for sheet in reader.pages)
    undone = str.maketrans({"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi"})
    return [" ".join(sheet.extract_text().translate(undone).split()) for sheet in reader.pages]


def test_a_card_is_one_page_with_all_that_is_needed_to_check_it(page, detector):
    judge(page, GROUP)
    (text,) = printed(page)
    joined = text.replace(" ", "")
    here = detector.predict_one(GROUP)
    for digest in (hashlib.sha256(GROUP.read_bytes()).hexdigest(), detector.model.sha256):
        assert digest in joined  # it may be broken over two lines
    for sentence in (PAGE["words"][here.label], *map(str, here.reasons), *limits(), NO_CLAIMS, GROUP.name):
        assert sentence.replace(" ", "") in joined
    assert f"{GROUP.stat().st_size} bytes" in text and page.url in text
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    assert PAGE["print"] not in text.split() and PAGE["choose"] not in text and "null" not in text
    ink = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)" != ink


def test_what_is_closed_on_the_screen_is_closed_again_after_printing(page):
    judge(page, GROUP)
    printed(page)
    expect(page.locator("details[open]")).to_have_count(0, timeout=LONG * 1000)


def test_several_cards_are_a_page_each_and_the_button_prints_one(page):
    judge(page, *EXAMPLES[:3])
    assert len(printed(page)) == 3
    page.evaluate("() => { window.print = () => {}; }")  # as on telephones, where it returns before anything is printed
    page.get_by_role("button", name=PAGE["print"]).nth(1).click()
    (text,) = printed(page)
    assert EXAMPLES[1].name in text and EXAMPLES[0].name not in text
    expect(page.locator(".one, .printed")).to_have_count(0, timeout=LONG * 1000)
    assert len(printed(page)) == 3


def test_what_a_file_says_of_itself_is_told_and_never_markup(page, tmp_path):
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", "someone\nSteps: 28, Sampler: Euler a")
    info.add_text("Software", "Midjourney <img src=x>")
    path = tmp_path / "made.png"
    with Image.open(EXAMPLES[0]) as image:
        image.save(path, pnginfo=info)
    claims = read_claims(path.read_bytes())
    assert len(claims) == 2
    judge(page, path)
    card = page.locator(".card")
    label = card.get_attribute("data-label")
    assert PAGE["file_says"][label].format(PAGE["made"]) in card.locator("h2").inner_text()
    assert PAGE["claimed_ai"].format("; ".join(claim.text for claim in claims)) == card.locator(".claim").inner_text()
    card.locator(".claims summary").click()
    told = card.locator(".claims li").all_inner_texts()
    assert told == [f"{CLAIM_KINDS[claim.kind]} ({claim.source}): {claim.text}" for claim in claims]
    with page.expect_download() as download:
        page.get_by_role("button", name=PAGE["json"]).click()
    saved = json.loads(download.value.path().read_text())
    assert [claim["code"] for claim in saved["claims"]] == [claim.code for claim in claims]
    assert saved["picture"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_is_not_read_for_claims_is_not_called_silent(page, tmp_path):
    from PIL import Image

    path = tmp_path / "made.avif"
    with Image.open(EXAMPLES[0]) as image:
        image.save(path, exif=private_exif())
    judge(page, path)
    said = page.locator(".claims").text_content()
    assert CODES["claims_not_read"] in said and NO_CLAIMS not in said
    with page.expect_download() as download:
        page.get_by_role("button", name=PAGE["json"]).click()
    saved = json.loads(download.value.path().read_text())
    assert (saved["claims"], saved["claims_code"]) == ([], "claims_not_read")
