"""Connections for asyncio: see JMS 3.1, 6.1."""

from __future__ import annotations

import sys
import warnings
from types import TracebackType
from typing import Self

from jms_api.aio.channel import Channel
from jms_api.aio.session import Session
from jms_api.closing import close_after_awaiting
from jms_api.constants import SessionMode
from jms_api.surface.connection import ConnectionSurface


class Connection(ConnectionSurface):
    """A connection to a broker; any thread may use it (JMS-191)."""

    def __init__(self, channel: Channel) -> None:
        """Connections come from a ConnectionFactory."""
        self._channel = channel
        self._core = channel.core

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        # At the end of the interpreter, threads stand still with their locks.
        if core is not None and not sys.is_finalizing() and not core.is_closed and not core.is_over:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            core.abort()

    def create_session(
        self, session_mode: int | bool = SessionMode.AUTO_ACKNOWLEDGE, acknowledge_mode: int | None = None
    ) -> Session:
        """Return a session: `create_session(SessionMode.AUTO_ACKNOWLEDGE)`, or as in Java `(transacted, mode)`."""
        return Session(self._session_core(session_mode, acknowledge_mode), self._channel)

    @property
    def client_id(self) -> str | None:
        """The client id, which unshared durable subscriptions need (JMS-199)."""
        return self._get_client_id()

    async def set_client_id(self, client_id: str) -> None:
        """Say who this is, before anything else is done (JMS-194 to JMS-198)."""
        await self._channel.wait(self._core.set_client_id(client_id))

    async def start(self) -> None:
        """Let messages through; a new connection does not (JMS-173)."""
        await self._channel.wait(self._core.start())

    async def stop(self) -> None:
        """Let no messages through; waits for listeners at work (JMS-176)."""
        await self._channel.wait(self._core.stop())

    async def close(self) -> None:
        """End it with all its sessions; waits for listeners at work and what is being sent (JMS-181)."""
        await self._channel.wait(self._core.close())
        if self._channel.core.is_over:
            await self._channel.finished()
