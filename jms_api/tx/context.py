"""The simplified API for Twisted: see JMS 3.1, 6.1 and 7."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Self, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine import creating
from jms_api.engine.checks import timeout_seconds
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.context import ContextCore, body_of
from jms_api.engine.operations import Operation
from jms_api.engine.producer import ProducerCore
from jms_api.exceptions import JMSException, to_runtime
from jms_api.messages.message import Message
from jms_api.processing import AwaitedSettling
from jms_api.surface.consumer import as_it_is
from jms_api.surface.context import ContextSurface, JMSConsumerSurface
from jms_api.surface.jms_producer import JMSProducerSurface
from jms_api.surface.twins import as_runtime, simplified
from jms_api.tx.browser import QueueBrowser
from jms_api.tx.channel import Channel

T = TypeVar("T")


class JMSContext(ContextSurface):
    """A connection and a session in one; for one thread at a time, but for `create_context` and `close` (JMS-372)."""

    def __init__(self, core: ContextCore, channel: Channel) -> None:
        """Contexts come from `ConnectionFactory.create_context`."""
        self._core = core
        self._channel = channel
        core.session.settling = AwaitedSettling(core.session, channel.wait)

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

    def create_consumer(
        self, destination: Destination | str, message_selector: str | None = None, no_local: bool = False
    ) -> Deferred[JMSConsumer]:
        """Return a consumer, and start the connection (JMS-366)."""
        return self._consumer(destination, message_selector, no_local)

    def create_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None, no_local: bool = False
    ) -> Deferred[JMSConsumer]:
        """Return the consumer of an unshared durable subscription, which needs a client id (JMS-336)."""
        return self._consumer(topic, message_selector, no_local, Sharing.DURABLE, name)

    def create_shared_consumer(
        self, topic: Topic | str, shared_subscription_name: str, message_selector: str | None = None
    ) -> Deferred[JMSConsumer]:
        """Return one of the consumers of a shared subscription (JMS-331)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED, shared_subscription_name)

    def create_shared_durable_consumer(
        self, topic: Topic | str, name: str, message_selector: str | None = None
    ) -> Deferred[JMSConsumer]:
        """Return one of the consumers of a shared durable subscription (JMS-342)."""
        return self._consumer(topic, message_selector, False, Sharing.SHARED_DURABLE, name)

    @simplified
    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Return a browser, and start the connection (JMS-325)."""
        return QueueBrowser(self._core.create_browser(queue, message_selector), self._channel)

    def create_temporary_queue(self) -> Deferred[TemporaryQueue]:
        """Return a queue that ends with the connection (JMS-368)."""
        return self._wait(creating.create_temporary(self._core.session, TemporaryQueue, self._channel.wait))

    def create_temporary_topic(self) -> Deferred[TemporaryTopic]:
        """Return a topic that ends with the connection (JMS-368)."""
        return self._wait(creating.create_temporary(self._core.session, TemporaryTopic, self._channel.wait))

    @property
    def client_id(self) -> str | None:
        """The client id, which unshared durable subscriptions need (JMS-199)."""
        return self._get_client_id()

    def set_client_id(self, client_id: str) -> Deferred[None]:
        """Say who this is, before anything else is done (JMS-201)."""
        return self._wait(self._core.connection.set_client_id(client_id))

    def unsubscribe(self, name: str) -> Deferred[None]:
        """Delete a durable subscription (JMS-344)."""
        return self._wait(creating.unsubscribe(self._core.session, name))

    def start(self) -> Deferred[None]:
        """Let messages through."""
        return self._wait(self._core.connection.start())

    def stop(self) -> Deferred[None]:
        """Let no messages through; waits for listeners at work (JMS-176)."""
        return self._wait(self._core.connection.stop())

    def acknowledge(self) -> Deferred[None]:
        """Acknowledge all that the session was given (JMS-225)."""
        return self._wait(self._core.session.acknowledge())

    def commit(self) -> Deferred[None]:
        """Let what was sent and received take effect, as one (JMS-238)."""
        return self._wait(self._core.session.commit())

    def rollback(self) -> Deferred[None]:
        """Undo what was sent and received (JMS-241)."""
        return self._wait(self._core.session.rollback())

    def recover(self) -> Deferred[None]:
        """Deliver again what was not acknowledged (JMS-231)."""
        return self._wait(self._core.session.recover())

    def close(self) -> Deferred[None]:
        """End the session, and the connection with the last context on it (JMS-367)."""
        return self._wait(self._core.close())

    def transaction(self, work: Callable[[], object]) -> Deferred[object]:
        """Call a function, and commit when its result is there, or roll back when it fails.

        Args:
            work: Does the work; may return a Deferred.

        Returns:
            What the function returned, after the commit.

        Raises:
            IllegalStateRuntimeException: The session is not transacted.
        """
        with as_runtime():
            self._core.session.check_transacted("transaction")
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
    ) -> Deferred[JMSConsumer]:
        operation = self._core.create_consumer(destination, selector, no_local, sharing, name)
        return self._wait(operation).addCallback(JMSConsumer, self._channel)

    def _wait(self, operation: Operation[T]) -> Deferred[T]:
        return wait(self._channel, operation)


class JMSProducer(JMSProducerSurface):
    """Sends messages; light, so that one may be made for each message (JMS-289)."""

    def __init__(self, core: ProducerCore, channel: Channel) -> None:
        """Producers come from a context."""
        super().__init__(core)
        self._channel = channel

    def send(
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
    ) -> Deferred[Self]:
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
        waiting = wait(self._channel, self._begin(destination, body, body_type, properties, fields, how))
        return waiting.addCallback(lambda _: self)


class JMSConsumer(JMSConsumerSurface):
    """Receives messages or their bodies, one by one or through a listener."""

    def __init__(self, core: ConsumerCore, channel: Channel) -> None:
        """Consumers come from a context."""
        self._core = core
        self._channel = channel

    def receive(self, timeout: int | timedelta | None = None) -> Deferred[Message | None]:
        """Return the next message, or None when the time is up or the consumer is closed (JMS-297, JMS-298)."""
        seconds = timeout_seconds(timeout)
        return wait(self._channel, self._core.receive(as_it_is), seconds)

    def receive_no_wait(self) -> Deferred[Message | None]:
        """Return a message if the broker has one for this consumer now, else None (JMS-299)."""
        return wait(self._channel, self._core.receive_no_wait(as_it_is))

    def receive_body(self, type_: type[T], timeout: int | timedelta | None = None) -> Deferred[T | None]:
        """Return the body of the next message; None as for `receive` (JMS-121 to JMS-125).

        Raises:
            MessageFormatRuntimeException: It has none, or it is no such object.
        """
        seconds = timeout_seconds(timeout)
        return wait(self._channel, self._core.receive(lambda message: body_of(message, type_)), seconds)

    def receive_body_no_wait(self, type_: type[T]) -> Deferred[T | None]:
        """Return the body of a message that the broker has now; as `receive_body` otherwise."""
        return wait(self._channel, self._core.receive_no_wait(lambda message: body_of(message, type_)))

    def close(self) -> Deferred[None]:
        """Receive nothing more; waits for a listener at work (JMS-309)."""
        return wait(self._channel, self._core.close())


def wait(channel: Channel, operation: Operation[T], timeout: float | None = None) -> Deferred[T]:
    """Wait as `Channel.wait` does, but fail with runtime twins."""
    return channel.wait(operation, timeout).addErrback(to_twin)


def to_twin(failure: Failure) -> Failure:
    """Turn the failure of a checked exception into that of its runtime twin."""
    error = failure.value
    if isinstance(error, JMSException):
        raise to_runtime(error) from error
    return failure
