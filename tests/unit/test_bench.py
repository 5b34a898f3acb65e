"""The benchmark's own parts, and that what is said of its results is what they say."""

import json
from contextlib import nullcontext
from functools import partial
from threading import Barrier
from time import perf_counter

import numpy as np
import pytest
from project import ROOT
from waiting import LONG

from bench import folder, photo, report, training
from bench import server as serving
from bench.__main__ import BY_NAME, PARTS, main
from bench.engines import FIRST, INT8, KERAS, OTHERS, VIT, check_agreement
from bench.goals import GOALS, Goal
from bench.pictures import folder_of
from bench.report import docs_markdown, markdown
from bench.serving import Client, Served, load, served
from bench.timing import in_turns, median_ms, percentile_ms
from page import app
from train.recipe import load_recipe

pytestmark = pytest.mark.slow

RESULTS = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
REAL = ROOT / "examples" / "real_eileen_collins.jpg"


def table(part, name):
    (found,) = (t for t in RESULTS[part]["tables"] if t["name"] == name)
    return found


# How it is measured


def test_work_is_timed_in_turns_and_every_round_counts():
    order, now = [], 0

    def work(name, seconds):
        nonlocal now
        order.append(name)
        now += seconds

    both = {"quick": lambda: work("quick", 1), "slow": lambda: work("slow", 20)}
    taken = in_turns(both, rounds=4, warm_up=2, clock=lambda: now)
    rounds = [tuple(order[place : place + 2]) for place in range(0, 12, 2)]
    assert {("quick", "slow"), ("slow", "quick")} == set(rounds)
    assert {name: seconds.tolist() for name, seconds in taken.items()} == {"quick": [1] * 4, "slow": [20] * 4}
    assert median_ms(np.array([0.001, 0.002, 0.1])) == 2.0 and percentile_ms(np.arange(101) / 1000, 95) == 95.0


def test_a_run_ahead_does_not_count():
    clock = iter(range(100))
    order = []
    taken = in_turns({"a": lambda: order.append("a")}, rounds=3, warm_up=0, ahead=1, clock=lambda: next(clock))
    assert order == ["a"] * 6 and taken["a"].tolist() == [1, 1, 1]


def test_engines_that_compute_something_else_are_not_timed():
    right = dict.fromkeys((FIRST, INT8, *OTHERS, VIT), np.array([[1.0, -1.0], [0.5, 2.0]], np.float32))
    check_agreement(right)
    check_agreement(right | {INT8: right[INT8] + 0.5, VIT: right[VIT] * 9})
    for name in (*OTHERS, INT8):
        with pytest.raises(RuntimeError, match="differs from"):
            check_agreement(right | {name: right[name] + (2 if name == INT8 else 0.01)})
    with pytest.raises(RuntimeError, match="instead of"):
        check_agreement(right | {KERAS: right[KERAS] * np.nan})
    with pytest.raises(RuntimeError, match="instead of"):
        check_agreement(right | {VIT: right[VIT][:1]})


def test_a_photograph_s_time_is_split_into_all_that_it_is_made_of(monkeypatch):
    monkeypatch.setattr(photo, "MEGAPIXELS", (0.1, 3))
    monkeypatch.setattr(photo, "ROUNDS", 2)
    split, reduced = photo.measure()
    for megapixels, (_, whole, *parts, other) in zip((0.1, 3), split["rows"], strict=True):
        assert all(part > 0 for part in parts) and sum(parts) == pytest.approx(whole, rel=0.25), megapixels
        assert 0 < other < 1
    ((whole, served, times),) = reduced["rows"]
    assert times == pytest.approx(whole / served, abs=0.006)  # that it is faster, test_gate.py says


def test_a_folder_s_memory_is_that_of_the_command_alone(tmp_path, monkeypatch):
    _, bare = folder.judge(folder_of(tmp_path / "one", 1, 0.1))
    ballast = np.ones(int((bare + 200) * 2**20), np.uint8)  # which would be measured, if this process's memory were
    monkeypatch.setattr(folder, "COUNTS", (1, 13, 14))
    folders, growth = folder.measure()
    assert [row[1] for row in folders["rows"]] == [1, 13, 14, 13]
    for _, count, seconds, rate, memory in folders["rows"]:
        assert 50 < memory < bare + 100 < ballast.nbytes / 2**20 and rate == pytest.approx(
            count / seconds, rel=0.01, abs=0.06
        )
    assert growth["rows"][0][3] == pytest.approx(1, abs=0.2)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(RuntimeError, match="ended with 1"):
        folder.judge(tmp_path / "pictures")


def test_a_server_is_asked_by_several_clients(server):
    client = Client(server[0])
    sent = client.upload(REAL)
    answer = client.ask("analyze", sent, False)
    assert answer["label"] in ("real", "fake", "unsure") and answer["faces"]
    began = perf_counter()
    rate, seconds = load([partial(Client(server[0]).ask, "analyze") for _ in range(2)], [(sent, False)], requests=6)
    assert len(seconds) == 6 and 6 / (perf_counter() - began) <= rate <= 2 * 6 / seconds.sum()
    with pytest.raises(RuntimeError, match="No picture was sent"):
        client.ask("analyze", None, False)


def test_clients_ask_at_the_same_time():
    together = Barrier(2)
    _, seconds = load([lambda: together.wait(LONG)] * 2, [()], requests=6)
    assert len(seconds) == 6


