"""A budget of pixels for all threads of the process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """So much of something that threads may take at the same time. Whoever comes first is served first, so that one who
    wants much is not kept waiting by a row of those who want little.

    Args:
        size: what there is; one who wants more takes all of it.
    """

    def __init__(self, size: int):
        self.size = self._left = size
        self._first, self._change = threading.Lock(), threading.Condition()
        self._own = threading.local()  # `hold`, inside the method of that name: what this thread has taken

    @contextmanager
    def reserve(self, wanted: int) -> Iterator[None]:
        """Wait for so much, and give it back at the end or, inside `hold`, at the end of that."""
        wanted = min(wanted, self.size)
        keeping = hasattr(self._own, "held")
        if keeping:  # in place of what this thread has: one that waits and has some might wait for ever
            self._give_back(self._own.held)
            self._own.held = 0
        with self._first, self._change:
            self._change.wait_for(lambda: self._left >= wanted)
            self._left -= wanted
        try:
            yield
        finally:
            if keeping:
                self._own.held = wanted
            else:
                self._give_back(wanted)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep what this thread takes inside until the end: of several takings, the last. The outermost one counts."""
        if hasattr(self._own, "held"):
            yield
            return
        self._own.held = 0
        try:
            yield
        finally:
            self._give_back(self._own.held)
            del self._own.held

    def _give_back(self, taken: int) -> None:
        with self._change:
            self._left += taken
            self._change.notify()
