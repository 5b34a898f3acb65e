"""The card of a photograph in HTML, and the chart of a face's score after every small change."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.report import card_texts
from deepfake_detect.report.card import Card, Gauge, hundredths, zones
from deepfake_detect.report.drawing import COLOURS, FRAMES
from deepfake_detect.report.names import shown
from deepfake_detect.report.sentences import CAUTION, WORDS
from deepfake_detect.verdict import NO_FACE, Face

CSS = (
    ":root {"
    + "".join(f"--verdict-{label}: {colour};" for label, colour in COLOURS.items())
    + "}\n.dark {"
    + "".join(f"--verdict-{label}: {colour};" for label, colour in (FRAMES | {NO_FACE: "#b4bac4"}).items())
    + "}\n"
    + "".join(f'[data-label="{label}"] {{ --verdict: var(--verdict-{label}); }}\n' for label in COLOURS)
    + """
.visually-hidden { position: absolute !important; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
    white-space: nowrap; }
.html-container:has(.card) { padding: 0 !important; }
.card { --edge: var(--border-color-primary); --mark: var(--verdict, var(--border-color-accent)); display: grid;
    gap: 0.4rem 1.25rem; border-style: solid; border-width: 1px 1px 1px 0.5rem; border-radius: 0.5rem; padding: 0.75rem;
    border-color: var(--edge) var(--edge) var(--edge) var(--mark); overflow-wrap: anywhere; }
