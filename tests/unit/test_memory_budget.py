"""PixelBudget for so much at a time, with real threads."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest
from waiting import PATIENCE, wait_until

from deepfake_detect.picture.memory_budget import PixelBudget

SOON = PATIENCE  # seconds


def test_no_more_is_taken_than_there_is():
    budget, held, most, three = PixelBudget(10), [], [], Barrier(3)

    def work(_):
        with budget.reserve(3):
            held.append(3)
            most.append(sum(held))
            three.wait(SOON)
            time.sleep(0.005)  # in which a fourth would come
            held.remove(3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(39)))
    assert max(most) == 9


def taking(budget, wanted):
    """A thread that takes so much: (it, the event that it has, the event that lets it go)."""
    has, go = Event(), Event()

    def work():
        with budget.reserve(wanted):
            has.set()
            go.wait(SOON)

    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread, has, go


def test_who_wants_more_than_there_is_takes_it_alone():
    budget = PixelBudget(10)
    with budget.reserve(1):
        thread, has, go = taking(budget, 1000)
        assert not has.wait(0.1)
    assert has.wait(SOON)
    go.set()
    thread.join(SOON)
    with budget.reserve(10):
        pass


def test_who_wants_little_does_not_overtake_who_wants_much():
    budget = PixelBudget(10)
    with budget.reserve(6):
        _, much, go_much = taking(budget, 8)
        wait_until(budget._first.locked)
        _, little, go_little = taking(budget, 1)
        assert not little.wait(0.1) and not much.is_set()
    assert much.wait(SOON) and little.wait(SOON)
    go_much.set()
    go_little.set()


def test_what_is_kept_is_given_back_at_the_end_and_the_last_alone_counts():
    budget = PixelBudget(10)
    with budget.hold():
        with budget.reserve(7):
            pass
        with budget.hold(), budget.reserve(8):  # in place of the seven
            pass
        _, three, go = taking(budget, 3)
        assert not three.wait(0.1)
    assert three.wait(SOON)
    go.set()


def test_an_error_gives_everything_back():
    budget = PixelBudget(10)
    with pytest.raises(MemoryError), budget.hold(), budget.reserve(10):
        raise MemoryError
    with budget.reserve(10):
        pass
