"""The result for one photograph, to keep: as JSON, and as a page to print."""

from dataclasses import asdict
from datetime import datetime

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from detect.claims import CAVEAT, Claim
from detect.explain import explain, faces_shown, headline, holds
from detect.model import Model
from detect.show import COLOURS, framed
from detect.stability import Stability
from detect.verdict import Verdict

WIDTH, HEIGHT, MARGIN = 1240, 1754, 80  # pixels: A4 at 150 dpi
TALLEST = 800  # pixels of the picture in it
INK, PALE = "#111111", "#555555"


def result(
    verdict: Verdict, stability: tuple[Stability, ...], claims: tuple[Claim, ...], model: Model, when: datetime
) -> dict:
    """Everything that is said of a photograph, as JSON-ready values.

    Returns:
        {"verdict": see `Verdict.to_dict`, "explanation": sentences, "stability": [{"face": as it was judged at first,
        "rescores": [{"name", "p_fake", "label"}]}], "claims": [{"kind", "source", "text"}], "claims_caveat": sentence,
        "model": {"sha256", "recipe"}, "time": ISO 8601}
    """
    return {
        "verdict": verdict.to_dict(),
        "explanation": explain(verdict, model.metadata),
        "stability": [asdict(tested) for tested in stability],
        "claims": [asdict(claim) for claim in claims],
        "claims_caveat": CAVEAT,
        "model": {"sha256": model.sha256, "recipe": model.metadata.recipe},
        "time": when.isoformat(timespec="seconds"),
    }


def printout(
    picture: np.ndarray, verdict: Verdict, stability: tuple[Stability, ...], model: Model, when: datetime
) -> Image.Image:
    """One page to print: the answer, the picture with its faces framed, the explanation, the model.

    Args:
        picture: [H, W, 3] uint8 RGB, the one that was judged.
        verdict, stability: see `detect.stability.examine`.
        model: that judged it.
        when: time of the verdict.

    Returns:
        [HEIGHT, WIDTH] RGB; text that finds no room at the bottom is cut off with a sentence that says so.
    """
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    y = _write(draw, headline(verdict), MARGIN, 44, COLOURS[verdict.label]) + 24
    view = framed(picture, verdict, largest=(WIDTH - 2 * MARGIN, TALLEST), enlarge=4)
    page.paste(view, ((WIDTH - view.width) // 2, y))
    y += view.height + 24
    names = [name for name, _ in faces_shown(verdict)]
    tested = [f"{name}: {holds(t)}".replace("**", "") for name, t in zip(names, stability, strict=False)]
    foot = f"{when:%Y-%m-%d %H:%M} · model {model.metadata.recipe} {model.sha256[:16]}"
    for sentence in [*explain(verdict, model.metadata), *tested]:
        if y > HEIGHT - MARGIN - 120:
            y = _write(draw, "There is more to say than fits here; see the JSON report.", y, 24, PALE)
            break
        y = _write(draw, sentence, y, 24, INK) + 10
    _write(draw, foot, HEIGHT - MARGIN, 20, PALE)
    return page


def _write(draw: ImageDraw.ImageDraw, text: str, y: int, size: int, colour: str) -> int:
    """Write wrapped text across the page; returns the y below it."""
    font = ImageFont.load_default(size)
    line, lines = "", []
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) > WIDTH - 2 * MARGIN and line:
            lines, line = [*lines, line], word
        else:
            line = longer
    for full in [*lines, line]:
        draw.text((MARGIN, y), full, colour, font)
        y += round(size * 1.35)
    return y
