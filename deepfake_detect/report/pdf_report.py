"""The result for one photograph as a PDF of one page, to keep and to print: the answer with its gauge, the picture with
its faces framed, what the score reacted to, whether it holds, what the file says, and how to check all of that."""

import math
from collections.abc import Mapping
from datetime import datetime

import numpy as np
from PIL import Image

from deepfake_detect.evidence.occlusion import FAINTEST, TOWARDS_FAKE, TOWARDS_REAL, occlusion_map, overlay
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.face.crop import crop_judged
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.picture.provenance import Claim
from deepfake_detect.report import card_texts
from deepfake_detect.report.card import Card, card_of, hundredths, shipped_rates
from deepfake_detect.report.drawing import COLOURS, framed
from deepfake_detect.report.evaluation_texts import limits
from deepfake_detect.report.names import shown
from deepfake_detect.report.paper import HEIGHT, INK, INNER, MARGIN, PALE, RULE, WIDTH, Paper
from deepfake_detect.report.printable import Picture
from deepfake_detect.report.sentences import (
    CLAIM_KINDS,
    TOOL,
    WORDS,
    claims_said,
    error_rate,
    faces_shown,
    holding,
    like,
    what_was_judged,
)
from deepfake_detect.verdict import FAKE, NO_FACE, REAL, UNSURE, Verdict, label_of, suspicious

ICONS = {FAKE: "⚠", REAL: "✓", UNSURE: "?", NO_FACE: "–"}
ZONES = {REAL: "#dbe9fb", UNSURE: "#f6ecc9", FAKE: "#f9dcdd"}
DOTS = 1200  # pixels of the picture on its longer side
TALLEST, BESIDE, GAP = 95.0, 50.0, 6.0  # millimetres: of the picture, of the map beside it, between them
ENLARGED = 4  # how many times as large as it is a small picture may be shown, at 150 dots an inch
TITLE, HEAD, BODY, SMALL, TINY = 20.0, 10.5, 8.5, 7.5, 6.5  # points
ROW = 4.6  # millimetres, of a row of the chart
PICTURE_LEAST, CLAIMS_MOST = 60.0, 45.0  # millimetres that are kept for them
APART = 0.6  # between sentences
NAMES, FACT_NAMES = 38.0, 36.0  # millimetres, for the names of the rows
LONGEST_NAME = 200  # signs of a file's name
LARGEST_ODDS = 9  # log-odds that are told; their exponential has four digits

HEAT = "What the score of face {} reacted to: orange speaks for fake, blue for real, grey for neither."
HEAT_ENDS = "for real, odds × {0:g}", "for fake, odds × {0:g}"
HEAT_ALT = "The face in grey, coloured by what the score reacted to"
PICTURE_ALT = "The photograph with its faces framed and numbered"
HOLDS = "{} Face {} scored again after small changes, in hundredths of being fake"
MORE = "There is more to say than fits here; see the JSON report."
LATIN = " (written in Latin letters here)"
Heat = tuple[np.ndarray, np.ndarray]  # the crop [S, S, 3] uint8 of a face as it was judged, and its map [G, G]


def pdf_report(
    picture: Downscaled,
    facts: Picture,
    verdict: Verdict,
    stability: tuple[Stability, ...],
    claims: tuple[Claim, ...],
    model: Model,
    when: datetime,
    heat: Heat | None = None,
    address: str = "",
    rates: Mapping[str, str] | None = None,
) -> bytes:
    """The report as the bytes of a PDF file; the same for the same arguments.

    Args:
        picture: the one that was judged, as it was decoded.
        facts: which picture it is.
        verdict, stability: see `deepfake_detect.detector.Examined`.
        claims: see `deepfake_detect.picture.provenance.read_claims`.
        model: that judged it.
        when: time of the verdict, with its zone.
        heat: of the most suspicious face; computed where it is not given.
        address: of the page that judged it, "" where there is none.
        rates: sentences by label, see `deepfake_detect.report.card_texts.error_rates`; of the shipped reports where
            they are not given.

    Returns:
        One page of A4. Of explanation and claims, what finds no room is left out, and a sentence says so.
    """
    band = model.metadata.unsure_band
    card = card_of(verdict, band, rates or shipped_rates(model.sha256), stability, claims)
    paper = Paper(f"{card.said}: {facts.name}", TOOL, TOOL, when)
    rows = _facts(paper, facts, model, when, address)
    bottom = HEIGHT - MARGIN - _foot_height(paper, rows)
    told = [*claims_said(claims), *(f"{CLAIM_KINDS[each.kind]} ({each.source}): {each.text}" for each in claims)]
    room = bottom - _chart_height(verdict, stability) - min(_claims_height(paper, told), CLAIMS_MOST)
    paper.write(TOOL, SMALL, colour=PALE)
    _answer(paper, card)
    _sentences(paper, _why(card, verdict, model), BODY, room - PICTURE_LEAST)
    _pictures(paper, picture, verdict, model, heat, min(TALLEST, room - paper.y - 3))
    _chart(paper, verdict, stability, band)
    paper.write(card_texts.CLAIMS, HEAD, bold=True)
    _sentences(paper, told, SMALL, bottom - 1)
    paper.y = bottom
    _foot(paper, rows)
    return paper.encoded()


