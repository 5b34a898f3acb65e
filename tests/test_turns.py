"""Long jobs take turns, and no more wait than may."""

from contextlib import ExitStack
from threading import Thread

import pytest

from detect.turns import BusyError, Turns
from page.runs import RunEnded, Runs


def test_one_runs_the_next_waits_and_one_too_many_is_refused():
    turns = Turns(1, "Try again later.")
    with turns.place() as first:
        assert first.comes(0) and first.comes(0)
        with turns.place() as second:
            assert not second.comes(0.01)
            with pytest.raises(BusyError, match=r"^Try again later\.$"), turns.place():
                pass
            first.leave()
            assert second.comes(0)
    with turns.place() as third:
        assert third.comes(0)


def test_an_error_or_a_generator_that_is_closed_gives_the_turn_back():
    turns = Turns(0, "Busy.")

    def steps():
        with turns.place() as place:
            assert place.comes(0)
            yield

    running = steps()
    next(running)
    with pytest.raises(BusyError), turns.place():
        pass
    closing = Thread(target=running.close)  # servers close from another thread than the one that ran
    closing.start()
    closing.join()
    with pytest.raises(ZeroDivisionError), turns.place() as place:
        assert place.comes(0)
        raise ZeroDivisionError
    with turns.place() as place:
        assert place.comes(0)


def test_all_who_wait_come_to_their_turn():
    turns, done = Turns(7, "Busy."), []

    def job(number):
        with turns.place() as place:
            while not place.comes(0.01):
                pass
            done.append(number)

    threads = [Thread(target=job, args=(n,)) for n in range(8)]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 10)
    assert sorted(done) == list(range(8))


def test_a_run_is_told_whether_to_say_that_it_ends():
    runs = Runs()
    first, second, third = (runs.open() for _ in range(3))
    with runs.going_on(first), runs.going_on(second):
        runs.check(first)
        assert runs.stop(first) and not runs.stop(third + 1) and not runs.stop(None)
        runs.replace(second)
        for run, stopped in ((first, True), (second, False)):
            with pytest.raises(RunEnded) as ended:
                runs.check(run)
            assert ended.value.stopped is stopped
    assert not runs.stop(first)
    assert runs.stop(third)  # before it goes on
    with pytest.raises(RunEnded) as ended, runs.going_on(third):
        raise AssertionError
    assert ended.value.stopped
    with pytest.raises(RunEnded) as ended, runs.going_on(third):  # forgotten
        raise AssertionError
    assert not ended.value.stopped
