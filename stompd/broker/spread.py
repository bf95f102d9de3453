"""A subscription that takes from several queues: by a list, or by wildcards."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.destination import Destination

if TYPE_CHECKING:
    from stompd.broker.queue import Queue
    from stompd.broker.subscription import Subscription


@final
class Spread:
    """The queues of one subscription; they share its credit and take turns at it."""

    __slots__ = ("absent", "queues", "subscription")

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        #: By queue, its destination.
        self.queues: dict[Queue, Destination] = {}
        #: Those in whose line it does not stand, since it had no credit when they had something for it.
        self.absent: list[Queue] = []

    def add(self, queue: Queue, destination: Destination) -> None:
        """Take from one more queue."""
        self.queues[queue] = destination
        if self.subscription.is_active:
            queue.attach(self.subscription)
            self.line_up()

    def attach(self) -> None:
        """Take part in all of them."""
        for queue in self.queues:
            queue.attach(self.subscription)

    def detach(self) -> None:
        """Take part in none."""
        subscription = self.subscription
        if not subscription.is_active:
            return
        for queue in self.queues:
            subscription.is_active, subscription.is_waiting = True, queue not in self.absent
            queue.detach(subscription)

    def line_up(self) -> None:
        """Stand in every line again, first in that of another queue than the last time."""
        absent, self.absent = self.absent, []
        for queue in absent[1:] + absent[:1]:
            queue.line_up(self.subscription)
