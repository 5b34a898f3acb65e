"""The engine on Ray: the rows of the local one, whoever is killed meanwhile. It starts Ray, on this machine, twice."""

import os
import pickle
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from scans import fill, rows, scan, shards, started
from waiting import LONG, wait_until

from bench.processes import command_of, processes_below
from deepfake_detect.detector import default_model
from deepfake_detect.scan import engine_ray as cluster
from deepfake_detect.scan.listing import Item
from deepfake_detect.scan.listing_store import Placed

pytest.importorskip("ray", reason='Ray is not installed: pip install "ray[data]"')
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for Ray's processes in /proc"),
]

PICTURES, SHARD = 160, 10
WORKER = "ray::MapWorker(MapBatches(_Judge))"


@pytest.fixture(scope="module")
def album(portrait, tmp_path_factory) -> Path:
    """Portraits of a photograph's size that all differ, copies of some, a broken one, and one that is not there."""
    album = tmp_path_factory.mktemp("album")
    with Image.open(portrait) as image:
        names = fill(album, PICTURES - 22, image.convert("RGB"))
    for number in range(20):
        os.link(names[number * 7], album / f"x{number:02d}.jpg")
    (album / "0100a.jpg").write_bytes(b"no picture")
    (album / "z.jpg").symlink_to("nowhere")  # which every --resume looks for again
    return album


@pytest.fixture(scope="module")
def local(album, tmp_path_factory) -> list[dict]:
    out = tmp_path_factory.mktemp("local") / "out.parquet"
    assert scan(album, "--out", out, "--shard-rows", SHARD).returncode == 1
    return rows(out)


@contextmanager
def at_work(album: Path, out: Path) -> Iterator[subprocess.Popen]:
    """A scan on Ray that has written its first shards, held there (SIGSTOP), lest it is over before it is looked at."""
    process = started(album, "--out", out, "--shard-rows", SHARD, "--engine", "ray", start_new_session=True)
    try:
        wait_for_shards(process, out)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_shards(process: subprocess.Popen, out: Path) -> None:
    deadline = time.monotonic() + LONG  # Ray alone took 79 seconds to start on two busy cores
    while not (out.is_dir() and shards(out)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "Ray has not begun"
        time.sleep(0.02)


def test_the_rows_are_those_of_the_local_engine_and_a_killed_worker_costs_none(album, local, tmp_path):
    out = tmp_path / "out.parquet"
    with at_work(album, out) as process:
        workers = [pid for pid, name in processes_below(process.pid).items() if name.startswith(WORKER)]
        assert workers and len(shards(out)) < PICTURES // SHARD
        os.kill(workers[0], signal.SIGKILL)
        process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=LONG)[1]
    assert process.returncode == 1 and "2 could not be read; 20 repeat another one" in said, said
    assert "logging.cc" not in said, said
    assert rows(out) == local


def test_a_killed_driver_takes_ray_with_it_and_the_local_engine_goes_on(album, local, tmp_path):
    out = tmp_path / "out.parquet"
    with at_work(album, out) as process:
        assert loopback_alone(process.pid)
        below = processes_below(process.pid)
    done = {name: (out / name).stat().st_mtime_ns for name in shards(out)}
    assert 0 < len(done) < PICTURES // SHARD
    assert scan(album, "--out", out, "--resume").returncode == 1
    assert rows(out) == local and done == {name: (out / name).stat().st_mtime_ns for name in done}
    workers = {pid: name for pid, name in below.items() if name.startswith(WORKER)}
    assert workers
    wait_until(lambda: not [pid for pid, name in workers.items() if command_of(pid) == name])


def loopback_alone(pid: int) -> int:
    """How many ports the processes that come from one listen on; each must be this machine's own."""
    inodes = set()
    for process in processes_below(pid):
        for file in Path(f"/proc/{process}/fd").glob("*"):
            try:
                inodes.add(os.readlink(file))
            except OSError:
                continue
    found = 0
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:  # listening
                assert words[1].split(":")[0].endswith("0100007F"), line
                found += 1
    return found


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:1", "ray://127.0.0.1:1"])
@pytest.mark.parametrize("named_by", ["--address", "RAY_ADDRESS"])
def test_a_cluster_that_is_not_there_is_a_sentence(album, tmp_path, monkeypatch, address, named_by):
    monkeypatch.setenv("RAY_ADDRESS", address if named_by == "RAY_ADDRESS" else "another")
    words = ["--address", address] if named_by == "--address" else []
    done = scan(album, "--out", tmp_path / "out.parquet", "--engine", "ray", *words)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert address in done.stderr and f"{named_by} says" in done.stderr and "another" not in done.stderr
    assert not os.listdir(tmp_path)


def test_ray_that_does_not_start_here_is_a_sentence(album, tmp_path, monkeypatch):
    def fails(**options):
        raise ConnectionError("no port is free\nTraceback")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray.init", fails)
    done = scan(album, "--out", tmp_path / "out.parquet", "--engine", "ray")
    assert done.stderr == "deepfake-detect scan: Ray does not start here (no port is free).\n"


@pytest.mark.parametrize("known", [None, "127.0.0.2:1"], ids=["none", "dead"])
def test_auto_finds_no_cluster_or_one_that_is_no_more(album, tmp_path, monkeypatch, known):
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", lru_cache(set))  # on this machine: none
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    if known:
        (tmp_path / "ray" / "ray_current_cluster").write_text(known)
    done = scan(album, "--out", tmp_path / "out.parquet", "--engine", "ray", "--address", "auto")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and (known or "at auto") in done.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_a_round_is_bounded_however_many_workers_there_are():
    def judging(cores: float) -> cluster.RayEngine:
        return cluster.RayEngine(default_model(), SimpleNamespace(cluster_resources=lambda: {"CPU": cores}))

    assert judging(2).round == 2 * cluster.ROUND and judging(1000).round == judging(500).round == cluster.MOST


def test_a_round_has_as_many_shards_as_are_worth_it():
    shards = [(number, [None] * pictures) for number, pictures in enumerate([3, 2, 1, 9, 0, 5, 1])]
    assert [[number for number, _ in part] for part in cluster.rounds(shards, 5)] == [[0, 1], [2], [3], [4, 5], [6]]
    assert not list(cluster.rounds([], 5))


def test_a_second_read_that_fails_says_why_and_one_that_differs_that_it_does(album):
    judge = cluster._Judge(default_model().read_bytes(), str(album))
    work = [(Placed(place, Item(name)), b"x" * 32) for place, name in enumerate(("z.jpg", "0001.jpg"))]
    found = pickle.loads(judge({"work": [pickle.dumps(work)]})["done"][0])
    assert [str(error) for error in found] == ["There is no such file.", cluster.CHANGED]
