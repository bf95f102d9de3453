"""Dialling: which address is tried when, and for how long."""

from __future__ import annotations

import time
from typing import final

from jms_api.exceptions import InvalidClientIDException, JMSException, JMSSecurityException
from jms_api.url import ConnectionOptions


@final
class Dialling:
    """The attempts of one connection to reach a broker, again and again along the list of its options."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        self._attempts = 0
        self._since = time.monotonic()

    @property
    def host(self) -> str:
        """The machine that is being tried."""
        return self._options.addresses[(self._attempts - 1) % len(self._options.addresses)][0]

    def begin(self) -> None:
        """Begin with the first address, and without delay."""
        self._attempts = 0
        self._since = time.monotonic()

    def next_attempt(self) -> tuple[int, float]:
        """Return which address is to be tried, and after how many seconds."""
        options = self._options
        rounds, index = divmod(self._attempts, len(options.addresses))
        self._attempts += 1
        if not rounds or index:
            return index, 0.0
        # Twice as long after each round; the exponent is bounded, not the number of rounds.
        delay = min(options.reconnect_delay * 2 ** min(rounds - 1, 16), options.reconnect_longest_delay)
        return index, delay / 1000

    def is_hopeless(self, error: JMSException, *, is_first: bool) -> bool:
        """Return whether dialling on is pointless.

        Args:
            error: Why the last attempt failed.
            is_first: Whether nobody has answered ever; then each address is tried once.
        """
        if is_first:
            refused = isinstance(error, JMSSecurityException | InvalidClientIDException)
            return refused or self._attempts >= len(self._options.addresses)
        # A client id that is in use may still be that of the connection that was lost.
        limit = self._options.reconnect_timeout / 1000
        return isinstance(error, JMSSecurityException) or (limit > 0 and time.monotonic() - self._since >= limit)
