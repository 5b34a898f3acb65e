"""The result for one photograph, or one video, to keep: as JSON. On paper: `deepfake_detect.report.pdf_report` and
`deepfake_detect.report.video_report`."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from deepfake_detect.evidence.robustness import Stability
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.content_credentials import ContentCredentials
from deepfake_detect.picture.decode import Downscaled
from deepfake_detect.picture.provenance import CAVEAT, Claim
from deepfake_detect.report import card_texts
from deepfake_detect.report.card import shipped_rates
from deepfake_detect.report.sentences import explain, explain_video
from deepfake_detect.verdict import Verdict, suspicious
from deepfake_detect.video.video_verdict import VideoVerdict


@dataclass(frozen=True)
class Picture:
    """Which picture a result is of."""

    name: str
    sha256: str  # of the file
    width: int  # in pixels, upright
    height: int

    @classmethod
    def of(cls, name: str, data: bytes, picture: Downscaled) -> "Picture":
        """Of a file's bytes and the picture that was decoded from them."""
        return cls(name, hashlib.sha256(data).hexdigest(), *picture.size)

    @property
    def size(self) -> str:
        """In words."""
        return card_texts.PIXELS.format(self.width, self.height)


@dataclass(frozen=True)
class Film:
    """Which video a result is of."""

    name: str
    sha256: str  # of the file
    bytes: int

    @classmethod
    def of(cls, name: str, path: str | Path) -> "Film":
        """Of a file, which is read once. Raises OSError."""
        with open(path, "rb") as file:
            return cls(name, hashlib.file_digest(file, "sha256").hexdigest(), file.tell())

    @property
    def size(self) -> str:
        """In words."""
        return card_texts.BYTES.format(self.bytes)


def result(
    picture: Picture,
    verdict: Verdict,
    stability: tuple[Stability, ...],
    claims: tuple[Claim, ...],
    model: Model,
    when: datetime,
    credentials: ContentCredentials | None = None,
    rates: Mapping[str, str] | None = None,
) -> dict:
    """Everything that is said of a photograph, as JSON-ready values.

    Args:
        picture: which one it is.
        verdict, stability: see `deepfake_detect.detector.Examined`.
        claims: see `deepfake_detect.picture.provenance.read_claims`.
        model: that judged it.
        when: time of the verdict, with its zone.
        credentials: of the file, where they were checked.
        rates: how often such verdicts were wrong, a sentence by label; of the shipped reports where they are not given.

    Returns:
        {"picture": {"name", "sha256", "width", "height"}, "verdict": see `Verdict.to_dict`, but each face with its
        "number" and in that order, "explanation": sentences, "stability": [{"number", "face": as it was judged at
        first, "rescores": [{"name", "p_fake", "label"}]}], "claims": [{"kind", "source", "text", "code"}],
        "claims_caveat": sentence, "content_credentials": see `ContentCredentials`, null where they were not checked,
        "model": {"sha256", "recipe"}, "time": ISO 8601}
    """
    ranked = suspicious(verdict.faces)
    faces = [{"number": number, **face.to_dict()} for number, face in enumerate(ranked, 1)]
    numbers = {face.box: number for number, face in enumerate(ranked, 1)}
    return {
        "picture": asdict(picture),
        "verdict": {**verdict.to_dict(), "faces": faces},
        "explanation": explain(verdict, rates or shipped_rates(model.sha256), claims, stability),
        "stability": [_tested(numbers[tested.face.box], tested) for tested in stability],
        "claims": [asdict(claim) for claim in claims],
        "claims_caveat": CAVEAT,
        "content_credentials": asdict(credentials) if credentials else None,
        **_by(model, when),
    }


def video_result(film: Film, verdict: VideoVerdict, error: str, model: Model, when: datetime) -> dict:
    """Everything that is said of a video, as JSON-ready values.

    Args:
        film: which one it is.
        verdict: on it, with its stability.
        error: see `deepfake_detect.report.video_error.video_error`.
        model: that judged it.
        when: time of the verdict, with its zone.

    Returns:
        {"video": {"name", "sha256", "bytes"}, "verdict": see `VideoVerdict.to_dict`, and as `result` has them
        "explanation", "stability", "model" and "time"}
    """
    return {
        "video": asdict(film),
        "verdict": verdict.to_dict(),
        "explanation": explain_video(verdict, error),
        "stability": [_tested(number, tested) for number, tested in verdict.stability.items()],
        **_by(model, when),
    }


def _tested(number: int, tested: Stability) -> dict:
    return {"number": number, **asdict(tested), "face": tested.face.to_dict()}


def _by(model: Model, when: datetime) -> dict:
    return {
        "model": {"sha256": model.sha256, "recipe": model.metadata.recipe},
        "time": when.isoformat(timespec="seconds"),
    }
