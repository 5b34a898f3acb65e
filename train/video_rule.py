"""The rule that makes one verdict of many frames, fitted on val: weights, trimming, temperature and band."""

import argparse
import json
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import onnx
from scipy.optimize import minimize_scalar

from deepfake_detect.atomic_files import atomic_write, write_text
from deepfake_detect.detector import Detector
from deepfake_detect.model.onnx_model import Metadata
from deepfake_detect.video.rule import VideoRule
from train.calibrate import MIN_DECIDED
from train.clip_scores import ScoredClips
from train.data import DataError
from train.evaluate_videos import add_clip_arguments, scored
from train.metrics import binary_metrics

TRIMS = (0.0, 0.1, 0.2, 0.3, 0.4)
POWERS = (0.0, 0.5, 1.0)
TEMPERATURES = (-1.5, 1.5)  # natural logarithms: a rule makes an average at most four times as sure
FALSE_ALARMS = 0.05  # of the real clips of val, at most


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    add_clip_arguments(parser)
    parser.add_argument("--accuracy", type=float, default=0.95, help="asked outside the unsure band (default: 0.95)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the model file to write (default: the model itself)")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write what was tried there")


def run(args: argparse.Namespace) -> int:
    """The command `python -m train video-rule`; returns its exit status."""
    if not 0.5 < args.accuracy < 1:
        raise DataError(f"--accuracy {args.accuracy} must be over 0.5 and under 1.")
    detector = Detector(args.model)
    clips, judged = scored(args, detector, ("val",))
    rule, tried = fit_rule(judged, detector.metadata.unsure_band, args.accuracy)
    out = args.out or args.model
    write_rule(detector, rule, out)
    print(f"{out}: {json.dumps(rule.to_dict())}, fitted on {len(judged.clips)} clips of val")
    if args.report:
        said = {"data_sha256": clips.sha256, "clips": len(judged.clips), "rule": rule.to_dict(), "tried": tried}
        args.report.parent.mkdir(parents=True, exist_ok=True)
        write_text(args.report, json.dumps(said, indent=1) + "\n")
    return 0


def write_rule(detector: Detector, rule: VideoRule, out: Path) -> Metadata:
    """Write a detector's model file with this rule; the network and all else stay as they are."""
    proto = onnx.load(detector.model.path)
    kept = {entry.key: entry.value for entry in proto.metadata_props}  # also what `Metadata` does not know
    metadata = replace(detector.metadata, video=rule.to_dict())
    onnx.helper.set_model_props(proto, kept | metadata.to_properties())
    with atomic_write(out) as partial:
        onnx.save(proto, partial)
    return metadata


@dataclass(frozen=True)
class _Fitted:
    """One way of averaging, and what it is worth on clips of groups that its temperature was not fitted on."""

    rule: VideoRule
    loss: np.ndarray  # [N] of every clip, weighted so that both classes count the same
    auc: float

    @property
    def complexity(self) -> tuple:
        """Of rules that are as good, the one with the lowest is taken: few weights, and little changed."""
        plain = VideoRule(self.rule.unsure_band)
        return self.rule.size_power + self.rule.sharpness_power, abs(self.rule.trim - plain.trim)

    def to_dict(self) -> dict:
        return {"trim": self.rule.trim, "size_power": self.rule.size_power,
                "sharpness_power": self.rule.sharpness_power, "temperature": self.rule.temperature,
                "loss": float(self.loss.mean()), "auc": self.auc}  # fmt: skip


