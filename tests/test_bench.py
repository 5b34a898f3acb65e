"""The benchmark's own parts, and that what is said of its results is what they say."""

import json
import re
from time import sleep

import numpy as np
import pytest
from conftest import ROOT

import app
from bench.__main__ import main, markdown
from bench.serving import Client, load
from bench.timing import in_turns, median_ms, percentile_ms

RESULTS = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
REAL = ROOT / "examples" / "real_eileen_collins.jpg"


def table(part, title):
    (found,) = (t for t in RESULTS[part]["tables"] if title in t["title"])
    return found


def test_work_is_timed_in_turns_and_every_round_counts():
    order = []
    work = {"quick": lambda: order.append("quick"), "slow": lambda: (order.append("slow"), sleep(0.02))}
    taken = in_turns(work, rounds=4, warm_up=2)
    assert {name: len(seconds) for name, seconds in taken.items()} == {"quick": 4, "slow": 4}
    assert order == ["quick", "slow", "slow", "quick"] * 3
    assert taken["slow"].min() >= 0.02 > taken["quick"].max()
    assert median_ms(np.array([0.001, 0.002, 0.1])) == 2.0 and percentile_ms(np.arange(101) / 1000, 95) == 95.0


def test_a_server_is_asked_by_several_clients(server):
    client = Client(server[0])
    sent = client.upload(REAL)
    answer = client.ask("analyze", sent, False)
    assert answer["label"] in ("real", "fake", "unsure") and answer["faces"]
    rate, seconds = load(server[0], "analyze", [(sent, False)], clients=2, requests=6)
    assert len(seconds) == 6 and rate == pytest.approx(6 / seconds.sum() * 2, rel=0.7)
    with pytest.raises(RuntimeError, match="No picture was sent"):
        client.ask("analyze", None, False)


def test_the_tables_are_those_of_the_results():
    assert (ROOT / "bench" / "results.md").read_text(encoding="utf-8") == markdown(RESULTS)


@pytest.mark.parametrize("words", [["nonsense"], ["page", "--out", "no/such/folder"]])
def test_bad_usage_ends_before_anything_is_measured(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and re.search("there is no part nonsense|make it first", capsys.readouterr().err)


def test_the_server_takes_as_many_pictures_at_a_time_as_was_measured_to_be_worth_their_memory():
    """More requests a second for twice the memory, which four pictures of 50 megapixels would take, is no good trade
    where they are fewer than half as many more."""
    rates = {number: rate for number, rate, *_ in table("page", "at a time")["rows"]}
    assert rates[1] < rates[app.AT_A_TIME] and rates[2 * app.AT_A_TIME] < 1.5 * rates[app.AT_A_TIME]


def test_the_occlusion_map_takes_the_time_that_it_may():
    (median,) = (row[1] for row in table("page", "One photograph")["rows"] if row[0] == "occlusion map")
    assert median < 300
