"""The runs of visitors by number: each can be asked to stop, or be replaced by a newer one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock

from page.texts import KEEP_MINUTES


class RunEnded(Exception):
    """A run is to end before its time: it was asked to stop and should say so, or was replaced and should be silent."""

    def __init__(self, stopped: bool):
        super().__init__("stopped" if stopped else "replaced")
        self.stopped = stopped


class Runs:
    """The runs that go on, by number, each asked from outside to stop or to end in silence.

    Gradio's own cancelling lets a step that is under way show its result afterwards; a run that ends by itself is the
    last to be heard. A run that nobody ends, because its visitor has gone, is forgotten when its uploads are deleted.
    Thread-safe.
    """

    def __init__(self):
        self._numbers, self._lock = count(1), Lock()
        self._stopped: dict[int, bool] = {}
        self._begun: set[int | None] = set()
        self._opened: dict[int, float] = {}  # in seconds of `time.monotonic`, the oldest first

    def open(self) -> int:
        """The number of a new run, which may be stopped or replaced before it goes on."""
        with self._lock:
            now = time.monotonic()
            for run in [run for run, opened in self._opened.items() if now - opened > KEEP_MINUTES * 60]:
                self._forget(run)
            run = next(self._numbers)
            self._stopped[run], self._opened[run] = False, now
        return run

    def is_first(self, run: int) -> bool:
        """Whether nobody has asked this of the run before, and it goes on: a browser may call for its work twice."""
        with self._lock:
            first = run in self._stopped and run not in self._begun
            if first:
                self._begun.add(run)
        return first

    @contextmanager
    def going_on(self, run: int) -> Iterator[None]:
        """Around the work; forgets the run at the end. Raises RunEnded where it was stopped or replaced before."""
        try:
            self.check(run)
            yield
        finally:
            self.replace(run)

    def check(self, run: int) -> None:
        """To be called between the steps. Raises RunEnded where the run is to stop or was replaced."""
        stopped = self._stopped.get(run)
        if stopped is not False:
            raise RunEnded(bool(stopped))

    def stop(self, run: int | None) -> bool:
        """Ask a run to stop; whether it still went on."""
        with self._lock:
            going_on = run in self._stopped
            if going_on:
                self._stopped[run] = True
        return going_on

    def replace(self, run: int | None) -> None:
        """Ask a run to end in silence."""
        with self._lock:
            self._forget(run)

    def _forget(self, run: int | None) -> None:
        self._stopped.pop(run, None)
        self._begun.discard(run)
        self._opened.pop(run, None)
