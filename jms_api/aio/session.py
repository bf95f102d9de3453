"""Sessions for asyncio: see JMS 3.1, 6.2."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from jms_api.aio.browser import QueueBrowser
from jms_api.aio.channel import Channel
from jms_api.aio.consumer import MessageConsumer
from jms_api.aio.producer import MessageProducer
from jms_api.closing import close_after_awaiting
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine import creating
from jms_api.engine.consumer import Sharing
from jms_api.engine.session import SessionCore
from jms_api.processing import AwaitedSettling
from jms_api.surface.session import SessionSurface


class Session(SessionSurface):
    """Makes producers and consumers and settles what they do; for one thread at a time, but for `close`."""

    def __init__(self, core: SessionCore, channel: Channel) -> None:
        """Sessions come from `Connection.create_session`."""
        self._core = core
        self._channel = channel
        core.settling = AwaitedSettling(core, channel.wait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    def create_producer(self, destination: Destination | str | None = None) -> MessageProducer:
        """Return a producer for a destination, or for any when it is None (JMS-264, JMS-265)."""
        return MessageProducer(creating.create_producer(self._core, destination), self._channel)

    async def create_consumer(
        self, destination: Destination | str, message_selector: str | None = None, no_local: bool = False
    ) -> MessageConsumer:
        """Return a consumer; a topic's gets what is sent from now on (JMS-353)."""
        return await self._consumer(destination, message_selector, no_local)

    async def create_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None, no_local: bool = False
    ) -> MessageConsumer:
        """Return the consumer of an unshared durable subscription, which needs a client id (JMS-336 to JMS-340)."""
        return await self._consumer(topic, message_selector, no_local, Sharing.DURABLE, name)

    create_durable_subscriber = create_durable_consumer

    async def create_shared_consumer(
        self, topic: Topic | str, shared_subscription_name: str, message_selector: str | None = None
    ) -> MessageConsumer:
        """Return one of the consumers of a shared subscription (JMS-331 to JMS-335)."""
        return await self._consumer(topic, message_selector, False, Sharing.SHARED, shared_subscription_name)

    async def create_shared_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None
    ) -> MessageConsumer:
        """Return one of the consumers of a shared durable subscription (JMS-342, JMS-343)."""
        return await self._consumer(topic, message_selector, False, Sharing.SHARED_DURABLE, name)

    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Return a browser, which shows what is in a queue (JMS-321)."""
        return QueueBrowser(creating.create_browser(self._core, queue, message_selector), self._channel)

    async def create_temporary_queue(self) -> TemporaryQueue:
        """Return a queue that ends with the connection (JMS-355)."""
        return await self._channel.wait(creating.create_temporary(self._core, TemporaryQueue, self._channel.wait))

    async def create_temporary_topic(self) -> TemporaryTopic:
        """Return a topic that ends with the connection (JMS-355)."""
        return await self._channel.wait(creating.create_temporary(self._core, TemporaryTopic, self._channel.wait))

    async def unsubscribe(self, name: str) -> None:
        """Delete a durable subscription (JMS-344 to JMS-346)."""
        await self._channel.wait(creating.unsubscribe(self._core, name))

    async def commit(self) -> None:
        """Let what was sent and received take effect, as one (JMS-238)."""
        await self._channel.wait(self._core.commit())

    async def rollback(self) -> None:
        """Undo what was sent and received (JMS-241)."""
        await self._channel.wait(self._core.rollback())

    async def recover(self) -> None:
        """Deliver again what was not acknowledged (JMS-231)."""
        await self._channel.wait(self._core.recover())

    async def close(self) -> None:
        """End the session, its producers and consumers; waits for a listener at work (JMS-211)."""
        await self._channel.wait(self._core.close())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Commit at the end of the block, or roll back when it raises.

        Raises:
            IllegalStateException: The session is not transacted.
        """
        self._core.check_transacted("transaction")
        try:
            yield self
        except BaseException as error:
            await close_after_awaiting(error, self.rollback)
            raise
        await self.commit()

    async def _consumer(
        self,
        destination: Destination | str,
        selector: str | None,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: str | None = None,
    ) -> MessageConsumer:
        core = await self._channel.wait(
            creating.create_consumer(self._core, destination, selector, no_local, sharing, name)
        )
        return MessageConsumer(core, self._channel)
