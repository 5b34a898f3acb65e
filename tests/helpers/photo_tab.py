"""The tab of one photograph in a real browser: what a visitor does there, and what then stands there."""

import re

import pytest
from PIL import Image
from project import ROOT

from deepfake_detect import Detector
from deepfake_detect.verdict import suspicious
from page import texts

EXAMPLES = ROOT / "examples"
REAL = EXAMPLES / "real_eileen_collins.jpg"
VERDICT = re.compile(r"The image is (Real|Fake)|Not sure whether the image is real or fake")


def upload(page, file):
    page.set_input_files("#photo input[type=file]", file)


def remove(page):
    """Take the photograph away: by the box where it is shown, by a button where the card shows it."""
    page.get_by_role("button", name=re.compile(f"Remove Image|{texts.ANOTHER_PHOTO}")).click()


def answered(page):
    """The card, when the answer has come; its title is the answer as a sentence, or what went wrong."""
    page.locator("#card h2").get_by_text(re.compile(f"^(?!{texts.PHOTO_JUDGING})")).wait_for()
    return page.locator("#card .card")


def answer(page):
    card = answered(page)
    return card.get_attribute("aria-label") or card.locator("h2").inner_text()


def frames(page):
    """Where frames are drawn in the picture that is shown, as shares of its width and height, and its own size."""
    picture = page.locator("#card figure img")
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    return page.locator("#card figure").evaluate(  # at once: the page may be scrolling
        """figure => {
            const shown = figure.querySelector("img").getBoundingClientRect();
            return [...figure.querySelectorAll(".frame rect")].map((rect) => {
                const box = rect.getBoundingClientRect();
                return [(box.left - shown.left) / shown.width, (box.top - shown.top) / shown.height,
                        (box.right - shown.left) / shown.width, (box.bottom - shown.top) / shown.height];
            });
        }"""
    )


def expected_frames(file):
    width, height = Image.open(file).size
    faces = suspicious(Detector(ROOT / "model.onnx").predict([file])[0].faces)
    return [
        pytest.approx([edge / (width, height)[side % 2] for side, edge in enumerate(face.box)], abs=0.04)
        for face in faces
    ]


def unfold(page, name):
    page.get_by_role("button", name=name).click()
