"""One photograph, from the file to the verdict, and where the time goes."""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from tqdm import tqdm

from bench.pictures import PORTRAITS, save_photograph
from bench.stages import CROP, DECODE, FIND, NETWORK, watched
from bench.timing import in_turns, median_ms
from deepfake_detect.detector import Detector, default_model
from deepfake_detect.picture.decode import open_picture

MEGAPIXELS = (0.3, 0.8, 12)
ROUNDS, WARM_UP = 40, 3


def measure() -> list[dict]:
    detector = Detector(default_model())
    with tempfile.TemporaryDirectory() as folder:
        files = {m: save_photograph(Path(folder, f"{m}.jpg"), PORTRAITS[0], m) for m in MEGAPIXELS}
        return [_split(detector, files), _reduced(detector, files[max(MEGAPIXELS)])]


def _split(detector: Detector, files: dict[float, Path]) -> dict:
    taken = {megapixels: [] for megapixels in files}
    for turn in tqdm(range(WARM_UP + ROUNDS), unit="round", disable=None):
        for megapixels, file in files.items():
            with watched(detector) as seen:
                started = perf_counter()
                detector.predict_one(file)
                whole = perf_counter() - started
            if turn >= WARM_UP:
                rest = whole - seen.seconds.total()
                parts = [whole, *(seen.seconds[stage] for stage in (DECODE, FIND, CROP, NETWORK)), rest]
                taken[megapixels].append([*(1000 * seconds for seconds in parts), 1 - seen.named / whole])
    return {
        "name": "split",
        "title": f"One JPEG photograph with one face, from the file to the verdict, ms, median of {ROUNDS} rounds in "
        "turns; other: the share of what is neither decoding, finding faces nor the network",
        "columns": ["megapixels", "all", DECODE, FIND, CROP, NETWORK, "rest", "other"],
        "rows": [[m, *(round(median(of), 3) for of in zip(*rounds, strict=True))] for m, rounds in taken.items()],
    }


def _reduced(detector: Detector, file: Path) -> dict:
    work = {
        "whole": lambda: detector.predict_one(open_picture(file)),
        "as it serves": lambda: detector.predict_one(file),
    }
    whole, served = map(median_ms, in_turns(work, ROUNDS, WARM_UP).values())
    return {
        "name": "reduced",
        "title": f"The JPEG of {max(MEGAPIXELS)} megapixels decoded whole and, as it serves, at part of its size, ms",
        "columns": ["decoded whole", "as it serves", "times as fast"],
        "rows": [[whole, served, round(whole / served, 2)]],
    }
