"""The tab for a video in a real browser, as a visitor uses it."""

import json
import re

import numpy as np
import pytest
from films import film, scene
from PIL import Image
from project import ROOT
from pypdf import PdfReader
from viewports import boxes_at_once, on_both
from waiting import LONG, wait_until
from watching_pages import click_when

from deepfake_detect import Model
from deepfake_detect.report.card_texts import HEADLINES
from deepfake_detect.report.video_error import video_error, video_rates
from page import texts

EXAMPLES = ROOT / "examples"
REAL = EXAMPLES / "real_eileen_collins.jpg"
WORDS = re.compile("|".join(HEADLINES.values()))


@pytest.fixture
def page(first_tab):
    return first_tab


def watch(page, file):
    page.get_by_role("tab", name="Video").click()
    page.wait_for_selector("#film input[type=file]", state="attached")
    page.set_input_files("#film input[type=file]", file)


def answer(page):
    """The headline of the verdict, when it is there."""
    headline = page.locator("#film-card article h2")
    headline.get_by_text(WORDS).wait_for(timeout=LONG * 1000)
    return headline.inner_text()


@on_both
def test_a_video_is_judged_face_by_face(page, tmp_path):
    portraits = [np.asarray(Image.open(EXAMPLES / name).convert("RGB").resize((220, 260)))
                 for name in ("real_grace_hopper.jpg", "real_eileen_collins.jpg")]  # fmt: skip
    clip = film(tmp_path / "clip.mp4", [scene((portraits[0], n, 20), (portraits[1], 240, 20)) for n in range(8)])
    page.get_by_role("tab", name="Video").click()
    page.locator("#film-card").get_by_text("at most 5 minutes and 200 MB").wait_for()
    watch(page, clip)
    answer(page)
    sha256, card = Model(ROOT / "model.onnx").sha256, page.locator("#film-card article")
    assert "in 100 that it is fake" in card.inner_text()
    assert video_rates(sha256)[card.get_attribute("data-label")] in card.inner_text()
    page.get_by_text(texts.FILM_JUDGED).click()
    said = page.inner_text("#film-card")
    assert "8 frames, spread over 0.8 seconds" in said and video_error(sha256) in said
    assert re.search(r"Face 1, seen in 8 of them: (Real|Fake|Not sure)", said) and "Face 2, seen in 8" in said
    page.wait_for_selector("#timeline svg")
    zones = [zone.text_content() for zone in page.locator("#timeline .zone-name").all()]
    name, field = boxes_at_once(*(page.locator(f"#timeline {part}").last for part in (".zone-name", ".zone")))
    assert name["y"] + name["height"] <= field["y"] + 3  # no line of a fake runs through it
    assert zones[0] == "No sign of a fake" and zones[-1] == "Likely fake"  # the one between has room or not
    assert page.locator("#timeline .line").count() == 4
    assert sorted(page.locator("#timeline .number").all_text_contents()) == ["1", "2"]
    assert page.locator("#timeline li img").count() == 2
    page.locator("#stills img").nth(1).wait_for()
    page.get_by_text(texts.HOLD_LABEL, exact=True).last.click()
    page.locator("#film-scores").get_by_text("JPEG quality 50").first.wait_for()
    decided = re.findall(r"Face (\d), seen in \d of them: (?:Real|Fake)", said)  # an unsure face cannot flip
    assert decided and page.locator("#film-scores table").count() == len(decided)
    assert all(f"Face {number}: " in page.inner_text("#film-scores") for number in decided)
    page.locator("#stop").wait_for(state="hidden")


@on_both
def test_what_the_browser_cannot_play_is_judged_and_kept_without_a_false_alarm(page, tmp_path):
    """Chromium plays no MPEG-4 Part 2."""
    portrait = np.asarray(Image.open(REAL).convert("RGB").resize((220, 260)))
    watch(page, film(tmp_path / "clip.mp4", [scene((portrait, n, 20)) for n in range(6)]))
    answer(page)
    page.get_by_text(texts.UNPLAYABLE).wait_for()
    assert page.get_by_text("not playable").count() == 0 and page.locator(".toast-body").count() == 0
    assert not page.get_by_role("button", name="Trim video to selection").is_visible()
    page.locator("#timeline .zone-name").first.wait_for()
    with page.expect_download() as download:
        page.locator("#film-json").click()
    report = json.loads(download.value.path().read_text())
    assert download.value.suggested_filename == "clip-verdict.json"
    assert (
        report["video"]["name"] == "clip.mp4" and report["verdict"]["frames"] == len(report["verdict"]["timeline"]) == 6
    )
    with page.expect_download() as download:
        page.locator("#film-sheet").click()
    (sheet,) = PdfReader(download.value.path()).pages
    assert download.value.suggested_filename == "clip-verdict.pdf"
    assert (
        report["video"]["sha256"] in sheet.extract_text() and page.url.split("?")[0].rstrip("/") in sheet.extract_text()
    )
    page.get_by_role("button", name=texts.ANOTHER_VIDEO).click()
    page.get_by_text(texts.UNPLAYABLE).wait_for(state="hidden")
    assert page.locator("#film").is_visible() and not page.get_by_role("button", name=texts.ANOTHER_VIDEO).is_visible()


