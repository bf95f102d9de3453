"""Requests that wait for a reply (JMS 3.1, 4.1.8 and 4.2.10)."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from jms_api.context import JMSContext
from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic, as_destination
from jms_api.exceptions import InvalidDestinationException, UnsupportedOperationException
from jms_api.messages.message import Message
from jms_api.session import Session


class _Requestor:
    """What the two requestors of JMS have in common; the connection must be started by the caller (JMS-361)."""

    def __init__(self, session: Session, destination: Destination, reply_to: Queue | Topic) -> None:
        self._session = session
        self._reply_to = reply_to
        self._sender = session.create_producer(destination)
        self._receiver = session.create_consumer(reply_to)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def request(self, message: Message) -> Message | None:
        """Send a message and return the first reply, however long that takes (JMS-362); None if it is closed."""
        message.jms_reply_to = self._reply_to
        self._sender.send(message)
        return self._receiver.receive()

    def close(self) -> None:
        """Close the session that was given, and delete the temporary destination (JMS-363)."""
        self._receiver.close()
        _delete(self._reply_to)
        self._session.close()


class QueueRequestor(_Requestor):
    """Sends requests to a queue, as in Java."""

    def __init__(self, session: Session, queue: Queue) -> None:
        """Prepare a session that is not transacted to send requests (JMS-364).

        Raises:
            InvalidDestinationException: There is no queue.
        """
        if not isinstance(queue, Queue):
            raise InvalidDestinationException(f"{queue!r} is no queue")
        super().__init__(session, queue, session.create_temporary_queue())


class TopicRequestor(_Requestor):
    """Sends requests to a topic, as in Java; the first reply counts."""

    def __init__(self, session: Session, topic: Topic) -> None:
        """Prepare a session that is not transacted to send requests (JMS-364).

        Raises:
            InvalidDestinationException: There is no topic.
        """
        if not isinstance(topic, Topic):
            raise InvalidDestinationException(f"{topic!r} is no topic")
        super().__init__(session, topic, session.create_temporary_topic())


class Requestor:
    """Sends requests and matches replies by their correlation id; leaves the session or context open."""

    def __init__(self, session: Session | JMSContext, destination: Destination | str) -> None:
        """Prepare to send requests to a destination."""
        self._destination = as_destination(destination)
        self._session = session
        self._reply_to = session.create_temporary_queue()
        self._receiver = session.create_consumer(self._reply_to)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def request(self, message: Message, timeout: int | timedelta | None = None) -> Message | None:
        """Send a message and return its reply; None when the time is up.

        A reply says by its correlation id which request it answers: the request's own correlation id, or its message
        id if it has none. What answers an earlier request that was given up is dropped.

        Args:
            message: The request.
            timeout: In milliseconds; None waits for ever.
        """
        message.jms_reply_to = self._reply_to
        if message.jms_correlation_id is None:
            message.jms_correlation_id = uuid.uuid4().hex
        if isinstance(self._session, Session):
            with self._session.create_producer(self._destination) as producer:
                producer.send(message)
        else:
            self._session.create_producer().send(self._destination, message)
        for reply in self._receiver.messages(timeout):
            if reply.jms_correlation_id in (message.jms_correlation_id, message.jms_message_id):
                return reply
        return None

    def close(self) -> None:
        """Forget the temporary queue."""
        self._receiver.close()
        _delete(self._reply_to)


def _delete(destination: Queue | Topic) -> None:
    """Delete a temporary destination, unless only the end of its connection can do that."""
    if isinstance(destination, TemporaryQueue | TemporaryTopic):
        with suppress(UnsupportedOperationException):
            destination.delete()
