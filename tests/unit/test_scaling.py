"""The benchmark of scans, and what is computed from it for a billion pictures."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
from project import ROOT
from waiting import LONG

from bench import scaling, scan
from bench.processes import command_of, processes_below
from bench.scaling import Assumed, Measured, estimate

pytestmark = pytest.mark.slow

RESULTS = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
MEASURED = Measured(core=36, read=0.5, decode=4, find=3, crop=1, network=4, driver=0.036, cores=2)
ASSUMED = Assumed(
    pictures=10**8, cores=100, core_hour=0.05, thousand_reads=0.0004, thousand_names=0.000005, megabytes_a_second=50,
    reads=2, list_request_ms=36,
)  # fmt: skip


def test_an_estimate_is_what_it_is_by_hand():
    found = estimate(MEASURED, ASSUMED, megabytes=0.5)
    assert found.fetch_ms == 20  # a megabyte at 50 MB/s, which the core's 36 ms outlast
    assert (found.reading_ms, found.judging_ms) == (25, 8)
    assert found.core_hours == pytest.approx(1000) and found.hours == pytest.approx(10)
    assert found.machines == pytest.approx(50) and found.requests == pytest.approx(80.5)
    assert found.list_hours == pytest.approx(1)  # a hundred thousand requests
    assert found.driver_hours == pytest.approx(2) and found.scans == 1
    slow = estimate(MEASURED, ASSUMED, megabytes=2)
    assert slow.fetch_ms == 80 and slow.hours == pytest.approx(10 * 80 / 36)
    assert estimate(MEASURED, replace(ASSUMED, cores=2400), megabytes=0.5).scans == 5


def test_nothing_is_estimated_for_less_than_was_measured():
    for megabytes in scaling.MEGABYTES:
        found = estimate(MEASURED, ASSUMED, megabytes)
        assert found.core_hours >= ASSUMED.pictures * MEASURED.core / 3_600_000 * 0.999


@pytest.mark.parametrize(
    ("decode", "said"),
    [(40, "reading, not judging, at each"), (1, "reading, not judging, from 1 MB"), (-200, "judging, at each")],
)
def test_the_bottleneck_is_computed(decode, said):
    assumed = Assumed(megabytes_a_second=100)
    found = {size: estimate(replace(MEASURED, decode=decode), assumed, size) for size in scaling.MEGABYTES}
    assert said in scaling._bottleneck(found)


def test_scaling_md_is_that_of_the_results():
    assert (ROOT / "bench" / "SCALING.md").read_text(encoding="utf-8") == scaling.text(RESULTS)


def test_a_scan_is_measured_with_all_its_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "COUNT", 26)
    monkeypatch.setattr(scan, "SIZE", 0.05)
    monkeypatch.setattr(scan, "LOOK", 0.05)
    pictures = scan._different(tmp_path / "many", 26)
    assert len({file.read_bytes() for file in pictures.iterdir()}) == 26
    cores = os.sched_getaffinity(0)
    with scan._on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
        seconds, memory = scan.run(pictures, "local")
    assert os.sched_getaffinity(0) == cores
    assert 0.5 < seconds < LONG and 80 < memory < 1000
    (pictures / "000000.jpg").write_bytes(b"no picture")
    with pytest.raises(RuntimeError, match=r"ended with 1: .*1 could not be read"):
        scan.run(pictures, "local")


def test_the_tables_follow_from_what_was_taken():
    taken = {("local", 1): (50, 1, 200), ("ray", 1): (40, 9, 900), ("local", 2): (90, 1, 210), ("ray", 2): (80, 9, 950)}
    assert scan._engines(taken)["rows"][1] == ["ray", 1, 40, 25.0, 9, 900]
    assert scan._added(taken)["rows"] == [[1, 5.0, 1, 1], [2, 2.78, 0.9, 1]]


def test_stages_and_driver_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "SIZE", 0.05)
    monkeypatch.setattr(scan, "ROUNDS", 2)
    monkeypatch.setattr(scan, "KEPT", 2500)
    files = sorted(scan._different(tmp_path / "few", 12).iterdir())
    (row,) = scan._stages(files)["rows"]
    assert all(value > 0 for value in row)
    listing, keeping, together = scan._driver(tmp_path / "kept.parquet")["rows"][0]
    assert min(listing, keeping) > 0 and together == pytest.approx(listing + keeping, abs=0.001)


def test_processes_are_found_with_their_commands():
    assert "python" in command_of(os.getpid()) and command_of(2**22 + 1) == ""
    assert "python" in processes_below(os.getppid())[os.getpid()]


def test_memory_is_that_of_a_process_and_of_those_that_come_from_it_and_go_on(monkeypatch):
    others, children = {child.pid for child in psutil.Process().children(recursive=True)}, psutil.Process.children

    def own(process, recursive):
        """Without those of the tests before, which may end meanwhile."""
        return [child for child in children(process, recursive=recursive) if child.pid not in others]

    monkeypatch.setattr(psutil.Process, "children", own)
    alone = scan.memory_of(os.getpid())
    words = [sys.executable, "-c", "held = b'x' * 2**27; print(flush=True); input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert scan.memory_of(os.getpid()) > alone + 120
        ended = psutil.Process(child.pid)
        child.kill()
    monkeypatch.setattr(psutil.Process, "children", lambda process, recursive: [ended])  # as of a moment ago
    assert scan.memory_of(os.getpid()) < alone + 60