def test_every_key_frame_is_seen_whole_however_many_there_are(page, tmp_path):
    portraits = [np.asarray(Image.open(EXAMPLES / name).convert("RGB").resize((140, 160)))
                 for name in ("real_grace_hopper.jpg", "real_eileen_collins.jpg", "real_nikola_tesla.jpg")]  # fmt: skip
    places = [(20, 10), (400, 10), (800, 10), (20, 200), (400, 200)]
    frame = scene(*((portraits[n % 3], *place) for n, place in enumerate(places)), size=(960, 380))
    watch(page, film(tmp_path / "clip.mp4", [frame] * 4))
    answer(page)
    tiles = page.locator("#stills .thumbnail-lg")
    tiles.nth(4).wait_for()
    for tile in tiles.all():  # those out of sight are not loaded
        tile.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('#stills img')].every(image => image.naturalWidth > 0)")
    grid = page.locator("#stills .grid-wrap")
    bottom = "part => part.getBoundingClientRect().bottom"
    wait_until(lambda: tiles.last.evaluate(bottom) <= grid.evaluate(bottom))
    assert tiles.first.locator("img").evaluate("image => getComputedStyle(image).objectFit") == "contain"


@pytest.mark.gradio
@pytest.mark.parametrize("first_tab", [(390, 844)], ids=["phone"], indirect=True)
def test_on_a_phone_the_verdict_on_a_video_comes_into_view(page, tmp_path):
    portrait = np.asarray(Image.open(REAL).convert("RGB"))
    watch(page, film(tmp_path / "clip.mp4", [portrait] * 4))
    answer(page)
    page.wait_for_function("document.querySelector('#film-card h2').getBoundingClientRect().top < 200")


@pytest.mark.gradio
def test_a_broken_video_gets_a_sentence(page, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(5000))
    watch(page, broken)
    page.locator("#film-card h2").get_by_text("could not be judged").wait_for()
    assert "cannot be decoded" in page.inner_text("#film-card") and "broken.mp4" in page.inner_text("#film-card")
    page.get_by_role("button", name=texts.ANOTHER_VIDEO).wait_for()  # in place of the empty box
    assert not page.get_by_text(texts.UNPLAYABLE).is_visible()  # of no use any more
    assert "Traceback" not in page.content()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory):
    portrait = np.asarray(Image.open(REAL).convert("RGB"))
    frames = [np.zeros((1080, 1920, 3), np.uint8) for _ in range(64)]
    for number, frame in enumerate(frames):
        frame[:512, number : number + 512] = portrait[:512, :512]
    return film(tmp_path_factory.mktemp("film") / "long.mp4", frames)


def test_a_long_video_can_be_stopped(page, long_video):
    click_when(page, "#stop", "#film-card", r"Frame \d+ of 64")
    watch(page, long_video)
    page.locator("#film-card h2").get_by_text("Stopped").wait_for()
    page.wait_for_timeout(1500)  # nothing late may overtake it
    assert page.inner_text("#film-card h2") == "Stopped"
    page.get_by_role("button", name="Judge it again").click()
    answer(page)
    page.get_by_role("button", name="Judge it again").wait_for(state="hidden")


def test_another_video_takes_the_place_of_one_that_is_judged(page, long_video, tmp_path):
    watch(page, long_video)
    page.locator("#film-card").get_by_text(re.compile(r"Frame \d+ of 64")).wait_for()
    short = film(tmp_path / "short.mp4", [np.asarray(Image.open(REAL).convert("RGB"))] * 5)
    page.get_by_role("button", name=texts.ANOTHER_VIDEO).click()  # this browser cannot play the first one
    page.locator("#film-card h2").wait_for(state="detached")
    watch(page, short)
    answer(page)
    page.wait_for_timeout(1000)
    assert "5 frames, spread over" in page.locator("#film-card").text_content()


@on_both
def test_an_example_is_played_and_judged_as_its_name_says(page):
    """Chromium plays H.264, as every browser does."""
    page.get_by_role("tab", name="Video").click()
    page.get_by_role("button", name=texts.VIDEO_NAMES["group_portraits"]).click()
    assert HEADLINES["fake"] in answer(page)
    page.wait_for_function("document.querySelector('#film video').readyState >= 2")
    assert not page.get_by_text(texts.UNPLAYABLE).is_visible()
    page.locator("#film-sheet").wait_for()  # the page scrolls at the end

    point = page.locator("#timeline .point").nth(20)
    seconds = float(point.get_attribute("data-seconds"))
    assert seconds > 1

    def is_there() -> bool:
        point.click(force=True)
        return abs(page.evaluate("document.querySelector('#film video').currentTime") - seconds) < 0.05

    wait_until(is_there)
