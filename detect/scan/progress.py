"""How far a scan is, how fast, and how long it will take: a bar on a terminal, a line now and then in a log."""

import sys
from time import monotonic

from tqdm import tqdm

EVERY = 60  # seconds from one line of a log to the next
STEP = 100  # pictures hashed from one change of the bar to the next


class Progress:
    """Counts the pictures that are through; a context manager.

    Args:
        total: of all pictures.
        done: by an earlier run.
    """

    def __init__(self, total: int, done: int):
        self.total, self.done, self.initial = total, done, done
        self.started = self.told = monotonic()
        self._bar = tqdm(total=total, initial=done, unit="picture", disable=None)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *raised) -> None:
        self._bar.close()

    def advance(self) -> None:
        """One more picture is through."""
        self.done += 1
        self._bar.update()
        self._tell()

    def hashed(self, number: int, of: int) -> None:
        """So many of those that are judged next have been hashed."""
        said = f"hashed {number} of {of}" if number < of else ""
        if not said or number % STEP == 0:
            self._bar.set_postfix_str(said)
        self._tell(said)

    def _tell(self, more: str = "") -> None:
        now = monotonic()
        if self._bar.disable and now - self.told >= EVERY:
            self.told = now
            passed = now - self.started
            line = tqdm.format_meter(self.done, self.total, passed, ncols=0, unit="picture", initial=self.initial)
            print(f"{line} {more}".rstrip(), file=sys.stderr, flush=True)
