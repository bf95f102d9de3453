"""Named subscriptions: how the headers of SUBSCRIBE and UNSUBSCRIBE spell durable and shared ones."""

from __future__ import annotations

from collections.abc import Mapping

from stompd.broker.destination import MAX_NAME_LENGTH, Destination, Kind, read_group
from stompd.broker.requests import Naming, Scope
from stompd.errors import InvalidDestination, InvalidHeader
from stompd.session.headers import invalid, missing, parse_boolean, show

#: A durable subscription by its name, and among whom that is unique: the first header that is there counts.
DURABLE_NAMES: Mapping[str, Scope] = {
    "durable-subscription-name": Scope.CLIENT,
    "durable-subscriber-name": Scope.CLIENT,
    "activemq.subscriptionName": Scope.CLIENT,
    "activemq.subcriptionName": Scope.CLIENT,  # a misspelling that ActiveMQ once had, still in use
    "x-queue-name": Scope.LOGIN,
}

#: RabbitMQ and Apollo: a durable subscription by its id.
DURABLE_FLAGS = ("durable", "persistent")

NO_LOCAL_NAMES = ("no-local", "no_local", "activemq.noLocal")

#: Names of subscriptions of a topic, in the order in which they are looked for.
_NAMES = ("subscription-group", "jms-subscription", *DURABLE_NAMES)


def read_subscription(
    headers: Mapping[str, str], destination: Destination, subscription_id: str | None
) -> tuple[Destination, Naming | None]:
    """Return what a SUBSCRIBE subscribes to, and the name under which it does so.

    Args:
        headers: Those of the frame.
        destination: What it names; ActiveMQ's clients name a queue and mean a group's subscription of a topic.
        subscription_id: Its `id`, if it has one.

    Raises:
        InvalidHeader: The headers do not go together, or have values that cannot be used.
        InvalidDestination: No subscription of it can have a name.
        MissingHeader: A name is missing.
    """
    named = {name: headers[name] for name in _NAMES if headers.get(name)}
    is_shared = _read_flag(headers, "shared")
    if group := read_group(destination):
        _refuse_beside(named, destination, is_shared=is_shared)
        return group[1], Naming(group[0], Scope.GROUP, is_shared=True)
    if destination.kind is not Kind.TOPIC:
        has_topics = any(place.is_topic for place in destination.places)
        if has_topics and (named or is_shared or _read_durable(headers)):
            # JMS 3.1, 4.2.7: not on a temporary topic.
            raise InvalidDestination(
                f"destination:{destination.path[:MAX_NAME_LENGTH]} cannot have a durable or shared subscription: a"
                " temporary topic ends with its connection, and a list is several destinations. Subscribe to one topic,"
                " for example destination:/topic/prices."
            )
        _refuse_beside(named, destination, is_shared=is_shared)
        return destination, None
    is_durable = _read_durable(headers)
    if not named:
        return destination, _without_name(subscription_id, is_durable=is_durable, is_shared=is_shared)
    name, value = next(iter(named.items()))
    _check_name(name, value)
    if name in DURABLE_NAMES:
        if is_durable is False:
            raise _contradiction(name, value, "durable:false", "Leave one of them out.")
        return destination, Naming(value, DURABLE_NAMES[name], is_shared=is_shared is True)
    if len(named) > 1:
        raise _contradiction(name, value, ", ".join(list(named)[1:]), "A subscription has one name; leave one out.")
    return destination, _shared(name, value, is_durable=is_durable, is_shared=is_shared)


def read_deletion(headers: Mapping[str, str], subscription_id: str | None) -> Naming | None:
    """Return the name of the durable subscription that an UNSUBSCRIBE deletes; None when it deletes none.

    Raises:
        InvalidHeader: A header has a value that cannot be used.
        MissingHeader: A durable subscription is named by its id, and there is none.
    """
    if group := headers.get("subscription-group"):
        return Naming(group, Scope.GROUP)
    for name, scope in DURABLE_NAMES.items():
        if value := headers.get(name):
            return Naming(value, scope)
    if not _read_durable(headers):
        return None
    if subscription_id is None:
        raise missing("UNSUBSCRIBE with durable:true", "id", "prices-1")
    return Naming(subscription_id, Scope.LOGIN)


