"""Waiting for what is to come, on a machine that may be busy with other tests."""

import time
from collections.abc import Callable

SECONDS = 20


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
