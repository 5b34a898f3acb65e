"""The same pictures through `deepfake-detect scan`, on threads and on Ray, on one core and on more."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import psutil

from bench.pictures import DIFFERENT, PORTRAITS, save_photograph
from bench.serving import ROOT
from bench.stages import CROP, DECODE, FIND, NETWORK, watched
from deepfake_detect.detector import Detector, default_model
from deepfake_detect.model.onnx_model import Model
from deepfake_detect.picture.decode import read_file
from deepfake_detect.scan.dedup import DigestIndex, digest_of, found_of
from deepfake_detect.scan.listing import Item
from deepfake_detect.scan.manifest import Folder, begin
from deepfake_detect.scan.parquet_rows import Rows

SIZE, COUNT, FEW = 0.3, 10_000, 200  # megapixels; pictures, and so many that what they take is nearly all start
ENGINES, WORKERS = ("local", "ray"), (1, 2)
RUNS = 2  # of each scan, in turns; the faster counts, because whatever else the machine does only slows one down
ROUNDS = 10
KEPT = 20_000  # pictures that the driver lists and writes down
LOOK = 1.0  # seconds from one look at the memory to the next
READ, REST = "read and hash", "rest"


def measure() -> list[dict]:
    workers = [number for number in WORKERS if number <= len(os.sched_getaffinity(0))]
    with tempfile.TemporaryDirectory() as folder:
        many, few = (_different(Path(folder, name), count) for name, count in (("many", COUNT), ("few", FEW)))
        taken = {}
        for number, engine in [*product(workers, ENGINES)] * RUNS:
            with _on_cores(number):
                start, _ = run(few, engine)
                seconds, memory = run(many, engine)
            rate = (COUNT - FEW) / (seconds - start)
            taken[engine, number] = max(taken.get((engine, number), [0.0]), [rate, start - FEW / rate, memory])
        stages = _stages(sorted(few.iterdir())[:DIFFERENT])
        return [_engines(taken), _added(taken), stages, _driver(Path(folder, "kept.parquet"))]


def run(pictures: Path, engine: str) -> tuple[float, float]:
    """Seconds and peak memory in MB, of all its processes together, of a scan. Raises RuntimeError where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "deepfake_detect", "scan", str(pictures), "--out", f"{folder}/out.parquet", "--engine", engine]
        started, peak = time.perf_counter(), 0.0
        with Path(folder, "said.txt").open("w+") as said:
            process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stderr=said)
            while process.poll() is None:
                peak = max(peak, memory_of(process.pid))
                try:
                    process.wait(LOOK)
                except subprocess.TimeoutExpired:
                    continue
            seconds = time.perf_counter() - started
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"The scan ended with {process.returncode}: {said.read()}")
        return seconds, peak


def memory_of(pid: int) -> float:
    """MB that a process and all that come from it have in memory together; what they share counts once."""
    first, used = psutil.Process(pid), 0
    for process in (first, *first.children(recursive=True)):
        try:
            used += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue  # ended meanwhile
    return used / 2**20


