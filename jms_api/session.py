"""Sessions that block: see JMS 3.1, 6.2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from jms_api.browser import QueueBrowser
from jms_api.channel import Channel
from jms_api.closing import close_after
from jms_api.consumer import MessageConsumer
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine import creating
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.session import SessionCore
from jms_api.processing import BlockingSettling
from jms_api.producer import MessageProducer
from jms_api.surface.session import SessionSurface


class Session(SessionSurface):
    """Makes producers and consumers and settles what they do; for one thread at a time, but for `close`."""

    def __init__(self, core: SessionCore, channel: Channel) -> None:
        """Sessions come from `Connection.create_session`."""
        self._core = core
        self._channel = channel
        core.settling = BlockingSettling(core, channel.wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close_after(error, self.close)

    def create_producer(self, destination: Destination | str | None = None) -> MessageProducer:
        """Return a producer for a destination, or for any when it is None (JMS-264, JMS-265)."""
        return MessageProducer(creating.create_producer(self._core, destination), self._channel)

    def create_consumer(
        self, destination: Destination | str, message_selector: str | None = None, no_local: bool = False
    ) -> MessageConsumer:
        """Return a consumer; a topic's gets what is sent from now on (JMS-353)."""
        return self._consumer(destination, message_selector, no_local)

    def create_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None, no_local: bool = False
    ) -> MessageConsumer:
        """Return the consumer of an unshared durable subscription, which needs a client id (JMS-336 to JMS-340)."""
        return self._consumer(topic, message_selector, no_local, Sharing.DURABLE, name)

    create_durable_subscriber = create_durable_consumer

    def create_shared_consumer(
        self, topic: Topic | str, shared_subscription_name: str, message_selector: str | None = None
    ) -> MessageConsumer:
        """Return one of the consumers of a shared subscription (JMS-331 to JMS-335)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED, shared_subscription_name)

    def create_shared_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None
    ) -> MessageConsumer:
        """Return one of the consumers of a shared durable subscription (JMS-342, JMS-343)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED_DURABLE, name)

    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Return a browser, which shows what is in a queue (JMS-321)."""
        return QueueBrowser(creating.create_browser(self._core, queue, message_selector), self._channel)

    def create_temporary_queue(self) -> TemporaryQueue:
        """Return a queue that ends with the connection (JMS-355)."""
        return self._channel.wait(creating.create_temporary(self._core, TemporaryQueue, self._channel.wait))

    def create_temporary_topic(self) -> TemporaryTopic:
        """Return a topic that ends with the connection (JMS-355)."""
        return self._channel.wait(creating.create_temporary(self._core, TemporaryTopic, self._channel.wait))

    def unsubscribe(self, name: str) -> None:
        """Delete a durable subscription (JMS-344 to JMS-346)."""
        self._channel.wait(creating.unsubscribe(self._core, name))

    def commit(self) -> None:
        """Let what was sent and received take effect, as one (JMS-238)."""
        self._channel.wait(self._core.commit())

    def rollback(self) -> None:
        """Undo what was sent and received (JMS-241)."""
        self._channel.wait(self._core.rollback())

    def recover(self) -> None:
        """Deliver again what was not acknowledged (JMS-231)."""
        self._channel.wait(self._core.recover())

    def close(self) -> None:
        """End the session, its producers and consumers; waits for a listener at work (JMS-211)."""
        self._channel.wait(self._core.close())

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Commit at the end of the block, or roll back when it raises.

        Raises:
            IllegalStateException: The session is not transacted.
        """
        self._core.check_transacted("transaction")
        try:
            yield self
        except BaseException as error:
            close_after(error, self.rollback)
            raise
        self.commit()

    def _consumer(
        self,
        destination: Destination | str,
        selector: str | None,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: str | None = None,
    ) -> MessageConsumer:
        return MessageConsumer(self._consumer_core(destination, selector, no_local, sharing, name), self._channel)

    def _consumer_core(
        self,
        destination: Destination | str,
        selector: str | None,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: str | None = None,
    ) -> ConsumerCore:
        operation = creating.create_consumer(self._core, destination, selector, no_local, sharing, name)
        return self._channel.wait(operation)
