"""What a score reacted to: the face coloured by it, a legend with its scale, and a sentence where they disagree."""

from html import escape

import numpy as np

from deepfake_detect.evidence.occlusion import CAPTION, legend_colours
from deepfake_detect.report import heat_texts

STOPS = 9  # of the colours in the legend


def heat_html(url: str, heat: np.ndarray, label: str, number: int) -> str:
    """The map of a face with its legend.

    Args:
        url: of the coloured face.
        heat: [G, G] log-odds, see `deepfake_detect.evidence.occlusion.occlusion_map`.
        label: of the face in the verdict.
        number: of the face, from 1.
    """
    colours = ", ".join(f"rgb{colour}" for colour in legend_colours(STOPS))
    real, fake = heat_texts.legend_ends(heat)
    disagree = heat_texts.disagreement(heat, label)
    more = f"<p><strong>{disagree}</strong></p>" if disagree else ""
    return (
        f'<div class="heat" data-number="{number}"><img src="{escape(url, quote=True)}" alt="{heat_texts.ALT}">'
        '<div class="legend">'
        f'<div class="scale" style="background: linear-gradient(to right, {colours})"></div>'
        f'<div class="ends"><span>{real}</span><span>{fake}</span></div>'
        f"{more}<p>{CAPTION}</p></div></div>"
    )
