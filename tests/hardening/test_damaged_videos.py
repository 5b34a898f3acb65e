"""Every odd video in a process of its own, and damaged in sixty ways: its own frames, or a sentence."""

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import av
import pytest
from damaging import PLACES, damaged
from odd_films import containers, odd_films
from PIL import Image
from project import ROOT
from reading import digests, elsewhere
from video_coding import FULL, Coded, Odd, muxed, picture
from watching import SECONDS

from deepfake_detect.picture.decode import MAX_PIXELS

FEW = 4  # one in so many
MEGABYTES = 400  # for a process that reads a video whose frames are larger than it says
PEAK = """
import sys
from reading import digest
from watching import peak_megabytes
print(digest(sys.argv[1]), peak_megabytes("self"))
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory, all_cases) -> list[Odd]:
    """All of them where the figures are written, in a minute and a half; otherwise a few of one kind, because
    tests/unit/test_odd_films.py reads and damages some of every kind."""
    folder = tmp_path_factory.mktemp("odd")
    return list(odd_films(folder)) if all_cases else list(containers(folder, picture()))[::FEW]


def test_every_video_gives_the_frames_of_a_fresh_process(odd, record_property):
    paths = [film.path for film in odd]
    with ThreadPoolExecutor(2) as pool:
        fresh = [found for (found,) in pool.map(lambda path: elsewhere([path]), paths)]
    assert digests(paths) == fresh == digests(paths[::-1])[::-1] == digests(paths, threads=4)
    tried = f"{len(paths)} odd videos, each in a fresh process, after others, and four at a time"
    record_property("survives", ["Files", tried, "the same frames to the last bit, and those that a player shows"])


def test_every_damaged_video_gives_frames_or_a_sentence(odd, tmp_path, record_property):
    came, slowest = damaged(odd, tmp_path)
    assert slowest < SECONDS and min(came.values()) > came.total() / 10
    tried = f"{len(odd)} odd videos cut at each tenth, and with a wrong byte at {PLACES} places: {came.total()} files"
    outcome = (
        f"{came['frames']} times frames, the same each time, {came['sentence']} times a sentence; the slowest took "
    )
    record_property("survives", ["Files", tried, f"{outcome}{slowest:.1f} s"])


def test_frames_larger_than_announced_take_no_memory(tmp_path, record_property):
    side = int(MAX_PIXELS**0.5) + 100
    large = io.BytesIO()
    Image.new("RGB", (side, side)).save(large, "JPEG", quality=10)

    def change(packets: list[av.Packet]) -> list[av.Packet]:
        packet = av.Packet(large.getvalue())
        packet.pts, packet.dts, packet.time_base = packets[0].pts, packets[0].dts, packets[0].time_base
        return [packet]

    made = Coded(picture(), "mjpeg", "yuvj420p", count=1, tags={"color_range": FULL})
    clip = muxed(tmp_path / "clip.avi", made, change=change)
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT}/tests/helpers"}
    done = subprocess.run([sys.executable, "-c", PEAK, str(clip)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    found, peak = done.stdout.split()
    assert found in ("undecodable", "too_large") and float(peak) < MEGABYTES
    tried = f"a video of 96 x 64 pixels by its own account, with frames of {side} x {side}"
    record_property("survives", ["Files", tried, f"a sentence; the process held {float(peak):.0f} MB"])