@contextmanager
def _on_cores(number: int) -> Iterator[None]:
    """Processes that are started have so many cores, for all that belongs to them."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _different(path: Path, count: int) -> Path:
    """A folder of JPEG photographs no two of which have the same bytes, or they would be judged once."""
    path.mkdir()
    for number in range(min(count, DIFFERENT)):
        save_photograph(path / f"{number:06d}.jpg", PORTRAITS[number % len(PORTRAITS)], SIZE, number)
    files = [(path / f"{number:06d}.jpg").read_bytes() for number in range(min(count, DIFFERENT))]
    for number in range(DIFFERENT, count):
        (path / f"{number:06d}.jpg").write_bytes(files[number % DIFFERENT] + str(number).encode())
    return path


def _engines(taken: dict) -> dict:
    rows = [
        [engine, number, round(rate, 1), round(1000 * number / rate, 2), round(start, 1), round(memory)]
        for (engine, number), (rate, start, memory) in taken.items()
    ]
    return {
        "name": "engines",
        "title": f"{COUNT} different JPEG photographs of {SIZE} megapixels through `deepfake-detect scan`, everything "
        f"of it on so many cores, the faster of {RUNS} runs in turns; the start is not in the rate",
        "columns": ["engine", "cores", "pictures/s", "ms of a core for each", "s to start", "peak memory, MB"],
        "rows": rows,
    }


def _added(taken: dict) -> dict:
    """What Ray adds, and what more cores are worth."""
    rows, (fewest, *_) = [], sorted({number for _, number in taken})
    for number in sorted({number for _, number in taken}):
        (local, *_), (ray, *_) = (taken[engine, number] for engine in ENGINES)
        worth = [taken[engine, number][0] * fewest / number / taken[engine, fewest][0] for engine in ENGINES]
        rows.append([number, round(1000 * number / ray - 1000 * number / local, 2), *(round(w, 3) for w in worth)])
    return {
        "name": "added",
        "title": f"What Ray adds to each picture, which it reads twice, and scaling: the rate over that of {fewest} "
        "core times the cores",
        "columns": ["cores", "ms of a core that Ray adds", "scaling, local", "scaling, ray"],
        "rows": rows,
    }


def _stages(files: list[Path]) -> dict:
    """Where the time of one picture goes on one core, as a worker judges it."""
    detector, threads = Detector(Model(default_model(), threads=1)), cv2.getNumThreads()
    cv2.setNumThreads(1)
    rounds = []
    try:
        for _ in range(ROUNDS):
            with watched(detector) as seen:
                started = time.perf_counter()
                data = [read_file(file) for file in files]
                for one in data:
                    digest_of(one)
                read = time.perf_counter() - started
                for one in data:
                    detector.predict_one(one)
                rest = time.perf_counter() - started - read - seen.seconds.total()
            parts = [read, *(seen.seconds[stage] for stage in (DECODE, FIND, CROP, NETWORK)), rest]
            rounds.append([1000 * seconds / len(files) for seconds in parts])
    finally:
        cv2.setNumThreads(threads)
    columns = [READ, DECODE, FIND, CROP, NETWORK, REST]
    kilobytes = round(sum(file.stat().st_size for file in files) / len(files) / 1000)
    return {
        "name": "stages",
        "title": f"One photograph of {SIZE} megapixels on one core, once the file is in memory, ms, median of {ROUNDS} "
        "rounds",
        "columns": ["kB", *columns],
        "rows": [[kilobytes, *(round(median(of), 3) for of in zip(*rounds, strict=True))]],
    }


def _driver(out: Path) -> dict:
    """What the one process that plans a scan and writes it down does for each picture."""
    detector = Detector(default_model())
    (verdict,) = detector.predict([ROOT / "examples" / PORTRAITS[0]])
    hashes = np.random.default_rng(1).bytes(32 * KEPT)
    started = time.perf_counter()
    items = (Item(f"s3://bucket/photographs/{number:09d}.jpg") for number in range(KEPT))
    begin(out, ["s3://bucket"], items, detector.model.sha256, None, thorough=False)
    listed = time.perf_counter()
    folder, digests = Folder(out), DigestIndex(out / "digests")
    rows = Rows(folder)
    for shard, pictures in folder.missing():
        found = [found_of(one, hashes[32 * one.position - 32 : 32 * one.position], digests) for one in pictures]
        rows.write(shard, [one._replace(result=verdict) for one in found])
    written = time.perf_counter()
    digests.close()
    folder.close()
    return {
        "name": "driver",
        "title": f"What the driver does for each of {KEPT} pictures, whoever judges them, ms; the store's own time for "
        "listing is not in it",
        "columns": ["list", "look for copies and write", "together"],
        "rows": [[round(1000 * s / KEPT, 4) for s in (listed - started, written - listed, written - started)]],
    }