def test_requests_and_albums_are_timed_beside_nothing_and_the_command_line(server, monkeypatch):
    """On the tests' server, and on one with an empty page."""
    ours = Served(server[0], 0)
    monkeypatch.setattr(serving, "served", lambda *words: served(*words) if words else nullcontext(ours))
    for name, value in {"REQUESTS": {1: 2, 2: 4}, "SERIES": 1, "MAX_PICTURES": 3, "ALBUMS": 1}.items():
        monkeypatch.setattr(serving, name, value)
    rows = serving.requests()["rows"]
    assert [row[0] for row in rows] == [1, 2]
    for _, rate, p50, p95, *nothing, more in rows:
        assert rate > 0 and 0 < p50 <= p95 and nothing[0] > 0 and 0 < nothing[1] <= nothing[2]
        assert more == pytest.approx(p50 - nothing[1], abs=0.01)
    rows = serving.albums()["rows"]
    assert [row[0] for row in rows] == list(serving.ALBUM_SIZES)
    for _, command, album, over, sent in rows:
        assert over == pytest.approx(album / command, rel=0.001 + 0.1 / min(album, command)) and sent > 0


def test_every_phase_of_a_recipe_is_timed():
    assert [training.phases(load_recipe(name)) for name in ("first", "paper")] == [[0, 10, 14], [0]]


# What is said of the results


def test_the_tables_are_those_of_the_results():
    assert list(RESULTS) == [part for part in PARTS if part in RESULTS] and set(PARTS) - set(RESULTS) <= {
        "reduced",
        *BY_NAME,
    }
    assert (ROOT / "bench" / "results.md").read_text(encoding="utf-8") == markdown(RESULTS)


def test_the_ratios_are_those_of_the_times():
    times = {name: figures for name, *figures in table("engines", "times")["rows"]}
    for name, *ratios in table("engines", "ratios")["rows"]:
        assert ratios == pytest.approx(np.divide(times[name], times[FIRST]), abs=0.006)


@pytest.mark.parametrize(("found", "met"), [(12, True), (20, True), (20.1, False)])
def test_of_several_figures_the_worst_counts(found, met):
    results = {"part": {"tables": [{"name": "t", "title": "T", "columns": ["name", "x", "y"],
                                    "rows": [["a", 12, 300], ["b", found, 500], ["c", 40, 700]]}]}}  # fmt: skip
    at_most = Goal("g", "part", "t", (("a",), ("b",)), ("x",), at_most=20)
    assert at_most.measured(results) == max(12, found) and at_most.met(results) is met
    at_least = Goal("g", "part", "t", at_least=12)
    assert at_least.measured(results) == 12 and at_least.met(results)
    assert not Goal("g", "part", "t", columns=("y",), at_least=301).met(results)
    for wrong in (Goal("g", "part", "t", (("d",),), at_most=1), Goal("g", "part", "t", columns=("z",), at_most=1)):
        with pytest.raises((LookupError, ValueError)):
            wrong.measured(results)


@pytest.mark.parametrize(("found", "bound", "said"), [
    (1.004, {"at_most": 1.1}, "1.01"), (0.9996, {"at_least": 1}, "0.999"),
    (123.2, {"at_most": 200}, "124"), (0.0, {"at_most": 1}, "0"), (12, {"at_least": 12}, "12"),
])  # fmt: skip
def test_what_was_measured_is_never_rounded_towards_its_goal(found, bound, said, monkeypatch):
    monkeypatch.setattr(report, "GOALS", [Goal("g", "part", "t", **bound)])
    results = {"part": {"machine": RESULTS["engines"]["machine"], "tables": [
        {"name": "t", "title": "T", "columns": ["name", "x"], "rows": [["a", found]]}]}}  # fmt: skip
    assert f"| {said} |" in markdown(results).splitlines()[4]


def test_every_goal_is_measured_and_a_miss_is_said():
    lines = docs_markdown(RESULTS).splitlines()
    for goal in GOALS:
        (line,) = (line for line in lines if line.startswith(f"| {goal.name} |"))
        if goal.part in BY_NAME and goal.part not in RESULTS:
            assert line.endswith("| not yet |  |")
        else:
            assert line.endswith("| met |" if goal.met(RESULTS) else "| **missed** |")


@pytest.mark.parametrize(("words", "said"), [
    (["nonsense"], "there is no part nonsense"),
    (["page", "--out", "no/such/folder"], "make it first"),
    (["page", "--out", "tests", "--docs", "docs/speed.md"], "engines, which tests lacks"),
    (["page", "--docs", "LICENSE"], "has no lines"),
    (["page", "--docs", "no/such/file"], "No such file"),
    (["reduced"], "takes --data"),
])  # fmt: skip
def test_bad_usage_ends_before_anything_is_measured(words, said, capsys, monkeypatch):
    monkeypatch.setitem(PARTS, "page", None)  # cannot be measured
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_the_server_takes_as_many_pictures_at_a_time_as_was_measured_to_be_worth_their_memory():
    """More requests a second for twice the memory, which four pictures of 50 megapixels would take, is no good trade
    where they are fewer than half as many more."""
    rates = {number: rate for number, rate, *_ in table("page", "at a time")["rows"]}
    assert rates[1] < rates[app.AT_A_TIME] and rates[2 * app.AT_A_TIME] < 1.5 * rates[app.AT_A_TIME]


def test_the_occlusion_map_takes_the_time_that_it_may():
    (median,) = (row[1] for row in table("page", "evidence")["rows"] if row[0] == "occlusion map")
    assert median < 300
