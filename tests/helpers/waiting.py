"""Waiting for what is to come, on a machine that may be busy with other tests."""

import os
import time
from collections.abc import Callable

# Seconds. What a page shows within one on an idle machine took half a minute on two cores with a load of sixteen.
PATIENCE = 60 * float(os.environ.get("TEST_PATIENCE", "1"))


LONG = 4 * PATIENCE  # for a process of its own, which may load TensorFlow first


def wait_until(holds: Callable[[], object]) -> None:
    """Wait PATIENCE seconds at most, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"this has not come within {PATIENCE:.0f} seconds"
        time.sleep(0.02)