def _why(card: Card, verdict: Verdict, model: Model) -> list[str]:
    """What the file claims of AI, why, what to do next, what was judged, how often such verdicts are wrong."""
    kinds = [like(verdict.kind)] if verdict.kind else []
    of_faces = [what_was_judged(verdict), *kinds, *map(str, verdict.reasons)] if verdict.faces else []
    rates = [card.error_rate, error_rate(verdict.label, model.metadata)] if verdict.faces else []
    said = [card.claim, f"{card.why} {card.advice}".strip(), *of_faces, *rates]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def _answer(paper: Paper, card: Card) -> None:
    """The answer in words, and its gauge."""
    leaning = f", {card.leaning}" if card.leaning else ""
    paper.write(f"{ICONS[card.category]}  {card.headline}", TITLE, colour=COLOURS[card.category], bold=True)
    paper.write(f"{card.said}{leaning}.", BODY, colour=PALE)
    gauge = card.gauge
    if gauge is None:
        paper.y += 1
        return
    top, high = paper.y + 4.0, 4.5
    _zones(paper, MARGIN, top, INNER, high, gauge.band)
    if gauge.span:
        low, most = (MARGIN + INNER * chance for chance in gauge.span)
        paper.bar(low, top + high - 1.5, max(most - low, 0.8), 1.5, INK)
    if gauge.chance is not None:
        paper.mark(MARGIN + INNER * gauge.chance, top, high)
    paper.y = top + high + 3.6
    paper.write(f"{gauge.words}.", BODY)
    paper.y += 1.2


def _zones(paper: Paper, x: float, y: float, width: float, height: float, band: tuple[float, float]) -> None:
    """A scale from 0 to 1 with the part of each label in its colour, and its word below."""
    edges = (0.0, *band, 1.0)
    for label, begin, end in zip((REAL, UNSURE, FAKE), edges, edges[1:], strict=False):
        paper.bar(x + width * begin, y, width * (end - begin), height, ZONES[label])
        middle = x + width * (begin + end) / 2
        paper.label(WORDS[label], TINY, middle, y + height + 0.3, colour=COLOURS[label], align="C")


def _sentences(paper: Paper, sentences: list[str], size: float, bottom: float) -> None:
    """Sentences down to a line of the page, and one that says so if not all have room."""
    last = paper.height(MORE, size)
    for place, sentence in enumerate(sentences):
        more = last if place < len(sentences) - 1 else 0
        if paper.y + paper.height(sentence, size) + more > bottom:
            paper.write(MORE, size, colour=PALE)
            break
        paper.write(sentence, size)
        paper.y += APART
    paper.y += 1.5


def _pictures(
    paper: Paper, picture: Downscaled, verdict: Verdict, model: Model, heat: Heat | None, tallest: float
) -> None:
    """The picture with its faces framed, at most so many millimetres tall; beside it the map with its legend."""
    widest = INNER - (BESIDE + GAP if verdict.faces else 0)
    view = framed(
        picture.pixels, verdict, largest=(DOTS, DOTS), enlarge=ENLARGED, downscale=picture.downscale
    )  # fmt: skip
    scale = min(widest / view.width, tallest / view.height, 25.4 / 96)
    top, width, height = paper.y, view.width * scale, view.height * scale
    paper.picture(view, MARGIN, top, width, height, PICTURE_ALT)
    lowest = top + height
    if verdict.faces:
        x = MARGIN + width + GAP
        side = min(BESIDE, tallest - 22)
        crop, map_ = heat or _heat(picture, verdict, model)
        paper.picture(Image.fromarray(overlay(crop, map_)).resize((400, 400)), x, top, side, side, HEAT_ALT)
        paper.y = top + side + 1.2
        _legend(paper, x, map_)
        paper.write(HEAT.format(1), TINY, x=x, width=BESIDE, colour=PALE)
        lowest = max(lowest, paper.y)
    paper.y = lowest + 3


def _heat(picture: Downscaled, verdict: Verdict, model: Model) -> Heat:
    m, face = model.metadata, suspicious(verdict.faces)[0]
    crop = crop_judged(picture.pixels, face, m.crop_margin, m.size, m.resampling, picture.downscale)
    return crop, occlusion_map(model, crop)


