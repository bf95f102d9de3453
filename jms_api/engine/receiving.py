"""The operation of a receive: what it waits for, and what it does with the message in the application's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from jms_api.engine.delivery import Delivery
from jms_api.engine.operations import Operation
from jms_api.messages.message import Message

if TYPE_CHECKING:
    from jms_api.engine.consumer import ConsumerCore

R = TypeVar("R")


class Receiving(Operation[R | None], Generic[R]):
    """One call of `receive` and its like.

    The delivery is taken out of the consumer when it is there, but it counts as delivered, and is acknowledged, only
    when whoever waits takes the result. So an interrupt in between loses nothing.
    """

    __slots__ = ("_consumer", "_convert", "_delivery")

    def __init__(self, consumer: ConsumerCore, convert: Callable[[Message], R]) -> None:
        super().__init__()
        self._consumer = consumer
        self._convert = convert
        self._delivery: Delivery | None = None

    def deliver(self, delivery: Delivery) -> None:
        """Hand over what was waited for; called under the lock."""
        self._delivery = delivery
        self.succeed(None)

    def result(self) -> R | None:
        """Take the message, as part of which it is acknowledged or noted (JMS-216).

        Raises:
            MessageFormatException: Its body cannot be converted to what was asked for.
        """
        delivery, self._delivery = self._delivery, None
        if delivery is None:
            return super().result()
        return self._consumer.session.hand_over(delivery, self._convert)

    def expire(self) -> None:
        """End with None, unless something came in the meantime (JMS-298)."""
        with self._consumer.lock:
            self._consumer.stop_waiting(self)
            self.succeed(None)

    def abandon(self) -> None:
        """Put back what was not taken."""
        with self._consumer.lock:
            self._consumer.stop_waiting(self)
            delivery, self._delivery = self._delivery, None
            if delivery is not None:
                self._consumer.put_back(delivery)
            self.succeed(None)
