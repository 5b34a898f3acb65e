"""What a score reacted to: the face coloured by it, a legend with its scale, and a sentence where they disagree."""

import math
from html import escape

import numpy as np

from deepfake_detect.evidence.occlusion import CAPTION, FAINTEST, TOWARDS_FAKE, TOWARDS_REAL
from deepfake_detect.verdict import FAKE, REAL
from page import texts

LARGEST = 9  # log-odds that are told; their exponential has four digits
STOPS = 9  # of the colours in the legend


def heat_html(url: str, heat: np.ndarray, label: str, number: int) -> str:
    """The map of a face with its legend.

    Args:
        url: of the coloured face.
        heat: [G, G] log-odds, see `deepfake_detect.evidence.occlusion.occlusion_map`.
        label: of the face in the verdict.
        number: of the face, from 1.
    """
    most = max(float(np.abs(heat).max()), FAINTEST)
    colours = ", ".join(_colour(2 * stop / (STOPS - 1) - 1) for stop in range(STOPS))
    times = texts.HEAT_TIMES.format(float(f"{math.exp(min(most, LARGEST)):.2g}"))
    disagree = disagreement(heat, label)
    more = f"<p><strong>{disagree}</strong></p>" if disagree else ""
    return (
        f'<div class="heat" data-number="{number}"><img src="{escape(url, quote=True)}" alt="{texts.HEAT_ALT}">'
        '<div class="legend">'
        f'<div class="scale" style="background: linear-gradient(to right, {colours})"></div>'
        f'<div class="ends"><span>{texts.HEAT_REAL} {times}</span><span>{texts.HEAT_FAKE} {times}</span></div>'
        f"{more}<p>{CAPTION}</p></div></div>"
    )


def disagreement(heat: np.ndarray, label: str) -> str:
    """A sentence where a map [G, G] does not show what the score of a face of this label rests on, otherwise ""."""
    if np.abs(heat).max() < FAINTEST:
        return texts.HEAT_FAINT
    balance = float(heat.sum())
    if (label == FAKE and balance < 0) or (label == REAL and balance > 0):
        return texts.HEAT_DISAGREES
    return ""


def _colour(share: float) -> str:
    """Of a share -1..1 of the largest value, as `deepfake_detect.evidence.occlusion.overlay` lays it on grey."""
    towards, grey = np.array(TOWARDS_FAKE if share > 0 else TOWARDS_REAL), np.array((190, 190, 190))
    return f"rgb{tuple(int(x) for x in np.rint(grey + abs(share) * (towards - grey)))}"
