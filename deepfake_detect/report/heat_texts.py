"""What is said of an occlusion map: beside its legend on the page and in print."""

import math

import numpy as np

from deepfake_detect.evidence.occlusion import FAINTEST
from deepfake_detect.verdict import FAKE, REAL

LARGEST = 9  # log-odds that are told; their exponential has four digits
ALT = "The face in grey, coloured by what the score reacted to"
ENDS = "for real, odds × {:g}", "for fake, odds × {:g}"
FAINT = "No part of the face by itself moves the score much: it rests on all of them together."
DISAGREES = "The map and the score disagree: most parts speak the other way, so no part alone explains it."


def legend_ends(heat: np.ndarray) -> tuple[str, str]:
    """What the two ends of the legend of a map [G, G] of log-odds stand for: by how much the odds move at most."""
    most = min(max(float(np.abs(heat).max()), FAINTEST), LARGEST)
    times = float(f"{math.exp(most):.2g}")
    return ENDS[0].format(times), ENDS[1].format(times)


def disagreement(heat: np.ndarray, label: str) -> str:
    """A sentence where a map [G, G] does not show what the score of a face of this label rests on, otherwise ""."""
    if np.abs(heat).max() < FAINTEST:
        return FAINT
    balance = float(heat.sum())
    if (label == FAKE and balance < 0) or (label == REAL and balance > 0):
        return DISAGREES
    return ""
