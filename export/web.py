"""The folder of the page that judges in the browser: files for any web server or a static Space.

web/ as it lies in the project, and beside it what is made here: table.js (constants, sentences and codes of the Python
side), model.json (the model's metadata, measured errors and the self-test), the model, YuNet, onnxruntime-web from npm,
and assets.json, by which the service worker checks each file before the page may use it.
"""

import hashlib
import html
import io
import json
import re
import shutil
import subprocess
import zlib
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from deepfake_detect import __version__
from deepfake_detect.atomic_files import write_text
from deepfake_detect.errors import FiguresError
from deepfake_detect.face.crop import crop_face, pixel_values
from deepfake_detect.face.yunet import yunet_model
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.report.card_texts import error_rates
from deepfake_detect.report.evaluation import read_report
from export import ExportError
from export.card import ROOT
from export.folders import copy, fingerprints, whole_folder
from export.repository import INT8
from export.space import tracked
from export.web_table import table_module
from export.web_texts import PAGE

VENDOR = "onnxruntime-web"
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
# The build with WebGPU for all browsers; a visitor loads it only where there is a graphics card.
GPU_RUNTIME = ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm")
ASSETS, WORKER = "assets.json", "sw.js"
PLACE = "ASSETS_SHA256"  # in the service worker, where the fingerprint of assets.json is put
# Nothing but the page's own files, and pictures that the visitor chose; 'wasm-unsafe-eval' lets WebAssembly compile.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; style-src 'self'; base-uri 'none'; form-action 'none'"
)
FILLED = ("index.html", WORKER)  # files with [[names]] of what is put there
KNOWN = "examples/real_grace_hopper.jpg"  # of which the self-test's picture is made
# In logits, enough to tell a network that is broken. Builds of onnxruntime round the sums of the int8 file each in its
# own way, so that these may be farther apart.
TOLERANCE, INT8_TOLERANCE = 0.01, 1.0
GPU_TOLERANCE = 0.001  # likewise, with which no chance differs by 0.001: a graphics card is not to change a verdict

README = """\
---
title: Mobile Deepfake Detector, in the browser
emoji: 🔍
colorFrom: blue
colorTo: gray
sdk: static
app_file: index.html
pinned: false
license: other
short_description: Judges faces on your own device; nothing is uploaded.
---

# Mobile Deepfake Detector, in the browser

Is the face in a photograph real or fake? The whole detector runs on the visitor's device: no picture is uploaded, and
after the first visit it works without a connection. A verdict is evidence, not proof. The weights are for research and
non-commercial use only; the code is under Apache-2.0, onnxruntime-web under MIT.

From another page, with these files beside it:

```js
import { Detector } from "./detector.js";

const detector = await Detector.load();
const verdict = await detector.judge(file); // a File or Blob
console.log(verdict.label, verdict.p_fake, verdict.reasons);
```
"""


def build_web(out: Path, int8: bool = False, root: Path = ROOT, server: str = "") -> Path:
    """Make the folder of the page. It is made beside `out` and renamed, so it is whole or not there.

    Args:
        out: the folder; one that this made earlier, and nobody has changed since, is replaced.
        int8: take the int8 file, which has fewer bytes; how far its verdicts differ from the server's: docs/web.md.
        root: the project's folder, a git repository.
        server: the address of the page that judges on a server, for a link to it; "" where there is none.

    Returns:
        `out`.

    Raises:
        ExportError: a file is missing, npm does not give onnxruntime-web, or `out` is taken.
        ModelError: the model file cannot serve.
    """
    model = Model(root / (INT8 if int8 else "model.onnx"))
    runtime = _runtime(root)
    names = [file for file in tracked(root) if file.startswith("web/") and (root / file).is_file()]
    with whole_folder(out, "detector.js") as folder:
        copy(root / "web", folder, [file.removeprefix("web/") for file in names])
        (folder / "vendor").mkdir()
        for file in RUNTIME if int8 else RUNTIME + GPU_RUNTIME:
            shutil.copyfile(runtime / "dist" / file, folder / "vendor" / file)
        shutil.copyfile(model.path, folder / model.path.name)
        (folder / "yunet.onnx").write_bytes(yunet_model())
        write_text(folder / "table.js", table_module())
        package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        write_text(folder / "package.json", json.dumps({**package, "version": __version__}, indent=2) + "\n")
        for file in FILLED:
            write_text(folder / file, _filled(folder / file, server))
        described = _described(model, folder, root)
        write_text(folder / "model.json", json.dumps(described, indent=1) + "\n")
        _seal(folder, described)
        write_text(folder / "README.md", README)
    return out


