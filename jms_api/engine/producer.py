"""Producers: what they stamp on a message, and when a message counts as sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, cast

from jms_api.constants import (
    DEFAULT_DELIVERY_DELAY,
    DEFAULT_DELIVERY_MODE,
    DEFAULT_PRIORITY,
    DEFAULT_TIME_TO_LIVE,
    DeliveryMode,
)
from jms_api.destinations import Destination, TemporaryQueue, TemporaryTopic, as_destination
from jms_api.engine import checks, faults
from jms_api.engine.calling import Completion, CompletionTask
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.exceptions import JMSException, MessageFormatException, UnsupportedOperationException
from jms_api.mapping import Stamp, spell, stamp, to_frame_parts
from jms_api.messages import copy_of
from jms_api.messages.message import Message
from stompd.wire.frame import Frame

if TYPE_CHECKING:
    from jms_api.engine.session import SessionCore

#: In a transaction nothing is visible before its end, so frames wait for each other up to this many bytes.
_SENT: Operation[None] = Operation.of(None)


class Delivering(NamedTuple):
    """How one message is to be delivered."""

    delivery_mode: DeliveryMode
    priority: int
    time_to_live: int
    delivery_delay: int


class ProducerCore:
    """One producer of a session."""

    def __init__(self, session: SessionCore, destination: Destination | None) -> None:
        self.session = session
        self.lock = session.lock
        self.destination = destination
        self.is_closed = False
        self.disable_message_id = False
        self.disable_message_timestamp = False
        self.delivery_mode = DEFAULT_DELIVERY_MODE
        self.priority = DEFAULT_PRIORITY
        self.time_to_live = DEFAULT_TIME_TO_LIVE
        self.delivery_delay = DEFAULT_DELIVERY_DELAY

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed, or its session is (JMS-272)."""
        self.session.check_open()
        if self.is_closed:
            raise faults.closed("producer")

    @procedure
    def close(self) -> Steps[None]:
        """Send nothing more; wait for what is being sent asynchronously (JMS-284)."""
        if self.is_closed:
            return
        self.session._check_not_completing("close of the producer")
        self.is_closed = True
        if not self.session.is_running_here:
            yield from self.session.sends.none()

    def target(self, destination: object) -> Destination:
        """Return where a message goes (JMS-264, JMS-265, JMS-266).

        Raises:
            UnsupportedOperationException: The producer has a destination and the call too, or neither has.
            InvalidDestinationException: It is none.
        """
        if destination is None:
            if self.destination is None:
                raise UnsupportedOperationException("this producer has no destination of its own; send needs one")
            return self.destination
        if self.destination is not None:
            raise UnsupportedOperationException(f"this producer sends to {self.destination} only")
        return as_destination(destination)

    def send(
        self,
        message: object,
        destination: Destination,
        delivering: Delivering,
        completion: Completion | None = None,
    ) -> Operation[None]:
        """Send one message.

        Returns:
            An operation that is done when the message is safe, as far as its delivery mode and the transaction say so
            (JMS-261); with a completion listener it is done at once (JMS-279).
        """
        try:
            frame, given = self._frame(message, destination, delivering)
        except (JMSException, UnsupportedOperationException) as error:
            return Operation.failed(error)
        with self.lock:
            session = self.session
            if session.connection.exchange.link is None:
                return self._send_later(frame, given, delivering, completion)
            return self._send_now(frame, given, delivering, completion)

    def _frame(self, message: object, destination: Destination, delivering: Delivering) -> tuple[Frame, Message]:
        self.check_open()
        if isinstance(destination, TemporaryQueue | TemporaryTopic):
            self.session.connection.check_temporary(destination)
        if message is None:
            raise MessageFormatException("there is no message to send")  # JMS-267
        own = message if isinstance(message, Message) else copy_of(message, self.session.connection.codec)
        connection = self.session.connection
        connection.use()
        profile = connection.profile
        if delivering.delivery_delay and not profile.has_delay:
            raise UnsupportedOperationException("this broker cannot delay messages")
        values = Stamp(
            destination,
            *delivering,
            now=int(time.time() * 1000),
            message_id=None if self.disable_message_id else f"ID:{connection.token}-{next(connection.numbers)}",
            has_timestamp=not self.disable_message_timestamp,
        )
        stamp(own, values)
        if own is not message:
            stamp(cast(Message, message), values)  # JMS-073: as far as it has the same attributes
        headers, body = to_frame_parts(own, profile)
        headers["destination"] = spell(destination, profile)
        return Frame("SEND", headers, body), own

    @procedure
    def _send_later(
        self, frame: Frame, message: Message, delivering: Delivering, completion: Completion | None
    ) -> Steps[None]:
        """Wait until the broker can be reached: nothing was sent, so nothing can be sent twice."""
        if self.session.is_transacted and self.session.failure is not None:
            return
        yield from self.session.connection.up()
        yield from self._send_now(frame, message, delivering, completion)

    def _send_now(
        self, frame: Frame, message: Message, delivering: Delivering, completion: Completion | None
    ) -> Operation[None]:
        session = self.session
        exchange = session.connection.exchange
        if session.is_transacted:
            if session.failure is not None:
                return self._complete(Operation.of(None), message, completion)  # commit will tell
            frame.headers["transaction"] = session.begin()
        target = message.jms_destination
        is_confirmed = completion is not None or isinstance(target, TemporaryQueue | TemporaryTopic)
        if not is_confirmed and (session.is_transacted or delivering.delivery_mode is not DeliveryMode.PERSISTENT):
            try:
                # Nobody sees what a transaction holds, so it may wait, unless its delay begins now.
                exchange.send(frame, is_urgent=not session.is_transacted or bool(delivering.delivery_delay))
            except JMSException as error:
                return Operation.failed(error)
            return _SENT
        return self._complete(exchange.request(frame), message, completion)

    def _complete(
        self, answer: Operation[Frame] | Operation[None], message: Message, completion: Completion | None
    ) -> Operation[None]:
        if completion is None:
            return answer  # type: ignore[return-value]  # what the broker answered concerns nobody
        session = self.session
        session.sends.begin()
        answer.when_done(lambda done: session.add(CompletionTask(session, completion, message, done.error)))
        return _SENT


def delivering(
    producer: ProducerCore,
    delivery_mode: object = None,
    priority: object = None,
    time_to_live: object = None,
    delivery_delay: object = None,
) -> Delivering:
    """Return how a message is to be delivered: what the call says, else what the producer says (JMS-262).

    Raises:
        JMSException: A value is out of range (JMS-034).
    """
    return Delivering(
        producer.delivery_mode if delivery_mode is None else checks.delivery_mode(delivery_mode),
        producer.priority if priority is None else checks.priority(priority),
        producer.time_to_live if time_to_live is None else checks.milliseconds(time_to_live, "the time to live"),  # type: ignore[arg-type]  # checked
        producer.delivery_delay if delivery_delay is None else checks.milliseconds(delivery_delay, "the delay"),  # type: ignore[arg-type]  # checked
    )
