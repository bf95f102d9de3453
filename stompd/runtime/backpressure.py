"""Back-pressure: whoever fills the journal waits until there is room, and nobody else does.

Who sends to a topic faster than the broker passes it on, or than its subscribers read, rests half of the time, and more
while that is not enough, so that subscribers who read what they can are not given up. Those who read nothing are given
up all the same, and soon.
"""

from __future__ import annotations

from math import inf
from typing import Protocol, final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from stompd.runtime.journal import Journal

_log = Logger()

#: How long a link may go on between two rests, and how long the first one is. Each that follows at once is twice as
#: long as the one before, up to the longest: a stuck subscriber is to be given up within a second or two.
_REST_SECONDS = 0.005
_LONGEST_REST_SECONDS = 0.02


class Suspendable(Protocol):
    """A link that can be told to wait."""

    def suspend(self) -> None:
        """Read and take no more frames for now."""

    def resume(self) -> None:
        """Take frames again."""


@final
class Backpressure:
    """Keeps the links that wait for the journal, in the order in which they began to wait."""

    def __init__(self, journal: Journal, reactor: IReactorTime) -> None:
        self._journal = journal
        self._reactor = reactor
        self._waiting: dict[Suspendable, None] = {}
        #: How long each link that was too fast rests or has rested last, and until when.
        self._rests: dict[Suspendable, tuple[float, float]] = {}
        #: Those that rest until they are released.
        self._resting: set[Suspendable] = set()

    def suspend(self, link: Suspendable) -> None:
        """Make a link wait that sent something while the journal is full."""
        if not self._waiting:
            _log.debug("The journal is full; links that send have to wait")
        self._waiting[link] = None
        link.suspend()

    def slow_down(self, link: Suspendable, now: float) -> None:
        """Let a link rest for a moment, unless it has just done so."""
        last, end = self._rests.get(link, (0.0, -inf))
        if now < end + _REST_SECONDS:
            return
        is_next = now < end + 2 * _REST_SECONDS
        rest = min(2 * last, _LONGEST_REST_SECONDS) if is_next else _REST_SECONDS
        self._rests[link] = (rest, now + rest)
        link.suspend()
        self._reactor.callLater(rest, self._go_on, link)

    def rest(self, link: Suspendable) -> None:
        """Make a link wait that sent something to a queue that is full, until it is released."""
        self._resting.add(link)
        link.suspend()

    def release(self, link: Suspendable) -> None:
        """Let a link go on that rested, unless it has to wait for the journal too."""
        self._resting.discard(link)
        if link not in self._waiting:
            link.resume()

    def forget(self, link: Suspendable) -> None:
        """Do not wait with a link that is gone."""
        self._resting.discard(link)
        self._waiting.pop(link, None)
        self._rests.pop(link, None)

    def relax(self) -> None:
        """Let links go on, once the journal has room for a good deal more."""
        if self._waiting and self._journal.is_drained:
            waiting, self._waiting = self._waiting, {}
            _log.debug("The journal has room; {count} links go on", count=len(waiting))
            for link in waiting:
                if link not in self._resting:
                    link.resume()

    def _go_on(self, link: Suspendable) -> None:
        if link in self._rests and link not in self._waiting and link not in self._resting:
            link.resume()
