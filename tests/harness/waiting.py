"""The one place that polls: a condition is waited for, never a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from tests.harness.raw import PATIENCE_SECONDS

_Value = TypeVar("_Value")

_POLL_SECONDS = 0.02


def wait_for(condition: Callable[[], _Value], what: str, timeout: float = PATIENCE_SECONDS) -> _Value:
    """Return the first true value of a condition.

    Args:
        condition: Called again and again.
        what: What is waited for, for the error: "the reader has all messages".
        timeout: Seconds.

    Raises:
        AssertionError: It did not become true in time.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s in vain until {what}; last seen: {value!r}"
        time.sleep(_POLL_SECONDS)
    return value


async def wait_for_async(condition: Callable[[], object], what: str, timeout: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition as `wait_for` does, and let other tasks run meanwhile.

    Raises:
        AssertionError: It did not become true in time.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain until {what}"
        await asyncio.sleep(_POLL_SECONDS)
