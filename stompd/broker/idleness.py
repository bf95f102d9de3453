"""Queues that nobody uses: empty ones are removed after a time, and made again when somebody names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.ledger import Ledger
from stompd.broker.limits import Limits
from stompd.broker.units import DeleteQueue

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.queue import Queue

#: Within the time after which a queue is removed, it is looked at so often.
_LOOKS = 4


@final
class Idleness:
    """Looks from time to time which queues are empty, and removes those that have been so for long."""

    __slots__ = ("_catalogue", "_interval_ms", "_ledger", "_limit_ms", "_since_ms", "next_ms")

    def __init__(self, limits: Limits, ledger: Ledger, catalogue: Catalogue) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self._limit_ms = 1000 * limits.idle_queue_seconds
        shortest_ms = min([self._limit_ms, *(1000 * seconds for seconds in catalogue.policies.idle_seconds)])
        self._interval_ms = max(1, shortest_ms // _LOOKS)
        #: The queues that were empty at the last look, and since when.
        self._since_ms: dict[Queue, int] = {}
        #: When to look again; 0 before time was told.
        self.next_ms = 0

    def begin(self, now_ms: int) -> None:
        """Look again after a while, if there are queues."""
        if not self.next_ms and self._catalogue.has_queues:
            self.next_ms = now_ms + self._interval_ms

    def tick(self, now_ms: int) -> None:
        """Remove the queues that have been idle for long enough, if it is time to look."""
        if not 0 < self.next_ms <= now_ms:
            return
        self.next_ms = 0
        before, self._since_ms = self._since_ms, {}
        for queue in self._catalogue.queues():
            if not queue.is_unused:
                continue
            # A queue that was dispatched meanwhile was used, though it is empty again.
            since_ms = now_ms if queue.was_dispatched else min(before.get(queue, now_ms), now_ms)
            queue.was_dispatched = False
            if now_ms - since_ms < self._limit_of(queue):
                self._since_ms[queue] = since_ms
                continue
            # What is decided later has another queue, with a new id.
            self._catalogue.remove(queue)
            if queue.is_stored:
                self._ledger.ride(DeleteQueue(queue.queue_id))
        self.begin(now_ms)

    def _limit_of(self, queue: Queue) -> int:
        rule = self._catalogue.policies.find(queue.name)
        return 1000 * rule.idle_seconds if rule is not None and rule.idle_seconds else self._limit_ms
