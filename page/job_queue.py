"""One long job at a time, a few that wait for their turn, and a clear answer for the rest."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from deepfake_detect.errors import BusyError


class JobQueue:
    """Places for jobs of which one runs at a time, in the order in which they came. Thread-safe.

    Args:
        waiting: jobs that may wait beside the one that runs.
        sentence: what a job is told that finds no place.
    """

    def __init__(self, waiting: int, sentence: str):
        self.sentence = sentence
        self._most, self._line, self._moved = waiting + 1, deque(), Condition()

    @contextmanager
    def take_ticket(self) -> Iterator["Ticket"]:
        """Take a place; with `Ticket.wait` one learns when its turn is. Leaving gives it back.

        Raises:
            BusyError: all places are taken.
        """
        ticket = Ticket(self._line, self._moved)
        with self._moved:
            if len(self._line) >= self._most:
                raise BusyError("busy", self.sentence)
            self._line.append(ticket)
        try:
            yield ticket
        finally:
            with self._moved:
                self._line.remove(ticket)
                self._moved.notify_all()


class Ticket:
    """A place in the line."""

    def __init__(self, line: deque["Ticket"], moved: Condition):
        self._line, self._moved = line, moved

    def wait(self, seconds: float) -> bool:
        """Whether the turn comes within so many seconds; it stays until the place is left."""
        with self._moved:
            return self._moved.wait_for(lambda: self._line[0] is self, seconds)
