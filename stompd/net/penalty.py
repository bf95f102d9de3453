"""Penalties: how long a login waits after others of the same user, or from the same address, have failed."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

#: After so long without a failure, earlier ones are forgotten.
_FORGOTTEN_SECONDS = 600.0

#: Keys remembered; of more, those whose last failure is longest ago are forgotten. A few megabytes.
_MOST_KEYS = 10_000

#: The first delay; with each further failure it doubles.
_FIRST_SECONDS = 0.5

#: Doubling so often exceeds every limit.
_MOST_DOUBLINGS = 20


@final
class Penalties:
    """Counts failures by some key, and says how long the next attempt has to wait."""

    def __init__(self, free: int, longest_seconds: float) -> None:
        """Let so many failures pass without a delay, and let no delay be longer than this."""
        self._free = free
        self._longest = longest_seconds
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def seconds(self, key: str, now: float) -> float:
        """Return how long an attempt has to wait."""
        excess = self._count(key, now) - self._free
        return min(_FIRST_SECONDS * 2 ** min(excess, _MOST_DOUBLINGS), self._longest) if excess >= 0 else 0.0

    def note(self, key: str, now: float) -> int:
        """Remember a failure, and return how many there have been."""
        count = self._count(key, now) + 1
        self._failures[key] = (count, now)
        self._failures.move_to_end(key)
        if len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)
        return count

    def forgive(self, key: str) -> None:
        """Forget the failures."""
        self._failures.pop(key, None)

    def _count(self, key: str, now: float) -> int:
        count, last = self._failures.get(key, (0, 0.0))
        return count if now < last + _FORGOTTEN_SECONDS else 0
