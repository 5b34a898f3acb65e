"""How the model is loaded: the sections of the model card and of the Space's README, with snippets that tests run."""

import math

from deepfake_detect.model.onnx_model import Looks, Metadata
from deepfake_detect.report.sentences import floor_percent

NAME = "OWNER/mobile-deepfake-detector"  # of the repositories on the Hub, until they are pushed somewhere

CODE = """
Its code is the Space:

```
git clone https://huggingface.co/spaces/{space}
cd {folder}
pip install -r requirements.txt
```
"""
USE = """\
**With `deepfake_detect`**, the Python package of this project, which finds the faces, calibrates and says when it
is not sure.\
{code}

```python
from deepfake_detect import Detector

detector = Detector("{name}")
verdict = detector.predict(["photo.jpg"])[0]
print(verdict.label, verdict.p_fake, verdict.reasons)
```

**With transformers and Optimum** (`pip install transformers "optimum-onnx[onnxruntime]"`), on a face crop:

```python
from optimum.onnxruntime import ORTModelForImageClassification
from transformers import AutoImageProcessor, pipeline

name = "{name}"
model = ORTModelForImageClassification.from_pretrained(name, subfolder="onnx")
processor = AutoImageProcessor.from_pretrained(name, use_fast=False)  # resizes with Pillow, as in training
classify = pipeline("image-classification", model=model, image_processor=processor)
print(classify("face.png"))
```

**With transformers.js** (`npm install @huggingface/transformers`), in a browser or in Node.js, on a face crop:

```js
import {{ pipeline, RawImage }} from "@huggingface/transformers";
import {{ resize }} from "./resize.mjs"; // from this repository

const classify = await pipeline("image-classification", "{name}", {{ dtype: "fp32" }});
const side = classify.processor.image_processor.size.width;
console.log(await classify(resize(await RawImage.read("face.png"), side), {{ top_k: 2 }}));
```

`dtype: "q8"` takes the smaller int8 file."""
API = """

**Through the Space's API**, from any program, with nothing but `pip install gradio_client`:

```python
from gradio_client import Client, handle_file

client = Client("{space}")
print(client.predict(image=handle_file("photo.jpg"), api_name="/analyze"))
```"""


def use_text(name: str, space: str | None) -> str:
    """How to load the model, in Markdown, by the names of model repository and Space on the Hub; without a Space,
    nothing that needs one."""
    if space is None:
        return USE.format(name=name, code="")
    code = CODE.format(space=space, folder=space.split("/")[-1])
    return USE.format(name=name, code=code.rstrip()) + API.format(space=space)


def input_text(metadata: Metadata) -> str:
    """What the model takes and gives, and what pipelines that know no faces leave out, in Markdown."""
    size, low, high = metadata.size, *metadata.unsure_band
    second = _kinds_text(metadata.kinds) if metadata.kinds else []
    return "\n".join(
        [
            f"Input `pixel_values`: float32 [N, 3, {size}, {size}], RGB, 0 to 1. Output `logits`: float32 [N, 2], "
            f"{metadata.labels[0]} and {metadata.labels[1]}. All that follows stands in the file's metadata too.",
            "",
            f"- **A face crop, no whole picture.** The square around the face, {1 + 2 * metadata.crop_margin:g} times "
            "as long as the face's longer side, moved so that it lies inside the picture. `deepfake_detect` finds "
            "and cuts out faces; the pipelines do not, and judge whatever they are given.",
            f"- **The resize counts.** Crops are resized to {size} x {size} pixels with Pillow's {metadata.resampling} "
            "filter, which smooths before it shrinks (antialiasing). transformers does the same where it is told "
            "`use_fast=False`. transformers.js does not: in Node.js it shrinks without smoothing, and browsers do "
            "as their canvas does. `resize.mjs` computes what Pillow does, to the bit.",
            f"- **The score is not yet a probability.** Pipelines give the plain softmax. Divided by the temperature "
            f"{metadata.temperature:.4f} before the softmax, the logits give the calibrated chance of being fake; "
            f"`deepfake_detect` says “Not sure” where it lies between {low:.2f} and {high:.2f}. `config.json` holds "
            "these values unrounded.",
            f"- **One crop is not all.** {_looks_text(metadata.looks)} Pipelines look once.",
            *second,
        ]
    )


def _looks_text(looks: Looks) -> str:
    """How `deepfake_detect` looks at a face."""
    if looks.count == 1 and looks.framings == (1.0,):
        return "`deepfake_detect` does no more than that."
    sides = ", ".join(f"{framing:g}" for framing in looks.framings)
    mirror = ", and at the mirror image of each" if looks.mirrored else ""
    return (
        f"`deepfake_detect` looks at squares of {sides} times that side, cut from the picture{mirror}: {looks.count} "
        "looks, whose logits it averages, and that mean is what temperature and thresholds were fitted to."
    )


def _kinds_text(kinds: dict) -> list[str]:
    """What the second output is, and which kinds are named."""
    names = ", ".join(f"`{name}`" for name in kinds["names"])
    named = ", ".join(f"`{name}` from {least:.2f}" for name, least in kinds["least"].items()) or "none"
    return [
        f"- **A second output, `kinds`**: float32 [N, {len(kinds['names'])}], {names}; pipelines pass it over. The "
        f"logits of all but the first, divided by {kinds['temperature']:.4f} before their softmax, give what a fake is "
        "most like. `deepfake_detect` says so of a face that it calls fake where that share is high enough to be right "
        f"often enough on `val`: {named}.",
    ]


def clients_markdown(report: dict) -> str:
    """How far other clients agree with `deepfake_detect`, as a table; shares never rounded up, differences
    never down."""
    lines = ["| client | same label | largest difference of logits | versions |", "|---|---|---|---|"]
    for row in report["clients"]:
        versions = ", ".join(f"{name} {number}" for name, number in row["versions"].items())
        difference = math.ceil(row["logits_difference"] * 1e6 - 1e-9) / 1e6
        lines.append(f"| {row['name']} | {floor_percent(row['same_label'])} | {difference:.6f} | {versions} |")
    return "\n".join(
        [
            *lines,
            "",
            f"On the face crops of all {report['pictures']} pictures of the test split, as PNG at their own size. Same "
            "label: the larger of both scores, through the client's own preparation of the picture, is that of "
            "`deepfake_detect` on the same crop. Difference of logits: on the same pixel values.",
        ]
    )
