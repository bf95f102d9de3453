"""Meters: how much a user sends, and how long to rest after more than a rate allows."""

from __future__ import annotations

from collections import OrderedDict
from typing import final

from stompd.errors import LimitExceeded
from stompd.settings import ServiceLimits

#: Meters kept, also for users who have gone, so that connecting again gains nothing. A megabyte or two.
_MOST_METERS = 10_000


@final
class Meter:
    """Two buckets that hold what a second allows, of messages and of bytes; all connections of a user share them."""

    __slots__ = ("_bytes", "_bytes_left", "_is_strict", "_messages", "_messages_left", "_then")

    def __init__(self, messages: int, octets: int, now: float, *, is_strict: bool) -> None:
        """Begin with full buckets.

        Args:
            messages: How many a second, 0 for any number.
            octets: The same for bytes of bodies.
            now: In epoch seconds.
            is_strict: Whether what would overdraw them is refused.
        """
        self._messages = messages
        self._bytes = octets
        self._is_strict = is_strict
        self._messages_left = float(messages)
        self._bytes_left = float(octets)
        self._then = now

    def charge(self, octets: int, now: float) -> float:
        """Take a message of a size out of the buckets, and return the seconds of rest that it costs; mostly 0.

        Raises:
            LimitExceeded: It would overdraw them, and is refused; one larger than a bucket only needs that full.
        """
        self._fill(now)
        if self._is_strict and not self._has_room(octets):
            raise LimitExceeded(
                "You send more messages or bytes a second than allowed (settings limits.user_messages_per_second and"
                " limits.user_bytes_per_second). Send less, or wait a second."
            )
        self._messages_left -= 1
        self._bytes_left -= octets
        if self._is_strict:
            return 0.0
        return max(_seconds(self._messages_left, self._messages), _seconds(self._bytes_left, self._bytes))

    def _has_room(self, octets: int) -> bool:
        has_messages = not self._messages or self._messages_left >= 1
        return has_messages and (not self._bytes or self._bytes_left >= min(octets, self._bytes))

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._then)
        self._then = now
        self._messages_left = min(self._messages, self._messages_left + passed * self._messages)
        self._bytes_left = min(self._bytes, self._bytes_left + passed * self._bytes)


def _seconds(left: float, rate: int) -> float:
    return -left / rate if rate and left < 0 else 0.0


@final
class Meters:
    """The meters of all users."""

    def __init__(self, limits: ServiceLimits) -> None:
        """Measure if there is a rate to be kept."""
        self._rates = limits.user_messages_per_second, limits.user_bytes_per_second
        self._is_strict = limits.rate_is_error
        self._meters: OrderedDict[tuple[str, str], Meter] = OrderedDict()

    def of(self, host: str, user: str, now: float) -> Meter | None:
        """Return the meter of a user on a virtual host; None if there is no rate."""
        if not any(self._rates):
            return None
        meter = self._meters.pop((host, user), None) or Meter(*self._rates, now, is_strict=self._is_strict)
        self._meters[host, user] = meter
        if len(self._meters) > _MOST_METERS:
            self._meters.popitem(last=False)
        return meter
