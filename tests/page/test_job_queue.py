"""Long jobs take turns, and no more wait than may."""

import time
from contextlib import ExitStack
from threading import Event, Thread

import pytest
from waiting import PATIENCE

from deepfake_detect.errors import BusyError
from page.job_queue import JobQueue
from page.runs import RunEnded, Runs


def test_one_runs_the_next_waits_and_one_too_many_is_refused():
    queue = JobQueue(1, "Try again later.")
    with ExitStack() as first_job, ExitStack() as second_job:
        first = first_job.enter_context(queue.take_ticket())
        assert first.wait(0) and first.wait(0)
        second = second_job.enter_context(queue.take_ticket())
        assert not second.wait(0.01)
        with pytest.raises(BusyError, match=r"^Try again later\.$"), queue.take_ticket():
            pass
        first_job.close()
        assert second.wait(0)
    with queue.take_ticket() as third:
        assert third.wait(0)


def test_an_error_or_a_generator_that_is_closed_gives_the_turn_back():
    queue = JobQueue(0, "Busy.")

    def steps():
        with queue.take_ticket() as ticket:
            assert ticket.wait(0)
            yield

    running = steps()
    next(running)
    with pytest.raises(BusyError), queue.take_ticket():
        pass
    closing = Thread(target=running.close)  # servers close from another thread than the one that ran
    closing.start()
    closing.join()
    with pytest.raises(ZeroDivisionError), queue.take_ticket() as ticket:
        assert ticket.wait(0)
        raise ZeroDivisionError
    with queue.take_ticket() as ticket:
        assert ticket.wait(0)


def test_those_who_wait_come_in_the_order_in_which_they_came_however_often_others_ask():
    queue, done = JobQueue(7, "Busy."), []

    def job(number, look):
        with queue.take_ticket() as ticket:
            placed.set()
            while not ticket.wait(look):
                time.sleep(0.02)  # as a page does, between two looks
            done.append(number)

    threads = []
    with ExitStack() as running:
        assert running.enter_context(queue.take_ticket()).wait(0)
        for number in range(7):
            placed = Event()
            threads.append(Thread(target=job, args=(number, 0.001 if number % 2 else 1)))
            threads[-1].start()
            assert placed.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert done == list(range(7))


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
