"""A verdict in plain words."""

import html
import math
from collections.abc import Mapping, Sequence

from deepfake_detect.crowd import too_small
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.picture.provenance import CAVEAT, Claim, speaks_of_ai
from deepfake_detect.verdict import CATEGORIES, FAKE, KINDS, NO_FACE, REAL, UNSURE, Face, Verdict, suspicious
from deepfake_detect.video.video_verdict import VideoVerdict

WORDS = {REAL: "Real", FAKE: "Fake", UNSURE: "Not sure", NO_FACE: "No face"}
CLAIM_KINDS = {"generator": "AI generator", "credentials": "Content Credentials", "software": "Software",
               "camera": "Camera", "date": "Date"}  # fmt: skip
NO_CLAIMS = (
    "Nothing on its origin was found in this file. Most platforms remove what a camera or a program has written."
)
# What a claim of Content Credentials is worth, by its code
CREDENTIALS_WORTH = {
    "credentials_valid": "A valid signature shows who wrote the Content Credentials, and that nothing was changed "
    "since; not that what they say is true.",
    "credentials_valid_untrusted": "The signature shows that nothing was changed since it was made. It does not show "
    "by whom: anyone can make one in any name, and no list of trusted signers has this one.",
    "credentials_invalid": "No valid signature vouches any more for what these Content Credentials say.",
}
FLIPPED = "**The score of this face does not hold**: after {} it points the other way, so this face is “Not sure”."
FLIPPED_UNCOUNTED = (
    "**The score of this face does not hold**: after {} it points the other way. The verdict does not take that in; do "
    "not rely on it."
)
UNSTABLE = (
    "After a small change ({}) the score of a face points the other way. The verdict does not take that in; rely on it "
    "the less."
)
HELD = "It holds: no change that leaves enough of the face to judge makes it point the other way."
HELD_UNSURELY = (
    "No change that leaves enough of the face to judge makes it point the other way, but some leave the detector "
    "unsure of it."
)
LIKE = "Of the kinds of fakes that this model tells apart it is most like {}."
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


def counted(categories: Mapping[str, int]) -> str:
    """Numbers of pictures by category in words: "3 Fake, 5 Not sure, 4 Real, 1 No face", the last where there are."""
    said = (category for category in CATEGORIES if category != NO_FACE or categories[category])
    return ", ".join(f"{categories[category]} {WORDS[category]}" for category in said)


def headline(verdict: Verdict | VideoVerdict) -> str:
    """The answer in one glance: "The image is Real", "The image is Fake", or that the detector is not sure, or had no
    face to judge."""
    if not verdict.faces:
        return NO_FACE_FOUND
    judged = "video" if isinstance(verdict, VideoVerdict) else "image"
    if verdict.label == UNSURE:
        return f"Not sure whether the {judged} is real or fake"
    return f"The {judged} is {WORDS[verdict.label]}"


def explain(
    verdict: Verdict, rates: Mapping[str, str], claims: Sequence[Claim] = (), stability: Sequence[Stability] = ()
) -> list[str]:
    """Sentences on a verdict: what the file claims of AI, what was judged, how sure that is, of which kind a fake is,
    whether it holds under small changes, how often such verdicts were wrong, caution. A claim may hold markup: escape
    it before it goes on a page.

    Args:
        verdict: on one photograph.
        rates: sentences by label, see `deepfake_detect.report.card_texts.error_rates`.
        claims: of its file.
        stability: of its faces, as far as they were scored again.
    """
    of_ai = [claim.text for claim in claims if speaks_of_ai(claim)]
    claimed = [CLAIMED_AI.format("; ".join(of_ai))] if of_ai else []
    if not verdict.faces:
        return [*claimed, *map(str, verdict.reasons), NO_FACE_ADVICE]
    labels = {face.box: face.label for face in verdict.faces}
    warned = _unstable([tested for tested in stability if labels[tested.face.box] != UNSURE])
    reasons = map(str, verdict.reasons)
    kinds = [like(verdict.kind)] if verdict.kind else []
    return [*claimed, what_was_judged(verdict), *kinds, *reasons, *warned, rates[verdict.label], CAUTION]


def like(kind: str) -> str:
    """What a fake is most like, as a sentence; of a kind that is not known here its code."""
    return LIKE.format(KINDS.get(kind, kind))


