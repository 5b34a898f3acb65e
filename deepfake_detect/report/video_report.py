"""The result for one video as a PDF of one page, to keep and to print: the answer with its gauge, the scores of its
faces over time, the faces, whether the most suspicious one holds, and how to check all of that."""

from collections.abc import Mapping
from datetime import datetime

from deepfake_detect.model.onnx_model import Model
from deepfake_detect.report import sheet
from deepfake_detect.report.card import Card, zones
from deepfake_detect.report.drawing import COLOURS, DASHES, key_pictures
from deepfake_detect.report.paper import INNER, MARGIN, RULE, WIDTH, Paper
from deepfake_detect.report.printable import Film
from deepfake_detect.report.sentences import CAUTION, WORDS, explain_video
from deepfake_detect.report.video_card import video_card
from deepfake_detect.report.video_error import video_error, video_rates
from deepfake_detect.verdict import suspicious
from deepfake_detect.video.rule import VideoRule
from deepfake_detect.video.video_verdict import VideoVerdict

CHART, AXIS = 44.0, 9.0  # millimetres: the height of the field, and what is kept on its left for the scale
TILES, TILE, APART = 6, 27.0, 4.0  # faces in a row; millimetres of each, and between two
PIXEL = 25.4 / 96  # millimetres, of a dash

TIMELINE = "How fake each face looks over time, in hundredths"
OF = ": the {} most suspicious of {} faces"
SECONDS = "seconds"
FACES = "The faces, the most suspicious first, in a typical frame each"
FACE_ALT = "Face {}, framed"


def video_pdf(
    film: Film,
    verdict: VideoVerdict,
    model: Model,
    when: datetime,
    address: str = "",
    rates: Mapping[str, str] | None = None,
    error: str | None = None,
) -> bytes:
    """The report as the bytes of a PDF file; the same for the same arguments.

    Args:
        film: which video it is.
        verdict: on it, with its key frames and, where it was looked at, its stability.
        model: that judged it.
        when: time of the verdict, with its zone.
        address: of the page that judged it, "" where there is none.
        rates, error: see `deepfake_detect.report.video_error`; of the shipped report where they are not given.

    Returns:
        One page of A4. Of the explanation, what finds no room is left out, and a sentence says so.
    """
    error = video_error(model.sha256) if error is None else error
    rule = VideoRule.of(model.metadata)
    card = video_card(verdict, rule.unsure_band, rates or video_rates(model.sha256))
    paper = sheet.new_sheet(card, film, when)
    rows = sheet.fact_rows(paper, film, model, when, address)
    bottom, tested = sheet.foot_top(paper, rows), next(iter(verdict.stability.items()), None)
    pictured = CHART + TILE + 25 if verdict.faces else 0
    kept = pictured + (sheet.stability_height(tested[1]) if tested else 0)
    sheet.sentences(paper, _told(card, verdict, error), sheet.BODY, bottom - kept)
    if verdict.faces:
        _timeline(paper, verdict, rule)
        _faces(paper, verdict)
    if tested:
        number, scores = tested
        label = next(face.label for face in verdict.faces if face.number == number)
        sheet.stability_chart(paper, number, scores, label, rule.unsure_band)
    sheet.foot(paper, rows)
    return paper.encoded()


def _told(card: Card, verdict: VideoVerdict, error: str) -> list[str]:
    """Why, what to do next, and what was judged."""
    why = f"{card.why} {card.advice}".strip()
    explained = (said for said in explain_video(verdict, error) if said not in (error, CAUTION))
    told = [why, card.error_rate, *([error] if verdict.faces else []), *explained, CAUTION]
    return list(dict.fromkeys(said for said in told if said))


def _timeline(paper: Paper, verdict: VideoVerdict, rule: VideoRule) -> None:
    """A line for each of the most suspicious faces over the zones of the three verdicts, on the scale of the rule."""
    drawn = suspicious(verdict.faces)[: len(DASHES)]
    of = OF.format(len(drawn), len(verdict.faces)) if len(drawn) < len(verdict.faces) else ""
    paper.write(TIMELINE + of, sheet.HEAD, bold=True)
    left, top, width = MARGIN + AXIS, paper.y + 1, INNER - AXIS

    def place(seconds: float, chance: float) -> tuple[float, float]:
        return left + width * (seconds / verdict.seconds if verdict.seconds else 0), top + CHART * (1 - chance)

    for label, low, high in zones(rule.unsure_band):
        paper.bar(left, top + CHART * (1 - high), width, CHART * (high - low), sheet.PALE_ZONES[label])
    for share in (0.0, 0.5, 1.0):
        paper.label(f"{100 * share:.0f}", sheet.TINY, left - 1.5, top + CHART * (1 - share) - 1.4, align="R")
        align = {0.0: "L", 0.5: "C", 1.0: "R"}[share]
        unit = f" {SECONDS}" if share == 0.5 else ""
        paper.label(
            f"{verdict.seconds * share:.1f}{unit}", sheet.TINY, left + width * share, top + CHART + 0.6, align=align
        )
    for face, dash in zip(drawn, DASHES, strict=False):
        seen = [place(seconds, rule.frame_p_fake(p_fake)) for seconds, p_fake in verdict.scores(face.number)]
        if len(seen) > 1:
            paper.path(seen, dash and (dash[0] * PIXEL, dash[1] * PIXEL))
        for x, y in seen:
            paper.dot(x, y, 0.6, "#ffffff")
        above = -4 if seen[0][1] - 4 > top else 0.8  # where there is room
        paper.label(str(face.number), sheet.SMALL, seen[0][0] + 0.8, seen[0][1] + above)
    for label, _, high in zones(rule.unsure_band):  # over the lines, which may run along a narrow zone
        right, begin, wide = WIDTH - MARGIN - 1, top + CHART * (1 - high), paper.width(WORDS[label], sheet.SMALL)
        paper.bar(right - wide - 0.5, begin, wide + 1, 3.2, sheet.PALE_ZONES[label])
        paper.label(WORDS[label], sheet.SMALL, right, begin, colour=COLOURS[label], align="R")
    paper.y = top + CHART + 5


def _faces(paper: Paper, verdict: VideoVerdict) -> None:
    """The faces that have room in a row, each with its number, its label, when it is seen and its line."""
    paper.write(FACES, sheet.HEAD, bold=True)
    top, ranked = paper.y + 1, suspicious(verdict.faces)
    for place, ((view, line), face) in enumerate(zip(key_pictures(verdict)[:TILES], ranked, strict=False)):
        x, scale = MARGIN + place * (TILE + APART), TILE / max(view.size)
        paper.picture(view, x, top, view.width * scale, view.height * scale, FACE_ALT.format(face.number))
        dash = DASHES[place]
        paper.path([(x, top + TILE + 1.5), (x + TILE, top + TILE + 1.5)], dash and (dash[0] * PIXEL, dash[1] * PIXEL))
        paper.label(line, sheet.TINY, x, top + TILE + 2.3, colour=COLOURS[face.label])
    paper.y = top + TILE + 7
    paper.line(MARGIN, paper.y - 1, WIDTH - MARGIN, paper.y - 1, RULE, 0.15)
