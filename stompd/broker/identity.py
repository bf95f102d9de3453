"""Ids for messages and queues: 64 bits, ordered by time, made without asking anybody."""

from __future__ import annotations

from typing import final

#: Milliseconds from the Unix epoch to 2020-01-01; counting from there, 41 bits last until 2089.
_FIRST_MS = 1_577_836_800_000

_COUNTER_BITS = 12  # 4,096 ids a millisecond; more borrow from the next one
_NODE_BITS = 10  # 1,024 brokers on one database


def time_ms(made: int) -> int:
    """Return when an id was made, in epoch milliseconds; later than that if the clock was set back before."""
    return (made >> _NODE_BITS >> _COUNTER_BITS) + _FIRST_MS


def first_id(at_ms: int) -> int:
    """Return an id that is not higher than those made from then on, and higher than those before."""
    return max(0, (at_ms - _FIRST_MS) << _COUNTER_BITS << _NODE_BITS)


@final
class IdSource:
    """Makes ids that rise, also when the clock is set back or more are asked for than a millisecond holds."""

    __slots__ = ("_last", "_node")

    def __init__(self, highest_id: int = 0, node: int = 0) -> None:
        """Start above what is in use.

        Args:
            highest_id: The highest id found in the store; 0 when there is none.
            node: Which of the brokers that share a database this is, 0 to 1,023.
        """
        self._node = node
        self._last = highest_id >> _NODE_BITS

    def next(self, now: float) -> int:
        """Return a new id; `now` is in epoch seconds."""
        stamp = (int(now * 1000) - _FIRST_MS) << _COUNTER_BITS
        self._last = last = self._last + 1
        if stamp > last:
            self._last = last = stamp
        return last << _NODE_BITS | self._node

    def bound(self, now: float, ahead_seconds: float) -> int:
        """Return an id that is higher than any made until so long after `now`, which is in epoch seconds.

        If the clock was set back, ids rise by one each, and the bound is as far ahead of them as it would be of the
        clock.
        """
        stamp = (int(now * 1000) - _FIRST_MS) << _COUNTER_BITS
        ahead = int(ahead_seconds * 1000) << _COUNTER_BITS
        return (max(stamp, self._last) + ahead + 1) << _NODE_BITS
