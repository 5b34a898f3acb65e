"""Several things timed in turns, so that whatever else the machine does befalls them alike."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from tqdm import tqdm


def in_turns(
    work: dict[str, Callable[[], object]],
    rounds: int,
    warm_up: int = 3,
    ahead: int = 0,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, np.ndarray]:
    """Run every piece of work once a round, in an order drawn anew each round: what one leaves behind, such as threads
    that wait awake, meets now this one, now that.

    Args:
        work: by name.
        rounds: that count.
        warm_up: rounds before those.
        ahead: runs of the same work right before each that counts, where it would pay for the caches and the busy
            threads that its predecessor leaves.
        clock: in seconds.

    Returns:
        By name, seconds [rounds].
    """
    names, taken, rng = list(work), {name: [] for name in work}, np.random.default_rng(0)
    for turn in tqdm(range(warm_up + rounds), unit="round", disable=None):
        for name in rng.permutation(names).tolist():
            for _ in range(ahead):
                work[name]()
            started = clock()
            work[name]()
            if turn >= warm_up:
                taken[name].append(clock() - started)
    return {name: np.array(seconds) for name, seconds in taken.items()}


def median_ms(seconds: np.ndarray) -> float:
    """The median in milliseconds, to two decimals."""
    return round(float(np.median(seconds)) * 1000, 2)


def percentile_ms(seconds: np.ndarray, percent: float) -> float:
    """A percentile in milliseconds, to two decimals."""
    return round(float(np.percentile(seconds, percent)) * 1000, 2)
