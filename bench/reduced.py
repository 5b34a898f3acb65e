"""What decoding large JPEG files at part of their size does to verdicts: research pictures enlarged to photographs,
judged as the file and, decoded whole, as an array."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from deepfake_detect.detector import Detector, default_model
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import FAKE, REAL, Verdict
from train.data import Sample, read_samples

EVERY = 6  # one picture of the test split in so many
SIDE = 4000  # pixels of the longer side


def measure(data: Path) -> list[dict]:
    """Args: data: see `train.data.read_samples`; its test split is used."""
    samples = [sample for sample in read_samples(data, 0, needed=("test",)) if sample.split == "test"][::EVERY]
    detector = Detector(default_model())

    def both(sample: Sample) -> tuple[Verdict, ...]:
        file = _enlarged(sample.path)
        return tuple(detector.predict_one(source) for source in (file, open_picture(file)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(tqdm(pool.map(both, samples), total=len(samples), unit="picture", disable=None))
    reduced, whole = np.array([[verdict.p_fake for verdict in pair] for pair in verdicts]).T
    auc = [round(float(roc_auc_score([sample.label for sample in samples], p)), 4) for p in (whole, reduced)]
    labels = [tuple(verdict.label for verdict in pair) for pair in verdicts]
    return [
        {
            "name": "verdicts",
            "title": f"Verdicts on JPEG files of {SIDE} pixels made of test pictures, decoded whole and at part of "
            "their size",
            "columns": ["pictures", "AUC, whole", "AUC, part", "change of AUC", "mean change of p(fake)",
                        "verdicts that change", "from real to fake or back"],
            "rows": [[len(samples), *auc, round(auc[1] - auc[0], 4), round(float(np.abs(reduced - whole).mean()), 4),
                      sum(one != other for one, other in labels), sum(set(pair) == {REAL, FAKE} for pair in labels)]],
        }
    ]  # fmt: skip


def _enlarged(path: Path) -> bytes:
    with Image.open(path) as picture:
        scale = SIDE / max(picture.size)
        large = picture.convert("RGB").resize([round(side * scale) for side in picture.size], Image.Resampling.LANCZOS)
    file = io.BytesIO()
    large.save(file, "JPEG", quality=90)
    return file.getvalue()
