"""Subscriptions of a connection: how they begin, are fed, and end; and how deliveries are settled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from jms_api.destinations import Destination, TemporaryQueue, TemporaryTopic, Topic
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.delivery import Delivery, Probe, Subscription
from jms_api.engine.exchange import Exchange
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.exceptions import (
    IllegalStateException,
    InvalidDestinationException,
    JMSException,
    UnsupportedOperationException,
)
from jms_api.mapping import spell
from jms_api.profiles import Profile
from stompd.wire.frame import Frame

if TYPE_CHECKING:
    from jms_api.engine.host import Host
    from jms_api.engine.session import SessionCore

Temporary = TypeVar("Temporary", TemporaryQueue, TemporaryTopic)


class Routing(ABC):
    """The part of a connection that knows subscriptions; everything runs under the lock."""

    lock: RLock
    exchange: Exchange
    host: Host
    profile: Profile
    sessions: set[SessionCore]
    subscriptions: dict[str, Subscription]
    token: str
    numbers: count[int]
    is_closed: bool
    _client_id: str | None
    #: Those that this connection made, and how it names them; None for one that is gone.
    temporaries: dict[Destination, str | None]

    @abstractmethod
    def up(self) -> Operation[None]:
        """Return an operation that is done when the broker can be reached."""

    @abstractmethod
    def check_open(self) -> None:
        """Raise IllegalStateException if the connection is closed."""

    @abstractmethod
    def report(self, error: JMSException) -> None:
        """Tell the exception listener."""

    # What comes, and what becomes of it.

    def deliver(self, frame: Frame) -> None:
        """Give a MESSAGE to the consumer that it is for; one that has left does not take it, so it goes back."""
        subscription = self.subscriptions.get(frame.headers.get("subscription", ""))
        if subscription is None:
            return
        delivery = Delivery(frame.headers, frame.body, subscription)
        if subscription.is_leaving:
            subscription.taker.buffer.append(delivery)  # for whoever reopens it
        else:
            subscription.taker.arrive(delivery)

    def settle(self, delivery: Delivery, transaction: str | None = None, *, is_urgent: bool = True) -> None:
        """Acknowledge a delivery, in a transaction or not; what the broker has taken back is left alone."""
        if delivery.subscription.is_ended:
            return
        if transaction is None:
            self.exchange.acknowledge(delivery, is_urgent=is_urgent)
        else:
            self.exchange.write(delivery.settling("ACK", transaction=transaction))

    def confirm_settled(self, delivery: Delivery) -> Operation[Frame]:
        """Acknowledge a delivery and wait until that is safe."""
        if delivery.subscription.is_ended:
            return Operation.of(Frame("RECEIPT", {}))
        return self.exchange.request(Frame("ACK", {"id": delivery.ack}))

    def reject(self, delivery: Delivery) -> None:
        """Let the broker put a delivery aside that nobody can work on (JMS-304)."""
        if not delivery.subscription.is_ended:
            self.exchange.write(delivery.settling("NACK", requeue="false"))

    # How subscriptions begin.

    @procedure
    def subscribe(self, consumer: ConsumerCore) -> Steps[None]:
        """Begin the subscription of a consumer; what is sent afterwards reaches it (JMS-353)."""
        yield from self.up()
        for subscription in self.subscriptions.values():
            if subscription.is_leaving and consumer.is_of_same_durable(subscription):
                if not consumer.may_take_over(subscription):
                    raise IllegalStateException(  # JMS-346: to change it is to delete it
                        f"a message of the subscription {consumer.name} is not settled; acknowledge it, commit or roll"
                        " back before the subscription is changed"
                    )
                consumer.take_over(subscription)
                return
        yield from self._subscribe(consumer)

    def restore(self, consumer: ConsumerCore) -> None:
        """Begin the subscription of a consumer again, on a new connection to the broker."""
        consumer.subscription = None

        def check(operation: Operation[None]) -> None:
            if isinstance(operation.error, JMSException):
                consumer.fail(operation.error)
                self.report(operation.error)

        self._subscribe(consumer).when_done(check)

    def subscribe_again(self, consumer: ConsumerCore) -> None:
        """Begin anew with a larger prefetch; what waits in the consumer comes again, first."""
        subscription = consumer.subscription
        consumer.buffer.clear()
        if subscription is not None:
            self.leave(subscription)
        self.restore(consumer)
        self.host.wake()

    @procedure
    def _subscribe(self, consumer: ConsumerCore) -> Steps[None]:
        session = consumer.session
        subscription = Subscription(
            f"{session.number}-{next(self.numbers)}",
            consumer,
            consumer.prefetch,
            is_cumulative=self.profile.acknowledges_up_to and session.settles_in_order,
        )
        consumer.subscription = self.subscriptions[subscription.subscription_id] = subscription
        headers = {
            "id": subscription.subscription_id,
            # Never `auto`: what is on its way would be lost with the connection.
            "ack": "client" if subscription.is_cumulative else "client-individual",
            self.profile.prefetch_header: str(subscription.prefetch),
            **dict(_description(consumer, self.profile)),
        }
        try:
            yield from self.exchange.request(Frame("SUBSCRIBE", headers))
        except JMSException:
            self.subscriptions.pop(subscription.subscription_id, None)
            subscription.is_ended = True
            raise

    # How they end.

    def leave(self, subscription: Subscription) -> Operation[None]:
        """End a subscription, at once or when all that its consumer was given is settled (JMS-227)."""
        if subscription.unsettled and not subscription.is_ended:
            subscription.is_leaving = True
            return Operation.of(None)
        return self.unsubscribe(subscription)

    @procedure
    def unsubscribe(self, subscription: Subscription) -> Steps[None]:
        """End a subscription; what waits in its consumer goes back."""
        subscription.is_ended = True
        if self.subscriptions.pop(subscription.subscription_id, None) is None or self.exchange.link is None:
            return
        headers = {"id": subscription.subscription_id}
        if self.profile.takes_undelivered:
            headers["undelivered"] = "true"  # JMS-312: what the application was given has been settled or rejected
        yield from self.exchange.request(Frame("UNSUBSCRIBE", headers))

    def leave_all(self, session: SessionCore) -> list[Operation[None]]:
        """End what a session has with the broker: what it was given comes again, the rest was never seen."""
        session.make_room()
        if session.transaction is not None:
            self.exchange.send(Frame("ABORT", {"transaction": session.transaction}))
            session.transaction = None
        subscriptions = {delivery.subscription for delivery in session.unsettled if delivery.subscription.is_leaving}
        for delivery in session.unsettled:
            if self.profile.nack_returns and not delivery.subscription.is_ended:
                self.exchange.write(delivery.settling("NACK"))
        session.unsettled.clear()
        for consumer in session.consumers:
            consumer.is_closed = True
            consumer.buffer.clear()
            if consumer.subscription is not None:
                subscriptions.add(consumer.subscription)
        session.consumers.clear()
        return [self.unsubscribe(subscription) for subscription in subscriptions]

    @procedure
    def forget(self, session: SessionCore) -> Steps[None]:
        """End a session."""
        self.sessions.discard(session)
        for operation in self.leave_all(session):
            yield from operation

    def end_subscriptions(self, error: JMSException) -> None:
        """Note that the broker has forgotten them all."""
        self.temporaries = dict.fromkeys(self.temporaries)
        subscriptions, self.subscriptions = self.subscriptions, {}
        for subscription in subscriptions.values():
            subscription.is_ended = True
            subscription.taker.lose(error)

    @procedure
    def delete_subscription(self, name: str) -> Steps[None]:
        """Delete a durable subscription with its messages (JMS-344)."""
        yield from self.up()
        headers = {"id": f"delete-{next(self.numbers)}", **self.durable_headers(name)}
        if self.profile.durable_marks:
            destination = spell(Topic(name), self.profile)  # any topic: it goes with the queue
            self.exchange.send(Frame("SUBSCRIBE", {**headers, "destination": destination, "ack": "client"}))
        yield from self.exchange.request(Frame("UNSUBSCRIBE", headers))

    def durable_headers(self, name: str) -> dict[str, str]:
        """Return the headers that name a durable subscription."""
        profile = self.profile
        if profile.durable_marks:
            name = f"{self._client_id}.{name}"
        return {**dict.fromkeys(profile.durable_headers, name), **profile.durable_marks}

    # Temporary destinations.

    @procedure
    def create_temporary(self, kind: type[Temporary], wait: Callable[[Operation[None]], object]) -> Steps[Temporary]:
        """Return a new temporary destination, by the name that everybody can send to (JMS-356, JMS-358).

        The broker makes that name, and tells it to whoever receives a message to be answered there; so we send
        ourselves one.
        """
        yield from self.up()
        own = kind(f"{self.token}-{next(self.numbers)}")
        probe = Probe()
        subscription = Subscription(f"probe-{next(self.numbers)}", probe, 1)
        self.subscriptions[subscription.subscription_id] = subscription
        path = spell(own, self.profile)
        subscribe = {"id": subscription.subscription_id, "destination": path, "ack": "auto"}
        try:
            subscribed = self.exchange.request(Frame("SUBSCRIBE", subscribe))
            headers = {"destination": path, "reply-to": path, "persistent": "false"}
            sent = self.exchange.request(Frame("SEND", headers))
            yield from subscribed
            yield from sent
            public = yield from probe.answer
        finally:
            self.unsubscribe(subscription)
        destination: Temporary = kind(public, lambda: wait(self.delete_temporary(destination)))
        self.temporaries[destination] = path
        return destination

    def owns(self, destination: Destination) -> bool:
        """Return whether this connection made a temporary destination, and it is still there."""
        return self.temporaries.get(destination) is not None

    @procedure
    def delete_temporary(self, destination: TemporaryQueue | TemporaryTopic) -> Steps[None]:
        """Delete a temporary destination (JMS-357)."""
        self.check_open()
        self.check_temporary(destination)
        if not self.profile.deletes_temporary:
            raise UnsupportedOperationException("on this broker a temporary destination ends with its connection only")
        for session in self.sessions:
            if any(consumer.destination == destination for consumer in session.consumers):
                raise JMSException(f"{destination} cannot be deleted: it has a consumer")
        path, self.temporaries[destination] = self.temporaries[destination], None
        headers = {"id": f"delete-{next(self.numbers)}", "destination": path or "", "delete": "true"}
        yield from self.exchange.request(Frame("UNSUBSCRIBE", headers))

    def check_temporary(self, destination: Destination) -> None:
        """Raise InvalidDestinationException for one of our own that is gone (JMS-269)."""
        if destination in self.temporaries and not self.owns(destination):
            raise InvalidDestinationException(f"{destination} is gone")

    @procedure
    def barrier(self) -> Steps[None]:
        """Return when the broker has sent all that it had for us; any broker knows these frames (JMS-299).

        A broker may answer before it delivers what the frames ahead have made room for, but not twice.
        """
        for _ in range(2):
            transaction = f"barrier-{next(self.numbers)}"
            self.exchange.send(Frame("BEGIN", {"transaction": transaction}))
            yield from self.exchange.request(Frame("ABORT", {"transaction": transaction}))


def _description(consumer: ConsumerCore, profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield the headers that say what a consumer wants."""
    yield "destination", spell(consumer.destination, profile)
    if consumer.selector is not None:
        yield "selector", consumer.selector
    if consumer.no_local:
        yield profile.no_local_header, "true"
    if consumer.sharing.is_durable:
        yield from consumer.session.connection.durable_headers(consumer.name or "").items()
    elif consumer.sharing is Sharing.SHARED:
        yield "jms-subscription", consumer.name or ""
    if consumer.sharing.is_shared:
        yield "shared", "true"
