"""The verdict: what every interface answers, as frozen dataclasses and as the JSON made from them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TypeVar

REAL, FAKE, UNSURE = "real", "fake", "unsure"
AnyFace = TypeVar("AnyFace")


@dataclass(frozen=True)
class Face:
    """One judged face."""

    box: tuple[int, int, int, int]  # left, top, right, bottom in pixels of the original, upright picture
    score: float  # confidence of the face finder, 0..1
    p_fake: float  # calibrated probability, 0..1
    label: str  # "real" | "fake" | "unsure"


@dataclass(frozen=True)
class Verdict:
    """What the detector says of one picture. A picture is fake if any of its faces is."""

    label: str  # "real" | "fake" | "unsure"
    p_fake: float  # calibrated probability, 0..1: of the face most likely to be fake
    confidence: float  # max(p_fake, 1 - p_fake), 0.5..1
    reasons: tuple[str, ...]  # why unsure, and warnings about quality; whole sentences
    faces: tuple[Face, ...]  # largest first; empty where no face was found

    def to_dict(self) -> dict:
        """The verdict as JSON-ready values."""
        return asdict(self)


def label_of(p_fake: float, unsure_band: tuple[float, float]) -> str:
    """The label of a probability: "fake" from the band's upper end, "unsure" above its lower end, else "real"."""
    low, high = unsure_band
    if p_fake >= high:
        return FAKE
    return UNSURE if p_fake > low else REAL


def worst_label(labels: Iterable[str]) -> str:
    """The label of several faces together: "fake" if any of them is, else "unsure" if any is, else "real".

    Raises:
        ValueError: there are no labels, or one is none of the three.
    """
    return max(labels, key=(REAL, UNSURE, FAKE).index)


def suspicious(faces: Iterable[AnyFace]) -> list[AnyFace]:
    """Faces with a `p_fake`, the most suspicious first."""
    return sorted(faces, key=lambda face: -face.p_fake)
