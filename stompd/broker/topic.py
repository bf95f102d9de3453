"""The topic: it routes, and stores nothing."""

from __future__ import annotations

from typing import final

from stompd.broker.ledger import Work
from stompd.broker.matching import is_selected
from stompd.broker.message import Message
from stompd.broker.queue import Queue
from stompd.selector.evaluate import Selector


@final
class Topic:
    """Gives every message to the queue of each of its subscriptions."""

    __slots__ = ("is_lagging", "queues")

    def __init__(self) -> None:
        #: Whether one of the subscriptions was half as far behind as it may be when the last message came.
        self.is_lagging = False
        #: In the order of subscribing; what does not match the selector never enters the queue.
        self.queues: dict[Queue, Selector | None] = {}

    def accept(self, message: Message, now: float, work: Work) -> None:
        """Add to the work what gives a new message to everyone who subscribes now."""
        self.is_lagging = False
        for queue, selector in self.queues.items():
            if selector is None or is_selected(selector, message):
                queue.accept(message, now, work)
                if queue.window.is_half_full:
                    self.is_lagging = True
