"""One long job at a time, a few that wait for their turn, and a clear answer for the rest."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class BusyError(RuntimeError):
    """There is no place left to wait; the message says to the person what to do."""


class Turns:
    """Places for jobs of which one runs at a time, in the order in which they came. Thread-safe.

    Args:
        waiting: jobs that may wait beside the one that runs.
        sentence: what a job is told that finds no place.
    """

    def __init__(self, waiting: int, sentence: str):
        self.sentence = sentence
        self._most, self._line, self._moved = waiting + 1, deque(), Condition()

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Take a place; with `Place.comes` one learns when its turn is. Leaving gives it back.

        Raises:
            BusyError: all places are taken.
        """
        place = Place(self._line, self._moved)
        with self._moved:
            if len(self._line) >= self._most:
                raise BusyError(self.sentence)
            self._line.append(place)
        try:
            yield place
        finally:
            with self._moved:
                self._line.remove(place)
                self._moved.notify_all()


class Place:
    """A place in the line."""

    def __init__(self, line: deque["Place"], moved: Condition):
        self._line, self._moved = line, moved

    def comes(self, seconds: float) -> bool:
        """Whether the turn comes within so many seconds; it stays until the place is left."""
        with self._moved:
            return self._moved.wait_for(lambda: self._line[0] is self, seconds)