def read_no_local(headers: Mapping[str, str]) -> bool:
    """Return whether a SUBSCRIBE does not want what its own connection sends.

    Raises:
        InvalidHeader: The value is neither true nor false.
    """
    return any(_read_flag(headers, name) for name in NO_LOCAL_NAMES)


def _without_name(subscription_id: str | None, *, is_durable: bool | None, is_shared: bool | None) -> Naming | None:
    """Return how a subscription is called whose name, if it has one, is its id."""
    if is_durable:
        if subscription_id is None:
            raise missing("SUBSCRIBE with durable:true", "id", "prices-1")
        _check_name("id", subscription_id)
        return Naming(subscription_id, Scope.LOGIN, is_shared=is_shared is True)
    if is_shared:
        raise InvalidHeader(
            "shared:true on SUBSCRIBE needs a name that the subscribers have in common: durable-subscription-name for a"
            " durable subscription, or jms-subscription for one that ends with its last consumer, for example"
            " jms-subscription:prices"
        )
    return None


def _shared(name: str, value: str, *, is_durable: bool | None, is_shared: bool | None) -> Naming:
    """Return the name of a subscription that only several have."""
    if name == "subscription-group":
        if is_shared is False or is_durable is False:
            flag = "shared:false" if is_shared is False else "durable:false"
            raise _contradiction(name, value, flag, "A group shares a durable subscription; leave one of them out.")
        return Naming(value, Scope.GROUP, is_shared=True)
    if is_durable:
        raise _contradiction(name, value, "durable:true", "Use durable-subscription-name for a durable subscription.")
    if not is_shared:
        raise InvalidHeader(
            f"{show(name, value)} on SUBSCRIBE needs shared:true beside it. Without it, leave {name} out: a"
            " subscription of one consumer needs no name unless it is durable."
        )
    return Naming(value, is_durable=False, is_shared=True)


def _read_durable(headers: Mapping[str, str]) -> bool | None:
    """Return whether it is to be durable; None when the frame does not say."""
    flags = [flag for name in DURABLE_FLAGS if (flag := _read_flag(headers, name)) is not None]
    if True in flags and _read_flag(headers, "auto-delete"):
        # RabbitMQ deletes such a subscription with its connection, which is hardly ever meant.
        raise _contradiction("durable", "true", "auto-delete:true", "Leave out durable, or say auto-delete:false.")
    return any(flags) if flags else None


def _read_flag(headers: Mapping[str, str], name: str) -> bool | None:
    """Return what a boolean header says; None when it is missing or empty."""
    value = headers.get(name)
    return parse_boolean(name, value) if value else None


def _check_name(name: str, value: str) -> None:
    if len(value) > MAX_NAME_LENGTH:
        raise invalid(name, value, f"a name of at most {MAX_NAME_LENGTH} characters, for example {name}:prices-1")


def _refuse_beside(named: Mapping[str, str], destination: Destination, *, is_shared: bool | None) -> None:
    """Refuse names where they say nothing: on a queue, which everybody shares and which keeps its messages."""
    if is_shared:
        named = {**named, "shared": "true"}
    for name, value in named.items():
        raise InvalidHeader(
            f"{show(name, value)} on SUBSCRIBE is for topics, and destination:{destination.path} is none. A queue keeps"
            " its messages and is shared by its subscriptions; leave the header out, or name a topic, for example"
            " destination:/topic/prices."
        )


def _contradiction(name: str, value: str, other: str, cure: str) -> InvalidHeader:
    return InvalidHeader(f"{show(name, value)} and {other} on one frame contradict each other. {cure}")
