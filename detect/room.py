"""Room for so much at a time, whatever the number of threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """So much of something that threads may take at the same time. Whoever comes first is served first, so that one who
    wants much is not kept waiting by a row of those who want little.

    Args:
        size: what there is; one who wants more takes all of it.
    """

    def __init__(self, size: int):
        self.size = self._left = size
        self._first, self._change = threading.Lock(), threading.Condition()
        self._own = threading.local()  # `kept`, inside the method of that name: what this thread has taken

    @contextmanager
    def taken(self, wanted: int) -> Iterator[None]:
        """Wait for so much, and give it back at the end or, inside `kept`, at the end of that."""
        wanted = min(wanted, self.size)
        keeping = hasattr(self._own, "kept")
        if keeping:  # in place of what this thread has: one that waits and has some might wait for ever
            self._give_back(self._own.kept)
            self._own.kept = 0
        with self._first, self._change:
            self._change.wait_for(lambda: self._left >= wanted)
            self._left -= wanted
        try:
            yield
        finally:
            if keeping:
                self._own.kept = wanted
            else:
                self._give_back(wanted)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what this thread takes inside until the end: of several takings, the last. The outermost one counts."""
        if hasattr(self._own, "kept"):
            yield
            return
        self._own.kept = 0
        try:
            yield
        finally:
            self._give_back(self._own.kept)
            del self._own.kept

    def _give_back(self, taken: int) -> None:
        with self._change:
            self._left += taken
            self._change.notify()
