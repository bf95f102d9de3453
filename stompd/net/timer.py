"""One appointment of a connection: what is to happen later unless something else is put in its place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import final

from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime


@final
class Timer:
    """Calls one function after a time, at most once each time it is set."""

    __slots__ = ("_call", "_reactor")

    def __init__(self, reactor: IReactorTime) -> None:
        """Begin unset."""
        self._reactor = reactor
        self._call: IDelayedCall | None = None

    @property
    def is_set(self) -> bool:
        """Whether a call is still to come."""
        return self._call is not None

    def set(self, seconds: float, function: Callable[[], object]) -> None:
        """Call the function then, in place of what was to be called."""
        self.cancel()
        self._call = self._reactor.callLater(seconds, self._fire, function)

    def cancel(self) -> None:
        """Call nothing."""
        if self._call is not None:
            with suppress(AlreadyCalled, AlreadyCancelled):
                self._call.cancel()
            self._call = None

    def _fire(self, function: Callable[[], object]) -> None:
        self._call = None
        function()
