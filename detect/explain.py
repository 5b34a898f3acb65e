"""A verdict in plain words, with the measured error rate behind it."""

import html
import math
from collections.abc import Sequence

from detect.claims import CAVEAT, Claim, speaks_of_ai
from detect.model import Metadata
from detect.stability import Stability
from detect.verdict import FAKE, REAL, UNSURE, Face, Verdict, suspicious
from detect.video import VideoVerdict

WORDS = {REAL: "Real", FAKE: "Fake", UNSURE: "Not sure"}
CLAIM_KINDS = {"generator": "AI generator", "credentials": "Content Credentials", "software": "Software",
               "camera": "Camera", "date": "Date"}  # fmt: skip
NO_CLAIMS = (
    "Nothing on its origin was found in this file. Most platforms remove what a camera or a program has written."
)
FLIPPED = "**The score of this face does not hold**: after {} it points the other way, so this face is “Not sure”."
FLIPPED_LATE = (
    "**The score of this face does not hold**: after {} it points the other way. It was tried only now, as more "
    "suspicious faces are there, and has kept its verdict; do not rely on it."
)
HELD = "It holds: no change that leaves enough of the face to judge makes it point the other way."
UNDECIDED = "The detector is not sure of this face as it is."
CLAIMED_AI = (
    "The file says of itself that generative AI had a part in it: {}. That is a claim, not proof, and no part of the "
    "verdict."
)
NO_FACE_FOUND = "No face was found"
NO_FACE_ADVICE = "If there is one, try a picture that shows it larger, sharper or from the front."
TOOL = "Mobile Deepfake Detector"
MAX_SHOWN = 12  # faces framed and named one by one
CAUTION = "A verdict is evidence, not proof."
VIDEO_ERROR = "How often this model is wrong about videos has not been measured; its rates of error are of photographs."


def floor_percent(share: float) -> str:
    """A share that is good when large, never rounded up: 0.8149 -> "81.4 %"."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:.1f} %"


def ceil_percent(share: float) -> str:
    """A share that is bad when large, never rounded down: 0.1521 -> "15.3 %"."""
    return f"{math.ceil(share * 1000 - 1e-9) / 10:.1f} %"


def in_100(p_fake: float) -> str:
    """A chance in words, never as a certainty: 0.998 -> "more than 99 in 100"."""
    hundredths = round(p_fake * 100)
    if not 1 <= hundredths <= 99:
        return f"{'less than 1' if hundredths < 1 else 'more than 99'} in 100"
    return f"{hundredths} in 100"


def headline(verdict: Verdict | VideoVerdict) -> str:
    """The answer in one glance: "The image is Real", "The image is Fake", or that the detector is not sure, or had no
    face to judge."""
    if not verdict.faces:
        return NO_FACE_FOUND
    judged = "video" if isinstance(verdict, VideoVerdict) else "image"
    if verdict.label == UNSURE:
        return f"Not sure whether the {judged} is real or fake"
    return f"The {judged} is {WORDS[verdict.label]}"


def explain(verdict: Verdict, metadata: Metadata, claims: Sequence[Claim] = ()) -> list[str]:
    """Sentences on a verdict: what the file claims of AI, what was judged, how sure that is, how often such verdicts
    were wrong, caution. A claim may hold markup: escape it before it goes on a page."""
    of_ai = [claim.text for claim in claims if speaks_of_ai(claim)]
    claimed = [CLAIMED_AI.format("; ".join(of_ai))] if of_ai else []
    if not verdict.faces:
        return [*claimed, *verdict.reasons, NO_FACE_ADVICE]
    return [*claimed, _judged(verdict), *verdict.reasons, error_rate(verdict.label, metadata), CAUTION]


def explain_video(verdict: VideoVerdict) -> list[str]:
    """Sentences on a video: what was judged, face by face, what weakens it, caution."""
    judged = f"{verdict.frames} frames, spread over {verdict.seconds:.1f} seconds, were judged one by one."
    faces = [
        f"Face {face.number}, seen in {face.frames} of them: {WORDS[face.label] if face.has_say else 'left out'}, with "
        f"a chance of {in_100(face.p_fake)} that it is fake."
        for face in suspicious(verdict.faces)[:MAX_SHOWN]
    ]
    more = [f"{len(verdict.faces) - MAX_SHOWN} more faces, less suspicious, are not listed."]
    return [judged, *faces, *more[: len(verdict.faces) > MAX_SHOWN], *verdict.reasons, VIDEO_ERROR, CAUTION]


def holds(tested: Stability, counted: bool = True) -> str:
    """How a face's score fares under small changes, in Markdown; `counted`: whether the verdict has taken it in."""
    scores = "; ".join(f"{again.name}: {in_100(again.p_fake)}" for again in tested.rescores)
    flips = (
        (FLIPPED if counted else FLIPPED_LATE).format(" and ".join(tested.flips))
        if tested.flips
        else UNDECIDED
        if tested.face.label == UNSURE
        else HELD
    )
    return f"Chance of being fake as it is: {in_100(tested.face.p_fake)}; {scores}. {flips}"


def claims_text(claims: tuple[Claim, ...]) -> str:
    """What a file says of itself, in HTML; those are its own words, so nothing in them may work as markup."""
    if not claims:
        return NO_CLAIMS
    rows = (f"<li>{CLAIM_KINDS[c.kind]} ({c.source}): {html.escape(c.text)}</li>" for c in claims)
    return f"<p>{CAVEAT}</p><ul>{''.join(rows)}</ul>"


def face_name(number: int, label: str) -> str:
    """How a face is called in pictures and sentences: "1: Real"."""
    return f"{number}: {WORDS[label]}"


def faces_shown(verdict: Verdict) -> list[tuple[str, Face]]:
    """The faces worth showing, with their names: the most suspicious first, at most MAX_SHOWN of a crowd."""
    ranked = suspicious(verdict.faces)[:MAX_SHOWN]
    return [(face_name(number, face.label), face) for number, face in enumerate(ranked, 1)]


def _judged(verdict: Verdict) -> str:
    score = in_100(verdict.p_fake)
    if len(verdict.faces) == 1:
        return f"One face was found and judged; the detector gives a chance of {score} that it is fake."
    listed = ", ".join(f"{name} ({in_100(face.p_fake)})" for name, face in faces_shown(verdict))
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
