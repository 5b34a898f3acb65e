"""The pictures of a split, judged the way they are served: file -> Detector -> verdict."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from tqdm import tqdm

from deepfake_detect.detector import THOROUGH, Detector
from deepfake_detect.errors import PictureError
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import Verdict
from train.data import DataError, Sample
from train.metrics import named


@dataclass(frozen=True)
class ScoredSet:
    """The readable pictures of a split and what the detector says of them."""

    samples: list[Sample]
    verdicts: list[Verdict]
    unreadable: list[dict]  # {"picture", "reason"}

    @property
    def p_fake(self) -> np.ndarray:
        return np.array([verdict.p_fake for verdict in self.verdicts])

    @property
    def labels(self) -> np.ndarray:
        return np.array([sample.label for sample in self.samples], dtype=np.int64)

    @property
    def sources(self) -> np.ndarray:
        return named(np.array([sample.source for sample in self.samples]))

    @property
    def kinds(self) -> np.ndarray:
        """[N] of str, see train.kinds; "other" where it is not known."""
        return np.array([sample.kind or "other" for sample in self.samples])

    @property
    def said(self) -> np.ndarray:
        """[N] of "real" | "fake" | "unsure"."""
        return np.array([verdict.label for verdict in self.verdicts])


def judge(
    detector: Detector,
    samples: Sequence[Sample],
    opened: Callable = open_picture,
    name: str = "",
    thorough: bool = THOROUGH,
) -> ScoredSet:
    """Judge pictures as served.

    Args:
        detector: with the model to measure.
        samples: of one split.
        opened: path -> [H, W, 3] uint8; may degrade a picture before the face is looked for.
        name: beside the progress bar.
        thorough: see `Detector.predict`.

    Raises:
        DataError: no readable pictures of one class.
    """

    def judged_one(sample: Sample) -> Verdict | PictureError:
        try:
            return detector.examine(opened(sample.path), thorough, use_all_cores=False).verdict
        except PictureError as error:
            return error

    judged, verdicts, unreadable = [], [], []
    progress = tqdm(total=len(samples), desc=name, unit="picture", disable=None)
    with ThreadPoolExecutor(cpu_count()) as pool, progress:
        for sample, result in zip(samples, pool.map(judged_one, samples), strict=True):
            if isinstance(result, PictureError):
                unreadable.append({"picture": sample.path.name, "reason": str(result)})
            else:
                judged.append(sample)
                verdicts.append(result)
            progress.update()
    if {sample.label for sample in judged} != {0, 1}:
        raise DataError(f"The split {samples[0].split if samples else ''} needs readable pictures of both classes.")
    return ScoredSet(judged, verdicts, unreadable)
