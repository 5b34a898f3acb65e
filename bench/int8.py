"""The int8 file beside the float32 one."""

import numpy as np

from bench.serving import ROOT
from bench.timing import in_turns, median_ms
from detect.detector import default_model
from detect.model import Model

FILES = {"float32": default_model(), "int8": ROOT / "model_int8.onnx"}
THREADS, BATCHES, ROUNDS = (1, 2), (1, 32), {1: 100, 32: 15}


def measure() -> list[dict]:
    rows = []
    for threads in THREADS:
        models = {name: Model(file, threads) for name, file in FILES.items()}
        size = models["float32"].metadata.size
        for batch in BATCHES:
            pixels = np.random.default_rng(1).random((batch, 3, size, size), np.float32)
            work = {name: lambda model=model, pixels=pixels: model.logits(pixels) for name, model in models.items()}
            one, other = (median_ms(seconds) for seconds in in_turns(work, ROUNDS[batch]).values())
            rows.append([threads, batch, one, other, round(one / other, 2)])
    return [
        {
            "title": "Face crops through the network, in turns",
            "columns": ["threads", "crops at once", "ms, float32", "ms, int8", "times as fast"],
            "rows": rows,
        }
    ]
