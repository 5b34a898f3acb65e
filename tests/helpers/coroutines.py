"""Coroutines in tests, beside Playwright's event loop, which goes on in the main thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def result_of(coroutine: Coroutine[object, object, Result]) -> Result:
    """Run a coroutine to its end in a thread of its own."""
    with ThreadPoolExecutor(1) as own_thread:
        return own_thread.submit(asyncio.run, coroutine).result()
