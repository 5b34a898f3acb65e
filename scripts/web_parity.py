"""Measure how far the page in web/ agrees with Python, in a real Chromium.

    python -m scripts.web_parity --data ../shared/data/faces --split test --docs docs/web.md

Each picture is judged four times: the file by Python and by the browser, and a lossless copy of what Python decoded by
both. What is left of the differences on the copies is arithmetic; the rest comes of the decoders. With --int8, the
browser has the int8 file and Python the float32 one, which the server has, and files alone are judged. The report says
which files both had, and of how many pictures it is.
"""

import argparse
import io
import json
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np
from PIL import Image

from deepfake_detect import Detector
from deepfake_detect.atomic_files import write_text
from deepfake_detect.picture.decode import open_picture
from deepfake_detect.verdict import Verdict
from export.repository import INT8
from export.web import build_web
from scripts.web_serving import chromium, serving
from train.report import check_marks, update_docs

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("file", "copy")
QUANTILES = (0.5, 0.9, 0.95, 0.99, 1.0)
SECONDS = 20  # between two lines that say how far it is
MARK = {False: "browser and Python", True: "browser with int8 and Python"}  # of the tables in docs/web.md, by --int8
CRITERIA = (  # name, of files or lossless copies, figure of `summary`, least share; 0: none at all
    ("files: the same label", "file", "same_label", 0.99),
    ("files: the chance differs by at most 0.02", "file", "within_0.02", 0.95),
    ("files: “real” in one and “fake” in the other", "file", "flips", 0),
    ("lossless copies: the same boxes", "copy", "same_boxes", 1.0),
    ("lossless copies: the chance differs by at most 0.001", "copy", "within_0.001", 1.0),
)
JUDGE = """async ([address, thorough]) => {
    if (!window.detector) {
        const { Detector } = await import('/detector.js');
        window.detector = await Detector.load();
    }
    const file = await (await fetch(address)).blob();
    try {
        return await window.detector.judge(file, thorough === null ? {} : { thorough });
    } catch (error) {
        if (!error.code) throw error;
        return { error: error.message, error_code: error.code };
    }
}"""


def lossless(path: Path) -> bytes:
    """What Python decodes of a picture, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(open_picture(path)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def offered(paths: Sequence[Path]) -> dict[str, Callable[[], bytes]]:
    """What to serve of pictures: /file/N as it is, /copy/N without loss."""
    return {
        f"/{kind}/{number}": partial(give, path)
        for number, path in enumerate(paths)
        for kind, give in (("file", Path.read_bytes), ("copy", lossless))
    }


def judged(page, address: str, path: str, thorough: bool | None = None) -> dict:
    """The browser's verdict as JSON on what a server gives at a path; the page need not be open."""
    if not page.url.startswith(address):
        page.goto(f"{address}/package.json")  # any file there: its address is what counts
    return page.evaluate(JUDGE, [address + path, thorough])


def compare(
    detector: Detector,
    page,
    address: str,
    paths: Sequence[Path],
    kinds: Sequence[str] = KINDS,
    progress: Callable[[int], None] = lambda done: None,
) -> list[dict]:
    """One row a picture: {kind: {"same_boxes", "same_label", "same_reasons", "difference" of p_fake, "flip"}}. Python
    is a thread of its own, so that it judges while the browser does.

    Args:
        detector: Python's.
        page: of a browser, see `judged`.
        address: of a server that gives what is `offered`.
        paths: of the pictures.
        kinds: of KINDS.
        progress: told how many pictures are done.
    """
    rows = []
    with ThreadPoolExecutor(1) as ahead:
        in_python = ahead.map(partial(_verdicts, detector, kinds), paths)
        for number, (path, here) in enumerate(zip(paths, in_python, strict=True)):
            there = {kind: judged(page, address, f"/{kind}/{number}") for kind in kinds}
            rows.append({"path": path.name, **{kind: _compared(here[kind], there[kind]) for kind in kinds}})
            progress(len(rows))
    return rows


def _verdicts(detector: Detector, kinds: Sequence[str], path: Path) -> dict[str, Verdict]:
    return {kind: detector.predict_one(path if kind == "file" else open_picture(path)) for kind in kinds}


def _compared(here: Verdict, there: dict) -> dict:
    return {
        "same_boxes": [list(face.box) for face in here.faces] == [face["box"] for face in there["faces"]],
        "same_label": here.label == there["label"],
        "same_reasons": [reason.text for reason in here.reasons] == there["reasons"],
        "difference": abs(here.p_fake - there["p_fake"]),
        "flip": {here.label, there["label"]} == {"real", "fake"},
    }


def summary(rows: Sequence[dict]) -> dict:
    """Shares and quantiles over the rows of `compare`, by kind; what was asked, and whether it is met."""
    told: dict = {"pictures": len(rows)}
    for kind in (kinds := [kind for kind in KINDS if kind in rows[0]]):
        of_kind = [row[kind] for row in rows]
        differences = [row["difference"] for row in of_kind]
        told[kind] = {
            "same_label": float(np.mean([row["same_label"] for row in of_kind])),
            "same_boxes": float(np.mean([row["same_boxes"] for row in of_kind])),
            "same_reasons": float(np.mean([row["same_reasons"] for row in of_kind])),
            "flips": sum(row["flip"] for row in of_kind),
            "within_0.02": float(np.mean(np.array(differences) <= 0.02)),
            "within_0.001": float(np.mean(np.array(differences) <= 0.001)),
            "difference": {f"{q:g}": float(np.quantile(differences, q)) for q in QUANTILES},
        }
    if len(kinds) == len(KINDS):
        files, copies = (told[kind]["difference"]["0.95"] for kind in KINDS)
        told["share_of_decoding"] = 0.0 if files <= copies else 1 - copies / files  # of the 95 % quantile
    told["other_label"] = [row["path"] for row in rows if not row["file"]["same_label"]]
    told["criteria"] = [
        {"name": name, "bound": bound, "measured": told[kind][figure], "met": _meets(told[kind][figure], bound)}
        for name, kind, figure, bound in CRITERIA
        if kind in told
    ]
    return told


