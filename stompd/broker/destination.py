"""Destination names: what `/queue/orders` and `/topic/prices` mean."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from stompd.errors import InvalidDestination

#: Characters of a destination's name; well within what every database can index.
MAX_NAME_LENGTH = 255

#: These will mean wildcards and lists of destinations; names that used them would change their meaning then.
_RESERVED = frozenset("*>#,")

_FORMS = "It must be /queue/NAME or /topic/NAME, for example /queue/orders."


class Kind(Enum):
    """What a destination does with a message: a queue stores it, a topic routes it."""

    QUEUE = "queue"
    TOPIC = "topic"


class Destination(NamedTuple):
    """A parsed destination; equal ones are the same place, however they were spelled."""

    kind: Kind
    name: str
    #: The canonical spelling, as permissions, logs and the store know it.
    path: str


#: Spellings of the prefixes; the second ones are ActiveMQ's.
_PREFIXES = {
    "/queue/": Kind.QUEUE,
    "queue://": Kind.QUEUE,
    "/topic/": Kind.TOPIC,
    "topic://": Kind.TOPIC,
}


#: What ActiveMQ's clients call the subscription of a group to a topic.
_GROUP_QUEUE = re.compile(r"Consumer\.([^.]+)\.(VirtualTopic\..+)", re.DOTALL)


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
    return Destination(kind, name, f"/{kind.value}/{name}")


def stored_name(host: str, path: str) -> str:
    """Return what the store calls a queue: on a virtual host, its path behind `//HOST`, as no path begins."""
    return f"//{host}{path}" if host else path


def read_stored_name(name: str) -> tuple[str, str]:
    """Return the virtual host and the path of a queue in the store."""
    if not name.startswith("//"):
        return "", name
    host, _, rest = name[2:].partition("/")
    return host, f"/{rest}"


def read_group(destination: Destination) -> tuple[str, Destination] | None:
    """Return the group and the topic that the name of a queue stands for: `Consumer.GROUP.VirtualTopic.NAME`."""
    match = _GROUP_QUEUE.fullmatch(destination.name) if destination.kind is Kind.QUEUE else None
    return None if match is None else (match[1], parse_destination(f"/topic/{match[2]}"))
