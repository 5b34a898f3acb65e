"""A model file's temperature, unsure band and kinds anew, from pictures held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.detector import Detector
from deepfake_detect.model.onnx_model import Metadata, Outputs
from deepfake_detect.model.scoring import crop_outputs
from train.calibrate import Asked, calibrate
from train.data import DataError, Folders, Sample, read_samples
from train.evaluate import measured_headline
from train.looks import Cutting, look_at, unseen_outputs
from train.tiers import TIERS


def recalibrate(model: Path, data: Folders, out: Path, tier: str, asked: Asked) -> Metadata:
    """Write a model file with the temperature, unsure band and kinds that suit the val split of a data folder.

    The network stays as it is, and so does how it looks at a face. The figures inside the file are measured again, on
    the test split or, where the data has none, on val.

    Args:
        model: an ONNX file of this project.
        data: see `train.data.read_samples`; the model must not have been trained on its val split.
        out: the file to write; may be `model` itself.
        tier: of val, see `train.tiers`.
        asked: of the unsure band.

    Returns:
        The new file's metadata.

    Raises:
        ModelError: the model cannot serve.
        DataError: the data cannot be used, or no such share can be asked.
    """
    if not 0.5 < asked.accuracy <= 1:
        raise DataError(f"--accuracy {asked.accuracy} must be over 0.5, and at most 1.")
    if asked.false_alarms is not None and not 0 < asked.false_alarms < 1:
        raise DataError(f"--false-alarms {asked.false_alarms} must be over 0, and under 1.")
    if asked.unseen_accuracy is not None and not 0.5 < asked.unseen_accuracy <= 1:
        raise DataError(f"--unseen-accuracy {asked.unseen_accuracy} must be over 0.5, and at most 1.")
    detector = Detector(model)
    needed = ("val",) if asked.unseen_accuracy is None else ("val", "cross")
    samples = read_samples(data, detector.metadata.seed, needed=needed)
    fitted = calibrated(detector, samples, tier, asked)
    metadata = _write(fitted, detector, samples, out)
    low, high = metadata.unsure_band
    print(f"{out}: temperature {metadata.temperature:.3f}, unsure between {low:.2f} and {high:.2f}")
    return metadata


def remeasure(model: Path, data: Folders, out: Path) -> Metadata:
    """Write a model file with its figures measured again, as it is served now: after a change of what finds the faces,
    say. Network, temperature and unsure band stay as they are. See `recalibrate` for arguments and errors."""
    detector = Detector(model)
    samples = read_samples(data, detector.metadata.seed, needed=("val",))
    metadata = _write(detector.metadata, detector, samples, out)
    print(f"{out}: its figures were measured again")
    return metadata


def _write(metadata: Metadata, detector: Detector, samples: list[Sample], out: Path) -> Metadata:
    """A detector's network with other metadata, whose figures are measured on the test split, or on val."""
    split = "test" if any(sample.split == "test" for sample in samples) else "val"
    proto = onnx.load(detector.model.path)
    with atomic_write(out) as partial:
        for described in (False, True):
            if described:
                figures = measured_headline(Detector(partial), samples, split)
                metadata = replace(metadata, metrics=figures)
            onnx.helper.set_model_props(proto, metadata.to_properties())
            onnx.save(proto, partial)
    return metadata


def calibrated(detector: Detector, samples: list[Sample], tier: str, asked: Asked) -> Metadata:
    """A detector's metadata with temperature, unsure band and kinds as val gives them for its looks.

    Args:
        detector: of the network to calibrate.
        samples: of which val counts, and cross where the band is to hold on it as well.
        tier: their state, see `train.tiers`.
        asked: of the unsure band.

    Raises:
        DataError: val, or cross, has no readable picture of one class.
    """
    m = detector.metadata
    cutting = Cutting(m.crop_margin, m.size, m.resampling, tier)

    def outputs(crops: np.ndarray) -> Outputs:
        return crop_outputs(detector.model, crops)

    val = [sample for sample in samples if sample.split == "val"]
    looked = look_at(val, cutting, outputs, m.looks.framings, detector.face_finder)
    unseen = unseen_outputs(samples, asked, cutting, outputs, m.looks)
    fitted = calibrate(looked.mean(m.looks), looked.labels, looked.kinds, asked, unseen)
    band = (fitted["unsure_band"][0], fitted["unsure_band"][1])
    return replace(m, temperature=fitted["temperature"], unsure_band=band, kinds=fitted.get("kinds"))


def add_arguments(parser) -> None:
    """Declare the arguments of `python -m export calibrate`."""
    parser.add_argument("model", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--data", type=Path, required=True, nargs="+", help="pictures held out, see train fit")
    parser.add_argument("--out", type=Path, help="default: the model file itself")
    parser.add_argument("--tier", choices=tuple(TIERS), default="web", help="state of the pictures (default: web)")
    parser.add_argument("--accuracy", type=float, default=0.95, help="asked outside the unsure band (default: 0.95)")
    parser.add_argument("--false-alarms", type=float, metavar="SHARE", help="of each kind of photograph at most")
    parser.add_argument("--unseen-accuracy", type=float, metavar="SHARE", help="as --accuracy, of the split cross too")
