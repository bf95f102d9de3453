"""Browsers for asyncio: see JMS 3.1, 4.1.7."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

from jms_api.aio.channel import Channel
from jms_api.closing import close_after_awaiting
from jms_api.destinations import Queue
from jms_api.engine.browser import BrowserCore
from jms_api.messages.message import Message


class QueueBrowser:
    """Shows what is in a queue and takes nothing."""

    def __init__(self, core: BrowserCore, channel: Channel) -> None:
        """Browsers come from a session."""
        self._core = core
        self._channel = channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    async def __aiter__(self) -> AsyncIterator[Message]:
        for message in await self.enumeration():
            yield message

    @property
    def queue(self) -> Queue:
        """Which queue it shows."""
        self._core.check_open()
        return self._core.queue

    @property
    def message_selector(self) -> str | None:
        """Which messages it shows; None for all."""
        self._core.check_open()
        return self._core.selector

    async def enumeration(self) -> Iterator[Message]:
        """Return what is in the queue now, in the order in which it would be received (JMS-321 to JMS-326)."""
        found = await self._channel.wait(self._core.enumerate())
        decode = self._core.session.decode
        return (decode(delivery) for delivery in found)

    async def close(self) -> None:
        """Show nothing more."""
        await self._channel.wait(self._core.close())
