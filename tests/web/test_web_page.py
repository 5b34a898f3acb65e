"""The page that judges in the browser, as a visitor has it: photographs in, cards out, nothing to other hosts."""

import base64
import json
import re
from datetime import datetime
from itertools import product

import pytest
from playwright.sync_api import TimeoutError
from project import ROOT
from waiting import LONG, PATIENCE
from web_site import AXE, EXAMPLES, READY, judge, needed, opened

from deepfake_detect import __version__
from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.printable import Picture, result
from deepfake_detect.report.sentences import CAUTION
from export.web_texts import PAGE
from scripts.web_serving import serving

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
GROUP = next(path for path in EXAMPLES if path.stem == "group_portraits")
PORTRAIT = next(path for path in EXAMPLES if path.stem == "real_eileen_collins")


@pytest.fixture(scope="module")
def address(site):
    with serving(site, {}) as address:
        yield address


@pytest.fixture(scope="module")
def shared(private_browser, address):
    with opened(private_browser, address, viewport={"width": 1280, "height": 900}) as page:
        page.locator(READY).wait_for(state="attached")
        yield page


@pytest.fixture
def page(shared):
    """The page, ready and without cards."""
    yield shared
    if shared.locator("#clear").is_visible():
        shared.click("#clear")


def test_photographs_get_the_verdicts_of_python(page, detector):
    judge(page, PORTRAIT, GROUP)
    for number, path in enumerate((PORTRAIT, GROUP)):
        here, card = detector.predict_one(path), page.locator(".card").nth(number)
        assert card.get_attribute("data-label") == here.label
        assert card.get_attribute("aria-label") == f"{path.name}: {PAGE['said'][here.label]}"
        assert PAGE["words"][here.label] in card.locator("h2").inner_text()
        assert card.locator(".frame").count() == len(here.faces)
        assert card.locator(".reason").all_inner_texts() == [reason.text for reason in here.reasons]
        assert card.locator(".rate").inner_text().startswith(shipped_rates(detector.model.sha256)[here.label])
    assert CAUTION in page.locator("footer").inner_text()
    assert detector.model.sha256 in page.locator("#version").inner_text()


def test_faces_are_chosen_by_chips_and_shown_in_the_picture(page, detector):
    judge(page, GROUP)
    chips = page.locator(".chips button")
    assert chips.count() == 3 and chips.nth(0).get_attribute("aria-pressed") == "true"
    chips.nth(2).press("Enter")
    assert [chip.get_attribute("aria-pressed") for chip in chips.all()] == ["false", "false", "true"]
    assert page.locator(".frame.chosen").count() == 1
    faces = sorted(detector.predict_one(GROUP).faces, key=lambda face: -face.p_fake)
    assert page.locator(".frame rect").nth(2).get_attribute("x") == str(faces[2].box[0])
    assert page.locator(".chosen .gauge").get_attribute("aria-label").startswith(str(round(faces[2].p_fake * 100)))


def test_clearing_is_offered_where_there_is_something(page):
    button = page.get_by_role("button", name=PAGE["clear"])
    assert button.count() == 0
    judge(page, PORTRAIT)
    button.click()
    assert page.locator(".card").count() == button.count() == 0


def test_a_photograph_is_checked_thoroughly_where_asked(page, detector):
    judge(page, PORTRAIT, GROUP)
    assert page.locator("details", has_text=PAGE["holds"]["title"]).count() == 0
    page.get_by_role("button", name=PAGE["thorough"]).nth(0).click()
    held = page.locator("details", has_text=PAGE["holds"]["title"])
    held.wait_for()
    here = detector.examine(PORTRAIT, thorough=True)
    card = page.locator(".card").first
    assert card.get_attribute("data-label") == here.verdict.label and card.get_attribute("aria-busy") is None
    names = [again.name for again in here.stability[0].rescores]
    assert held.locator("th").all_text_contents() == [PAGE["holds"]["as_is"], *names]
    assert page.get_by_role("button", name=PAGE["thorough"]).count() == 1
    assert page.locator(".card img").count() == 2