def explain_video(verdict: VideoVerdict, error: str) -> list[str]:
    """Sentences on a video: what was judged, face by face, of which kind a fake is, what weakens it, how often such are
    wrong, caution.

    Args:
        verdict: on the video.
        error: see `deepfake_detect.report.video_error.video_error`.
    """
    judged = f"{verdict.frames} frames, spread over {verdict.seconds:.1f} seconds, were judged one by one."
    faces = [
        f"Face {face.number}, seen in {face.frames} of them: {WORDS[face.label] if face.counts else 'left out'}, with "
        f"a chance of {in_100(face.p_fake)} that it is fake."
        for face in suspicious(verdict.faces)[:MAX_SHOWN]
    ]
    more = [f"{len(verdict.faces) - MAX_SHOWN} more faces, less suspicious, are not listed."]
    more = more[: len(verdict.faces) > MAX_SHOWN]
    labels = {face.number: face.label for face in verdict.faces}
    warned = _unstable([tested for number, tested in verdict.stability.items() if labels[number] != UNSURE])
    kinds = [like(verdict.kind)] if verdict.kind else []
    return [judged, *faces, *more, *kinds, *map(str, verdict.reasons), *warned, error, CAUTION]


def _unstable(stability: Sequence[Stability]) -> list[str]:
    """One sentence on faces that do not hold, where the verdict has not taken that in."""
    changes = dict.fromkeys(name for tested in stability for name in tested.flips)
    return [UNSTABLE.format(", ".join(changes))] if changes else []


def holding(tested: Stability, label: str) -> str:
    """Whether a face's score holds under small changes, in Markdown; `label`: of the face in the verdict, "unsure"
    where that has taken it in, or for a reason of its own."""
    if tested.flips:
        return (FLIPPED if label == UNSURE else FLIPPED_UNCOUNTED).format(" and ".join(tested.flips))
    if UNSURE in (tested.face.label, label):
        return UNDECIDED
    return HELD_UNSURELY if any(again.label == UNSURE for again in tested.fair) else HELD


def claims_said(claims: Sequence[Claim]) -> list[str]:
    """What the claims of a file are worth: a sentence on all of them, and one on its Content Credentials where those
    were checked; that there are none where there are none."""
    if not claims:
        return [NO_CLAIMS]
    return [CAVEAT, *(CREDENTIALS_WORTH[claim.code] for claim in claims if claim.code in CREDENTIALS_WORTH)]


def claims_text(claims: tuple[Claim, ...]) -> str:
    """What a file says of itself, in HTML; those are its own words, so nothing in them may work as markup."""
    if not claims:
        return NO_CLAIMS
    rows = (f"<li>{CLAIM_KINDS[c.kind]} ({c.source}): {html.escape(c.text)}</li>" for c in claims)
    return f"<p>{' '.join(claims_said(claims))}</p><ul>{''.join(rows)}</ul>"


def face_name(number: int, label: str) -> str:
    """How a face is called in pictures and sentences: "1: Real"."""
    return f"{number}: {WORDS[label]}"


def faces_shown(verdict: Verdict) -> list[tuple[str, Face]]:
    """The faces worth showing, with their names: the most suspicious first, at most MAX_SHOWN of a crowd."""
    ranked = suspicious(verdict.faces)[:MAX_SHOWN]
    return [(face_name(number, face.label), face) for number, face in enumerate(ranked, 1)]


def what_was_judged(verdict: Verdict) -> str:
    """One sentence on the faces of a verdict that has some, each with its chance of being fake."""
    score = in_100(verdict.p_fake)
    if verdict.faces_found == 1:
        return f"One face was found and judged; the detector gives a chance of {score} that it is fake."
    listed = ", ".join(f"{name} ({in_100(face.p_fake)})" for name, face in faces_shown(verdict))
    more = f", and {len(verdict.faces) - MAX_SHOWN} less suspicious" if len(verdict.faces) > MAX_SHOWN else ""
    small = sum(too_small(face.side) for face in verdict.faces)
    weighed = f" {small} of them are too small to make it fake." if small > 1 else ""
    weighed = " One of them is too small to make it fake." if small == 1 else weighed
    judged = "" if not verdict.faces_left_out else f"the {len(verdict.faces)} largest of them "
    return (
        f"{verdict.faces_found} faces were found and {judged}judged, the most suspicious first, each with its chance "
        f"of being fake by itself: {listed}{more}.{weighed} Weighed together, so that "
        f"false alarms do not add up with the number of faces, they give a chance of {score} that the picture is fake."
    )
