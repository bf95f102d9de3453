"""Deliveries: what the broker has given to a consumer, until it is settled."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol, cast, final

from jms_api.engine.operations import Operation
from jms_api.exceptions import JMSException
from stompd.wire.frame import Frame, Version
from stompd.wire.serializer import serialize

if TYPE_CHECKING:
    from jms_api.engine.consumer import ConsumerCore


class Taker(Protocol):
    """Takes what comes for a subscription; called under the lock."""

    @property
    def buffer(self) -> deque[Delivery]:
        """What has come and was not taken yet."""
        ...

    def arrive(self, delivery: Delivery) -> None:
        """Take a delivery."""
        ...

    def lose(self, error: JMSException) -> None:
        """Begin anew: the broker has forgotten the subscription, and what it sent."""
        ...


@final
class Subscription:
    """One SUBSCRIBE of one consumer on one connection to the broker; a consumer may need several in its life."""

    __slots__ = ("is_cumulative", "is_ended", "is_leaving", "prefetch", "subscription_id", "taker", "unsettled")

    def __init__(self, subscription_id: str, taker: Taker, prefetch: int, *, is_cumulative: bool = False) -> None:
        self.subscription_id = subscription_id
        self.taker = taker
        self.prefetch = prefetch
        #: Whether an ACK settles all earlier deliveries too; they are settled in their order then.
        self.is_cumulative = is_cumulative
        #: How many of its deliveries the application has been given and the broker has not been told about.
        self.unsettled = 0
        #: Whether its UNSUBSCRIBE only waits for them (JMS-227: closing a consumer changes nothing about them).
        self.is_leaving = False
        #: Whether the broker has forgotten it, and with it all its deliveries.
        self.is_ended = False


@final
class Delivery:
    """One MESSAGE frame: kept as it came, so that it can be decoded again unchanged (JMS-079)."""

    __slots__ = ("body", "headers", "redeliveries", "subscription")

    def __init__(self, headers: dict[str, str], body: bytes, subscription: Subscription) -> None:
        self.headers = headers
        self.body = body
        self.subscription = subscription
        #: How often it has been given to the application again without the broker's help.
        self.redeliveries = 0

    @property
    def consumer(self) -> ConsumerCore:
        """The consumer that it is for; browsers settle nothing, so there it is not asked for."""
        return cast("ConsumerCore", self.subscription.taker)

    def is_expired(self) -> bool:
        """Return whether its time is up (JMS-025)."""
        expires = self.headers.get("expires")
        if not expires:
            return False
        deadline = _number(expires)
        return bool(deadline) and time.time() * 1000 >= (deadline or 0)

    @property
    def ack(self) -> str:
        """By which name it is settled."""
        return self.headers.get("ack") or self.headers.get("message-id", "")

    def settling(self, command: str, **headers: str) -> bytes:
        """Return the ACK or NACK frame for it."""
        return serialize(Frame(command, {"id": self.ack, **headers}), Version.V1_2)


@final
class Probe:
    """Takes the one message that tells how others name a temporary destination."""

    def __init__(self) -> None:
        self.buffer: deque[Delivery] = deque()
        self.answer: Operation[str] = Operation()

    def arrive(self, delivery: Delivery) -> None:
        """Take it; called under the lock."""
        self.answer.succeed(delivery.headers.get("reply-to", ""))

    def lose(self, error: JMSException) -> None:
        """Give up: the connection was lost."""
        self.answer.fail(error)


def _number(text: str | None) -> int | None:
    """Return the number that a header spells; what is none counts as absent."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 20 else None
