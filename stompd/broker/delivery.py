"""Entries and deliveries: a message's place in one queue, and its being with one subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.message import Message, Place

if TYPE_CHECKING:
    from stompd.broker.effects import SessionId
    from stompd.broker.queue import Queue
    from stompd.broker.subscription import Subscription


@final
class Entry:
    """A message's place in one queue."""

    __slots__ = ("delivery_count", "due_ms", "is_stored", "is_waiting", "message", "place")

    def __init__(self, message: Message, *, is_stored: bool, delivery_count: int = 0, due_ms: int = 0) -> None:
        """Place a message.

        Args:
            message: Shared by all queues it was put in.
            is_stored: Whether the store has a row for it, which has to be deleted in the end.
            delivery_count: How often it has been given to a subscription, this time not included.
            due_ms: As its row says: above 0 when it was due later once, so that no page of the queue brings it.
        """
        self.message = message
        self.place: Place = message.place
        self.is_stored = is_stored
        #: Whether it can be delivered; kept up where subscriptions have selectors.
        self.is_waiting = True
        self.delivery_count = delivery_count
        self.due_ms = due_ms


@final
class Delivery:
    """One entry given to one subscription, awaiting its settlement.

    `number` is unique within the subscription and rises, so that a settled delivery can be told from one that never
    was.
    """

    __slots__ = ("entry", "is_held", "number", "queue", "subscription")

    def __init__(self, entry: Entry, subscription: Subscription, number: int, queue: Queue) -> None:
        self.entry = entry
        #: Where the entry is from, and returns to.
        self.queue = queue
        self.subscription = subscription
        self.number = number
        #: Whether an open transaction holds its acknowledgement.
        self.is_held = False

    @property
    def session_id(self) -> SessionId:
        """Whom it is given to."""
        return self.subscription.session.session_id
