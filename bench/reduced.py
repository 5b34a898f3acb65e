"""What decoding large JPEG files at part of their size does to verdicts: research pictures as photographs of 12
megapixels, judged as the file and, decoded whole, as an array."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from detect.detector import Detector, default_model
from detect.picture import open_picture
from detect.verdict import Verdict
from train.data import Sample, read_samples

EVERY = 6  # one picture of the test split in so many
SIZE = (4000, 3000)
GREY = (110, 115, 120)


def filling(picture: Image.Image) -> Image.Image:
    """The picture as large as it goes into SIZE: the face is cut from the reduced copy."""
    scale = min(side / own for side, own in zip(SIZE, picture.size, strict=True))
    large = picture.resize([round(own * scale) for own in picture.size], Image.Resampling.LANCZOS)
    return on_canvas(large)


def on_canvas(picture: Image.Image) -> Image.Image:
    """The picture at its own size in the middle of a plain one of SIZE: the file is decoded again for the face."""
    canvas = Image.new("RGB", SIZE, GREY)
    canvas.paste(picture, [(side - own) // 2 for side, own in zip(SIZE, picture.size, strict=True)])
    return canvas


WAYS = {"face fills the photograph": filling, "face is small in it": on_canvas}


def measure(data: Path) -> list[dict]:
    """Args: data: see `train.data.read_samples`; its test split is used."""
    samples = [sample for sample in read_samples(data, 0, needed=("test",)) if sample.split == "test"][::EVERY]
    detector = Detector(default_model())
    rows = []
    for name, way in WAYS.items():

        def both(sample: Sample, way=way) -> tuple[Verdict, Verdict]:
            file = io.BytesIO()
            way(Image.fromarray(open_picture(sample.path))).save(file, "JPEG", quality=90)
            sources = file.getvalue(), open_picture(file.getvalue())
            return tuple(detector.judge([detector.prepare(source)])[0] for source in sources)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            verdicts = list(tqdm(pool.map(both, samples), total=len(samples), unit="picture", disable=None))
        fake = [sample.label for sample in samples]
        reduced, whole = (np.array([pair[number].p_fake for pair in verdicts]) for number in (0, 1))
        auc = [round(float(roc_auc_score(fake, p)), 4) for p in (whole, reduced)]
        changed = np.mean([pair[0].label != pair[1].label for pair in verdicts])
        turned = sum({pair[0].label, pair[1].label} == {"real", "fake"} for pair in verdicts)
        change = round(float(np.abs(reduced - whole).mean()), 4)
        rows.append([name, len(samples), *auc, round(auc[1] - auc[0], 4), change, round(float(changed), 3), turned])
    return [
        {"name": "verdicts",
         "title": f"Verdicts on JPEG files of {SIZE[0]} x {SIZE[1]} pixels made of test pictures, decoded at part of "
                  "their size and whole",
         "columns": ["photograph", "pictures", "AUC, whole", "AUC, reduced", "change of AUC", "mean change of p(fake)",
                     "share of verdicts that change", "from real to fake or back"], "rows": rows}
    ]  # fmt: skip
