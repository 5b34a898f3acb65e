"""The names of the zones of a video's timeline, in a real browser."""

import re
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from deepfake_detect.report.card import zones
from deepfake_detect.report.card_texts import HEADLINES
from deepfake_detect.video.rule import VideoRule
from page.widgets.timeline import CSS, timeline_html

# Where the letters of each name lie, and its zone.
PLACES = """() => Object.fromEntries([...document.querySelectorAll(".zone-name")].map(name => {
    const zone = document.querySelector(`.zone[data-label="${name.dataset.label}"]`).getBoundingClientRect();
    const {top, bottom, height} = name.getBoundingClientRect();
    return [name.dataset.label, {top, bottom, height, zone: [zone.top, zone.bottom], said: name.textContent}];
}))"""


@pytest.mark.parametrize(
    ("band", "named"),
    [
        ((0.3, 0.7), {"real", "unsure", "fake"}),
        ((0.47, 0.53), {"real", "fake"}),
        ((0.4, 0.49), {"real", "unsure", "fake"}),
        ((0.9, 0.99), {"real", "unsure", "fake"}),
        ((0.6, 1.0), {"real", "unsure"}),
        ((0.99, 1.0), {"real"}),
        ((0.01, 0.05), {"fake"}),
        ((0.0, 0.5), {"unsure", "fake"}),
        ((0.0, 1.0), {"unsure"}),
    ],
)
def test_no_two_names_of_zones_touch_and_each_belongs_to_its_zone(browser, band, named):
    page = browser.new_page()
    page.set_viewport_size({"width": 400, "height": 600})
    chart = timeline_html(SimpleNamespace(seconds=2.0), [], VideoRule(band), {})
    page.set_content(f'<style>{CSS}</style><div id="timeline">{chart}</div>')
    places = page.evaluate(PLACES)
    assert set(places) == named and all(place["said"] == HEADLINES[label] for label, place in places.items())
    ordered = sorted(places.values(), key=lambda place: place["top"])
    for above, below in pairwise(ordered):
        assert below["top"] - above["top"] >= above["height"]
    for label, place in places.items():
        top, bottom = place["zone"]
        if label == "fake":  # above the field, along whose upper edge the lines of fakes run
            assert place["bottom"] <= top + 3 and place["top"] >= 0
        else:
            assert top <= place["top"] and place["bottom"] <= bottom
    words = page.locator("svg.chart").get_attribute("aria-label")
    assert all(HEADLINES[label] in words for label, _, _ in zones(band))
    page.close()


def test_a_frame_is_drawn_on_the_scale_of_the_verdict():
    """5 in 100 in every frame, of which the rule makes 34, which it is not sure of: the points lie in that zone."""
    rule = VideoRule((0.31, 0.65), temperature=4.5)
    film = SimpleNamespace(seconds=2.0, scores=lambda number: [(0.0, 0.05), (2.0, 0.05)])
    chart = timeline_html(film, [SimpleNamespace(number=1, label="unsure")], rule, {})
    assert chart.count(f": {100 * rule.p_fake(float(np.log(0.05 / 0.95))):.0f} in 100</title>") == 2
    (top, height) = re.search(r'data-label="unsure" x="\d+" y="([\d.]+)" width="\d+" height="([\d.]+)"', chart).groups()
    points = [float(y) for y in re.findall(r'class="reach" cx="[\d.]+" cy="([\d.]+)"', chart)]
    assert len(points) == 2 and all(float(top) < y < float(top) + float(height) for y in points)
