"""A verdict in plain words, with the measured error rate behind it."""

import math

from detect.model import Metadata
from detect.verdict import FAKE, REAL, UNSURE, Face, Verdict

WORDS = {REAL: "Real", FAKE: "Fake", UNSURE: "Not sure"}
MAX_SHOWN = 12  # faces framed and named one by one
CAUTION = "A verdict is evidence, not proof."


def floor_percent(share: float) -> str:
    """A share that is good when large, never rounded up: 0.8149 -> "81.4 %"."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:.1f} %"


def ceil_percent(share: float) -> str:
    """A share that is bad when large, never rounded down: 0.1521 -> "15.3 %"."""
    return f"{math.ceil(share * 1000 - 1e-9) / 10:.1f} %"


def headline(verdict: Verdict) -> str:
    """The answer in one glance: "The image is Real", "The image is Fake", or that the detector is not sure."""
    if verdict.label == UNSURE:
        return "Not sure whether the image is real or fake"
    return f"The image is {WORDS[verdict.label]}"


def explain(verdict: Verdict, metadata: Metadata) -> list[str]:
    """Sentences on a verdict: what was judged, how sure that is, how often such verdicts were wrong, caution."""
    return [_judged(verdict), *verdict.reasons, error_rate(verdict.label, metadata), CAUTION]


def face_name(number: int, label: str) -> str:
    """How a face is called in pictures and sentences: "1: Real"."""
    return f"{number}: {WORDS[label]}"


def faces_shown(verdict: Verdict) -> list[tuple[str, Face]]:
    """The faces worth showing, with their names: the most suspicious first, at most MAX_SHOWN of a crowd."""
    ranked = sorted(verdict.faces, key=lambda face: -face.p_fake)[:MAX_SHOWN]
    return [(face_name(number, face.label), face) for number, face in enumerate(ranked, 1)]


def _judged(verdict: Verdict) -> str:
    score = f"{verdict.p_fake * 100:.0f} in 100"
    if not verdict.faces:
        return f"The detector gives a chance of {score} that the picture is fake."
    if len(verdict.faces) == 1:
        return f"One face was found and judged; the detector gives a chance of {score} that it is fake."
    listed = ", ".join(f"{name} ({face.p_fake * 100:.0f} in 100)" for name, face in faces_shown(verdict))
    more = f", and {len(verdict.faces) - MAX_SHOWN} less suspicious" if len(verdict.faces) > MAX_SHOWN else ""
    return (
        f"{len(verdict.faces)} faces were found and judged, the most suspicious first, each with its chance of being "
        f"fake: {listed}{more}. A picture counts as fake if any face in it does."
    )


def error_rate(label: str, metadata: Metadata) -> str:
    """One sentence on how often verdicts of this kind were wrong when the model was measured."""
    metrics = metadata.metrics
    if not metrics:
        return "How often this model is wrong has not been measured."
    decided = metrics["decided"]
    basis = f"{metrics['pictures']} pictures that it had not been trained on"
    if label == UNSURE:
        return (
            f"When this model was measured on {basis}, it said “Not sure” to {ceil_percent(1 - decided['coverage'])} "
            "of them rather than guess."
        )
    said = decided[f"said_{label}"]
    if not said["pictures"]:
        return f"When this model was measured on {basis}, it never said “{WORDS[label]}”, so its error is not known."
    return (
        f"When this model was measured on {basis}, {ceil_percent(said['wrong'] / said['pictures'])} of its "
        f"{said['pictures']} “{WORDS[label]}” verdicts were wrong. On kinds of fakes it has not met, expect more."
    )
