"""Consumers for asyncio: see JMS 3.1, 8."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

from jms_api.aio.channel import Channel
from jms_api.closing import close_after_awaiting
from jms_api.engine.checks import timeout_seconds
from jms_api.engine.consumer import ConsumerCore
from jms_api.messages.message import Message
from jms_api.surface.consumer import ConsumerSurface, as_it_is


class MessageConsumer(ConsumerSurface):
    """Receives messages, one by one or through a listener; for the thread of its session, but for `close`."""

    def __init__(self, core: ConsumerCore, channel: Channel) -> None:
        """Consumers come from a session."""
        self._core = core
        self._channel = channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    def __aiter__(self) -> AsyncIterator[Message]:
        """Receive until the consumer is closed."""
        return self.messages()

    async def messages(self, timeout: int | timedelta | None = None) -> AsyncIterator[Message]:
        """Receive until nothing comes for so many milliseconds, or the consumer is closed."""
        while not self._core.is_over and (message := await self.receive(timeout)) is not None:
            yield message

    async def receive(self, timeout: int | timedelta | None = None) -> Message | None:
        """Return the next message, or None when the time is up or the consumer is closed (JMS-297, JMS-298).

        Args:
            timeout: In milliseconds; None and 0 wait for ever, as JMS has it.
        """
        seconds = timeout_seconds(timeout)
        return await self._channel.wait(self._core.receive(as_it_is), seconds)

    async def receive_no_wait(self) -> Message | None:
        """Return a message if the broker has one for this consumer now, else None (JMS-299)."""
        return await self._channel.wait(self._core.receive_no_wait(as_it_is))

    @asynccontextmanager
    async def process(self, timeout: int | timedelta | None = None) -> AsyncIterator[Message | None]:
        """Receive one message for a block: acknowledge at its end, recover when it raises.

        For sessions with CLIENT_ACKNOWLEDGE; the block gets None when the time is up.
        """
        message = await self.receive(timeout)
        try:
            yield message
        except BaseException as error:
            await close_after_awaiting(error, lambda: self._channel.wait(self._core.session.recover()))
            raise
        if message is not None:
            message.acknowledge()

    async def close(self) -> None:
        """Receive nothing more; waits for a listener at work (JMS-309)."""
        await self._channel.wait(self._core.close())
