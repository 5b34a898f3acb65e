"""The result for one photograph as a PDF of one page, to keep and to print: the answer with its gauge, the picture with
its faces framed, what the score reacted to, whether it holds, what the file says, and how to check all of that."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from PIL import Image

from deepfake_detect.evidence.occlusion import legend_colours, occlusion_map, overlay
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.face.crop import crop_judged
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.picture.provenance import Claim
from deepfake_detect.report import card_texts, heat_texts
from deepfake_detect.report.card import Card, card_of, shipped_rates
from deepfake_detect.report.drawing import framed
from deepfake_detect.report.paper import INNER, MARGIN, PALE, Paper
from deepfake_detect.report.printable import Picture
from deepfake_detect.report.sentences import (
    CLAIM_KINDS,
    claims_said,
    faces_shown,
    like,
    what_was_judged,
)
from deepfake_detect.report.sheet import (
    APART,
    BODY,
    HEAD,
    SMALL,
    TINY,
    fact_rows,
    foot,
    foot_top,
    new_sheet,
    sentences,
    stability_chart,
    stability_height,
)
from deepfake_detect.verdict import Face, Verdict, suspicious

DOTS = 1200  # pixels of the picture on its longer side
TALLEST, BESIDE, GAP = 95.0, 50.0, 6.0  # millimetres: of the picture, of the map beside it, between them
ENLARGED = 4  # how many times as large as it is a small picture may be shown, at 150 dots an inch
PICTURE_LEAST, CLAIMS_MOST = 60.0, 45.0  # millimetres that are kept for them
LEGEND, STEPS = 8.0, 25  # of the map: millimetres, and parts of its scale

HEAT = "What the score of face {} reacted to: orange speaks for fake, blue for real, grey for neither."
PICTURE_ALT = "The photograph with its faces framed and numbered"
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
    paper = new_sheet(card, facts, when)
    rows = fact_rows(paper, facts, model, when, address)
    told = [*claims_said(claims), *(f"{CLAIM_KINDS[each.kind]} ({each.source}): {each.text}" for each in claims)]
    tested, bottom = _shown_tests(verdict, stability), foot_top(paper, rows)
    chart = stability_height(tested[2]) if tested else 0
    room = bottom - chart - min(_claims_height(paper, told), CLAIMS_MOST)
    sentences(paper, _why(card, verdict), BODY, room - PICTURE_LEAST)
    _pictures(paper, picture, verdict, model, heat, min(TALLEST, room - paper.y - 3))
    if tested:
        number, face, scores = tested
        stability_chart(paper, number, scores, face.label, band)
    paper.write(card_texts.CLAIMS, HEAD, bold=True)
    sentences(paper, told, SMALL, bottom - 1)
    foot(paper, rows)
    return paper.encoded()


def _why(card: Card, verdict: Verdict) -> list[str]:
    """What the file claims of AI, why, what to do next, what was judged, how often such verdicts are wrong."""
    kinds = [like(verdict.kind)] if verdict.kind else []
    of_faces = [what_was_judged(verdict), *kinds, *map(str, verdict.reasons)] if verdict.faces else []
    rates = [card.error_rate] if verdict.faces else []
    said = [card.claim, f"{card.why} {card.advice}".strip(), *of_faces, *rates]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


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
        crop, map_ = heat or _heat(picture, verdict, model)
        paper.y = top
        _map(paper, crop, map_, suspicious(verdict.faces)[0].label, MARGIN + width + GAP, tallest)
        lowest = max(lowest, paper.y)
    paper.y = lowest + 3


def _map(paper: Paper, crop: np.ndarray, map_: np.ndarray, label: str, x: float, tallest: float) -> None:
    """The map of a face of this label from x on, with its legend and what is to be said of it, at most so many
    millimetres tall."""
    told = list(filter(None, (HEAT.format(1), heat_texts.disagreement(map_, label))))
    side = min(BESIDE, tallest - LEGEND - sum(paper.height(sentence, TINY, BESIDE) for sentence in told))
    face = Image.fromarray(overlay(crop, map_)).resize((400, 400))
    paper.picture(face, x, paper.y, side, side, heat_texts.ALT)
    paper.y += side + 1.2
    for step, (red, green, blue) in enumerate(legend_colours(STEPS)):
        paper.bar(x + BESIDE * step / STEPS, paper.y, BESIDE / STEPS + 0.1, 2.2, f"#{red:02x}{green:02x}{blue:02x}")
    for text, at, align in zip(heat_texts.legend_ends(map_), (x, x + BESIDE), ("L", "R"), strict=True):
        paper.label(text, TINY, at, paper.y + 2.4, align=align)
    paper.y += 5.8
    for sentence in told:
        paper.write(sentence, TINY, x=x, width=BESIDE, colour=PALE)


def _heat(picture: Downscaled, verdict: Verdict, model: Model) -> Heat:
    m, face = model.metadata, suspicious(verdict.faces)[0]
    crop = crop_judged(picture.pixels, face, m.crop_margin, m.size, m.resampling, picture.downscale)
    return crop, occlusion_map(model, crop)


def _shown_tests(verdict: Verdict, stability: tuple[Stability, ...]) -> tuple[int, Face, Stability] | None:
    """The most suspicious face that was scored again: its number, itself, its scores."""
    shown = {face.box: (number, face) for number, (_, face) in enumerate(faces_shown(verdict), 1)}
    tested = [(*shown[each.face.box], each) for each in stability if each.face.box in shown]
    return min(tested, key=lambda found: found[0]) if tested else None


def _claims_height(paper: Paper, told: list[str]) -> float:
    return sum(paper.height(sentence, SMALL) + APART for sentence in told) + 7
