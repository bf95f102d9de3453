"""Destinations: queues and topics by name. How a broker spells them is the business of `mapping`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from jms_api.exceptions import InvalidDestinationException

#: What no header can say.
_UNUSABLE: Final = re.compile(r"[\0\ud800-\udfff]")

_FORMS: Final = 'Give Queue("orders") or Topic("prices"), or as text "queue:orders" or "topic:prices".'


def is_usable(name: str) -> bool:
    """Whether a destination may have that name."""
    return bool(name) and not _UNUSABLE.search(name)


class Destination:
    """Where messages are sent to and received from. Immutable; two are equal if kind and name are. Any thread."""

    __slots__ = ("_name",)

    _name: str

    def __init__(self, name: str) -> None:
        """Name a destination; nothing is asked of a broker (JMS-193).

        Args:
            name: Without the broker's prefix. One that begins with a slash is taken as the broker's own spelling, such
                as RabbitMQ's `/exchange/logs/info`.

        Raises:
            InvalidDestinationException: The name is no text, is empty, or has a NUL or a lone surrogate.
        """
        if not isinstance(name, str) or not is_usable(name):
            raise InvalidDestinationException(f"A destination cannot be named {name!r}. {_FORMS}")
        object.__setattr__(self, "_name", name)

    @property
    def name(self) -> str:
        """The name, of whatever kind the destination is."""
        return self._name

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A {type(self).__name__} cannot be changed.")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Destination) and self._name == other._name

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def __reduce__(self) -> tuple[type[Destination], tuple[str]]:
        return type(self), (self._name,)


class Queue(Destination):
    """A destination that keeps each message until one consumer has it."""

    __slots__ = ()

    @property
    def queue_name(self) -> str:
        """The name, without the broker's prefix."""
        return self._name

    def __str__(self) -> str:
        return f"queue:{self._name}"


class Topic(Destination):
    """A destination that gives each message to everybody who has subscribed."""

    __slots__ = ()

    @property
    def topic_name(self) -> str:
        """The name, without the broker's prefix."""
        return self._name

    def __str__(self) -> str:
        return f"topic:{self._name}"


class _Temporary(Destination):
    """What temporary queues and topics have in common: the connection that made them can delete them."""

    __slots__ = ("_deleter",)

    _deleter: Callable[[], object] | None

    def __init__(self, name: str, deleter: Callable[[], object] | None = None) -> None:
        """Name a temporary destination; sessions do this.

        Args:
            name: As in Destination.
            deleter: Deletes it on the broker; None for another connection's.
        """
        super().__init__(name)
        object.__setattr__(self, "_deleter", deleter)

    def delete(self) -> object:
        """Delete it, with what it holds (JMS-357).

        Returns:
            What the driver's calls return: None, an awaitable, or a Deferred.

        Raises:
            InvalidDestinationException: It is another connection's.
            JMSException: It is in use, or gone.
        """
        if self._deleter is None:
            raise InvalidDestinationException(f"{self} belongs to another connection; only that one can delete it.")
        return self._deleter()


class TemporaryQueue(_Temporary, Queue):
    """A queue that lives as long as the connection that made it, and that only this one receives from."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"temp-queue:{self._name}"


class TemporaryTopic(_Temporary, Topic):
    """A topic that lives as long as the connection that made it, and that only this one receives from."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"temp-topic:{self._name}"


_KINDS: Final[dict[str, type[Destination]]] = {
    "queue": Queue,
    "topic": Topic,
    "temp-queue": TemporaryQueue,
    "temp-topic": TemporaryTopic,
}


def parse_destination(text: str) -> Destination:
    """Return the destination that `str` of one would write so: `queue:orders`, `topic:prices`.

    Raises:
        InvalidDestinationException: It begins with neither `queue:` nor `topic:`, or the name is empty.
    """
    kind, colon, name = text.partition(":")
    if not colon or kind not in _KINDS:
        raise InvalidDestinationException(f"{text!r} is no destination. {_FORMS}")
    return _KINDS[kind](name)


def as_destination(value: object) -> Destination:
    """Return a destination given as such or as text.

    Raises:
        InvalidDestinationException: It is neither; JMS-A12 wants this class for null as well.
    """
    if isinstance(value, Destination):
        return value
    if isinstance(value, str):
        return parse_destination(value)
    raise InvalidDestinationException(f"{value!r} is no destination. {_FORMS}")
