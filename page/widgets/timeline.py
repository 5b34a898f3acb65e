"""The scores of a video's faces over time, as SVG that follows the theme of the page."""

from collections.abc import Mapping, Sequence
from html import escape

from deepfake_detect.report.card import hundredths, zones
from deepfake_detect.report.card_texts import HEADLINES
from deepfake_detect.report.drawing import DASHES
from deepfake_detect.verdict import FAKE
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import VideoFace, VideoVerdict
from page import texts

WIDTH, HEIGHT = 460, 294  # of the drawing
LEFT, RIGHT, TOP, BOTTOM = 40, 452, 22, 250  # edges of the field in it; the name of the highest zone stands above
NAME_ROOM = 20  # height of a zone in which its name stands
CSS = """
#timeline svg.chart { width: 100%; max-width: 40rem; height: auto; }
#timeline .zone { fill: var(--verdict); fill-opacity: 0.14; }
#timeline .zone-name { fill: var(--verdict); font-weight: 600; }
#timeline :is(.zone-name, .number) { stroke: var(--background-fill-primary); stroke-width: 4; paint-order: stroke; }
#timeline .line { fill: none; stroke: currentColor; stroke-width: 2; }
#timeline .point { fill: currentColor; cursor: pointer; }
#timeline .point .reach { fill: transparent; }
#timeline ul { display: flex; flex-wrap: wrap; gap: 0.5rem 1.2rem; list-style: none; padding: 0; margin: 0.3rem 0; }
#timeline li { display: flex; align-items: center; gap: 0.4rem; margin: 0; }
#timeline li img { width: 48px; height: 48px; object-fit: cover; margin: 0; }
#timeline li svg { width: 48px; height: 12px; }
"""
# A click on a point shows that frame in the player; of points that lie over each other, the nearest.
SEEK = """element.addEventListener("click", event => {
    const film = document.querySelector("#film video");
    if (!film || !event.target.closest("[data-seconds]")) return;
    const distance = point => {
        const {x, y, width, height} = point.getBoundingClientRect();
        return Math.hypot(event.clientX - x - width / 2, event.clientY - y - height / 2);
    };
    const nearest = [...element.querySelectorAll("[data-seconds]")].reduce(
        (one, other) => distance(other) < distance(one) ? other : one);
    film.currentTime = Number(nearest.dataset.seconds);
});"""


def timeline_html(verdict: VideoVerdict, faces: Sequence[VideoFace], rule: VideoRule, views: Mapping[int, str]) -> str:
    """A chart with the zones of the three verdicts, a line for each face, and a legend.

    Args:
        verdict: whose timeline is drawn.
        faces: those of it that are drawn, at most as many as DASHES.
        rule: for videos, on whose scale and with whose band the frames are drawn, as the verdict is.
        views: addresses of small pictures by the face's number.
    """
    dashes = [" ".join(map(str, dash or ())) for dash in DASHES]
    drawn, named = list(zip(faces, dashes, strict=False)), len(faces) > 1
    band = rule.unsure_band
    lines = "".join(_line(verdict, face.number, rule, dash, named) for face, dash in drawn)
    legend = "".join(_named(face, dash, views) for face, dash in drawn)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_said(band))}" '
        f'fill="currentColor" font-size="13">{_zones(band)}{_axes(verdict.seconds)}{lines}'
        f"{_zone_names(band)}</svg>"
        f"<ul>{legend}</ul><p>{texts.TIMELINE_READ}</p>"
    )


def _y(chance: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * chance


def _x(seconds: float, whole: float) -> float:
    return LEFT + (RIGHT - LEFT) * (seconds / whole if whole else 0)


def _zones(band: tuple[float, float]) -> str:
    return "".join(
        f'<rect class="zone" data-label="{label}" x="{LEFT}" y="{_y(high):.1f}" width="{RIGHT - LEFT}" '
        f'height="{_y(low) - _y(high):.1f}"/>'
        for label, low, high in zones(band)
    )


def _said(band: tuple[float, float]) -> str:
    """The chart in words, with the names of all zones, also of those that are too low for their name."""
    named = [
        texts.TIMELINE_ZONE.format(HEADLINES[label], round(100 * low), round(100 * high))
        for label, low, high in zones(band)
    ]
    return f"{texts.TIMELINE_ALT}. {'; '.join(named)}"


def _zone_names(band: tuple[float, float]) -> str:
    """Each at the top of its zone, where there is room for it; that of fakes above the field, because the lines of
    fakes run along its upper edge."""
    heights = {
        label: TOP - 6 if label == FAKE else _y(high) + 16
        for label, low, high in zones(band)
        if _y(low) - _y(high) >= (1 if label == FAKE else NAME_ROOM)
    }
    return "".join(
        f'<text class="zone-name" data-label="{label}" x="{RIGHT - 6}" y="{y:.1f}" text-anchor="end">'
        f"{HEADLINES[label]}</text>"
        for label, y in heights.items()
    )


def _axes(seconds: float) -> str:
    ticks = [
        f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{100 * share:.0f}</text>'
        for share in (0, 0.5, 1)
    ]
    ticks += [
        f'<text x="{_x(at, seconds):.1f}" y="{BOTTOM + 18}" text-anchor="{anchor}">{at:.1f}</text>'
        for at, anchor in ((0, "start"), (seconds / 2, "middle"), (seconds, "end"))
    ]
    middle = (LEFT + RIGHT) / 2
    return "".join(ticks) + f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{texts.TIMELINE_X}</text>'


def _line(verdict: VideoVerdict, number: int, rule: VideoRule, dashes: str, named: bool) -> str:
    scores = [(seconds, rule.frame_p_fake(p_fake)) for seconds, p_fake in verdict.scores(number)]
    places = [(_x(seconds, verdict.seconds), _y(chance), seconds, chance) for seconds, chance in scores]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
    points = "".join(
        f'<g class="point" data-seconds="{seconds:.3f}"><circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="12"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        f"<title>{escape(texts.TIMELINE_POINT.format(number, seconds, hundredths(chance)))}</title></g>"
        for x, y, seconds, chance in places
    )
    x, y, _, _ = places[0]
    below = y - 18 < TOP  # where there is no room above
    name = f'<text class="number" x="{x + 5:.1f}" y="{y + (16 if below else -6):.1f}">{number}</text>' if named else ""
    return f'<polyline class="line" points="{path}" stroke-dasharray="{dashes}"/>{points}{name}'


def _named(face: VideoFace, dashes: str, views: Mapping[int, str]) -> str:
    view = views.get(face.number)
    picture = f'<img src="{escape(view, quote=True)}" alt="">' if view else ""
    line = f'<path class="line" d="M0 6H48" stroke-dasharray="{dashes}"/>'
    sample = f'<svg viewBox="0 0 48 12" aria-hidden="true">{line}</svg>'
    return f"<li>{sample}{picture}<span>Face {face.number}: {HEADLINES[face.label]}</span></li>"
