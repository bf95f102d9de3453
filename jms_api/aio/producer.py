"""Producers for asyncio: see JMS 3.1, 7."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

from jms_api.aio.channel import Channel
from jms_api.closing import close_after_awaiting
from jms_api.destinations import Destination
from jms_api.engine.producer import ProducerCore
from jms_api.surface.producer import NONE_GIVEN, ProducerSurface


class MessageProducer(ProducerSurface):
    """Sends messages; for the thread of its session, but for `close`."""

    def __init__(self, core: ProducerCore, channel: Channel) -> None:
        """Producers come from a session."""
        self._core = core
        self._channel = channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    async def send(
        self,
        message: object,
        second: object = NONE_GIVEN,
        *,
        destination: Destination | str | None = None,
        delivery_mode: int | None = None,
        priority: int | None = None,
        time_to_live: int | timedelta | None = None,
        delivery_delay: int | timedelta | None = None,
        completion_listener: object = NONE_GIVEN,
    ) -> None:
        """Send a message: `send(message)`, or as in Java `send(destination, message)` (JMS-261 to JMS-286).

        A persistent message outside a transaction is on the broker's disk when this returns. With a completion
        listener it returns at once, and that is called when the message is there, or cannot be.
        """
        operation = self._send(
            message,
            second,
            destination,
            completion_listener,
            delivery_mode=delivery_mode,
            priority=priority,
            time_to_live=time_to_live,
            delivery_delay=delivery_delay,
        )
        await self._channel.wait(operation)

    publish = send

    async def close(self) -> None:
        """Send nothing more; waits for what is being sent (JMS-284)."""
        await self._channel.wait(self._core.close())
