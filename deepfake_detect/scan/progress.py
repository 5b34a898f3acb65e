"""How far a scan is, for programs and, on a terminal or in a log, for people."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from tqdm import tqdm

from deepfake_detect.scan.finding import by_suffix
from deepfake_detect.scan.listing import OTHER, VIDEO

LOG_INTERVAL = 60  # seconds from one line of a log to the next
HASH_STEP = 100  # pictures hashed from one report to the next


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan is. All numbers are of pictures."""

    done: int  # judged, found to be copies or unreadable, by this run or an earlier one
    total: int
    hashed: int = 0  # of those that are judged next, where the engine hashes them first
    to_hash: int = 0
    left_out: Counter = field(default_factory=Counter)  # files of the source that are no pictures, by kind
    suffixes: Counter = field(default_factory=Counter)  # of those that are of the kind "other file"


class Progress:
    """Counts the pictures that are through, and tells whoever asked.

    Args:
        total: of all pictures.
        done: by an earlier run.
        report: called at once, and then with every picture.
        left_out: the fields `left_out` and `suffixes` of `ScanProgress`, where this run has listed the source.
    """

    def __init__(
        self,
        total: int,
        done: int,
        report: Callable[[ScanProgress], None] | None,
        left_out: tuple[Counter, Counter] | None = None,
    ):
        self.total, self.done, self._report = total, done, report
        self._left_out = left_out or (Counter(), Counter())
        self._tell()

    def advance(self) -> None:
        """One more picture is through."""
        self.done += 1
        self._tell()

    def hashed(self, number: int, of: int) -> None:
        """So many of those that are judged next have been hashed."""
        if number == of or number % HASH_STEP == 0:
            self._tell(number, of)

    def _tell(self, hashed: int = 0, to_hash: int = 0) -> None:
        if self._report:
            self._report(ScanProgress(self.done, self.total, hashed, to_hash, *self._left_out))


class ProgressBar:
    """Shows a scan's progress on standard error: a bar on a terminal, a line now and then in a log; a context manager
    to be given to `deepfake_detect.scan.run.scan`."""

    def __init__(self):
        self._bar: tqdm | None = None
        self._started = self._told = monotonic()
        self._initial = 0  # pictures that an earlier run has done

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *raised) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, step: ScanProgress) -> None:
        if self._bar is None:
            self._bar = self._begin(step)
        hashing = f"hashed {step.hashed} of {step.to_hash}" if step.hashed < step.to_hash else ""
        if step.to_hash:
            self._bar.set_postfix_str(hashing)
        self._bar.update(step.done - self._bar.n if not self._bar.disable else 0)
        now = monotonic()
        if self._bar.disable and now - self._told >= LOG_INTERVAL:
            self._told = now
            line = tqdm.format_meter(
                step.done, step.total, now - self._started, ncols=0, unit="picture", initial=self._initial
            )
            print(f"{line} {hashing}".rstrip(), file=sys.stderr, flush=True)

    def _begin(self, step: ScanProgress) -> tqdm:
        if step.left_out:
            said = ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(step.left_out.items()))
            hint = " `deepfake-detect PATH` judges videos." * (VIDEO in step.left_out)
            others = step.left_out[OTHER]
            which = f" The other file{'s' * (others > 1)}: {by_suffix(step.suffixes)}." if others else ""
            print(f"Left out: {said}.{hint}{which}", file=sys.stderr)
        self._started = self._told = monotonic()
        self._initial = step.done
        return tqdm(total=step.total, initial=step.done, unit="picture", disable=None)