def fit_rule(judged: ScoredClips, band: tuple[float, float], accuracy: float) -> tuple[VideoRule, list[dict]]:
    """Choose on the clips of val.

    Trim and weights are those with the least loss where a group's clips are judged with a temperature that was fitted
    on the other groups; of rules whose loss is not clearly larger (less than one standard error of the difference, over
    groups), the simplest. Then the temperature of all clips, and the band, see `video_band`.

    Args:
        judged: clips of val, of both classes and of at least two groups.
        band: the model's, for pictures.
        accuracy: share of right verdicts asked outside the band.

    Returns:
        The rule, and all that were tried, the best first.

    Raises:
        DataError: a class is missing, or there is one group only.
    """
    labels, groups = np.array([c.label for c in judged.clips]), np.array([c.group for c in judged.clips])
    if set(labels.tolist()) != {0, 1} or len(set(groups.tolist())) < 2:
        raise DataError("A rule needs readable clips of both classes and of several groups in val.")
    tried = []
    for trim, size, sharpness in product(TRIMS, POWERS, POWERS):
        rule = VideoRule(band, trim, size, sharpness)
        odds = _log_odds(judged, rule)
        loss = np.empty(len(odds))
        for group in sorted(set(groups.tolist())):
            own = groups == group
            loss[own] = _losses(odds[own], labels[own], _temperature(odds[~own], labels[~own]))
        loss *= _balance(labels)
        fitted = replace(rule, temperature=_temperature(odds, labels))
        tried.append(_Fitted(fitted, loss, binary_metrics(_chance(odds), labels)["auc"]))
    tried.sort(key=lambda one: float(one.loss.mean()))
    best = tried[0]
    alike = [one for one in tried if one.loss.mean() - best.loss.mean() <= _error(one.loss - best.loss, groups)]
    rule = min(alike, key=lambda one: one.complexity).rule
    p_fake = _chance(_log_odds(judged, replace(rule, temperature=1.0)) / rule.temperature)
    chosen = replace(rule, unsure_band=video_band(p_fake, labels, band, accuracy))
    return chosen, [one.to_dict() for one in tried]


def video_band(
    p_fake: np.ndarray, labels: np.ndarray, band: tuple[float, float], accuracy: float
) -> tuple[float, float]:
    """The unsure band of videos.

    Its upper end is the lowest from which on at most FALSE_ALARMS of the real clips are called fake, and the verdicts
    are right as often as asked; its lower end likewise, with fakes called real at most as often as may be wrong. An end
    that fewer than MIN_DECIDED clips of the class it errs on speak for is not moved inwards from the model's, which
    many pictures speak for.

    Args:
        p_fake: [N] of clips.
        labels: [N], 0 real, 1 fake; both occur.
        band: the model's, for pictures.
        accuracy: asked of the verdicts of either side.

    Returns:
        (low, high) in steps of 0.01, with 0 <= low <= 0.5 <= high <= 1.
    """
    real, fake = p_fake[labels == 0], p_fake[labels == 1]

    def holds(wrong: np.ndarray, right: np.ndarray, allowed: float) -> bool:
        said = wrong.sum() + right.sum()
        return bool(wrong.mean() <= allowed and (not said or right.sum() >= accuracy * said))

    highs = [high / 100 for high in range(50, 101) if holds(real >= high / 100, fake >= high / 100, FALSE_ALARMS)]
    lows = [low / 100 for low in range(50, -1, -1) if holds(fake <= low / 100, real <= low / 100, 1 - accuracy)]
    high, low = (highs or [1.0])[0], (lows or [0.0])[0]
    return (
        low if len(fake) >= MIN_DECIDED else min(low, band[0]),
        high if len(real) >= MIN_DECIDED else max(high, band[1]),
    )


def _log_odds(judged: ScoredClips, rule: VideoRule) -> np.ndarray:
    """[N] of whole clips, at the rule's temperature."""
    p_fake = np.clip([one.decided(rule)[1] for one in judged.scores], 1e-12, 1 - 1e-12)
    return np.log(p_fake) - np.log1p(-p_fake)


def _chance(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def _balance(labels: np.ndarray) -> np.ndarray:
    """Weights [N] with which both classes count the same, 1 in the mean."""
    return np.where(labels == 1, 0.5 / (labels == 1).mean(), 0.5 / (labels == 0).mean())


def _losses(odds: np.ndarray, labels: np.ndarray, temperature: float) -> np.ndarray:
    """Negative log-likelihood [N]."""
    return np.logaddexp(0, np.where(labels == 1, -odds, odds) / temperature)


def _temperature(odds: np.ndarray, labels: np.ndarray) -> float:
    """That minimises the balanced negative log-likelihood (Guo et al. 2017)."""
    weights = _balance(labels)

    def loss(log_temperature: float) -> float:
        return float((weights * _losses(odds, labels, float(np.exp(log_temperature)))).mean())

    return float(np.exp(minimize_scalar(loss, bounds=TEMPERATURES, method="bounded").x))


def _error(difference: np.ndarray, groups: np.ndarray) -> float:
    """Standard error of the mean of differences [N], over groups."""
    sums = np.array([difference[groups == group].sum() for group in sorted(set(groups.tolist()))])
    return float(np.std(sums, ddof=1) * np.sqrt(len(sums)) / len(difference))
