"""The classes of JMS 1.0 for one domain each (JMS 3.1, 9.2): blocking, with the checks that they add."""

from __future__ import annotations

from typing import NoReturn

from jms_api.browser import QueueBrowser
from jms_api.channel import open_channel
from jms_api.connection import Connection
from jms_api.consumer import MessageConsumer
from jms_api.destinations import Destination, Queue, TemporaryQueue, Topic, as_destination
from jms_api.engine import creating
from jms_api.exceptions import IllegalStateException, InvalidDestinationException
from jms_api.factory import ConnectionFactory
from jms_api.producer import MessageProducer
from jms_api.session import Session


class QueueReceiver(MessageConsumer):
    """A consumer of a queue."""


class QueueSender(MessageProducer):
    """A producer for a queue."""


class TopicSubscriber(MessageConsumer):
    """A consumer of a topic."""


class TopicPublisher(MessageProducer):
    """A producer for a topic; `publish` is another name of `send`."""


class QueueSession(Session):
    """A session for queues (JMS-380)."""

    def create_receiver(self, queue: Queue | str, message_selector: str | None = None) -> QueueReceiver:
        """Return a consumer of a queue."""
        return QueueReceiver(self._consumer_core(_check(queue, Queue), message_selector, False), self._channel)

    def create_sender(self, queue: Queue | str | None) -> QueueSender:
        """Return a producer for a queue, or for any when it is None."""
        destination = None if queue is None else _check(queue, Queue)
        return QueueSender(creating.create_producer(self._core, destination), self._channel)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Raise IllegalStateException: this is for topics."""
        self._core.check_open()
        raise IllegalStateException("a QueueSession is for queues only")

    create_topic = create_temporary_topic = unsubscribe = _refuse
    create_durable_subscriber = create_durable_consumer = _refuse
    create_shared_consumer = create_shared_durable_consumer = _refuse


class TopicSession(Session):
    """A session for topics (JMS-381)."""

    def create_subscriber(
        self, topic: Topic | str, message_selector: str | None = None, no_local: bool = False
    ) -> TopicSubscriber:
        """Return a consumer of a topic."""
        return TopicSubscriber(self._consumer_core(_check(topic, Topic), message_selector, no_local), self._channel)

    def create_publisher(self, topic: Topic | str | None) -> TopicPublisher:
        """Return a producer for a topic, or for any when it is None."""
        destination = None if topic is None else _check(topic, Topic)
        return TopicPublisher(creating.create_producer(self._core, destination), self._channel)

    def create_browser(self, queue: Queue | str, message_selector: str | None = None) -> QueueBrowser:
        """Raise IllegalStateException (JMS-327)."""
        return self._refuse()

    def create_queue(self, queue_name: str) -> Queue:
        """Raise IllegalStateException."""
        return self._refuse()

    def create_temporary_queue(self) -> TemporaryQueue:
        """Raise IllegalStateException."""
        return self._refuse()

    def _refuse(self) -> NoReturn:
        self._core.check_open()
        raise IllegalStateException("a TopicSession is for topics only")


class QueueConnection(Connection):
    """A connection for queues."""

    def create_queue_session(self, transacted: bool, acknowledge_mode: int) -> QueueSession:
        """Return a session for queues."""
        return QueueSession(self._session_core(transacted, acknowledge_mode), self._channel)


class TopicConnection(Connection):
    """A connection for topics."""

    def create_topic_session(self, transacted: bool, acknowledge_mode: int) -> TopicSession:
        """Return a session for topics."""
        return TopicSession(self._session_core(transacted, acknowledge_mode), self._channel)


class QueueConnectionFactory(ConnectionFactory):
    """Makes connections for queues, and all others too (JMS-383)."""

    def create_queue_connection(self, user_name: str | None = None, password: str | None = None) -> QueueConnection:
        """Connect."""
        return QueueConnection(open_channel(self._options_for(user_name, password, None)))


class TopicConnectionFactory(ConnectionFactory):
    """Makes connections for topics, and all others too (JMS-383)."""

    def create_topic_connection(self, user_name: str | None = None, password: str | None = None) -> TopicConnection:
        """Connect."""
        return TopicConnection(open_channel(self._options_for(user_name, password, None)))


def _check(destination: Destination | str, kind: type[Destination]) -> Destination:
    found = as_destination(destination)
    if not isinstance(found, kind):
        raise InvalidDestinationException(f"{found} is no {kind.__name__.lower()}")  # JMS-319
    return found
