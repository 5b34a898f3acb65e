"""What the reports on paper share: the answer with its gauge, sentences as far as there is room, the chart of small
changes, and at the foot what identifies file and model and what the detector is not for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.report import card_texts
from deepfake_detect.report.card import Card, hundredths, zones
from deepfake_detect.report.drawing import COLOURS
from deepfake_detect.report.evaluation_texts import limits
from deepfake_detect.report.names import shown
from deepfake_detect.report.paper import HEIGHT, INK, INNER, MARGIN, PALE, RULE, WIDTH, Paper
from deepfake_detect.report.sentences import TOOL, WORDS, holding
from deepfake_detect.verdict import FAKE, REAL, UNSURE

PALE_ZONES = {REAL: "#dbe9fb", UNSURE: "#f6ecc9", FAKE: "#f9dcdd"}
TITLE, HEAD, BODY, SMALL, TINY = 20.0, 10.5, 8.5, 7.5, 6.5  # points
ROW = 4.6  # millimetres, of a row of the chart
APART = 0.6  # between sentences
NAMES, FACT_WIDTH = 38.0, 36.0  # millimetres, for the names of the rows
LONGEST_NAME = 200  # signs of a file's name

HOLDS = "{} Face {} scored again after small changes, in hundredths of being fake"
MORE = "There is more to say than fits here; see the JSON report."
LATIN = " (written in Latin letters here)"
Rows = list[tuple[str, str]]  # names and values


class File(Protocol):
    """Which file a report is of, see `deepfake_detect.report.printable`."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def size(self) -> str: ...


def new_sheet(card: Card, file: File, when: datetime) -> Paper:
    """A page with the answer on it."""
    paper = Paper(f"{card.said}: {file.name}", TOOL, TOOL, when)
    paper.write(TOOL, SMALL, colour=PALE)
    leaning = f", {card.leaning}" if card.leaning else ""
    icon = card_texts.ICONS[card.category]
    paper.write(f"{icon}  {card.headline}", TITLE, colour=COLOURS[card.category], bold=True)
    paper.write(f"{card.said}{leaning}.", BODY, colour=PALE)
    gauge = card.gauge
    if gauge is None:
        paper.y += 1
        return paper
    top, high = paper.y + 4.0, 4.5
    scale(paper, MARGIN, top, INNER, high, gauge.band)
    if gauge.span:
        low, most = (MARGIN + INNER * chance for chance in gauge.span)
        paper.bar(low, top + high - 1.5, max(most - low, 0.8), 1.5, INK)
    if gauge.chance is not None:
        paper.mark(MARGIN + INNER * gauge.chance, top, high)
    paper.y = top + high + 3.6
    paper.write(f"{gauge.words}.", BODY)
    paper.y += 1.2
    return paper


def scale(paper: Paper, x: float, y: float, width: float, height: float, band: tuple[float, float]) -> None:
    """A scale from 0 to 1 with the part of each label in its colour, and its word below."""
    for label, begin, end in zones(band):
        paper.bar(x + width * begin, y, width * (end - begin), height, PALE_ZONES[label])
        middle = x + width * (begin + end) / 2
        paper.label(WORDS[label], TINY, middle, y + height + 0.3, colour=COLOURS[label], align="C")


def sentences(paper: Paper, told: Sequence[str], size: float, bottom: float) -> None:
    """Sentences down to a line of the page, and one that says so if not all have room."""
    last = paper.height(MORE, size)
    for place, sentence in enumerate(told):
        more = last if place < len(told) - 1 else 0
        if paper.y + paper.height(sentence, size) + more > bottom:
            paper.write(MORE, size, colour=PALE)
            break
        paper.write(sentence, size)
        paper.y += APART
    paper.y += 1.5


def stability_height(tested: Stability) -> float:
    """Of `stability_chart`, in millimetres."""
    return (len(tested.rescores) + 1) * ROW + 19


def stability_chart(paper: Paper, number: int, tested: Stability, label: str, band: tuple[float, float]) -> None:
    """The scores of one face after small changes, a dot each over the parts of the scale.

    Args:
        number: of the face, from 1.
        tested: the face and its scores.
        label: of the face in the verdict.
        band: the unsure band of the model.
    """
    paper.write(HOLDS.format(card_texts.HOLDS, number), HEAD, bold=True)
    paper.y += 0.8
    rows = [
        (card_texts.AS_IT_IS, tested.face.p_fake, label),
        *((again.name, again.p_fake, again.label) for again in tested.rescores),
    ]
    x, width, top = MARGIN + NAMES, INNER - NAMES - 12, paper.y
    scale(paper, x, top, width, len(rows) * ROW, band)
    for place, (name, chance, said) in enumerate(rows):
        middle = top + (place + 0.5) * ROW
        paper.label(name, SMALL, MARGIN, middle - 1.7)
        paper.line(x, middle, x + width, middle, RULE, 0.15)
        paper.dot(x + width * chance, middle, 1.1, COLOURS[said])
        paper.label(hundredths(chance), SMALL, WIDTH - MARGIN, middle - 1.7, align="R")
    paper.y = top + len(rows) * ROW + 3.6
    paper.write(holding(tested, label).replace("**", ""), SMALL)
    paper.y += 2.5


def fact_rows(paper: Paper, file: File, model: Model, when: datetime, address: str) -> Rows:
    """What identifies file, model, date and page; `address`: of the page, "" where there is none."""
    name = shown(file.name)
    name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    metadata, named = model.metadata, card_texts.FACT_NAMES
    rows = [
        (named["file"], paper.writable(name) + (LATIN if paper.lacks(name) else "")),
        (named["size"], file.size),
        (named["file_sha256"], file.sha256),
        (named["model"], f"{metadata.recipe}, SHA-256 of its recipe {metadata.recipe_sha256[:16]}…"),
        (named["model_sha256"], model.sha256),
        (named["judged"], f"{when:%Y-%m-%d %H:%M:%S %z}"),
    ]
    return [*rows, (named["page"], address)] if address else rows


def foot_top(paper: Paper, rows: Rows) -> float:
    """How far down the page the foot begins, in millimetres."""
    tall = sum(paper.height(value, SMALL, INNER - FACT_WIDTH) for _, value in rows)
    return HEIGHT - MARGIN - (tall + sum(paper.height(line, TINY) for line in limits()) + 8)


def foot(paper: Paper, rows: Rows) -> None:
    """What identifies file and model, and what the detector is not for, at the end of the page."""
    paper.y = foot_top(paper, rows)
    paper.line(MARGIN, paper.y, WIDTH - MARGIN, paper.y, RULE)
    paper.y += 1.2
    paper.write(card_texts.FACTS, HEAD, bold=True)
    for name, value in rows:
        paper.label(name, SMALL, MARGIN, paper.y, colour=PALE)
        paper.write(value, SMALL, x=MARGIN + FACT_WIDTH, width=INNER - FACT_WIDTH)
    paper.y += 1.2
    for line in limits():
        paper.write(line, TINY, colour=PALE)
