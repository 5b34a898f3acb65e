"""A verdict on a video in one glance, as that of a photograph in `deepfake_detect.report.card`."""

from collections.abc import Mapping

from deepfake_detect.report import card_texts as texts
from deepfake_detect.report.card import Card, Gauge, and_disagreement
from deepfake_detect.report.sentences import headline, like
from deepfake_detect.verdict import FAKE, NO_FACE, REAL, UNSURE, label_of
from deepfake_detect.video.video_verdict import VideoVerdict

WHY = {
    FAKE: "The faces show what the faces of fakes showed in training.",
    REAL: "The faces show nothing that the faces of fakes showed in training.",
    NO_FACE: "Choose a video that shows a face larger, sharper or from the front.",
}
# What made a verdict unsure, the first that applies; the codes are those of `deepfake_detect.verdict.REASONS`
UNSURE_WHY = {
    "suspect_seldom_seen": "A face looks fake, but was seen too briefly to be judged.",
    "seldom_seen": "No face was seen long enough to be judged.",
    "contradicting_frames": "A face looks real in some frames and fake in others.",
    **texts.UNSURE_WHY,
}
ADVICE = "Try the original file, or a longer or larger copy."


def video_card(verdict: VideoVerdict, band: tuple[float, float], rates: Mapping[str, str]) -> Card:
    """The card of a verdict on a video.

    Args:
        verdict: on the video.
        band: the unsure band (low, high) of videos, see `deepfake_detect.video.rule.VideoRule`.
        rates: sentences by label, see `deepfake_detect.report.video_error.video_rates`.
    """
    category = verdict.label if verdict.faces else NO_FACE
    decided = label_of(verdict.p_fake, band)
    leans = texts.LEANS[FAKE if verdict.p_fake >= 0.5 else REAL] if category == decided == UNSURE else ""
    # Of a score that the verdict does not rest on there is nothing to show
    gauge = Gauge(verdict.p_fake, None, band) if category == decided else None
    why, advice = _why(verdict, category)
    return Card(
        category, headline(verdict), texts.HEADLINES[category], leans, gauge, why, advice,
        "" if category == NO_FACE else rates[verdict.label], "",
    )  # fmt: skip


def _why(verdict: VideoVerdict, category: str) -> tuple[str, str]:
    """Why, and what to do next."""
    codes = {reason.code for reason in verdict.reasons}
    if category == UNSURE:
        seldom = not any(face.counts for face in verdict.faces)
        known = (code for code in UNSURE_WHY if code in codes and (code != "seldom_seen" or seldom))
        return UNSURE_WHY[next(known, "uncertain")], ADVICE
    warned = next((said for code, said in texts.WARNED.items() if code in codes), "")
    if category == NO_FACE:
        return WHY[NO_FACE], ""
    return and_disagreement(like(verdict.kind) if verdict.kind else WHY[category], codes), warned
