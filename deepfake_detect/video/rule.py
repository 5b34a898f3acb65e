"""The scores of one face in many frames -> one: a rule that the model file carries, or the one that holds without."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from deepfake_detect.model.onnx_model import Metadata

LEAST_SHARPNESS = 1e-3  # counted for a face of one grey, whose weight were 0


@dataclass(frozen=True)
class VideoRule:
    """How frames are averaged and decided. What is fitted stands in the metadata of a model file, see `of`.

    The average is one of log-odds, because near 0 and 1 probabilities hardly differ where the evidence does; a part is
    left out at each end, so that no single frame decides. The median would be as robust, but is blind to a face that is
    fake through a third of the video; here that third pulls the mean towards doubt. A mean and not a sum, because
    frames of one video repeat each other: sixty of them are no sixty witnesses.
    """

    unsure_band: tuple[float, float]  # of a face in all its frames, and of the video
    trim: float = 0.1  # share of a face's frames left out at each end, rounded up to whole frames; under 0.5
    size_power: float = 0.0  # a frame weighs as much as pixels of the face's longer side to the power of this
    sharpness_power: float = 0.0  # and as its sharpness, see `deepfake_detect.face.quality`, to this
    temperature: float = 1.0  # the mean of log-odds is divided by it

    @classmethod
    def of(cls, metadata: Metadata) -> "VideoRule":
        """The rule that a model file carries; where it has none, the plain trimmed mean and its band for pictures."""
        if not metadata.video:
            return cls(metadata.unsure_band)
        low, high = metadata.video["unsure_band"]
        return cls(**metadata.video | {"unsure_band": (low, high)})

    def to_dict(self) -> dict:
        """As `Metadata.video`."""
        return asdict(self) | {"unsure_band": list(self.unsure_band)}

    def log_odds(self, p_fake: Sequence[float], sides: Sequence[int], sharpness: Sequence[float]) -> float:
        """The mean of a face's log-odds, before the temperature.

        Args:
            p_fake: [N] of its frames, strictly within 0..1.
            sides: [N] pixels on its longer side.
            sharpness: [N], 0 or more.
        """
        clear = np.maximum(np.asarray(sharpness, np.float64), LEAST_SHARPNESS)
        weights = np.asarray(sides, np.float64) ** self.size_power * clear**self.sharpness_power
        return trimmed_mean(log_odds(p_fake), weights, self.trim)

    def p_fake(self, mean: float) -> float:
        """The calibrated probability, strictly within 0..1, of what `log_odds` gives."""
        return float(1 / (1 + np.exp(-np.clip(mean / self.temperature, -36, 36))))

    def frame_p_fake(self, p_fake: float) -> float:
        """What one frame's probability (0..1) is on the scale of this rule, by whose band a video is judged."""
        return self.p_fake(float(log_odds([p_fake])[0]))

    def untempered(self, p_fake: float) -> float:
        """The probability, strictly within 0..1, that gave this one when the temperature was 1; 0 and 1 stay."""
        if p_fake in (0, 1):
            return p_fake
        odds = math.log(p_fake) - math.log1p(-p_fake)
        return float(1 / (1 + np.exp(-np.clip(odds * self.temperature, -36, 36))))


def trimmed_mean(values: np.ndarray, weights: np.ndarray, trim: float) -> float:
    """The weighted mean of values [N] less the lowest and the highest.

    What is left out at each end is the share of the weights that ceil(trim * N) of N equal ones have; a value at the
    edge may count in part. Of one or two values nothing is left out, of more at least one value's worth stays.
    """
    count, order = len(values), np.argsort(values, kind="stable")
    values, weights = values[order], weights[order] / weights.sum()
    cut = min(math.ceil(trim * count), (count - 1) // 2) / count if count > 2 else 0.0
    edges = np.clip(np.concatenate([[0.0], np.cumsum(weights)]), cut, 1 - cut)
    left = np.diff(edges)
    return float((values * left).sum() / left.sum())


def log_odds(p_fake: Sequence[float]) -> np.ndarray:
    """[N] in 0..1 -> [N]."""
    p = np.asarray(p_fake, np.float64)
    return np.log(p) - np.log1p(-p)
