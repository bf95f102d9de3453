"""Sessions for Twisted: see JMS 3.1, 6.2."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine import creating
from jms_api.engine.consumer import Sharing
from jms_api.engine.session import SessionCore
from jms_api.processing import AwaitedSettling
from jms_api.surface.session import SessionSurface
from jms_api.tx.browser import QueueBrowser
from jms_api.tx.channel import Channel
from jms_api.tx.consumer import MessageConsumer
from jms_api.tx.producer import MessageProducer


class Session(SessionSurface):
    """Makes producers and consumers and settles what they do; for one thread at a time, but for `close`."""

    def __init__(self, core: SessionCore, channel: Channel) -> None:
        """Sessions come from `Connection.create_session`."""
        self._core = core
        self._channel = channel
        core.settling = AwaitedSettling(core, channel.wait)

    def create_producer(self, destination: Destination | str | None = None) -> MessageProducer:
        """Return a producer for a destination, or for any when it is None (JMS-264, JMS-265)."""
        return MessageProducer(creating.create_producer(self._core, destination), self._channel)

    def create_consumer(
        self, destination: Destination | str, message_selector: str | None = None, no_local: bool = False
    ) -> Deferred[MessageConsumer]:
        """Return a consumer; a topic's gets what is sent from now on (JMS-353)."""
        return self._consumer(destination, message_selector, no_local)

    def create_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None, no_local: bool = False
    ) -> Deferred[MessageConsumer]:
        """Return the consumer of an unshared durable subscription, which needs a client id (JMS-336 to JMS-340)."""
        return self._consumer(topic, message_selector, no_local, Sharing.DURABLE, name)

    create_durable_subscriber = create_durable_consumer

    def create_shared_consumer(
        self, topic: Topic | str, shared_subscription_name: str, message_selector: str | None = None
    ) -> Deferred[MessageConsumer]:
        """Return one of the consumers of a shared subscription (JMS-331 to JMS-335)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED, shared_subscription_name)

    def create_shared_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None
    ) -> Deferred[MessageConsumer]:
        """Return one of the consumers of a shared durable subscription (JMS-342, JMS-343)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED_DURABLE, name)

    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Return a browser, which shows what is in a queue (JMS-321)."""
        return QueueBrowser(creating.create_browser(self._core, queue, message_selector), self._channel)

    def create_temporary_queue(self) -> Deferred[TemporaryQueue]:
        """Return a queue that ends with the connection (JMS-355)."""
        return self._channel.wait(creating.create_temporary(self._core, TemporaryQueue, self._channel.wait))

    def create_temporary_topic(self) -> Deferred[TemporaryTopic]:
        """Return a topic that ends with the connection (JMS-355)."""
        return self._channel.wait(creating.create_temporary(self._core, TemporaryTopic, self._channel.wait))

    def unsubscribe(self, name: str) -> Deferred[None]:
        """Delete a durable subscription (JMS-344 to JMS-346)."""
        return self._channel.wait(creating.unsubscribe(self._core, name))

    def commit(self) -> Deferred[None]:
        """Let what was sent and received take effect, as one (JMS-238)."""
        return self._channel.wait(self._core.commit())

    def rollback(self) -> Deferred[None]:
        """Undo what was sent and received (JMS-241)."""
        return self._channel.wait(self._core.rollback())

    def recover(self) -> Deferred[None]:
        """Deliver again what was not acknowledged (JMS-231)."""
        return self._channel.wait(self._core.recover())

    def close(self) -> Deferred[None]:
        """End the session, its producers and consumers; waits for a listener at work (JMS-211)."""
        return self._channel.wait(self._core.close())

    def transaction(self, work: Callable[[], object]) -> Deferred[object]:
        """Call a function, and commit when its result is there, or roll back when it fails.

        Args:
            work: Does the work; may return a Deferred.

        Returns:
            What the function returned, after the commit.

        Raises:
            IllegalStateException: The session is not transacted.
        """
        self._core.check_transacted("transaction")
        waiting: Deferred[object] = maybeDeferred(work)

        def commit(result: object) -> Deferred[object]:
            return self.commit().addCallback(lambda _: result)

        def roll_back(failure: Failure) -> Deferred[Failure]:
            # What ended the transaction is told, not what went wrong on the way back.
            return self.rollback().addBoth(lambda _: failure)

        return waiting.addCallbacks(commit, roll_back)

    def _consumer(
        self,
        destination: Destination | str,
        selector: str | None,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: str | None = None,
    ) -> Deferred[MessageConsumer]:
        waiting = self._channel.wait(
            creating.create_consumer(self._core, destination, selector, no_local, sharing, name)
        )
        return waiting.addCallback(MessageConsumer, self._channel)
