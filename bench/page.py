"""What the page does beside the verdict, and how many pictures at a time its server should take."""

from contextlib import ExitStack
from functools import partial

import numpy as np

from bench.serving import EXAMPLES, ROOT, Client, load, served
from bench.timing import in_turns, median_ms, percentile_ms
from deepfake_detect.detector import Detector, default_model
from deepfake_detect.evidence.occlusion import occlusion_map, overlay
from deepfake_detect.evidence.robustness import rescore
from deepfake_detect.face.crop import crop_judged
from deepfake_detect.picture.decode import open_picture

PORTRAIT = ROOT / "examples" / "real_eileen_collins.jpg"
ROUNDS = 30
AT_A_TIME = (1, 2, 4)
CLIENTS, REQUESTS, SERIES = 8, 56, 4


def measure() -> list[dict]:
    return [evidence(), concurrency()]


def evidence() -> dict:
    """Milliseconds of what the page works out for one photograph."""
    detector = Detector(default_model())
    picture, m = open_picture(PORTRAIT), detector.metadata
    verdict = detector.predict_one(picture)
    face = verdict.faces[0]
    crop = crop_judged(picture, face, m.crop_margin, m.size, m.resampling)
    taken = in_turns(
        {
            "verdict, from the file": lambda: detector.predict_one(PORTRAIT, thorough=False),
            "verdict with stability, from the file": lambda: detector.predict_one(PORTRAIT, thorough=True),
            "stability alone": lambda: rescore(detector.model, picture, [face]),
            "occlusion map": lambda: overlay(crop, occlusion_map(detector.model, crop)),
        },
        ROUNDS,
    )
    height, width = picture.shape[:2]
    return {
        "name": "evidence",
        "title": f"One photograph of {width} x {height} pixels with one face, {ROUNDS} rounds in turns",
        "columns": ["step", "ms, median", "ms, 95 % of rounds"],
        "rows": [[name, median_ms(s), percentile_ms(s, 95)] for name, s in taken.items()],
    }


def concurrency() -> dict:
    """Requests a second of servers that take another number of pictures at a time, asked in turns."""
    rates, taken = ({number: [] for number in AT_A_TIME} for _ in range(2))
    with ExitStack() as stack:
        urls = {number: stack.enter_context(served("--at-a-time", str(number))).url for number in AT_A_TIME}
        asked = {n: [(Client(url).upload(file), True) for file in EXAMPLES] for n, url in urls.items()}
        clients = {n: [partial(Client(url).ask, "analyze") for _ in range(CLIENTS)] for n, url in urls.items()}
        for series in range(SERIES + 1):  # the first is to warm up
            for number in AT_A_TIME:
                rate, seconds = load(clients[number], asked[number], REQUESTS)
                if series:
                    rates[number].append(rate)
                    taken[number].append(seconds)
    rows = []
    for number in AT_A_TIME:
        seconds, rate = np.concatenate(taken[number]), float(np.median(rates[number]))
        ratio = rate / float(np.median(rates[AT_A_TIME[0]]))
        rows.append([number, round(rate, 1), round(ratio, 2), median_ms(seconds), percentile_ms(seconds, 95)])
    return {
        "name": "at a time",
        "title": f"Pictures that the server takes at a time: `/analyze` with `thorough`, {CLIENTS} clients at once",
        "columns": ["pictures at a time", "requests/s", f"of that with {AT_A_TIME[0]}", "ms, p50", "ms, p95"],
        "rows": rows,
    }
