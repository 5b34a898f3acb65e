"""One long job at a time, a few that wait for their turn, and a clear answer for the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock


class BusyError(RuntimeError):
    """There is no place left to wait; the message says to the person what to do."""


class Turns:
    """Places for jobs of which one runs at a time. Thread-safe.

    Args:
        waiting: jobs that may wait beside the one that runs.
        sentence: what a job is told that finds no place.
    """

    def __init__(self, waiting: int, sentence: str):
        self.sentence = sentence
        self._places, self._turn = BoundedSemaphore(waiting + 1), Lock()

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Take a place, and with `Place.comes` the turn; leaving gives both back.

        Raises:
            BusyError: all places are taken.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError(self.sentence)
        place = Place(self._turn)
        try:
            yield place
        finally:
            place.leave()
            self._places.release()


class Place:
    """A place in the queue."""

    def __init__(self, turn: Lock):
        self._turn, self._mine = turn, False

    def comes(self, seconds: float) -> bool:
        """Whether the turn comes within so many seconds; it stays until the place is left."""
        self._mine = self._mine or self._turn.acquire(timeout=seconds)
        return self._mine

    def leave(self) -> None:
        if self._mine:
            self._mine = False
            self._turn.release()
