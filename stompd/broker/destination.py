"""Destination names: what `/queue/orders` and `/topic/prices` mean."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from stompd.errors import InvalidDestination

#: Characters of a destination's name; well within what every database can index.
MAX_NAME_LENGTH = 255

#: These will mean wildcards and lists of destinations; names that used them would change their meaning then.
_RESERVED = frozenset("*>#,")

_FORMS = "It must be /queue/NAME, /topic/NAME, /temp-queue/NAME or /temp-topic/NAME, for example /queue/orders."


class Kind(Enum):
    """What a destination does with a message: a queue stores it, a topic routes it."""

    QUEUE = "queue"
    TOPIC = "topic"
    #: A session's own temporary queue, by the name that the session gave it.
    TEMPORARY_QUEUE = "temp-queue"
    TEMPORARY_TOPIC = "temp-topic"
    #: Anybody's temporary queue, by the name that the broker gave it.
    REPLY_QUEUE = "reply-queue"
    REPLY_TOPIC = "reply-topic"

    @property
    def is_own(self) -> bool:
        """Whether names of this kind are a session's own."""
        return self in (Kind.TEMPORARY_QUEUE, Kind.TEMPORARY_TOPIC)


class Destination(NamedTuple):
    """A parsed destination; equal ones are the same place, however they were spelled."""

    kind: Kind
    name: str
    #: The canonical spelling, as permissions, logs and the store know it.
    path: str
    #: Whether it is a queue or a topic that belongs to nobody, so that its name is all that has to be known.
    is_plain: bool = True

    @property
    def is_topic(self) -> bool:
        """Whether it routes, so that each of its subscriptions gets everything."""
        return self.kind in _TOPICS


_TOPICS = frozenset({Kind.TOPIC, Kind.TEMPORARY_TOPIC, Kind.REPLY_TOPIC})

#: Spellings of the prefixes; all but the first of a kind are ActiveMQ's.
_PREFIXES = {
    "/queue/": Kind.QUEUE,
    "queue://": Kind.QUEUE,
    "/topic/": Kind.TOPIC,
    "topic://": Kind.TOPIC,
    "/temp-queue/": Kind.TEMPORARY_QUEUE,
    "temp-queue://": Kind.TEMPORARY_QUEUE,
    "/temp-topic/": Kind.TEMPORARY_TOPIC,
    "temp-topic://": Kind.TEMPORARY_TOPIC,
    "/reply-queue/": Kind.REPLY_QUEUE,
    "/remote-temp-queue/": Kind.REPLY_QUEUE,
    "/reply-topic/": Kind.REPLY_TOPIC,
    "/remote-temp-topic/": Kind.REPLY_TOPIC,
}

#: How a session's own temporary destinations begin.
OWN_PREFIXES = tuple(prefix for prefix, kind in _PREFIXES.items() if kind.is_own)


def parse_destination(text: str) -> Destination:
    """Return the destination that a header value names.

    Raises:
        InvalidDestination: The prefix is unknown, or the name is empty, too long, or uses a reserved character.
    """
    prefix = next((prefix for prefix in _PREFIXES if text.startswith(prefix)), None)
    if prefix is None:
        raise InvalidDestination(f"destination:{text[:MAX_NAME_LENGTH]} has no prefix this broker knows. {_FORMS}")
    # RabbitMQ's clients write a slash inside a name as %2F.
    name = text[len(prefix) :].replace("%2F", "/").replace("%2f", "/")
    if not name:
        raise InvalidDestination(f"destination:{text} has an empty name. {_FORMS}")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidDestination(
            f"The destination's name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed."
        )
    reserved = sorted(_RESERVED.intersection(name))
    if reserved:
        raise InvalidDestination(
            f"destination:{text} contains {' '.join(reserved)}, which is reserved for wildcards and lists."
            " This broker does not support those; use one plain name."
        )
    kind = _PREFIXES[prefix]
    return Destination(kind, name, f"/{kind.value}/{name}", kind in (Kind.QUEUE, Kind.TOPIC))
