"""The line of a queue: its subscriptions with credit, and who goes first."""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription

_priority = attrgetter("terms.priority")


@final
class Line:
    """Subscriptions that take turns; where they have priorities, the highest with credit goes first.

    As soon as one is exclusive, the queue has a holder, and nobody else stands in the line: the exclusive one of the
    highest priority, of these the oldest. It stays the holder until it ends, whoever comes, so that the order is kept.
    """

    __slots__ = ("_holder", "consumers", "is_ranked", "waiting")

    def __init__(self) -> None:
        """Begin with nobody."""
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
        if subscription.is_waiting:
            subscription.is_waiting = False
            self.waiting.remove(subscription)
        if self.is_ranked:
            self._form()

    def put(self, subscription: Subscription) -> None:
        """Put a subscription behind those of its priority and higher ones, unless another one holds the queue."""
        if self._holder is not None and self._holder is not subscription:
            return
        subscription.is_waiting = True
        waiting, index = self.waiting, len(self.waiting)
        while self.is_ranked and index and waiting[index - 1].terms.priority < subscription.terms.priority:
            index -= 1
        waiting.insert(index, subscription)

    def _form(self) -> None:
        """Form the line anew, because somebody came or left."""
        if self._holder not in self.consumers:
            exclusive = [subscription for subscription in self.consumers if subscription.terms.is_exclusive]
            self._holder = max(exclusive, key=_priority, default=None)
        self.is_ranked = any(subscription.terms.is_ranked for subscription in self.consumers)
        for subscription in self.waiting:
            subscription.is_waiting = False
        self.waiting.clear()
        for subscription in self.consumers:
            if subscription.may_take:
                self.put(subscription)
