"""Sessions: acknowledgement, transactions and recovery; the one thread of control that JMS gives an application."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jms_api.constants import SessionMode
from jms_api.engine import faults
from jms_api.engine.calling import CompletionTask, ListenerTask
from jms_api.engine.delivery import Delivery
from jms_api.engine.operations import Count, Operation, Steps, procedure
from jms_api.engine.tasks import Task, TaskQueue
from jms_api.exceptions import (
    IllegalStateException,
    JMSException,
    MessageFormatException,
    TransactionRolledBackException,
)
from jms_api.mapping import from_frame
from jms_api.messages.message import Message
from stompd.wire.frame import Frame

if TYPE_CHECKING:
    from jms_api.engine.connection import ConnectionCore
    from jms_api.engine.consumer import ConsumerCore
    from jms_api.processing import Settling

R = TypeVar("R")

_TRANSACTED: Final = SessionMode.SESSION_TRANSACTED
_AUTO: Final = SessionMode.AUTO_ACKNOWLEDGE
_CLIENT: Final = SessionMode.CLIENT_ACKNOWLEDGE
_DUPS_OK: Final = SessionMode.DUPS_OK_ACKNOWLEDGE

#: Modes in which the application has what it was given in hand until it says otherwise.
_KEEPING: Final = (_TRANSACTED, _CLIENT)

#: JMS-304: how often a message is given again to a listener that raises, or after a rollback.
_MOST_REDELIVERIES: Final = 6


class SessionCore(TaskQueue):
    """One session, with the tasks of its listeners."""

    def __init__(self, connection: ConnectionCore, mode: SessionMode, number: int) -> None:
        super().__init__(connection.lock, connection.host.tasks_ready)
        self.connection = connection
        self.mode = mode
        self.number = number
        self.consumers: set[ConsumerCore] = set()
        #: A consumer for each delivery that waits for its listener, in their order.
        self.ready: deque[ConsumerCore] = deque()
        #: The receive that waits; there is one at most.
        self.receiving: Operation[Any] | None = None
        #: What the application was given and has not settled, oldest first.
        self.unsettled: list[Delivery] = []
        #: How many of them, from the first, the open transaction holds.
        self._held = 0
        #: What was acknowledged and the broker has not been told yet (JMS-220).
        self._lazy: list[Delivery] = []
        #: Messages that are being sent asynchronously, up to the return of their callbacks.
        self.sends = Count()
        self.transaction: str | None = None
        self._transactions = 0
        #: Why the transaction cannot be committed any more.
        self.failure: JMSException | None = None
        self.is_closed = False
        self._is_closing = False
        self._listened: list[Operation[None]] = []
        #: How a message that was received is acknowledged; the driver waits in its way.
        self.settling: Settling | None = None

    # Checks.

    @property
    def is_transacted(self) -> bool:
        """Whether it has transactions."""
        return self.mode is _TRANSACTED

    @property
    def receives_one_by_one(self) -> bool:
        """Whether its consumers can go on with one delivery at a time."""
        if self.mode is _TRANSACTED:
            return self.connection.profile.credits_held
        return self.mode is not _CLIENT

    @property
    def settles_in_order(self) -> bool:
        """Whether each delivery of a consumer is settled before the next one."""
        return self.mode not in _KEEPING

    @property
    def has_listener(self) -> bool:
        """Whether messages are given to a listener of it."""
        return any(consumer.listener is not None for consumer in self.consumers)

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed (JMS-214)."""
        if self.is_closed:
            raise faults.closed("session")
        self.connection.check_open()

    def check_thread(self) -> None:
        """Raise IllegalStateException if its listener is at work, and this is somebody else (JMS-376)."""
        if self.is_running_elsewhere:
            raise IllegalStateException("a listener of this session is running; only that may use the session now")

    def is_listening(self, consumer: ConsumerCore) -> bool:
        """Return whether a listener of a consumer is at work."""
        return isinstance(self._running, ListenerTask) and self._running.consumer is consumer

    def check_not_in_listener(self, verb: str) -> None:
        """Raise IllegalStateException if a listener of this session wants to end it (JMS-188, JMS-213)."""
        if self.is_running_here:
            raise IllegalStateException(f"{verb} is not possible in a listener of the same session")

    def _check_not_completing(self, verb: str) -> None:
        if self.is_running_here and isinstance(self._running, CompletionTask):
            raise IllegalStateException(
                f"{verb} is not possible in a completion listener of the same session"
            )  # JMS-189

    # Deliveries.

    def find(self) -> Task | None:
        """Return the next message that waits for its listener."""
        ready = self.ready
        if not self.connection.is_started or self._is_closing:
            return None
        while ready:
            consumer = ready.popleft()
            if consumer.is_closed:
                continue  # JMS-310: what it left goes back, or to whoever reopens its durable subscription
            if consumer.listener is not None and (delivery := consumer.take()) is not None:
                self._take_in_hand(delivery)
                return ListenerTask(self, consumer, delivery, consumer.listener)
        self.make_room()
        return None

    def decode(self, delivery: Delivery) -> Message:
        """Return the message of a delivery, as a new object."""
        connection = self.connection
        message = from_frame(
            delivery.headers, delivery.body, connection.profile, connection.codec, delivery.redeliveries
        )
        message._settling = self.settling
        return message

    def hand_over(self, delivery: Delivery, convert: Callable[[Message], R]) -> R | None:
        """Give a delivery to the application that called receive, and acknowledge or note it (JMS-216)."""
        message = self.decode(delivery)
        try:
            value = convert(message)
        except MessageFormatException:
            with self.lock:
                if self.mode in _KEEPING:
                    self._take_in_hand(delivery)  # JMS-123, JMS-124
                else:
                    delivery.consumer.put_back(delivery)  # JMS-122
            raise
        with self.lock:
            if self.is_closed or self.connection.is_closed:
                return None  # it comes again, to somebody else
            if self.mode is _AUTO:
                self.connection.settle(delivery)
            elif self.mode is _DUPS_OK:
                self._settle_lazily(delivery)
            else:
                self._take_in_hand(delivery)
        return value

    def listened(self, task: ListenerTask, error: BaseException | None) -> None:
        """Settle what a listener has returned from (JMS-217, JMS-304, JMS-305)."""
        listened, self._listened = self._listened, []
        for operation in listened:
            operation.succeed(None)
        delivery = task.delivery
        if self.mode in _KEEPING:
            return
        delivery.subscription.unsettled -= 1
        if error is not None or task.is_recovered:
            self._give_again(delivery)
        elif self.mode is _AUTO:
            self.connection.settle(delivery, is_urgent=False)
        else:
            self._settle_lazily(delivery)
        self._let_go(delivery)

    def task_done(self) -> Operation[None]:
        """Return an operation that is done when the listener at work has returned; called under the lock."""
        operation: Operation[None] = Operation()
        self._listened.append(operation)
        return operation

    def make_room(self) -> None:
        """Let the broker send more, since the application waits: settle what was put off."""
        lazy, self._lazy = self._lazy, []
        for delivery in lazy:
            self.connection.settle(delivery, is_urgent=False)
        if self.mode is _TRANSACTED and len(self.unsettled) > self._held and self.receives_one_by_one:
            self._hold()
        self.connection.exchange.write_acks()

    def link_lost(self) -> None:
        """Forget what the broker gives again, and note what cannot be committed any more."""
        if (self.unsettled or self.transaction is not None) and self.failure is None:
            self.failure = JMSException("the connection to the broker was lost", faults.CONNECTION_LOST)
        self.unsettled.clear()
        self._lazy.clear()
        self.ready.clear()
        self._held = 0
        self.transaction = None

    def _take_in_hand(self, delivery: Delivery) -> None:
        delivery.subscription.unsettled += 1
        if self.mode in _KEEPING:
            self.unsettled.append(delivery)

    def _let_go(self, delivery: Delivery) -> None:
        """End the subscription of a closed consumer when this was the last delivery that it waited for (JMS-227)."""
        subscription = delivery.subscription
        if subscription.is_leaving and not subscription.unsettled:
            self.connection.unsubscribe(subscription)

    def _settle_lazily(self, delivery: Delivery) -> None:
        self._lazy.append(delivery)
        if len(self._lazy) >= max(1, delivery.subscription.prefetch // 2):
            self.make_room()

    def _give_again(self, delivery: Delivery) -> None:
        """Deliver once more within the session (JMS-232, JMS-241), or have the broker put it aside (JMS-304)."""
        connection = self.connection
        if delivery.subscription.is_ended:
            return
        if delivery.redeliveries >= _MOST_REDELIVERIES and connection.profile.buries:
            connection.reject(delivery)
            return
        delivery.redeliveries += 1
        delivery.consumer.put_back(delivery)

    def _give_all_again(self) -> None:
        unsettled, self.unsettled = self.unsettled, []
        self._held = 0
        for delivery in reversed(unsettled):
            delivery.subscription.unsettled -= 1
            self._give_again(delivery)
            self._let_go(delivery)

    # Acknowledgement and recovery.

    @procedure
    def acknowledge(self) -> Steps[None]:
        """Acknowledge all that the session was given (JMS-221, JMS-223, JMS-224)."""
        self.check_open()
        if self.mode is not _CLIENT:
            return
        self.check_thread()
        self._raise_failure()
        unsettled, self.unsettled = self.unsettled, []
        connection = self.connection
        for delivery in unsettled[:-1]:
            connection.settle(delivery)
        if unsettled:
            # The receipt of the last one speaks for all: frames take effect in order.
            answer = connection.confirm_settled(unsettled[-1])
            for delivery in unsettled:
                delivery.subscription.unsettled -= 1
                self._let_go(delivery)
            yield from answer

    @procedure
    def recover(self) -> Steps[None]:
        """Begin again with the oldest message that was not acknowledged (JMS-230 to JMS-237)."""
        self.check_open()
        if self.is_transacted:
            raise IllegalStateException("a transacted session is not recovered but rolled back")
        self.check_thread()
        self.failure = None
        if isinstance(self._running, ListenerTask) and self.mode is not _CLIENT:
            self._running.is_recovered = True
        self._give_all_again()
        yield from ()

    def _raise_failure(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise JMSException("the messages were not acknowledged, and come again", failure.error_code) from failure

    # Transactions.

    def begin(self) -> str:
        """Return the id of the open transaction, which begins if there is none; called under the lock."""
        if self.transaction is None:
            self._transactions += 1
            self.transaction = f"tx-{self.number}-{self._transactions}"
            self.connection.exchange.send(Frame("BEGIN", {"transaction": self.transaction}), is_urgent=False)
        return self.transaction

    @procedure
    def commit(self) -> Steps[None]:
        """Let everything that was sent and received take effect, as one (JMS-238 to JMS-247)."""
        self.check_transacted("commit")
        yield from self._sends_done()
        if self.failure is not None:
            yield from self._roll_back()
            self._raise_rolled_back()
        if self.transaction is None and not self.unsettled:
            return
        self._hold()
        transaction, self.transaction = self.transaction, None
        unsettled, self.unsettled = self.unsettled, []
        self._held = 0
        for delivery in unsettled:
            delivery.subscription.unsettled -= 1
        try:
            yield from self.connection.exchange.request(Frame("COMMIT", {"transaction": transaction or ""}))
        except JMSException as error:
            if error.error_code == faults.CONNECTION_LOST:
                # JMS-249: the broker may have committed or not.
                raise JMSException(
                    "the connection was lost during commit; nobody knows here whether it happened", faults.IN_DOUBT
                ) from error
            raise TransactionRolledBackException(str(error), error.error_code) from error
        finally:
            for delivery in unsettled:
                self._let_go(delivery)

    @procedure
    def rollback(self) -> Steps[None]:
        """Forget what was sent, and let what was received come again (JMS-239, JMS-241)."""
        self.check_transacted("rollback")
        yield from self._sends_done()
        self.failure = None
        yield from self._roll_back()

    def _roll_back(self) -> Steps[None]:
        transaction, self.transaction = self.transaction, None
        answer = None
        if transaction is not None:
            answer = self.connection.exchange.request(Frame("ABORT", {"transaction": transaction}))
        self._give_all_again()
        if answer is not None:
            yield from answer

    def _raise_rolled_back(self) -> None:
        failure, self.failure = self.failure, None
        reason = f"the transaction was rolled back: {failure}"
        raise TransactionRolledBackException(reason, failure.error_code if failure else None) from failure

    def _hold(self) -> None:
        """Add what was received to the open transaction."""
        waiting = self.unsettled[self._held :]
        if waiting:
            transaction = self.begin()
            for delivery in waiting:
                self.connection.settle(delivery, transaction)
            self._held = len(self.unsettled)

    def check_transacted(self, verb: str) -> None:
        """Raise IllegalStateException if there is no transaction that could end now (JMS-244)."""
        self.check_open()
        if not self.is_transacted:
            raise IllegalStateException(f"{verb} is for transacted sessions (JMS-244)")
        self._check_not_completing(verb)
        self.check_thread()

    def _sends_done(self) -> Steps[None]:
        """Wait for what is being sent asynchronously, and for the callbacks (JMS-246)."""
        if not self.is_running_here:
            yield from self.sends.none()

    # The end.

    @procedure
    def close(self) -> Steps[None]:
        """End the session: what was not acknowledged comes again, to somebody else (JMS-211 to JMS-215)."""
        if self.is_closed:
            return
        self.check_not_in_listener("close")
        yield from self.quiesce()
        if self.is_closed:
            return
        self.is_closed = True
        yield from self.connection.forget(self)
        self.end()

    def quiesce(self) -> Steps[None]:
        """Begin no more listeners and wait for those at work, and for callbacks; end receives (JMS-181)."""
        self._is_closing = True
        for consumer in list(self.consumers):
            consumer.stop_waiting(None)
        yield from self.idle()
        yield from self.sends.none()
        yield from self.idle()
