"""Many faces -> one picture: a rule whose false alarms do not grow with the number of faces.

The question asked of a picture is "is any of its N faces fake?". A rule that answers by the most suspicious face is
wrong about a real picture with 1 - (1 - a)^N, where a is how often it is wrong about one real face: 3 % become 86 %
among 64. Sidak (1967, JASA 62) and Bonferroni ask each face for more, so that this family-wise rate stays where it is
at N = 1; both need the tail of real faces' scores far beyond what some hundred pictures measure. The odds do without
it.

Where p is calibrated on as many fakes as real faces, its odds p / (1 - p) are the likelihood ratio of fake to real,
whose mean over real faces is 1: an e-value (Vovk & Wang 2021, Annals of Statistics 49, "E-values: Calibration,
combination and applications"). The mean of e-values is one again, however much the faces of a picture have in common,
so by Markov's inequality it reaches the odds h of the band's upper end in at most 1 / h of all real pictures, whatever
N is. It is at the same time what Bayes's rule gives for "one of these faces, any of them as likely, is fake" against
"none is", both as likely beforehand: a given one of N faces has 1 / N of the suspicion that a lone one has. For N = 1
nothing changes.

Calibration does not hold for pictures of kinds that were not there when it was made: there a real face in a hundred has
odds of hundreds, and one of them among 64 would outweigh all the others. So among several faces one counts with at most
ALONE * h. More than ALONE faces are fake only where more than one of them is suspicious. Against the bound alone, faces
that are all fake without a doubt are left with ALONE * h as well; the geometric mean of the odds, which is never more
than their mean, gives these their due.

"Real" keeps to the strictest reading: all faces are. Its error is a fake among the faces that goes unseen, and it
shrinks as N grows, because the others must look real as well. What grows is the share of pictures that stay "unsure",
which is honest: among many faces the detector cannot rule a fake out. `python -m train crowds` measures all of this.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from deepfake_detect.face.quality import MIN_FACE
from deepfake_detect.verdict import FAKE, REAL, UNSURE, Reason, label_of

# Faces of a picture, up to which one of them can make it fake: as many as families have. Without such a bound false
# alarms grow on `cross`, see reports/crowds.
ALONE = 8
MAX_FACES = 256  # judged in one picture, the largest; a crowd of a thousand would take half a minute

MANY = (
    "{} would be called fake by {}, but the more faces there are, the more often one is by mistake: among {} faces "
    "that is not enough to call all of it fake. Other pictures of the same moment can tell more; so can a face checked "
    "alone, if you doubted that very face before."
)
ONE, SEVERAL = ("One face", "itself"), ("{} faces", "themselves")  # that would be called fake, and by whom
SMALL_RULE = f"on a face of less than {MIN_FACE} pixels alone, nothing is called fake"
SMALL = Reason(
    "face_too_small",
    f"What looks fake is too small: {SMALL_RULE}. Find a larger copy of it, not an enlarged one.",
)
LEFT_OUT = "{} faces were found; only the {} largest were judged."


class ScoredFace(Protocol):
    """A face with a verdict of its own: `deepfake_detect.verdict.Face`, `deepfake_detect.video.judge.VideoFace`."""

    @property
    def side(self) -> int: ...  # pixels on its longer side; of a video, where it is largest

    @property
    def p_fake(self) -> float: ...

    @property
    def label(self) -> str: ...


def too_small(side: int) -> bool:
    """Whether a face with so many pixels on its longer side has too few of them to be called fake."""
    return side < MIN_FACE


def is_small_fake(side: int, p_fake: float, band: tuple[float, float]) -> bool:
    """Whether a face looks fake, but is too small to be called so."""
    return too_small(side) and label_of(p_fake, band) == FAKE


def face_label(p_fake: float, side: int, band: tuple[float, float]) -> str:
    """The label of one face: that of its probability, but "unsure" for "fake" where the face is too small to judge."""
    return UNSURE if is_small_fake(side, p_fake, band) else label_of(p_fake, band)


def weigh(faces: Sequence[ScoredFace], band: tuple[float, float]) -> tuple[str, float]:
    """What the faces of a picture come to together. The only place where a picture's label is made of its faces'.

    "fake" where `together` reaches the band's upper end, without faces that are too small; one whose label is "unsure"
    for another reason than its score, because it does not hold (see `evidence.robustness`), counts as just
    below. "real" where every face is, the small ones too. Otherwise "unsure".

    Args:
        faces: at least one, in any order.
        band: the unsure band (low, high) in 0..1.

    Returns:
        The label and p_fake, 0..1. Without faces that are unsure for another reason than their score,
        `label_of(p_fake, band)` is the label. It is never below the band's lower end where a face is above.
    """
    high = band[1]
    worst = max(face.p_fake for face in faces)
    counted = [face for face in faces if not too_small(face.side)] or faces
    p_fake = float(picture_p_fake(np.array([face.p_fake for face in counted]), band, worst))
    weights = [face.p_fake if face.label == FAKE else min(face.p_fake, math.nextafter(high, 0)) for face in counted]
    if together(np.array(weights), high) >= high:
        return FAKE, p_fake
    return REAL if all(face.label == REAL for face in faces) else UNSURE, p_fake


def picture_p_fake(p_fake: np.ndarray, band: tuple[float, float], worst: np.ndarray | float) -> np.ndarray:
    """The chance that a picture is fake: `together`, but never "real" where the score of a face is not.

    Args:
        p_fake: [..., N] of the faces that count.
        band: the unsure band.
        worst: [...] the highest of all faces.

    Returns:
        [...] in 0..1; for one face alone, its own.
    """
    low, high = band
    not_real = min(math.nextafter(low, 1), math.nextafter(high, 0))
    return np.maximum(together(p_fake, high), np.minimum(worst, not_real))


def together(p_fake: np.ndarray, high: float) -> np.ndarray:
    """The chance that a picture is fake, from those of its N faces, see the head of this file.

    The mean of the odds, in which each counts with at most ALONE times those of `high`, or their geometric mean if
    that is more. Exactly the face's own for N = 1. It lies between the lowest and the highest, rises with each of them,
    does not fall when a face is added that is at least as suspicious, and does not depend on their order.

    Args:
        p_fake: [..., N] strictly within 0..1, as `deepfake_detect.model.onnx_model.probability` gives it.
        high: upper end of the unsure band, 0.5..1.

    Returns:
        [...] in 0..1.
    """
    p = np.sort(np.asarray(p_fake, np.float64))  # in one order, so that the last digit does not depend on theirs
    if p.shape[-1] == 1:
        return p[..., 0]
    with np.errstate(divide="ignore"):  # of a `high` of 1, which none reaches
        log_odds = np.log(p) - np.log1p(-p)
        most = np.log(ALONE) + np.log(high) - np.log1p(-high)
        arithmetic = np.log(np.exp(np.minimum(log_odds, most)).mean(-1))
        chance = 1 / (1 + np.exp(-np.maximum(arithmetic, log_odds.mean(-1))))
    return np.clip(chance, p[..., 0], p[..., -1])


def remarks(faces: Sequence[ScoredFace], label: str, band: tuple[float, float]) -> list[Reason]:
    """Why a picture of this label is not called fake for faces that look so."""
    if label == FAKE:
        return []
    fakes = sum(face.label == FAKE for face in faces)
    counted = sum(not too_small(face.side) for face in faces)
    small = any(is_small_fake(face.side, face.p_fake, band) for face in faces)
    subject = ONE if fakes == 1 else (SEVERAL[0].format(fakes), SEVERAL[1])
    return [Reason("among_many_faces", MANY.format(*subject, counted))] * (fakes > 0) + [SMALL] * small
