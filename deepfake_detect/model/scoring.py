"""Face crops -> calibrated probabilities. Everything that needs one of either gets it here."""

from typing import NamedTuple

import numpy as np

from deepfake_detect.face.crop import pixel_values
from deepfake_detect.model.onnx_model import Model, Outputs, named_kinds, probability

BATCH = 32  # crops that become pixel values at a time: a crowd would fill the memory


class Scores(NamedTuple):
    """What is known of N faces."""

    p_fake: np.ndarray  # [N] float64, strictly within 0..1, calibrated
    # [N] what a face is most like if it is fake, of `deepfake_detect.verdict.KINDS`; None where that is not to be said
    kinds: tuple[str | None, ...]


def crop_outputs(model: Model, crops: np.ndarray, use_all_cores: bool = False) -> Outputs:
    """One look of the network at each crop, in runs of at most BATCH.

    Args:
        model: see `Model`.
        crops: [N, S, S, 3] uint8 RGB, N at least 1.
        use_all_cores: see `Model.outputs`.
    """
    starts = range(0, len(crops), BATCH)
    runs = [model.outputs(pixel_values(crops[start : start + BATCH]), use_all_cores) for start in starts]
    kinds = [run.kinds for run in runs if run.kinds is not None]
    return Outputs(np.concatenate([run.logits for run in runs]), np.concatenate(kinds) if kinds else None)


def crop_logits(model: Model, crops: np.ndarray, use_all_cores: bool = False) -> np.ndarray:
    """Of `crop_outputs` the logits, [N, 2] float32, unscaled: real, fake."""
    return crop_outputs(model, crops, use_all_cores).logits


def mean_outputs(model: Model, framed: np.ndarray, use_all_cores: bool = False) -> Outputs:
    """The mean of the logits of all looks at each face: each framing and, where the model's metadata say so, its mirror
    image. Not the mean of probabilities, of which one that is sure would outweigh those that doubt.

    Args:
        model: see `Model`.
        framed: [N, F, S, S, 3] uint8 RGB, N at least 1: of each face F framings, see `Metadata.looks`.
        use_all_cores: see `Model.outputs`.

    Returns:
        [N, 2] and [N, K] float64.
    """
    faces, framings = framed.shape[:2]
    looks = framings * (1 + model.metadata.looks.mirrored)
    together = max(1, BATCH // looks)  # faces whose looks are copied at a time
    means: list[Outputs] = []
    for start in range(0, faces, together):
        views = framed[start : start + together]
        if model.metadata.looks.mirrored:
            views = np.concatenate([views, views[:, :, :, ::-1]], axis=1)
        logits, of_kinds = crop_outputs(model, views.reshape(-1, *framed.shape[2:]), use_all_cores)
        means.append(Outputs(_mean(logits, looks), None if of_kinds is None else _mean(of_kinds, looks)))
    kinds = [mean.kinds for mean in means if mean.kinds is not None]
    return Outputs(np.concatenate([mean.logits for mean in means]), np.concatenate(kinds) if kinds else None)


def _mean(values: np.ndarray, looks: int) -> np.ndarray:
    """[N * looks, C] float32 -> [N, C] float64"""
    return values.reshape(-1, looks, values.shape[1]).mean(axis=1, dtype=np.float64)


def scores(model: Model, framed: np.ndarray, use_all_cores: bool = False) -> Scores:
    """How probably each face is fake, and of which kind, by the `mean_outputs` of all looks at it.

    Args:
        model: see `Model`; gives the temperature and the kinds.
        framed: [N, F, S, S, 3] uint8 RGB, see `mean_outputs`, or [N, S, S, 3], of one framing; N may be 0.
        use_all_cores: see `Model.outputs`.
    """
    if not len(framed):
        return Scores(np.empty(0), ())
    m = model.metadata
    logits, kinds = mean_outputs(model, framed if framed.ndim == 5 else framed[:, None], use_all_cores)
    named = (None,) * len(framed) if kinds is None or m.kinds is None else named_kinds(kinds, m.kinds)
    return Scores(probability(logits, m.temperature), named)


def score(model: Model, framed: np.ndarray, use_all_cores: bool = False) -> np.ndarray:
    """Of `scores` the probabilities, [N] float64."""
    return scores(model, framed, use_all_cores).p_fake
