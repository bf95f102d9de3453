"""Consumers: what the broker has delivered and the application has not taken yet, and who takes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jms_api.destinations import Destination, Queue, Topic
from jms_api.engine.calling import Listener, as_listener
from jms_api.engine.delivery import Delivery, Subscription
from jms_api.engine.faults import closed
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.engine.receiving import Receiving
from jms_api.exceptions import IllegalStateException, JMSException
from jms_api.messages.message import Message

if TYPE_CHECKING:
    from jms_api.engine.session import SessionCore

R = TypeVar("R")

#: JMS-409: whoever receives one by one gets one at a time, so that nothing waits for somebody who is busy.
_ONE: Final = 1

#: For a listener of a queue: enough to keep it busy, few enough to leave work to others.
_SOME: Final = 1000

#: Of a subscription that nobody else takes from.
_MANY: Final = 1000


class Sharing(Enum):
    """The kinds of subscriptions of JMS 3.1, 8.3; a queue has the first one only."""

    UNSHARED = "unshared"
    SHARED = "shared"
    DURABLE = "durable"
    SHARED_DURABLE = "shared durable"

    @property
    def is_durable(self) -> bool:
        """Whether it goes on without a consumer."""
        return self in (Sharing.DURABLE, Sharing.SHARED_DURABLE)

    @property
    def is_shared(self) -> bool:
        """Whether several consumers divide its messages."""
        return self in (Sharing.SHARED, Sharing.SHARED_DURABLE)


class ConsumerCore:
    """One consumer of a session."""

    def __init__(
        self,
        session: SessionCore,
        destination: Destination,
        selector: str | None,
        *,
        no_local: bool = False,
        sharing: Sharing = Sharing.UNSHARED,
        name: str | None = None,
    ) -> None:
        self.session = session
        self.lock = session.lock
        self.destination = destination
        self.selector = selector
        self.no_local = no_local and isinstance(destination, Topic)  # JMS-320
        self.sharing = sharing
        self.name = name
        self.subscription: Subscription | None = None
        self.buffer: deque[Delivery] = deque()
        self.is_closed = False
        self._listener: Listener | None = None
        #: What the application set, which is what it gets back.
        self._given: object = None
        self._receiving: Receiving[Any] | None = None

    @property
    def prefetch(self) -> int:
        """How many deliveries the broker may send ahead."""
        wanted = self.session.connection.options.prefetch
        if wanted:
            return wanted
        if self.sharing.is_shared:
            return _ONE  # JMS-331
        if isinstance(self.destination, Queue) and self._listener is None and self.session.receives_one_by_one:
            return _ONE
        return _SOME if isinstance(self.destination, Queue) else _MANY

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self.is_closed or self.session.is_closed or self.session.connection.is_closed

    # What the application does.

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed, or its session is (JMS-186)."""
        self.session.check_open()
        if self.is_closed:
            raise closed("consumer")

    @property
    def listener(self) -> Listener | None:
        """Whom messages are given to; None if they are received."""
        return self._listener

    def get_listener(self) -> object:
        """Return the listener as it was set (JMS-303)."""
        self.check_open()
        return self._given

    def set_listener(self, listener: object) -> None:
        """Give what comes to a listener from now on; None ends that (JMS-303)."""
        with self.lock:
            self.check_open()
            called = as_listener(listener)
            if called is not None and self.session.receiving is not None:
                raise IllegalStateException("the session has a receive that waits; it cannot have a listener too")
            self._given, self._listener = listener, called
            if called is None:
                return
            subscription = self.subscription
            if subscription is not None and subscription.prefetch < self.prefetch:
                self.session.connection.subscribe_again(self)
            for _ in self.buffer:
                self.session.ready.append(self)
            if self.buffer:
                self.session.announce()

    def receive(self, convert: Callable[[Message], R]) -> Operation[R | None]:
        """Return the next message, converted, when there is one (JMS-297)."""
        with self.lock:
            try:
                self._check_receive()
            except JMSException as error:
                return Operation.failed(error)
            receiving = Receiving(self, convert)
            if self.session.connection.is_started and (delivery := self.take()) is not None:
                receiving.deliver(delivery)
            else:
                self._wait(receiving)
                self.session.make_room()
            return receiving

    def receive_no_wait(self, convert: Callable[[Message], R]) -> Operation[R | None]:
        """Return the next message, converted, if the broker has one for this consumer now (JMS-299)."""
        with self.lock:
            try:
                self._check_receive()
            except JMSException as error:
                return Operation.failed(error)
            receiving = Receiving(self, convert)
            connection = self.session.connection
            if not connection.is_started:
                receiving.succeed(None)
            elif (delivery := self.take()) is not None:
                receiving.deliver(delivery)
            else:
                self._wait(receiving)
                self.session.make_room()
                # All that the broker had for this consumer comes before the answer.
                connection.barrier().when_done(lambda _: receiving.expire())
            return receiving

    @procedure
    def close(self) -> Steps[None]:
        """Take nothing more; wait for what is being received, or listened to (JMS-309, JMS-310)."""
        if self.is_closed:
            return
        self.is_closed = True
        self.stop_waiting(None)
        session = self.session
        session.consumers.discard(self)
        if session.is_listening(self) and not session.is_running_here:
            yield from session.task_done()
        subscription, self.subscription = self.subscription, None
        if subscription is not None:
            yield from session.connection.leave(subscription)
        if subscription is None or not subscription.is_leaving:
            self.buffer.clear()

    # What the connection and the session do, under the lock.

    def is_of_same_durable(self, left: Subscription) -> bool:
        """Return whether a closed consumer has left this durable subscription with something to settle.

        The broker lets nobody else in until that is settled, and JMS-227 says that closing settles nothing.
        """
        other = left.taker
        return (
            isinstance(other, ConsumerCore)
            and self.sharing is other.sharing is Sharing.DURABLE
            and self.name == other.name
        )

    def may_take_over(self, left: Subscription) -> bool:
        """Return whether it can go on with the same durable subscription as a closed consumer left it."""
        other = left.taker
        return (
            isinstance(other, ConsumerCore)
            and (self.destination, self.selector, self.no_local) == (other.destination, other.selector, other.no_local)
            and (self.session.settles_in_order or not left.is_cumulative)
        )

    def take_over(self, left: Subscription) -> None:
        """Go on with a subscription that a closed consumer left."""
        self.buffer.extend(left.taker.buffer)
        left.taker.buffer.clear()
        left.taker = self
        left.is_leaving = False
        self.subscription = left

    def arrive(self, delivery: Delivery) -> None:
        """Keep a delivery, or give it to whoever waits."""
        self.buffer.append(delivery)
        if self._receiving is not None:
            self.give()
        elif self._listener is not None:
            session = self.session
            session.ready.append(self)
            session.announce()

    def lose(self, error: JMSException) -> None:
        """Forget what the broker will deliver again."""
        self.buffer.clear()

    def give(self) -> None:
        """Give a delivery to a receive that waits, if both are there."""
        receiving = self._receiving
        if receiving is None or not self.session.connection.is_started:
            return
        if (delivery := self.take()) is not None:
            self.stop_waiting(receiving)
            receiving.deliver(delivery)

    def take(self) -> Delivery | None:
        """Take the oldest delivery out of the buffer; what has expired is dropped (JMS-025)."""
        buffer = self.buffer
        while buffer:
            delivery = buffer.popleft()
            if not delivery.is_expired():
                return delivery
            self.session.connection.settle(delivery)
        return None

    def put_back(self, delivery: Delivery) -> None:
        """Return a delivery that was not given to the application, or is to be given again, to the head."""
        if self.is_closed or delivery.subscription.is_ended:
            return  # the broker gives it to somebody else
        self.buffer.appendleft(delivery)
        if self._receiving is not None:
            self.give()
        elif self._listener is not None:
            self.session.ready.appendleft(self)
            self.session.announce()

    def stop_waiting(self, receiving: Operation[Any] | None) -> None:
        """Forget a receive that waits; all of them end with None when it is None."""
        waiting = self._receiving
        if waiting is None or (receiving is not None and waiting is not receiving):
            return
        self._receiving = None
        self.session.receiving = None
        if receiving is None:
            waiting.succeed(None)

    def fail(self, error: JMSException) -> None:
        """End a receive that waits with an error: nothing will ever come."""
        waiting = self._receiving
        if waiting is not None:
            self.stop_waiting(waiting)
            waiting.fail(error)

    def _wait(self, receiving: Receiving[R]) -> None:
        self._receiving = receiving
        self.session.receiving = receiving

    def _check_receive(self) -> None:
        self.check_open()
        session = self.session
        session.check_thread()
        session.connection.check_alive()
        if session.receiving is not None:
            # JMS-301: an application error, which would otherwise give messages to the wrong one.
            raise IllegalStateException("another receive of this session waits; a session is for one thread at a time")
        if session.has_listener:
            raise IllegalStateException(
                "a consumer of this session has a listener, so the session cannot receive"
            )  # JMS-302
