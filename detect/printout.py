"""The result for one photograph, to keep: as JSON, and as a page to print."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from detect.claims import CAVEAT, Claim
from detect.crop import crop_face
from detect.explain import CLAIM_KINDS, NO_CLAIMS, TOOL, explain, faces_shown, headline, holds
from detect.heatmap import occlusion_map, overlay
from detect.model import Model
from detect.show import COLOURS, framed
from detect.stability import Stability
from detect.verdict import Verdict, suspicious

WIDTH, HEIGHT, MARGIN = 1240, 1754, 80  # pixels: A4 at 150 dpi
TALLEST, ENLARGED = 700, 4  # pixels of the picture in it, and how many times as large as it is it may be shown
HEAT = 300  # pixels of the occlusion map
LINE = 1.35  # height of a line against the size of its letters
INK, PALE = "#111111", "#555555"
HEAT_TITLE = "What the score of face {} reacted to: orange speaks for fake, blue for real, as this model sees it."


@dataclass(frozen=True)
class Picture:
    """Which picture a result is of."""

    name: str
    sha256: str  # of the file
    width: int  # in pixels, upright
    height: int

    @classmethod
    def of(cls, name: str, data: bytes, picture: np.ndarray) -> "Picture":
        """Of a file's bytes and the picture [H, W, 3] that was read from them."""
        return cls(name, hashlib.sha256(data).hexdigest(), picture.shape[1], picture.shape[0])


def result(
    picture: Picture,
    verdict: Verdict,
    stability: tuple[Stability, ...],
    claims: tuple[Claim, ...],
    model: Model,
    when: datetime,
) -> dict:
    """Everything that is said of a photograph, as JSON-ready values.

    Returns:
        {"picture": {"name", "sha256", "width", "height"}, "verdict": see `Verdict.to_dict`, but each face with its
        "number" and in that order, "explanation": sentences, "stability": [{"number", "face": as it was judged at
        first, "rescores": [{"name", "p_fake", "label"}]}], "claims": [{"kind", "source", "text"}], "claims_caveat":
        sentence, "model": {"sha256", "recipe"}, "time": ISO 8601}
    """
    faces = [{"number": number, **asdict(face)} for number, face in enumerate(suspicious(verdict.faces), 1)]
    return {
        "picture": asdict(picture),
        "verdict": {**verdict.to_dict(), "faces": faces},
        "explanation": explain(verdict, model.metadata, claims),
        "stability": [{"number": number, **asdict(tested)} for number, tested in enumerate(stability, 1)],
        "claims": [asdict(claim) for claim in claims],
        "claims_caveat": CAVEAT,
        "model": {"sha256": model.sha256, "recipe": model.metadata.recipe},
        "time": when.isoformat(timespec="seconds"),
    }


def printout(
    picture: np.ndarray,
    facts: Picture,
    verdict: Verdict,
    stability: tuple[Stability, ...],
    claims: tuple[Claim, ...],
    model: Model,
    when: datetime,
) -> Image.Image:
    """One page to print: the answer, the picture with its faces framed, what the most suspicious one's score reacted
    to, the explanation, the claims of the file, the model.

    Args:
        picture: [H, W, 3] uint8 RGB, the one that was judged.
        verdict, stability: see `detect.stability.examine`.
        claims: see `detect.claims.read_claims`.
        model: that judged it.
        when: time of the verdict, with its zone.

    Returns:
        [HEIGHT, WIDTH] RGB; text that finds no room at the bottom is cut off with a sentence that says so.
    """
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    y = _write(draw, headline(verdict), MARGIN, 44, COLOURS[verdict.label])
    y = _write(draw, f"{TOOL} · {facts.name} · {facts.width} x {facts.height} pixels", y, 20, PALE) + 16
    beside = HEAT + 24 if verdict.faces else 0
    view = framed(picture, verdict, largest=(WIDTH - 2 * MARGIN - beside, TALLEST), enlarge=ENLARGED)
    page.paste(view, (MARGIN, y))
    lowest = y + view.height
    if verdict.faces:
        page.paste(_heat(picture, verdict, model), (WIDTH - MARGIN - HEAT, y))
        lowest = max(lowest, _write(draw, HEAT_TITLE.format(1), y + HEAT + 8, 18, PALE, WIDTH - MARGIN - HEAT))
    y = lowest + 24
    names = [name for name, _ in faces_shown(verdict)]
    tested = [f"{name}: {holds(t)}".replace("**", "") for name, t in zip(names, stability, strict=False)]
    told = "; ".join(f"{CLAIM_KINDS[claim.kind]} ({claim.source}): {claim.text}" for claim in claims)
    said = f"{CAVEAT} {told}." if claims else NO_CLAIMS
    foot = f"{when:%Y-%m-%d %H:%M %z} · model {model.metadata.recipe} {model.sha256[:16]} · file {facts.sha256[:16]}"
    for sentence in [*explain(verdict, model.metadata, claims), *tested, said]:
        if y + len(_wrapped(sentence, 24, WIDTH - 2 * MARGIN)) * 24 * LINE > HEIGHT - MARGIN - 70:
            y = _write(draw, "There is more to say than fits here; see the JSON report.", y, 24, PALE)
            break
        y = _write(draw, sentence, y, 24, INK) + 10
    _write(draw, foot, HEIGHT - MARGIN, 20, PALE)
    return page


def _heat(picture: np.ndarray, verdict: Verdict, model: Model) -> Image.Image:
    m = model.metadata
    crop = crop_face(picture, suspicious(verdict.faces)[0].box, m.crop_margin, m.size, m.resampling)
    return Image.fromarray(overlay(crop, occlusion_map(model, crop))).resize((HEAT, HEAT))


def _write(draw: ImageDraw.ImageDraw, text: str, y: int, size: int, colour: str, x: int = MARGIN) -> int:
    """Write wrapped text from x to the right margin; returns the y below it."""
    for line in _wrapped(text, size, WIDTH - MARGIN - x):
        draw.text((x, y), line, colour, ImageFont.load_default(size))
        y += round(size * LINE)
    return y


def _wrapped(text: str, size: int, width: int) -> list[str]:
    """Text as lines of at most so many pixels; a word longer than a line is broken."""
    font = ImageFont.load_default(size)
    line, lines = "", []
    for word in text.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) > width and line:
            lines, line = [*lines, line], word
        else:
            line = longer
        while font.getlength(line) > width:
            fits = next(count for count in range(len(line) - 1, 0, -1) if font.getlength(line[:count]) <= width)
            lines, line = [*lines, line[:fits]], line[fits:]
    return [*lines, line]