def _legend(paper: Paper, x: float, map_: np.ndarray) -> None:
    """The colours of a map [G, G] from its strongest "real" to its strongest "fake", with what they stand for."""
    steps = 25
    for step in range(steps):
        share = 2 * step / (steps - 1) - 1
        towards, grey = np.array(TOWARDS_FAKE if share > 0 else TOWARDS_REAL), np.array((190, 190, 190))
        red, green, blue = (int(part) for part in np.rint(grey + abs(share) * (towards - grey)))
        paper.bar(x + BESIDE * step / steps, paper.y, BESIDE / steps + 0.1, 2.2, f"#{red:02x}{green:02x}{blue:02x}")
    most = min(max(float(np.abs(map_).max()), FAINTEST), LARGEST_ODDS)
    for text, at, align in zip(HEAT_ENDS, (x, x + BESIDE), ("L", "R"), strict=True):
        paper.label(text.format(float(f"{math.exp(most):.2g}")), TINY, at, paper.y + 2.4, align=align)
    paper.y += 5.8


def _shown_tests(verdict: Verdict, stability: tuple[Stability, ...]) -> tuple[int, Stability] | None:
    """The most suspicious face that was scored again, with its number."""
    numbers = {face.box: number for number, (_, face) in enumerate(faces_shown(verdict), 1)}
    tested = [(numbers[each.face.box], each) for each in stability if each.face.box in numbers]
    return min(tested, key=lambda pair: pair[0]) if tested else None


def _chart_height(verdict: Verdict, stability: tuple[Stability, ...]) -> float:
    chosen = _shown_tests(verdict, stability)
    return (len(chosen[1].rescores) + 1) * ROW + 19 if chosen else 0


def _chart(paper: Paper, verdict: Verdict, stability: tuple[Stability, ...], band: tuple[float, float]) -> None:
    """The scores of one face after small changes, a dot each over the parts of the scale."""
    chosen = _shown_tests(verdict, stability)
    if not chosen:
        return
    number, tested = chosen
    paper.write(HOLDS.format(card_texts.HOLDS, number), HEAD, bold=True)
    paper.y += 0.8
    rows = [(card_texts.AS_IT_IS, tested.face.p_fake), *((again.name, again.p_fake) for again in tested.rescores)]
    x, width, top = MARGIN + NAMES, INNER - NAMES - 12, paper.y
    _zones(paper, x, top, width, len(rows) * ROW, band)
    for place, (name, chance) in enumerate(rows):
        middle = top + (place + 0.5) * ROW
        paper.label(name, SMALL, MARGIN, middle - 1.7)
        paper.line(x, middle, x + width, middle, RULE, 0.15)
        paper.dot(x + width * chance, middle, 1.1, COLOURS[label_of(chance, band)])
        paper.label(hundredths(chance), SMALL, WIDTH - MARGIN, middle - 1.7, align="R")
    paper.y = top + len(rows) * ROW + 3.6
    label = next(face.label for face in verdict.faces if face.box == tested.face.box)
    paper.write(holding(tested, label).replace("**", ""), SMALL)
    paper.y += 2.5


def _claims_height(paper: Paper, told: list[str]) -> float:
    return sum(paper.height(sentence, SMALL) + APART for sentence in told) + 7


def _facts(paper: Paper, facts: Picture, model: Model, when: datetime, address: str) -> list[tuple[str, str]]:
    """Names and values of what identifies file, model, date and page."""
    name = shown(facts.name)
    name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    metadata, named = model.metadata, card_texts.FACT_NAMES
    rows = [
        (named["file"], paper.writable(name) + (LATIN if paper.lacks(name) else "")),
        (named["size"], card_texts.PIXELS.format(facts.width, facts.height)),
        (named["file_sha256"], facts.sha256),
        (named["model"], f"{metadata.recipe}, SHA-256 of its recipe {metadata.recipe_sha256[:16]}…"),
        (named["model_sha256"], model.sha256),
        (named["judged"], f"{when:%Y-%m-%d %H:%M:%S %z}"),
    ]
    return [*rows, (named["page"], address)] if address else rows


def _foot_height(paper: Paper, rows: list[tuple[str, str]]) -> float:
    tall = sum(paper.height(value, SMALL, INNER - FACT_NAMES) for _, value in rows)
    return tall + sum(paper.height(line, TINY) for line in limits()) + 8


def _foot(paper: Paper, rows: list[tuple[str, str]]) -> None:
    """What identifies file and model, and what the detector is not for, from `paper.y` down."""
    paper.line(MARGIN, paper.y, WIDTH - MARGIN, paper.y, RULE)
    paper.y += 1.2
    paper.write(card_texts.FACTS, HEAD, bold=True)
    for name, value in rows:
        paper.label(name, SMALL, MARGIN, paper.y, colour=PALE)
        paper.write(value, SMALL, x=MARGIN + FACT_NAMES, width=INNER - FACT_NAMES)
    paper.y += 1.2
    for line in limits():
        paper.write(line, TINY, colour=PALE)
