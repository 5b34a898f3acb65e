"""A model file's temperature and unsure band anew, from pictures held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from detect.crop import pixel_values
from detect.detector import BATCH, Detector
from detect.files import whole_file
from detect.model import Metadata
from detect.picture import PictureError
from train.calibrate import calibrate
from train.data import DataError, Sample, read_samples
from train.evaluate import evaluate, headline
from train.tiers import TIERS, open_degraded


def recalibrate(model: Path, data: Path, out: Path, tier: str, accuracy: float) -> Metadata:
    """Write a model file with the temperature and unsure band that suit the val split of a data folder.

    The network stays as it is. The figures inside the file are measured again, on the test split or, where the data
    has none, on val.

    Args:
        model: an ONNX file of this project.
        data: see `train.data.read_samples`; the model must not have been trained on its val split.
        out: the file to write; may be `model` itself.
        tier: of val, see `train.tiers`.
        accuracy: share of right verdicts asked outside the unsure band, 0.5..1.

    Returns:
        The new file's metadata.

    Raises:
        ModelError: the model cannot serve.
        DataError: the data cannot be used, or `accuracy` is no such share.
    """
    if not 0.5 < accuracy <= 1:
        raise DataError(f"--accuracy {accuracy} must be over 0.5, and at most 1.")
    detector = Detector(model)
    samples = read_samples(data, detector.metadata.seed, needed=("val",))
    logits, mirrored, labels = look_twice(detector, [s for s in samples if s.split == "val"], tier)
    if set(labels.tolist()) != {0, 1}:
        raise DataError(f"The val split of {data} needs readable pictures of both classes.")
    temperature, band = calibrate(logits, mirrored, labels, accuracy)
    metadata = replace(detector.metadata, temperature=temperature, unsure_band=band)
    split = "test" if any(sample.split == "test" for sample in samples) else "val"
    proto = onnx.load(detector.model.path)
    with whole_file(out) as partial:
        for described in (False, True):
            if described:
                figures = headline(evaluate(Detector(partial), samples, split, full=False))
                metadata = replace(metadata, metrics=figures)
            onnx.helper.set_model_props(proto, metadata.to_properties())
            onnx.save(proto, partial)
    print(f"{out}: temperature {temperature:.3f}, unsure between {band[0]:.2f} and {band[1]:.2f}")
    return metadata


def look_twice(detector: Detector, samples: list[Sample], tier: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits [N, 2] of the largest face of every readable picture, those of its mirror image, and labels [N]."""
    crops, labels = [], []
    for sample in samples:
        try:
            crops.append(detector.prepare(open_degraded(sample.path, tier)).crops[0])
        except PictureError as error:
            print(f"skipped {sample.path}: {error}")
            continue
        labels.append(sample.label)
    looks = [[], []]
    for start in range(0, len(crops), BATCH):
        some = np.stack(crops[start : start + BATCH])
        for look, view in zip(looks, (some, some[:, :, ::-1]), strict=True):
            look.append(detector.model.logits(pixel_values(view)))
    logits, mirrored = (np.concatenate(look) if look else np.empty((0, 2)) for look in looks)
    return logits, mirrored, np.array(labels, dtype=np.int64)


def add_arguments(parser) -> None:
    """Declare the arguments of `python -m export calibrate`."""
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--data", type=Path, required=True, help="folder with pictures held out, see train fit")
    parser.add_argument("--out", type=Path, help="default: the model file itself")
    parser.add_argument("--tier", choices=tuple(TIERS), default="web", help="state of the pictures (default: web)")
    parser.add_argument("--accuracy", type=float, default=0.95, help="asked outside the unsure band (default: 0.95)")
