"""The simplified API for asyncio: see JMS 3.1, 6.1 and 7."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from jms_api.aio.browser import QueueBrowser
from jms_api.aio.channel import Channel
from jms_api.closing import close_after_awaiting
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine import creating
from jms_api.engine.checks import timeout_seconds
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.context import ContextCore, body_of
from jms_api.engine.operations import Operation
from jms_api.engine.producer import ProducerCore
from jms_api.messages.message import Message
from jms_api.processing import AwaitedSettling
from jms_api.surface.consumer import as_it_is
from jms_api.surface.context import ContextSurface, JMSConsumerSurface
from jms_api.surface.jms_producer import JMSProducerSurface
from jms_api.surface.twins import as_runtime, simplified

T = TypeVar("T")


class JMSContext(ContextSurface):
    """A connection and a session in one; for one thread at a time, but for `create_context` and `close` (JMS-372)."""

    def __init__(self, core: ContextCore, channel: Channel) -> None:
        """Contexts come from `ConnectionFactory.create_context`."""
        self._core = core
        self._channel = channel
        core.session.settling = AwaitedSettling(core.session, channel.wait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await close_after_awaiting(error, self.close)

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        # At the end of the interpreter, threads stand still with their locks.
        if core is not None and not sys.is_finalizing() and not core.session.is_closed and not core.connection.is_over:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            core.abandon()

    @simplified
    def create_context(self, session_mode: int) -> JMSContext:
        """Return another session on the same connection (JMS-365)."""
        return JMSContext(self._core.create_context(session_mode), self._channel)

    @simplified
    def create_producer(self) -> JMSProducer:
        """Return a producer for any destination (JMS-289)."""
        return JMSProducer(creating.create_producer(self._core.session, None), self._channel)

    async def create_consumer(
        self, destination: Destination | str, message_selector: str | None = None, no_local: bool = False
    ) -> JMSConsumer:
        """Return a consumer, and start the connection (JMS-366)."""
        return await self._consumer(destination, message_selector, no_local)

    async def create_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None, no_local: bool = False
    ) -> JMSConsumer:
        """Return the consumer of an unshared durable subscription, which needs a client id (JMS-336)."""
        return await self._consumer(topic, message_selector, no_local, Sharing.DURABLE, name)

    async def create_shared_consumer(
        self, topic: Topic | str, shared_subscription_name: str, message_selector: str | None = None
    ) -> JMSConsumer:
        """Return one of the consumers of a shared subscription (JMS-331)."""
        return await self._consumer(topic, message_selector, False, Sharing.SHARED, shared_subscription_name)

    async def create_shared_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None
    ) -> JMSConsumer:
        """Return one of the consumers of a shared durable subscription (JMS-342)."""
        return await self._consumer(topic, message_selector, False, Sharing.SHARED_DURABLE, name)

    @simplified
    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Return a browser, and start the connection (JMS-325)."""
        return QueueBrowser(self._core.create_browser(queue, message_selector), self._channel)

    async def create_temporary_queue(self) -> TemporaryQueue:
        """Return a queue that ends with the connection (JMS-368)."""
        return await self._wait(creating.create_temporary(self._core.session, TemporaryQueue, self._channel.wait))

    async def create_temporary_topic(self) -> TemporaryTopic:
        """Return a topic that ends with the connection (JMS-368)."""
        return await self._wait(creating.create_temporary(self._core.session, TemporaryTopic, self._channel.wait))

    @property
    def client_id(self) -> str | None:
        """The client id, which unshared durable subscriptions need (JMS-199)."""
        return self._get_client_id()

    async def set_client_id(self, client_id: str) -> None:
        """Say who this is, before anything else is done (JMS-201)."""
        await self._wait(self._core.connection.set_client_id(client_id))

    async def unsubscribe(self, name: str) -> None:
        """Delete a durable subscription (JMS-344)."""
        await self._wait(creating.unsubscribe(self._core.session, name))

    async def start(self) -> None:
        """Let messages through."""
        await self._wait(self._core.connection.start())

    async def stop(self) -> None:
        """Let no messages through; waits for listeners at work (JMS-176)."""
        await self._wait(self._core.connection.stop())

    async def acknowledge(self) -> None:
        """Acknowledge all that the session was given (JMS-225)."""
        await self._wait(self._core.session.acknowledge())

    async def commit(self) -> None:
        """Let what was sent and received take effect, as one (JMS-238)."""
        await self._wait(self._core.session.commit())

    async def rollback(self) -> None:
        """Undo what was sent and received (JMS-241)."""
        await self._wait(self._core.session.rollback())

    async def recover(self) -> None:
        """Deliver again what was not acknowledged (JMS-231)."""
        await self._wait(self._core.session.recover())

    async def close(self) -> None:
        """End the session, and the connection with the last context on it (JMS-367)."""
        await self._wait(self._core.close())
        if self._channel.core.is_over:
            await self._channel.finished()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Commit at the end of the block, or roll back when it raises.

        Raises:
            IllegalStateRuntimeException: The session is not transacted.
        """
        with as_runtime():
            self._core.session.check_transacted("transaction")
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
    ) -> JMSConsumer:
        operation = self._core.create_consumer(destination, selector, no_local, sharing, name)
        return JMSConsumer(await self._wait(operation), self._channel)

    async def _wait(self, operation: Operation[T]) -> T:
        with as_runtime():
            return await self._channel.wait(operation)


class JMSProducer(JMSProducerSurface):
    """Sends messages; light, so that one may be made for each message (JMS-289)."""

    def __init__(self, core: ProducerCore, channel: Channel) -> None:
        """Producers come from a context."""
        super().__init__(core)
        self._channel = channel

    async def send(
        self,
        destination: Destination | str,
        body: object,
        *,
        body_type: type | None = None,
        properties: Mapping[str, object] | None = None,
        correlation_id: str | None = None,
        reply_to: Destination | str | None = None,
        jms_type: str | None = None,
        delivery_mode: int | None = None,
        priority: int | None = None,
        time_to_live: int | timedelta | None = None,
        delivery_delay: int | timedelta | None = None,
    ) -> Self:
        """Send a message, or what it is to contain: a `str`, `bytes`, mapping or other object (JMS-290).

        The keywords count for this message only. `body_type` says what kind of message None stands for.
        """
        fields = {"jms_correlation_id": correlation_id, "jms_reply_to": reply_to, "jms_type": jms_type}
        how = {
            "delivery_mode": delivery_mode,
            "priority": priority,
            "time_to_live": time_to_live,
            "delivery_delay": delivery_delay,
        }
        with as_runtime():
            await self._channel.wait(self._begin(destination, body, body_type, properties, fields, how))
        return self


class JMSConsumer(JMSConsumerSurface):
    """Receives messages or their bodies, one by one or through a listener."""

    def __init__(self, core: ConsumerCore, channel: Channel) -> None:
        """Consumers come from a context."""
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
        """Return the next message, or None when the time is up or the consumer is closed (JMS-297, JMS-298)."""
        seconds = timeout_seconds(timeout)
        with as_runtime():
            return await self._channel.wait(self._core.receive(as_it_is), seconds)

    async def receive_no_wait(self) -> Message | None:
        """Return a message if the broker has one for this consumer now, else None (JMS-299)."""
        with as_runtime():
            return await self._channel.wait(self._core.receive_no_wait(as_it_is))

    async def receive_body(self, type_: type[T], timeout: int | timedelta | None = None) -> T | None:
        """Return the body of the next message; None as for `receive` (JMS-121 to JMS-125).

        Raises:
            MessageFormatRuntimeException: It has none, or it is no such object.
        """
        seconds = timeout_seconds(timeout)
        with as_runtime():
            return await self._channel.wait(self._core.receive(lambda message: body_of(message, type_)), seconds)

    async def receive_body_no_wait(self, type_: type[T]) -> T | None:
        """Return the body of a message that the broker has now; as `receive_body` otherwise."""
        with as_runtime():
            return await self._channel.wait(self._core.receive_no_wait(lambda message: body_of(message, type_)))

    async def close(self) -> None:
        """Receive nothing more; waits for a listener at work (JMS-309)."""
        with as_runtime():
            await self._channel.wait(self._core.close())
