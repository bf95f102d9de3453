"""Consumers for Twisted: see JMS 3.1, 8."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import Deferred

from jms_api.engine.checks import timeout_seconds
from jms_api.engine.consumer import ConsumerCore
from jms_api.messages.message import Message
from jms_api.surface.consumer import ConsumerSurface, as_it_is
from jms_api.tx.channel import Channel


class MessageConsumer(ConsumerSurface):
    """Receives messages, one by one or through a listener; for the thread of its session, but for `close`."""

    def __init__(self, core: ConsumerCore, channel: Channel) -> None:
        """Consumers come from a session."""
        self._core = core
        self._channel = channel

    def receive(self, timeout: int | timedelta | None = None) -> Deferred[Message | None]:
        """Return the next message, or None when the time is up or the consumer is closed (JMS-297, JMS-298).

        Args:
            timeout: In milliseconds; None and 0 wait for ever, as JMS has it.
        """
        seconds = timeout_seconds(timeout)
        return self._channel.wait(self._core.receive(as_it_is), seconds)

    def receive_no_wait(self) -> Deferred[Message | None]:
        """Return a message if the broker has one for this consumer now, else None (JMS-299)."""
        return self._channel.wait(self._core.receive_no_wait(as_it_is))

    def close(self) -> Deferred[None]:
        """Receive nothing more; waits for a listener at work (JMS-309)."""
        return self._channel.wait(self._core.close())
