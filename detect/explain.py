"""A verdict in plain words, with the measured error rate behind it."""

import math

from detect.model import Metadata
from detect.verdict import FAKE, REAL, UNSURE, Verdict

WORDS = {REAL: "Real", FAKE: "Fake", UNSURE: "Not sure"}
MAX_LISTED = 12  # faces named one by one
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
    """How a face is called in pictures and sentences: "1: Real". Faces are numbered from 1, largest first."""
    return f"{number}: {WORDS[label]}"


def _judged(verdict: Verdict) -> str:
    score = f"{verdict.p_fake * 100:.0f} in 100"
    if not verdict.faces:
        return f"The detector gives a chance of {score} that the picture is fake."
    if len(verdict.faces) == 1:
        return f"One face was found and judged; the detector gives a chance of {score} that it is fake."
    listed = [f"{face_name(n, face.label)} ({face.p_fake * 100:.0f} in 100)" for n, face in enumerate(verdict.faces, 1)]
    more = f", and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return (
        f"{len(listed)} faces were found and judged, the largest first, each with its chance of being fake: "
        f"{', '.join(listed[:MAX_LISTED])}{more}. A picture counts as fake if any face in it does."
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
