"""What sessions make, and the checks that come first, so that no broker has to refuse it (JMS-317 and others)."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic, as_destination
from jms_api.engine import checks
from jms_api.engine.browser import BrowserCore
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.operations import Operation, Steps, procedure
from jms_api.engine.producer import ProducerCore
from jms_api.exceptions import (
    IllegalStateException,
    InvalidDestinationException,
    JMSException,
    UnsupportedOperationException,
)

if TYPE_CHECKING:
    from jms_api.engine.connection import ConnectionCore
    from jms_api.engine.delivery import Delivery
    from jms_api.engine.session import SessionCore

Temporary = TypeVar("Temporary", TemporaryQueue, TemporaryTopic)


class Creating:
    """The part of a session that makes producers, consumers, browsers and temporary destinations."""

    lock: RLock  # type: ignore[valid-type]  # a function in typeshed
    connection: ConnectionCore
    consumers: set[ConsumerCore]
    unsettled: list[Delivery]

    def check_open(self) -> None:
        """Raise IllegalStateException if it is closed."""
        raise NotImplementedError

    def create_producer(self: SessionCore, destination: object) -> ProducerCore:  # type: ignore[misc]  # its only kind
        """Return a producer; None is for any destination (JMS-265, JMS-317)."""
        self.check_open()
        self.connection.use()
        return ProducerCore(self, None if destination is None else as_destination(destination))

    @procedure
    def create_consumer(
        self: SessionCore,  # type: ignore[misc]  # its only kind
        destination: object,
        selector: object,
        no_local: bool,
        sharing: Sharing = Sharing.UNSHARED,
        name: object = None,
    ) -> Steps[ConsumerCore]:
        """Return a consumer whose subscription is there (JMS-167, JMS-335 to JMS-355)."""
        self.check_open()
        self.connection.use()
        target = self._check_source(destination, sharing)
        consumer = ConsumerCore(
            self,
            target,
            checks.selector(selector),
            no_local=bool(no_local),
            sharing=sharing,
            name=None if sharing is Sharing.UNSHARED else checks.subscription_name(name),
        )
        if sharing is Sharing.DURABLE and self.connection.get_client_id() is None:
            raise IllegalStateException("an unshared durable subscription needs a client id")  # JMS-336, JMS-349
        self._check_capabilities(consumer)
        self.consumers.add(consumer)
        try:
            yield from self.connection.subscribe(consumer)
        except JMSException:
            self.consumers.discard(consumer)
            consumer.is_closed = True
            raise
        return consumer

    def create_browser(self: SessionCore, queue: object, selector: object) -> BrowserCore:  # type: ignore[misc]  # its only kind
        """Return a browser (JMS-322)."""
        self.check_open()
        self.connection.use()
        target = as_destination(queue)
        if not isinstance(target, Queue):
            raise InvalidDestinationException(f"{target} is no queue, so it cannot be browsed")
        text = checks.selector(selector)
        self._demand(self.connection.profile.has_browser, "browse queues")
        self._demand(text is None or self.connection.profile.has_selectors, "select messages")
        return BrowserCore(self, target, text)

    def create_temporary(
        self: SessionCore,  # type: ignore[misc]  # its only kind
        kind: type[Temporary],
        wait: Callable[[Operation[None]], object],
    ) -> Temporary:
        """Return a temporary destination of the connection (JMS-355, JMS-356).

        Args:
            kind: Which of the two.
            wait: How the driver waits for its deletion.
        """
        self.check_open()
        self.connection.use()
        self._demand(self.connection.profile.has_temporary, "make temporary destinations")
        return self.connection.create_temporary(kind, wait)

    @procedure
    def unsubscribe(self: SessionCore, name: object) -> Steps[None]:  # type: ignore[misc]  # its only kind
        """Delete a durable subscription (JMS-344 to JMS-346)."""
        self.check_open()
        self.connection.use()
        known = checks.subscription_name(name)
        self._demand(self.connection.profile.has_durable, "keep durable subscriptions")
        for session in self.connection.sessions:
            for consumer in [*session.consumers, *(delivery.consumer for delivery in session.unsettled)]:
                if consumer.sharing.is_durable and consumer.name == known:
                    raise IllegalStateException(
                        f"the subscription {known} has a consumer, or a message of it is not acknowledged yet"
                    )
        yield from self.connection.delete_subscription(known)

    def _check_source(self, destination: object, sharing: Sharing) -> Destination:
        target = as_destination(destination)
        if sharing is not Sharing.UNSHARED and not isinstance(target, Topic):
            raise InvalidDestinationException(f"{target} is no topic; only those have subscriptions with a name")
        if isinstance(target, TemporaryQueue | TemporaryTopic):
            if sharing.is_durable:
                raise InvalidDestinationException(f"{target} ends with its connection, so nothing durable is possible")
            if not self.connection.owns(target):
                raise InvalidDestinationException(f"{target} is gone or another connection's")  # JMS-355
        return target

    def _check_capabilities(self, consumer: ConsumerCore) -> None:
        profile = self.connection.profile
        self._demand(consumer.selector is None or profile.has_selectors, "select messages")
        self._demand(not consumer.no_local or profile.has_no_local, "leave out messages of the same connection")
        self._demand(not consumer.sharing.is_durable or profile.has_durable, "keep durable subscriptions")
        self._demand(not consumer.sharing.is_shared or profile.has_shared, "share subscriptions")

    def _demand(self, is_possible: bool, what: str) -> None:
        if not is_possible:
            name = self.connection.profile.name
            raise UnsupportedOperationException(f"this broker ({name}) cannot {what}; see connection.capabilities")

