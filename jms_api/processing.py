"""How a received message is acknowledged: by a call, or by the end of the block that works on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol, final

from jms_api.closing import close_after, close_after_awaiting
from jms_api.constants import SessionMode
from jms_api.exceptions import IllegalStateException

if TYPE_CHECKING:
    from jms_api.engine.operations import Operation
    from jms_api.engine.session import SessionCore
    from jms_api.messages.message import Message


class Block(AbstractContextManager["Message"], AbstractAsyncContextManager["Message"], Protocol):
    """A block that works on a message; which of the two it is depends on the driver."""


class Settling(Protocol):
    """Settles the messages of a session, in the way of its driver."""

    def acknowledge(self) -> object:
        """Acknowledge all that the session has delivered."""
        ...

    def processing(self, message: Message) -> object:
        """Return a block that acknowledges at its end, or recovers when it raises."""
        ...


@final
class BlockingSettling:
    """Waits until it is done."""

    __slots__ = ("_core", "_wait")

    def __init__(self, core: SessionCore, wait: Callable[[Operation[None]], object]) -> None:
        self._core = core
        self._wait = wait

    def acknowledge(self) -> object:
        return self._wait(self._core.acknowledge())

    def processing(self, message: Message) -> AbstractContextManager[Message]:
        return self._process(message)

    @contextmanager
    def _process(self, message: Message) -> Iterator[Message]:
        _check_mode(self._core)
        try:
            yield message
        except BaseException as error:
            close_after(error, lambda: self._wait(self._core.recover()))
            raise
        self.acknowledge()


@final
class AwaitedSettling:
    """Returns what is to be awaited."""

    __slots__ = ("_core", "_wait")

    def __init__(self, core: SessionCore, wait: Callable[[Operation[None]], Awaitable[object]]) -> None:
        self._core = core
        self._wait = wait

    def acknowledge(self) -> Awaitable[object]:
        return self._wait(self._core.acknowledge())

    def processing(self, message: Message) -> AbstractAsyncContextManager[Message]:
        return self._process(message)

    @asynccontextmanager
    async def _process(self, message: Message) -> AsyncIterator[Message]:
        _check_mode(self._core)
        try:
            yield message
        except BaseException as error:
            await close_after_awaiting(error, lambda: self._wait(self._core.recover()))
            raise
        await self.acknowledge()


def _check_mode(core: SessionCore) -> None:
    if core.mode is not SessionMode.CLIENT_ACKNOWLEDGE:
        raise IllegalStateException("processing is for the mode CLIENT_ACKNOWLEDGE; others settle by themselves")
