"""Destination names: what `/queue/orders`, `/topic/prices.*` and `/queue/a,/queue/b` mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from stompd.errors import InvalidDestination

#: Characters of a destination's name; well within what every database can index.
MAX_NAME_LENGTH = 255

#: Destinations of one list: several times what anybody has asked for, and little to check for one frame.
MAX_PARTS = 32

#: In SUBSCRIBE these stand for words of a name, and in SEND for nothing.
_WILDCARDS = frozenset("*>#")

#: A wildcard for any number of words, none included; ActiveMQ's and Apollo's spellings are the others.
ANY_WORDS = "#"
_ANY_WORDS_SPELLINGS = frozenset({"#", "**", ">"})

#: A wildcard for one word.
ANY_WORD = "*"

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
    #: Several destinations.
    LIST = "list"

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
    #: Whether it is one queue or one topic that belongs to nobody, so that its name is all that has to be known.
    is_plain: bool = True
    #: The words of a name that has wildcards; else nothing.
    words: tuple[str, ...] = ()
    #: The members of a list, without repetition; else nothing.
    parts: tuple[Destination, ...] = ()

    @property
    def places(self) -> tuple[Destination, ...]:
        """The members of a list, or the one destination that it is."""
        return self.parts or (self,)

    @property
    def is_topic(self) -> bool:
        """Whether it routes, so that each of its subscriptions gets everything."""
        return all(place.kind in _TOPICS for place in self.places)

    @property
    def is_spread(self) -> bool:
        """Whether a subscription of it may take from several queues."""
        return bool(self.parts or self.words) and not self.is_topic


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

#: Other brokers' prefixes, and what to write in place of them.
_FOREIGN = {
    "/amq/queue/": "/amq/queue/NAME is RabbitMQ's for a queue that there is; here a queue is always /queue/NAME.",
    "/exchange/amq.topic/": "RabbitMQ's topic exchange is what topics are here: write /topic/KEY.",
    "/exchange/": "There are no exchanges here: write /topic/NAME for what everybody gets, else /queue/NAME.",
    "/dsub/": "/dsub/ is the queue of a durable subscription. SUBSCRIBE to its topic, with durable-subscription-name.",
    "dsub:": "A durable subscription is no destination. SUBSCRIBE to its topic, with durable-subscription-name.",
    "jms.queue.": "jms.queue. is HornetQ's: write /queue/NAME.",
    "jms.topic.": "jms.topic. is HornetQ's: write /topic/NAME.",
}

#: How a session's own temporary destinations begin.
OWN_PREFIXES = tuple(prefix for prefix, kind in _PREFIXES.items() if kind.is_own)


#: What ActiveMQ's clients call the subscription of a group to a topic.
_GROUP_QUEUE = re.compile(r"Consumer\.([^.]+)\.(VirtualTopic\..+)", re.DOTALL)


def parse_destination(text: str) -> Destination:
    """Return the one place that a text names.

    Raises:
        InvalidDestination: The prefix is unknown, or the name is empty, too long, or has a wildcard or a comma.
    """
    kind, name = _split(text)
    reserved = sorted(_WILDCARDS.union(",").intersection(name))
    if reserved:
        raise InvalidDestination(
            f"destination:{text} contains {' '.join(reserved)}, where one plain name is needed."
            " Wildcards (* # >) are for SUBSCRIBE; a comma separates destinations."
        )
    return Destination(kind, name, f"/{kind.value}/{name}", kind in (Kind.QUEUE, Kind.TOPIC))


def parse_target(text: str) -> Destination:
    """Return what the destination of a SEND means: one place, or a list of them.

    Raises:
        InvalidDestination: One of them cannot be used, or there are too many.
    """
    return _parse_list(text, parse_destination) if "," in text else parse_destination(text)


def parse_source(text: str) -> Destination:
    """Return what the destination of a SUBSCRIBE means: a place, a name with wildcards, or a list of these.

    Raises:
        InvalidDestination: One of them cannot be used, or there are too many.
    """
    return _parse_list(text, _parse_pattern) if "," in text else _parse_pattern(text)


def _parse_list(text: str, parse: Callable[[str], Destination]) -> Destination:
    pieces = [piece.strip(" ") for piece in text.split(",", MAX_PARTS)]
    if len(pieces) > MAX_PARTS:
        raise InvalidDestination(f"The list has more destinations than {MAX_PARTS}, which is the limit.")
    prefix = _find_prefix(pieces[0]) or ""
    # ActiveMQ: a bare name is of the kind that the first one has.
    spelled = [piece if piece.startswith("/") or "://" in piece else prefix + piece for piece in pieces]
    parts = tuple(dict.fromkeys(parse(piece) for piece in spelled))
    if len(parts) == 1:
        return parts[0]
    path = ",".join(part.path for part in parts)
    return Destination(Kind.LIST, path, path, is_plain=False, parts=parts)


def _parse_pattern(text: str) -> Destination:
    if _WILDCARDS.isdisjoint(text):
        return parse_destination(text)
    kind, name = _split(text)
    words: list[str] = []
    *first, last = name.split(".")
    for word in [*first, ANY_WORDS if last == ">" else last]:
        if word == ">" or (word not in _ANY_WORDS_SPELLINGS and word != ANY_WORD and not _WILDCARDS.isdisjoint(word)):
            raise InvalidDestination(
                f"destination:{text} has a wildcard that cannot be used. * stands for one whole word between dots, # or"
                " ** for any number of words, and > for the same at the end, for example /topic/prices.*.eur"
            )
        if word not in _ANY_WORDS_SPELLINGS:
            words.append(word)
        elif words[-1:] != [ANY_WORDS]:
            words.append(ANY_WORDS)
    if kind not in (Kind.QUEUE, Kind.TOPIC):
        raise InvalidDestination(f"destination:{text} has a wildcard, but temporary destinations have none.")
    name = ".".join(words)
    return Destination(kind, name, f"/{kind.value}/{name}", is_plain=False, words=tuple(words))


def _find_prefix(text: str) -> str | None:
    return next((prefix for prefix in _PREFIXES if text.startswith(prefix)), None)


def _split(text: str) -> tuple[Kind, str]:
    """Return the kind and the name that a text spells."""
    prefix = _find_prefix(text)
    if prefix is None:
        hint = next((hint for foreign, hint in _FOREIGN.items() if text.startswith(foreign)), _FORMS)
        raise InvalidDestination(f"destination:{text[:MAX_NAME_LENGTH]} has no prefix this broker knows. {hint}")
    # RabbitMQ's clients write a slash inside a name as %2F.
    name = text[len(prefix) :].replace("%2F", "/").replace("%2f", "/")
    if not name:
        raise InvalidDestination(f"destination:{text} has an empty name. {_FORMS}")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidDestination(
            f"The destination's name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed."
        )
    return _PREFIXES[prefix], name


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
    return None if match is None else (match[1], parse_source(f"/topic/{match[2]}"))
