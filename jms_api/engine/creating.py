"""What sessions make, and the checks that come first, so that no broker has to refuse it (JMS-317 and others)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic, as_destination
from jms_api.engine import checks
from jms_api.engine.browser import BrowserCore
from jms_api.engine.consumer import ConsumerCore, Sharing
from jms_api.engine.operations import Operation, Steps, attempt, procedure
from jms_api.engine.producer import ProducerCore
from jms_api.exceptions import (
    IllegalStateException,
    InvalidDestinationException,
    JMSException,
    UnsupportedOperationException,
)

if TYPE_CHECKING:
    from jms_api.engine.session import SessionCore

Temporary = TypeVar("Temporary", TemporaryQueue, TemporaryTopic)


def create_producer(session: SessionCore, destination: object) -> ProducerCore:
    """Return a producer; None is for any destination (JMS-265, JMS-317)."""
    session.check_open()
    session.connection.use()
    return ProducerCore(session, None if destination is None else as_destination(destination))


@procedure
def create_consumer(
    session: SessionCore,
    destination: object,
    selector: object,
    no_local: bool,
    sharing: Sharing = Sharing.UNSHARED,
    name: object = None,
) -> Steps[ConsumerCore]:
    """Return a consumer whose subscription is there (JMS-167, JMS-335 to JMS-355)."""
    session.check_open()
    session.connection.use()
    target = _check_source(session, destination, sharing)
    consumer = ConsumerCore(
        session,
        target,
        checks.selector(selector),
        no_local=bool(no_local),
        sharing=sharing,
        name=None if sharing is Sharing.UNSHARED else checks.subscription_name(name),
    )
    if sharing is Sharing.DURABLE and session.connection.get_client_id() is None:
        raise IllegalStateException("an unshared durable subscription needs a client id")  # JMS-336, JMS-349
    _check_capabilities(consumer)
    session.consumers.add(consumer)
    try:
        yield from session.connection.subscribe(consumer)
    except JMSException:
        session.consumers.discard(consumer)
        consumer.is_closed = True
        raise
    return consumer


def create_browser(session: SessionCore, queue: object, selector: object) -> BrowserCore:
    """Return a browser (JMS-322)."""
    session.check_open()
    session.connection.use()
    target = as_destination(queue)
    if not isinstance(target, Queue):
        raise InvalidDestinationException(f"{target} is no queue, so it cannot be browsed")
    text = checks.selector(selector)
    _demand(session, session.connection.profile.has_browser, "browse queues")
    _demand(session, text is None or session.connection.profile.has_selectors, "select messages")
    return BrowserCore(session, target, text)


@attempt
def create_temporary(
    session: SessionCore,
    kind: type[Temporary],
    wait: Callable[[Operation[None]], object],
) -> Operation[Temporary]:
    """Return a temporary destination of the connection (JMS-355, JMS-356).

    Args:
        kind: Which of the two.
        wait: How the driver waits for its deletion.
    """
    session.check_open()
    session.connection.use()
    _demand(session, session.connection.profile.has_temporary, "make temporary destinations")
    return session.connection.create_temporary(kind, wait)


@procedure
def unsubscribe(session: SessionCore, name: object) -> Steps[None]:
    """Delete a durable subscription (JMS-344 to JMS-346)."""
    session.check_open()
    session.connection.use()
    known = checks.subscription_name(name)
    _demand(session, session.connection.profile.has_durable, "keep durable subscriptions")
    for other in session.connection.sessions:
        for consumer in [*other.consumers, *(delivery.consumer for delivery in other.unsettled)]:
            if consumer.sharing.is_durable and consumer.name == known:
                raise IllegalStateException(
                    f"the subscription {known} has a consumer, or a message of it is not acknowledged yet"
                )
    yield from session.connection.delete_subscription(known)


def _check_source(session: SessionCore, destination: object, sharing: Sharing) -> Destination:
    target = as_destination(destination)
    if sharing is not Sharing.UNSHARED and not isinstance(target, Topic):
        raise InvalidDestinationException(f"{target} is no topic; only those have subscriptions with a name")
    if isinstance(target, TemporaryQueue | TemporaryTopic):
        if sharing.is_durable:
            raise InvalidDestinationException(f"{target} ends with its connection, so nothing durable is possible")
        if not session.connection.owns(target):
            raise InvalidDestinationException(f"{target} is gone or another connection's")  # JMS-355
    return target


def _check_capabilities(consumer: ConsumerCore) -> None:
    session = consumer.session
    profile = session.connection.profile
    _demand(session, consumer.selector is None or profile.has_selectors, "select messages")
    _demand(session, not consumer.no_local or profile.has_no_local, "leave out messages of the same connection")
    _demand(session, not consumer.sharing.is_durable or profile.has_durable, "keep durable subscriptions")
    _demand(session, not session.is_transacted or profile.has_atomic_transactions, "receive in a transaction")
    _demand(session, not consumer.sharing.is_shared or profile.has_shared, "share subscriptions")


def _demand(session: SessionCore, is_possible: bool, what: str) -> None:
    if not is_possible:
        name = session.connection.profile.name
        raise UnsupportedOperationException(f"this broker ({name}) cannot {what}; see connection.capabilities")