def shape(value: object) -> object:
    """What a value of JSON is made of, whatever its numbers and texts say; of a list, what its first is made of."""
    if isinstance(value, dict):
        return {name: shape(held) for name, held in value.items()}
    if isinstance(value, list):
        return [shape(held) for held in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize("thorough", [False, True], ids=["as it is", "thorough"])
def test_the_verdict_comes_as_a_file_of_the_shape_that_the_page_on_a_server_gives(page, detector, thorough):
    judge(page, GROUP)
    if thorough:
        page.get_by_role("button", name=PAGE["thorough"]).click()
        page.locator("details", has_text=PAGE["holds"]["title"]).wait_for(state="attached")
    with page.expect_download() as download:
        page.get_by_role("button", name=PAGE["json"]).click()
    assert download.value.suggested_filename == "group_portraits-verdict.json"
    told = json.loads(download.value.path().read_text())
    examined = detector.examine(GROUP, thorough=thorough)
    facts = Picture.of(GROUP.name, GROUP.read_bytes(), examined.crops.picture)
    made = result(facts, examined.verdict, examined.stability, (), detector.model, datetime.now().astimezone())
    here = json.loads(json.dumps(made))
    assert {name: told[name] for name in ("version", "thorough", "claims_code")} == {
        "version": __version__, "thorough": thorough, "claims_code": None}  # fmt: skip
    assert shape({name: told[name] for name in here}) == shape(here)
    assert set(told) - set(here) == {"version", "thorough", "claims_code", "engines"}
    assert (told["picture"], told["model"]) == (here["picture"], here["model"])
    rate = shipped_rates(detector.model.sha256)[examined.verdict.label]
    assert rate in told["explanation"] and rate in here["explanation"]
    said, expected = told["verdict"], here["verdict"]
    assert said["label"] == expected["label"] and said["reasons"] == expected["reasons"]
    assert [(face["number"], face["box"]) for face in said["faces"]] == [
        (face["number"], face["box"]) for face in expected["faces"]
    ]
    assert [tested["number"] for tested in told["stability"]] == [tested["number"] for tested in here["stability"]]


@pytest.mark.parametrize("told", ["README.md", "docs/web.md"])
def test_the_words_for_other_pages(page, detector, told):
    """The snippet for them, as a page with the files beside it would run it."""
    (code,) = re.findall(r"^```js\n(.*?)^```", (ROOT / told).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    code, imports = re.subn(r'import (\{.*?\}) from ("\./detector\.js");', r"const \1 = await import(\2);", code)
    assert imports == 1
    data = base64.b64encode(PORTRAIT.read_bytes()).decode()
    decoded = "const file = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]);"
    with page.expect_console_message(timeout=LONG * 1000) as said:
        page.evaluate("async (data) => {" + decoded + code + "}", data)
    label, chance, reasons = (given.json_value() for given in said.value.args)
    here = detector.predict_one(PORTRAIT)
    assert label == here.label and chance == pytest.approx(here.p_fake, abs=1e-3)
    assert reasons == [reason.text for reason in here.reasons]


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_photographs_are_pasted_and_dropped(page, way):
    data = base64.b64encode(PORTRAIT.read_bytes()).decode()
    page.evaluate(
        """([way, data]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], 'given.jpg', { type: 'image/jpeg' }));
            document.dispatchEvent(way === 'paste'
                ? new ClipboardEvent('paste', { clipboardData: files })
                : new DragEvent('drop', { dataTransfer: files, cancelable: true }));
        }""",
        [way, data],
    )
    page.locator(".card[data-label]").wait_for()
    assert page.locator(".card").get_attribute("aria-label").startswith("given.jpg: ")


def test_files_that_cannot_be_judged_say_so_and_the_others_go_on(page, tmp_path):
    broken, wrong, empty, huge = (tmp_path / name for name in ("broken.jpg", "<b>wrong.png", "empty.png", "huge.png"))
    broken.write_bytes(PORTRAIT.read_bytes()[:400])
    wrong.write_text("no picture")
    empty.write_bytes(b"")
    # A PNG that announces 60,000 x 60,000 pixels
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    huge.write_bytes(head + bytes(100))
    judge(page, broken, wrong, empty, huge, PORTRAIT)
    texts = page.locator(".card").all_inner_texts()
    assert "damaged or cut short" in texts[0] and "not a picture in a format read here" in texts[1]
    assert "<b>wrong.png" in texts[1] and "empty" in texts[2] and "more than 50 megapixels" in texts[3]
    assert page.locator(".card[data-label]").count() == 1
    page.get_by_role("button", name=PAGE["remove"].format("broken.jpg")).click()
    assert page.locator(".card").count() == 4


def test_those_who_hear_the_page_are_told_of_the_beginning_and_the_verdict(page):
    page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(() => window.said.push(document.getElementById('status').textContent))
                .observe(document.getElementById('status'), { childList: true, characterData: true, subtree: true });
        }"""
    )
    judge(page, PORTRAIT)
    said = page.evaluate("() => window.said")
    assert said == [PAGE["judging"].format(PORTRAIT.name), f"{PORTRAIT.name}: {PAGE['said']['real']}"]


def choose(page, file):
    """With the focus on the button; a busy browser may miss a key."""
    for _ in range(10):
        try:
            with page.expect_file_chooser(timeout=PATIENCE * 100) as chooser:
                page.keyboard.press("Enter")
        except TimeoutError:
            continue
        chooser.value.set_files(file)
        return
    raise AssertionError("no file can be chosen with the keyboard")


def test_the_keyboard_alone_is_enough(page):
    page.locator("#files:enabled").wait_for(state="attached")
    page.locator("h1").click()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "files"
    outline = page.evaluate("() => getComputedStyle(document.activeElement.parentElement).outlineStyle")
    assert outline != "none"
    choose(page, GROUP)
    page.locator(".card[data-label]").wait_for()
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.getAttribute('aria-pressed')") == "true":
            break
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator(".chips button").nth(1).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("files", [(), (PORTRAIT, GROUP, "wrong.png")], ids=["empty", "judged"])
def test_no_state_breaks_a_rule_of_accessibility(page, tmp_path, files):
    needed(AXE.is_file(), "the packages of tests/node are not installed")
    (tmp_path / "wrong.png").write_text("no picture")
    page.evaluate(AXE.read_text())  # not as a script, which the policy forbids
    if files:
        judge(page, *(tmp_path / file for file in files))
    for width, scheme in product((1280, 390), ("light", "dark")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        found = page.evaluate("tags => axe.run(document, {runOnly: tags})", STANDARD)
        assert found["passes"]
        wrong = [(rule["id"], node["html"]) for rule in found["violations"] for node in rule["nodes"]]
        assert wrong == [], (width, scheme)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        if files and width == 390:
            one = page.locator(".card").first.bounding_box()
            assert one["height"] <= 2 * 844, "a result takes more than two screens of a telephone"
        sizes = page.locator("button:visible, .button:visible").evaluate_all(
            "all => all.map(one => [one.offsetWidth, one.offsetHeight])"
        )
        assert all(min(size) >= 24 for size in sizes)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_few_words_stand_before_the_first_control(page):
    words = page.locator("h1, h1 + p").all_inner_texts()
    assert len(" ".join(words).split()) <= 30