.card :is(h2, h3, p) { margin: 0; }
.card .word { font-size: 1.6rem; line-height: 1.25; color: var(--verdict, var(--body-text-color)); }
.card .word span { color: inherit; }
.card .leaning { font-weight: 600; }
.card :is(.quiet, .quiet bdi) { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.card progress { appearance: none; width: 100%; height: 0.6rem; border: none; border-radius: 0.3rem; overflow: hidden;
    background: var(--border-color-primary); }
.card progress::-webkit-progress-bar { background: var(--border-color-primary); }
.card progress::-webkit-progress-value { background: var(--color-accent); }
.card progress::-moz-progress-bar { background: var(--color-accent); }
.card ul { margin: 0; padding-left: 1.2rem; }
.card .answer { display: flex; flex-direction: column; gap: 0.5rem; min-width: 0; }
.card .picture { position: relative; margin: 0; place-self: start center; line-height: 0; }
.card .picture img { display: block; margin: 0; max-width: 100%; max-height: 26rem; border-radius: 0; }
.card .picture svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.frame { cursor: pointer; }
.frame rect { fill: transparent; stroke: var(--frame); stroke-width: 3; vector-effect: non-scaling-stroke;
    filter: drop-shadow(0 0 1px #000) drop-shadow(0 0 1px #000); }
.frame.chosen rect { stroke-width: 6; }
.frame text { fill: #fff; stroke: #000; paint-order: stroke; font-weight: 700; }
.gauge { --zone: 28%; }
.gauge .track { display: flex; position: relative; height: 1.6rem; }
.gauge .track > [data-label] { background: color-mix(in srgb, var(--verdict) var(--zone), transparent); }
.gauge .track > [data-label] + [data-label] { border-left: 1px solid var(--body-text-color-subdued); }
.gauge .span { position: absolute; top: 50%; height: 0.3rem; margin-top: -0.15rem; min-width: 2px;
    background: var(--body-text-color); opacity: 0.75; }
.gauge .marker { position: absolute; top: -0.25rem; bottom: -0.25rem; width: 0.3rem; margin-left: -0.15rem;
    background: var(--body-text-color); border-radius: 0.15rem; }
.gauge .zones { display: flex; justify-content: space-between; gap: 0.5rem; font-size: var(--text-xs);
    color: var(--body-text-color-subdued); padding: 0.3rem 0; }
@media (min-width: 768px) { .card.pictured { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
@media (max-width: 767px) { .card .picture img { max-height: 14rem; } .card .word { font-size: 1.4rem; } }
.scores table { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: var(--text-sm); }
.scores :is(table, tr, th, td) { border: none !important; padding: 0.2rem 0.4rem 0.2rem 0; }
.scores :is(th, td) { text-align: left; font-weight: normal; }
.scores th { width: 35%; }
.scores td:last-child { width: 31%; padding-left: 0.6rem; }
.scores .track { background: var(--background-fill-secondary); }
.scores .bar { height: 1rem; background: var(--verdict); }
"""
)


class FramedFace(NamedTuple):
    """A face on the picture of a card."""

    face: Face
    number: int  # from 1


class Shown(NamedTuple):
    """The picture of a card."""

    url: str
    alt: str
    size: tuple[int, int]  # width and height in pixels, in which the faces' boxes are


def card_html(card: Card, name: str, picture: Shown | None = None, faces: Sequence[FramedFace] = ()) -> str:
    """A card as an article.

    Args:
        card: what it says.
        name: of the file, as `deepfake_detect.report.names.shown` makes it.
        picture: with its faces framed; without one, the words alone.
        faces: to frame; of several, each has its number on it and can be clicked.
    """
    icon = card_texts.ICONS[card.category]
    words = [
        f'<h2 class="word"><span aria-hidden="true">{icon}</span> {escape(card.headline)}</h2>',
        _paragraph(card.leaning, "leaning"),
        gauge_html(card.gauge) if card.gauge else "",
        _paragraph(card.claim, "claim"),
        _paragraph(" ".join(filter(None, (card.why, card.advice))), "why"),
        _paragraph(" ".join(filter(None, (card.error_rate, CAUTION))), "quiet rate"),
        _name(name),
    ]
    figure = _figure(picture, faces) if picture else ""
    said = escape(". ".join(filter(None, (card.said, card.leaning))), quote=True)
    return (
        f'<article class="card{" pictured" if picture else ""}" data-label="{card.category}" data-say="{said}" '
        f'aria-label="{escape(card.said, quote=True)}"><div class="answer">{"".join(words)}</div>{figure}</article>'
    )


def notice_html(headline: str, sentence: str = "", say: str | None = None, share: float | None = None) -> str:
    """A card without a verdict: that something goes on, or what was wrong.

    Args:
        headline: what it says; "" for a sentence alone.
        sentence: more of it.
        say: what screen readers are told; by default both.
        share: how far it is, 0..1, for a bar.
    """
    said = escape(say if say is not None else f"{headline}. {sentence}".strip(), quote=True)
    title = f'<h2 class="word">{escape(headline)}</h2>' if headline else ""
    bar = (
        ""
        if share is None
        else f'<progress value="{share:.3f}" aria-label="{escape(headline, quote=True)}"></progress>'
    )
    return f'<div class="card" data-say="{said}">{title}{bar}{_paragraph(sentence, "why")}</div>'


def failure_html(headline: str, sentence: str, name: str) -> str:
    """A card without a verdict on one file: what was wrong, and the name that its owner gave it."""
    said = escape(f"{headline}. {sentence}", quote=True)
    return (
        f'<div class="card failed" data-say="{said}"><h2 class="word">{escape(headline)}</h2>'
        f"{_paragraph(sentence, 'why')}{_name(shown(name))}</div>"
    )


def answer_html(headline: str, sentence: str = "") -> str:
    """A card with an answer on several files.

    Args:
        headline: what it says, which is also what screen readers are told.
        sentence: more of it.
    """
    said = escape(headline, quote=True)
    return (
        f'<article class="card" data-say="{said}" aria-label="{said}"><h2 class="word">{escape(headline)}</h2>'
        f"{_paragraph(sentence, 'why')}</article>"
    )


def face_html(number: int, face: Face, gauge: Gauge) -> str:
    """One face of several: its name and its gauge."""
    name = card_texts.FACE.format(number, card_texts.HEADLINES[face.label])
    return f'<section class="card" data-label="{face.label}"><h3>{name}</h3>{gauge_html(gauge)}</section>'


def gauge_html(gauge: Gauge) -> str:
    """A scale from 0 to 100 with the zones of the three verdicts, and a marker at the score or, where the verdict does
    not rest on it, the range over which small changes move it; below, the same in words."""
    parts = zones(gauge.band)
    fields = "".join(
        f'<span data-label="{label}" style="width: {100 * (end - begin):.2f}%"></span>' for label, begin, end in parts
    )
    span = marker = ""
    if gauge.span:
        low, high = gauge.span
        span = f'<span class="span" style="left: {100 * low:.2f}%; width: {100 * (high - low):.2f}%"></span>'
    if gauge.chance is not None:
        marker = f'<span class="marker" style="left: {100 * min(max(gauge.chance, 0.005), 0.995):.2f}%"></span>'
    names = "".join(f"<span>{card_texts.HEADLINES[label]}</span>" for label, _, _ in parts)
    words = gauge.words
    return (
        f'<div class="gauge"><div class="track" role="img" aria-label="{escape(words, quote=True)}">'
        f"{fields}{span}{marker}"
        f'</div><div class="zones" aria-hidden="true">{names}</div><p>{escape(words)}</p></div>'
    )


def bars(tested: Stability, label: str) -> str:
    """A table with a row for the face as it is and for each change: the change, the bar, the chance and the verdict.

    Args:
        tested: the face and its scores.
        label: of the face in the verdict.
    """
    rows = [
        _row(card_texts.AS_IT_IS, tested.face.p_fake, label),
        *(_row(again.name, again.p_fake, again.label) for again in tested.rescores),
    ]
    return f"<table>{''.join(rows)}</table>"


def _row(name: str, p_fake: float, label: str) -> str:
    bar = f'<div class="bar" style="width: {100 * p_fake:.1f}%"></div>'
    words = escape(f"{hundredths(p_fake)}, {WORDS[label]}")
    return (
        f'<tr data-label="{label}"><th scope="row">{escape(name)}</th><td><div class="track">{bar}</div></td>'
        f"<td>{words}</td></tr>"
    )


def _paragraph(text: str, classes: str) -> str:
    return f'<p class="{classes}">{escape(text)}</p>' if text else ""


def _name(name: str) -> str:
    return f'<p class="quiet"><bdi>{escape(name)}</bdi></p>'


def _figure(picture: Shown, faces: Sequence[FramedFace]) -> str:
    width, height = picture.size
    frames = "".join(_frame(each, max(width, height) / 22, len(faces) > 1) for each in faces)
    return (
        f'<figure class="picture"><img src="{escape(picture.url, quote=True)}" alt="{escape(picture.alt, quote=True)}">'
        f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{frames}</svg></figure>'
    )


def _frame(framed: FramedFace, letters: float, named: bool) -> str:
    left, top, right, bottom = framed.face.box
    name = f'<text x="{left + letters * 0.2:.0f}" y="{top + letters:.0f}" font-size="{letters:.0f}" '
    name = f'{name}stroke-width="{letters / 6:.0f}">{framed.number}</text>' if named else ""
    chosen = " chosen" if named and framed.number == 1 else ""
    return (
        f'<g class="frame{chosen}" data-face="{framed.number - 1}" style="--frame: {FRAMES[framed.face.label]}">'
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>{name}</g>'
    )
