"""Back-pressure: whoever fills the journal waits until there is room, and nobody else does."""

from __future__ import annotations

from typing import Protocol, final

from twisted.logger import Logger

from stompd.runtime.journal import Journal

_log = Logger()


class Suspendable(Protocol):
    """A link that can be told to wait."""

    def suspend(self) -> None:
        """Read and take no more frames for now."""

    def resume(self) -> None:
        """Take frames again."""


@final
class Backpressure:
    """Keeps the links that wait for the journal, in the order in which they began to wait."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: dict[Suspendable, None] = {}

    def suspend(self, link: Suspendable) -> None:
        """Make a link wait that sent something while the journal is full."""
        if not self._waiting:
            _log.debug("The journal is full; links that send have to wait")
        self._waiting[link] = None
        link.suspend()

    def forget(self, link: Suspendable) -> None:
        """Do not wait with a link that is gone."""
        self._waiting.pop(link, None)

    def relax(self) -> None:
        """Let links go on, once the journal has room for a good deal more."""
        if self._waiting and self._journal.is_drained:
            waiting, self._waiting = self._waiting, {}
            _log.debug("The journal has room; {count} links go on", count=len(waiting))
            for link in waiting:
                link.resume()
