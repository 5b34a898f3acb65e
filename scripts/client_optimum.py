"""The model repository in transformers and Optimum, as their users run it; by the Python of .venv-clients.

python client_optimum.py REPOSITORY CROPS OUT: REPOSITORY and CROPS are folders, OUT a JSON file; see scripts/clients.py
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from optimum.onnxruntime import ORTModelForImageClassification
from transformers import AutoConfig, AutoImageProcessor, pipeline

repository, crops, out = map(Path, sys.argv[1:])
config = AutoConfig.from_pretrained(repository)
values = np.fromfile(crops / "pixels.f32", "<f4").reshape(-1, 3, config.image_size, config.image_size)
answer = {
    "config": type(config).__name__,
    "versions": {name: version(name) for name in ("transformers", "optimum-onnx", "onnxruntime")},
    "logits": {},
}
for dtype, name in (("fp32", "model.onnx"), ("q8", "model_quantized.onnx")):
    model = ORTModelForImageClassification.from_pretrained(repository, subfolder="onnx", file_name=name)
    answer["logits"][dtype] = model(pixel_values=values).logits.tolist()
    if dtype == "fp32":
        processor = AutoImageProcessor.from_pretrained(repository, use_fast=False)
        classify = pipeline("image-classification", model=model, image_processor=processor)
        found = classify([str(path) for path in sorted(crops.glob("*.png"))])
        rows = [{one["label"]: one["score"] for one in scores} for scores in found]
        answer["scores"] = {"own": [[row["real"], row["fake"]] for row in rows]}
out.write_text(json.dumps(answer))