def _filled(file: Path, server: str) -> str:
    """A file of the page with the texts that it names as [[name]]: in HTML, or within a string of JavaScript. A line
    that names the server is left out where there is none."""
    texts = {**PAGE, "csp": POLICY, "server": server}
    escaped = html.escape if file.suffix == ".html" else lambda text: json.dumps(text)[1:-1]
    text = file.read_text(encoding="utf-8")
    text = text if server else re.sub(r".*\[\[server\]\].*\n", "", text)
    return re.sub(r"\[\[(\w+)\]\]", lambda found: escaped(texts[found[1]]), text)


def _runtime(root: Path) -> Path:
    """The folder of onnxruntime-web in the version that web/package.json names; npm brings it where it is missing."""
    wanted = json.loads((root / "web" / "package.json").read_text(encoding="utf-8"))["dependencies"][VENDOR]
    folder = root / "web" / "node_modules" / VENDOR
    if not _is_version(folder, wanted):
        words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", "web"]
        try:
            subprocess.run(words, cwd=root, check=True, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[0]
            raise ExportError(
                f"npm does not install {VENDOR} {wanted}: {reason}. Install Node.js, or try later."
            ) from None
        if not _is_version(folder, wanted):
            raise ExportError(f"npm has not installed {VENDOR} {wanted}. Remove web/node_modules and try again.")
    return folder


def _is_version(folder: Path, wanted: str) -> bool:
    file = folder / "package.json"
    return file.is_file() and json.loads(file.read_text(encoding="utf-8"))["version"] == wanted


def _described(model: Model, folder: Path, root: Path) -> dict:
    """What model.json says; writes the self-test's picture."""
    m = model.metadata
    picture = open_picture(root / KNOWN)
    crop = crop_face(picture, None, m.crop_margin, m.size, m.resampling)
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "PNG", optimize=True)
    (folder / "self_test.png").write_bytes(file.getvalue())
    logits = model.logits(pixel_values(crop[np.newaxis]))[0]
    return {
        "version": __version__,
        "file": model.path.name,
        "yunet": "yunet.onnx",
        "sha256": model.sha256,
        "bytes": model.path.stat().st_size,
        "metadata": {
            "size": m.size,
            "crop_margin": m.crop_margin,
            "resampling": m.resampling,
            "recipe": m.recipe,
            "temperature": m.temperature,
            "unsure_band": m.unsure_band,
            "kinds": m.kinds,
            "looks": asdict(m.looks),
        },
        "error_rates": error_rates(_reports(model.sha256, root)),
        "self_test": {
            "file": "self_test.png",
            "pixels_adler32": zlib.adler32(crop.tobytes()),
            "logits": [float(value) for value in logits],
            "tolerance": INT8_TOLERANCE if model.path.name == INT8 else TOLERANCE,
        },
        # WebGPU has no QuantizeLinear: the int8 file would go to and fro between card and processor.
        "gpu": None
        if model.path.name == INT8
        else {
            "tolerance": GPU_TOLERANCE,
            "files": [f"vendor/{name}" for name in GPU_RUNTIME],  # of which the last is WebAssembly
        },
    }


def _reports(sha256: str, root: Path) -> dict[str, dict]:
    """The evaluations of this model file, by split."""
    found = {}
    for split in ("test", "cross"):
        try:
            found[split] = read_report(root / "reports" / "shipped" / split, sha256)
        except FiguresError:
            continue  # the sentence says that it was not measured
    return found


def _seal(folder: Path, described: dict) -> None:
    """Write assets.json, and its fingerprint into the service worker, whose bytes thereby change with any file's."""
    files = fingerprints(folder)
    del files[WORKER]
    for name in (described["gpu"] or {"files": ()})["files"]:
        files[name]["later"] = True
    assets = {"version": described["version"], "model_sha256": described["sha256"], "files": files}
    text = json.dumps(assets, indent=1) + "\n"
    write_text(folder / ASSETS, text)
    worker = (folder / WORKER).read_text(encoding="utf-8")
    if worker.count(PLACE) != 1:
        raise ExportError(f"web/{WORKER} has no place for the fingerprint of {ASSETS}.")
    write_text(folder / WORKER, worker.replace(PLACE, hashlib.sha256(text.encode()).hexdigest()))


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `python -m export web`."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    parser.add_argument("--int8", action="store_true", help="the int8 model, see docs/web.md")
    parser.add_argument("--server", default="", metavar="URL", help="the page that judges on a server, to link to it")
