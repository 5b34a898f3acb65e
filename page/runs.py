"""Work for a visitor that can be stopped, or that something newer replaces."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Lock

from detect.texts import KEEP_MINUTES, RUN_LEFT


class RunEnded(Exception):
    """A run is to end before its time: it was asked to stop and should say so, or was replaced and should be silent."""

    def __init__(self, stopped: bool):
        super().__init__("stopped" if stopped else RUN_LEFT)
        self.stopped = stopped


@dataclass
class _Run:
    opened: float  # in seconds of `time.monotonic`
    session: str | None
    stopped: bool = False


class Runs:
    """The runs that go on, by number, each asked from outside to stop or to end in silence.

    Gradio's own cancelling lets a step that is under way show its result afterwards; a run that ends by itself is the
    last to be heard. A run that nobody ends, because its visitor has gone, is forgotten when its uploads are deleted.
    Thread-safe.
    """

    def __init__(self):
        self._numbers, self._lock = count(1), Lock()
        self._runs: dict[int, _Run] = {}  # the oldest first

    def open(self, session: str | None = None) -> int:
        """The number of a new run, which may be stopped or replaced before it goes on; `session` is Gradio's name of
        the client it is for, see `leave`."""
        with self._lock:
            now = time.monotonic()
            self._forget(number for number, run in self._runs.items() if now - run.opened > KEEP_MINUTES * 60)
            number = next(self._numbers)
            self._runs[number] = _Run(now, session)
        return number

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
        known = self._runs.get(run)
        if known is None or known.stopped:
            raise RunEnded(known is not None)

    def stop(self, run: int | None) -> bool:
        """Ask a run to stop; whether it still went on."""
        with self._lock:
            going_on = run in self._runs
            if going_on:
                self._runs[run].stopped = True
        return going_on

    def replace(self, run: int | None) -> None:
        """Ask a run to end in silence."""
        with self._lock:
            self._forget([run])

    def leave(self, session: str) -> None:
        """Ask all runs of a client that has gone to end in silence."""
        with self._lock:
            self._forget(number for number, run in self._runs.items() if run.session == session)

    def _forget(self, runs: Iterable[int | None]) -> None:
        for number in list(runs):
            self._runs.pop(number, None)
