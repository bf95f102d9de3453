"""The line of a queue: its subscriptions with credit, and who goes first."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from stompd.broker.queue import Queue
    from stompd.broker.subscription import Subscription

_priority = attrgetter("terms.priority")


@final
class Line:
    """Subscriptions that take turns; where they have priorities, the highest with credit goes first.

    As soon as one is exclusive, the queue has a holder, and nobody else stands in the line: the exclusive one of the
    highest priority, of these the oldest. It stays the holder until it ends, whoever comes, so that the order is kept.
    """

    __slots__ = ("_holder", "_queue", "consumers", "is_ranked", "waiting")

    def __init__(self, queue: Queue) -> None:
        """Begin the line of a queue with nobody."""
        self._queue = queue
        #: Those that may have credit, who is next first.
        self.waiting: deque[Subscription] = deque()
        #: All that take part, oldest first.
        self.consumers: list[Subscription] = []
        #: Whether not all simply take turns.
        self.is_ranked = False
        self._holder: Subscription | None = None

    def join(self, subscription: Subscription) -> None:
        """Let a subscription take part."""
        self.consumers.append(subscription)
        if self.is_ranked or subscription.terms.is_ranked:
            self._form()
        else:
            self.put(subscription)

    def leave(self, subscription: Subscription) -> None:
        """Undo `join`."""
        self.consumers.remove(subscription)
        subscription.is_waiting = False
        with suppress(ValueError):
            self.waiting.remove(subscription)
        if self.is_ranked:
            self._form()

    def put(self, subscription: Subscription) -> None:
        """Put a subscription behind those of its priority and higher ones, unless another one holds the queue."""
        if self._holder is not None and self._holder is not subscription:
            self.leave_out(subscription)
            return
        subscription.is_waiting = subscription.spread is None or not subscription.spread.absent
        waiting, index = self.waiting, len(self.waiting)
        while self.is_ranked and index and waiting[index - 1].terms.priority < subscription.terms.priority:
            index -= 1
        waiting.insert(index, subscription)

    def leave_out(self, subscription: Subscription) -> None:
        """Note that a subscription does not stand in the line, from which it was taken."""
        subscription.is_waiting = False
        if subscription.spread is not None and self._queue not in subscription.spread.absent:
            subscription.spread.absent.append(self._queue)

    def _form(self) -> None:
        """Form the line anew, because somebody came or left."""
        if self._holder not in self.consumers:
            exclusive = [subscription for subscription in self.consumers if subscription.terms.is_exclusive]
            self._holder = max(exclusive, key=_priority, default=None)
        self.is_ranked = any(subscription.terms.is_ranked for subscription in self.consumers)
        self.waiting.clear()
        for subscription in self.consumers:
            if subscription.spread is not None and self._queue in subscription.spread.absent:
                subscription.spread.absent.remove(self._queue)
            self.put(subscription)
