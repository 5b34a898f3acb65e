"""A verdict on a photograph in one glance: word, gauge, why, what to do next, how often such verdicts are wrong."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake_detect.errors import FiguresError
from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.picture.provenance import OF_EDITING, Claim, speaks_of_ai
from deepfake_detect.report import card_texts as texts
from deepfake_detect.report.evaluation import REPORTS, read_report
from deepfake_detect.report.sentences import CLAIMED_AI, like
from deepfake_detect.verdict import FAKE, NO_FACE, REAL, UNSURE, Face, Verdict, label_of


@dataclass(frozen=True)
class Gauge:
    """A chance of being fake between 0 and 1; or, where the verdict does not rest on it, how far small changes move it.
    What is drawn is what `words` says: never both."""

    chance: float | None
    span: tuple[float, float] | None  # the lowest and the highest after small changes
    band: tuple[float, float]  # the unsure band

    @property
    def words(self) -> str:
        """The chance, or the range, in words: "93 in 100 that it is fake"."""
        if self.span:
            return texts.RANGE.format(*map(hundredths, self.span))
        return texts.GAUGE.format(hundredths(self.chance)) if self.chance is not None else ""


@dataclass(frozen=True)
class Card:
    """What is said of one photograph, in plain text. Claims of its file may hold markup: escape before showing it."""

    category: str  # of `deepfake_detect.verdict.CATEGORIES`
    said: str  # "The image is Fake": the answer as a whole sentence
    headline: str  # "Likely fake"
    leaning: str  # of an unsure score, otherwise ""
    gauge: Gauge | None  # None where there is no face
    why: str  # one sentence, or two where faces disagree
    advice: str  # what to do next, or how far to trust it; may be ""
    error_rate: str  # one sentence, "" where there is no face
    claim: str  # that the file says AI had a part in it, otherwise ""


def zones(band: tuple[float, float]) -> list[tuple[str, float, float]]:
    """The parts of the scale of a chance from 0 to 1: label, where it begins, where it ends.

    Args:
        band: the unsure band (low, high) of the model.
    """
    edges = (0.0, *band, 1.0)
    return list(zip((REAL, UNSURE, FAKE), edges, edges[1:], strict=False))


def hundredths(chance: float) -> str:
    """A chance 0..1 in hundredths, never as a certainty: "93", "< 1", "> 99"."""
    whole = round(chance * 100)
    if whole < 1:
        return "< 1"
    return "> 99" if whole > 99 else str(whole)


def card_of(
    verdict: Verdict,
    band: tuple[float, float],
    rates: Mapping[str, str],
    stability: Sequence[Stability] = (),
    claims: Sequence[Claim] = (),
) -> Card:
    """The card of a verdict.

    Args:
        verdict: on one photograph.
        band: the unsure band (low, high) of the model that gave it.
        rates: sentences by label, see `deepfake_detect.report.card_texts.error_rates`.
        stability: of its faces, as far as they were scored again.
        claims: of its file.
    """
    category, of_ai = verdict.category, [claim for claim in claims if speaks_of_ai(claim)]
    why, advice = _why(verdict, stability)
    decided = label_of(verdict.p_fake, band)
    part = texts.EDITED if all(claim.code in OF_EDITING for claim in of_ai) else texts.MADE
    return Card(
        category,
        texts.SAID[category],
        texts.FILE_SAYS[category].format(part) if of_ai else texts.HEADLINES[category],
        texts.LEANS[FAKE if verdict.p_fake >= 0.5 else REAL] if category == decided == UNSURE else "",
        None if category == NO_FACE else _picture_gauge(verdict, band, stability),
        why,
        advice,
        "" if category == NO_FACE else rates[verdict.label],
        CLAIMED_AI.format("; ".join(claim.text for claim in of_ai)) if of_ai else "",
    )


def face_gauge(face: Face, band: tuple[float, float], tested: Stability | None) -> Gauge:
    """The gauge of one face by itself; `tested`: its scores after small changes, if it was scored again."""
    moved = [tested] if tested and label_of(face.p_fake, band) != face.label else []
    return _gauge(face.p_fake, moved, band)


def shipped_rates(sha256: str, folder: Path = REPORTS) -> dict[str, str]:
    """`error_rates` of the model file with this SHA-256, from a folder that holds test/ and cross/, as far as there are
    reports of that model."""
    reports = {}
    for split in texts.SPLITS:
        try:
            reports[split] = read_report(folder / split, sha256)
        except FiguresError:
            continue  # not measured of this model
    return texts.error_rates(reports)


def and_disagreement(why: str, codes: Collection[str]) -> str:
    """`why` of a decided verdict, and that its faces got different verdicts if its reasons, by `codes`, say so."""
    return f"{why} {texts.UNSURE_WHY['faces_disagree']}" if "faces_disagree" in codes else why


def _picture_gauge(verdict: Verdict, band: tuple[float, float], stability: Sequence[Stability]) -> Gauge:
    if len(verdict.faces) == 1:
        return face_gauge(verdict.faces[0], band, stability[0] if stability else None)
    moved = [tested for tested in stability if tested.flips]
    agrees = not moved or label_of(verdict.p_fake, band) == verdict.label
    return _gauge(verdict.p_fake, [] if agrees else moved, band)


def _gauge(p_fake: float, moved: Sequence[Stability], band: tuple[float, float]) -> Gauge:
    """`moved`: the faces whose scores after small changes contradict the score; none where the verdict rests on it."""
    if not moved:
        return Gauge(p_fake, None, band)
    scores = [p_fake, *(again.p_fake for tested in moved for again in tested.rescores)]
    return Gauge(None, (min(scores), max(scores)), band)


def _why(verdict: Verdict, stability: Sequence[Stability]) -> tuple[str, str]:
    """Why, and what to do next."""
    codes = {reason.code for reason in verdict.reasons}
    if verdict.category == UNSURE:
        code = next((code for code in texts.UNSURE_WHY if code in codes), "uncertain")
        return texts.UNSURE_WHY[code], texts.ADVICE.get(code, texts.WHY[UNSURE])
    if verdict.category == NO_FACE:
        return texts.WHY[NO_FACE], ""
    labels = {face.box: face.label for face in verdict.faces}
    why = and_disagreement(like(verdict.kind) if verdict.kind else texts.WHY[verdict.label], codes)
    if any(tested.flips and labels.get(tested.face.box) != UNSURE for tested in stability):
        return why, texts.UNCOUNTED
    return why, next((said for code, said in texts.WARNED.items() if code in codes), "")
