"""Measure how far the page in web/ agrees with Python, in a real Chromium.

    python -m scripts.web_parity --data ../shared/data/faces --split test --out reports/web/parity.json

Each picture is judged four times: the file by Python and by the browser, and a lossless copy of what Python decoded by
both. What is left of the differences on the copies is arithmetic; the rest comes of the decoders.
"""

import argparse
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np
from PIL import Image

from deepfake_detect import Detector
from deepfake_detect.atomic_files import write_text
from deepfake_detect.picture.decode import open_picture
from export.repository import INT8
from export.web import build_web

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
QUANTILES = (0.5, 0.9, 0.95, 0.99, 1.0)
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


class _Files(SimpleHTTPRequestHandler):
    """Files of a folder as a plain web server gives them, and made-up ones by their path."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}  # fmt: skip
    made: dict[str, Callable[[], bytes]]

    def __init__(self, *args, made: dict, **options):
        self.made = made
        super().__init__(*args, **options)

    def do_GET(self):
        if self.path not in self.made:
            super().do_GET()
            return
        data = self.made[self.path]()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder: Path, made: dict[str, Callable[[], bytes]]) -> Iterator[str]:
    """The address, without a slash at its end, of a server for a folder; `made`: path -> what gives other files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder), made=made))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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


def compare(detector: Detector, page, address: str, paths: Sequence[Path]) -> list[dict]:
    """One row a picture: {"file" and "copy": {"same_boxes", "same_label", "difference" of p_fake, "flip"}}."""
    rows = []
    for number, path in enumerate(paths):
        row = {"path": path.name}
        for kind, source in (("file", path), ("copy", open_picture(path))):
            (here,) = detector.predict([source])
            there = judged(page, address, f"/{kind}/{number}")
            row[kind] = {
                "same_boxes": [list(face.box) for face in here.faces] == [face["box"] for face in there["faces"]],
                "same_label": here.label == there["label"],
                "same_reasons": [reason.text for reason in here.reasons] == there["reasons"],
                "difference": abs(here.p_fake - there["p_fake"]),
                "flip": {here.label, there["label"]} == {"real", "fake"},
            }
        rows.append(row)
    return rows


def summary(rows: Sequence[dict]) -> dict:
    """Shares and quantiles over the rows of `compare`, of files and of lossless copies."""
    told = {"pictures": len(rows)}
    for kind in ("file", "copy"):
        of_kind = [row[kind] for row in rows]
        differences = [row["difference"] for row in of_kind]
        told[kind] = {
            "same_label": float(np.mean([row["same_label"] for row in of_kind])),
            "same_boxes": float(np.mean([row["same_boxes"] for row in of_kind])),
            "same_reasons": float(np.mean([row["same_reasons"] for row in of_kind])),
            "flips": sum(row["flip"] for row in of_kind),
            "within_0.02": float(np.mean(np.array(differences) <= 0.02)),
            "difference": {f"{q:g}": float(np.quantile(differences, q)) for q in QUANTILES},
        }
    files, copies = (told[kind]["difference"]["0.95"] for kind in ("file", "copy"))
    told["share_of_decoding"] = 0.0 if files <= copies else 1 - copies / files  # of the 95 % quantile
    told["other_label"] = [row["path"] for row in rows if not row["file"]["same_label"]]
    return told


@contextmanager
def chromium() -> Iterator:
    """A page of Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser.new_page()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the splits")
    parser.add_argument("--split", default="test")
    parser.add_argument("--pictures", type=int, help="so many, drawn by chance; by default all")
    parser.add_argument("--int8", action="store_true", help="with the int8 file on both sides")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "web" / "parity.json")
    args = parser.parse_args()
    paths = sorted(path for path in (args.data / args.split).rglob("*") if path.is_file())
    if args.pictures:
        paths = random.Random(0).sample(paths, min(args.pictures, len(paths)))
    detector = Detector(ROOT / (INT8 if args.int8 else "model.onnx"))
    with TemporaryDirectory(prefix="web-") as folder:
        site = build_web(Path(folder) / "site", int8=args.int8)
        with serving(site, offered(paths)) as address, chromium() as page:
            rows = compare(detector, page, address, paths)
            version = page.evaluate("navigator.userAgent.match(/Chrome.([0-9.]+)/)[1]")
    found = {"split": args.split, "model_sha256": detector.model.sha256, "chromium": version, **summary(rows)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
