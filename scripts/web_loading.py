"""Measure what the page in web/ costs a visitor, in a real Chromium over loopback: bytes, and seconds to a verdict.

    python -m scripts.web_loading --out reports/web/loading.json

Bytes are counted as gzip sends them, which most web servers do; times are those of this machine.
"""

import argparse
import gzip
import json
import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from deepfake_detect.atomic_files import write_text
from export.web import build_web
from scripts.web_parity import ROOT, chromium, serving

PICTURE = ROOT / "examples" / "real_eileen_collins.jpg"
VERDICTS = 9  # after the first, of which the median counts
READY, REFUSED = "#files:enabled", "#alert:not(:empty)"


def measured(site: Path) -> dict:
    """Bytes of a first visit; seconds of a first visit, of verdicts, and of a visit without a network."""
    files = json.loads((site / "assets.json").read_text(encoding="utf-8"))["files"]
    loaded = [(site / name).read_bytes() for name in [*files, "assets.json", "sw.js"]]
    with serving(site, {}) as address, chromium() as page:
        started = perf_counter()
        page.goto(f"{address}/")
        _wait(page)
        first_visit = perf_counter() - started
        verdicts = [_verdict(page) for _ in range(VERDICTS + 1)]
        page.context.set_offline(True)
        started = perf_counter()
        page.reload()
        _wait(page)
        return {
            "megabytes": sum(map(len, loaded)) / 1e6,
            "megabytes_gzip": sum(len(gzip.compress(data)) for data in loaded) / 1e6,
            "seconds": {
                "first_visit": first_visit,
                "first_verdict": verdicts[0],
                "next_verdict": median(verdicts[1:]),
                "visit_without_a_network": perf_counter() - started,
            },
        }


def _wait(page) -> None:
    """Until the page can judge. Raises RuntimeError where it refuses to."""
    page.locator(f"{READY}, {REFUSED}").first.wait_for(state="attached", timeout=120_000)
    if refusal := page.locator("#alert").inner_text():
        raise RuntimeError(refusal)


def _verdict(page) -> float:
    """Seconds from choosing a photograph to its card."""
    started = perf_counter()
    page.set_input_files("#files", PICTURE)
    page.locator(".card[data-label]").wait_for()
    seconds = perf_counter() - started
    page.click("#clear")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "web" / "loading.json")
    args = parser.parse_args()
    found: dict = {"cores": os.cpu_count()}
    with TemporaryDirectory(prefix="web-") as folder:
        for name, int8 in (("float32", False), ("int8", True)):
            found[name] = measured(build_web(Path(folder) / name, int8=int8))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
