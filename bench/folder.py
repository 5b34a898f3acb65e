"""A folder of pictures through the command line: pictures a second, and peak memory."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.pictures import folder_of
from bench.serving import ROOT

SIZE, COUNTS = 0.1, (200, 2000, 20_000)  # megapixels; pictures
LARGER = 0.8  # megapixels, of the middle number of pictures
# Runs a command and prints its exit status, its seconds and the most memory it had, in MB. This is a process of its own
# because the system counts as the command's, too, what the process that starts it has in memory.
METER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([process.returncode, seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)]))
"""


def measure() -> list[dict]:
    few, some, many = COUNTS
    runs = [(SIZE, few), (SIZE, some), (SIZE, many), (LARGER, some)]
    with tempfile.TemporaryDirectory() as folder:
        taken = [judge(folder_of(Path(folder, f"{count} of {size}"), count, size)) for size, count in runs]
    rows = [
        [size, count, round(seconds, 2), round(count / seconds, 1), round(memory)]
        for (size, count), (seconds, memory) in zip(runs, taken, strict=True)
    ]
    (first, least), (second, _), (third, most), _ = taken
    steps = 1000 * (second - first) / (some - few), 1000 * (third - second) / (many - some)
    return [
        {"name": "folders", "title": "A folder of JPEG photographs through `deepfake-detect`, its start included",
         "columns": ["megapixels", "pictures", "seconds", "pictures/s", "peak memory, MB"], "rows": rows},
        {"name": "growth", "title": f"What more pictures of {SIZE} megapixels cost",
         "columns": [f"ms for each from {few} to {some}", f"from {some} to {many}", "ratio",
                     f"peak memory of {many} over {few}"],
         "rows": [[*(round(step, 2) for step in steps), round(steps[1] / steps[0], 3), round(most / least, 3)]]},
    ]  # fmt: skip


def judge(pictures: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of the command line over a folder. Raises RuntimeError where it fails."""
    words = ["-m", "deepfake_detect", str(pictures), "--format", "jsonl", "--output", f"{pictures}.jsonl"]
    meter = [sys.executable, "-c", METER, sys.executable, *words]
    done = subprocess.run(meter, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    status, seconds, memory = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"The command ended with {status}.")
    return seconds, memory