def int8_in_python(detector: Detector, paths: Sequence[Path]) -> dict[str, float]:
    """How far the int8 file is from the float32 one without any browser: shares of the pictures."""
    both = zip(detector.predict(paths), Detector(ROOT / INT8).predict(paths), strict=True)
    rows = [_compared(here, json.loads(json.dumps(there.to_dict()))) for here, there in both]
    near = np.array([row["difference"] for row in rows]) <= 0.02
    return {"same_label": float(np.mean([row["same_label"] for row in rows])), "within_0.02": float(near.mean())}


def _meets(measured: float, bound: float) -> bool:
    """Shares are to be at least their bound; of flips there are to be none."""
    return measured >= bound if bound else measured == 0


def docs_markdown(found: dict) -> str:
    """The report as a table for docs/web.md."""
    lines = ["| asked of the browser | bound | measured | |", "|---|---|---|---|"]
    for criterion in found["criteria"]:
        bound, measured = (_cell(criterion[key], criterion["bound"]) for key in ("bound", "measured"))
        lines.append(f"| {criterion['name']} | {bound} | {measured} | {'met' if criterion['met'] else '**missed**'} |")
    chromium, model = found["chromium"].partition(".")[0], found["model_sha256"][:8]
    of = f"{found['pictures']} of the {found['in_split']} pictures of the split {found['split']}"
    head = f"{of}, in Chromium {chromium}, model {model}:"
    half, most = (found["file"]["difference"][quantile] for quantile in ("0.5", "0.99"))
    tail = (
        f"Of the files, half differ by at most {half:.1g} in the chance of being fake, 99 of 100 by at most {most:.2g}."
    )
    if "share_of_decoding" in found:
        tail += f" At the quantile of 95 %, decoding makes {100 * found['share_of_decoding']:.0f} % of the difference."
    if "int8_in_python" in found:
        label, near = (_cell(found["int8_in_python"][key], 1) for key in ("same_label", "within_0.02"))
        tail += f" In Python, the int8 file has the same label on {label}, and such a chance on {near}."
    return f"{head}\n\n" + "\n".join(lines) + f"\n\n{tail}"


def _cell(value: float, bound: float) -> str:
    """A share that is good when large, rounded down; a number where the bound is none."""
    return f"{np.floor(1000 * value + 1e-9) / 10:.1f} %" if bound else f"{value:d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the splits")
    parser.add_argument("--split", default="test")
    parser.add_argument("--pictures", type=int, help="so many, drawn by chance; by default all")
    parser.add_argument("--int8", action="store_true", help="the int8 file in the browser")
    parser.add_argument("--out", type=Path, help="default: parity.json or parity_int8.json in reports/web")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="put the table between its marks in it")
    args = parser.parse_args()
    if args.docs:
        check_marks(args.docs, MARK[args.int8])
    paths = sorted(path for path in (args.data / args.split).rglob("*") if path.is_file())
    if not paths:
        parser.error(f"{args.data / args.split} holds no pictures")
    in_split = len(paths)
    if args.pictures:
        paths = random.Random(0).sample(paths, min(args.pictures, len(paths)))
    detector = Detector(ROOT / "model.onnx")
    with TemporaryDirectory(prefix="web-") as folder:
        site = build_web(Path(folder) / "site", int8=args.int8)
        shown = json.loads((site / "model.json").read_text(encoding="utf-8"))
        with serving(site, offered(paths)) as address, chromium() as page:
            rows = compare(detector, page, address, paths, KINDS[:1] if args.int8 else KINDS, _Progress(len(paths)))
            version = page.evaluate("navigator.userAgent.match(/Chrome.([0-9.]+)/)[1]")
    found = {
        "split": args.split,
        "in_split": in_split,
        "model_sha256": detector.model.sha256,
        "browser_file": shown["file"],
        "browser_sha256": shown["sha256"],
        "chromium": version,
        **summary(rows),
        **({"int8_in_python": int8_in_python(detector, paths)} if args.int8 else {}),
    }
    out = args.out or ROOT / "reports" / "web" / f"parity{'_int8' if args.int8 else ''}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, json.dumps(found, indent=1) + "\n")
    if args.docs:
        update_docs(args.docs, MARK[args.int8], docs_markdown(found))
    print(json.dumps(found, indent=1))


class _Progress:
    """Says on standard error, now and then, how many pictures are done and how long the rest takes."""

    def __init__(self, pictures: int):
        self.pictures, self.started, self.told = pictures, monotonic(), monotonic()

    def __call__(self, done: int) -> None:
        now = monotonic()
        if now - self.told >= SECONDS or done == self.pictures:
            self.told = now
            left = (now - self.started) / done * (self.pictures - done)
            print(f"{done} of {self.pictures} pictures, {left / 60:.1f} min left", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
