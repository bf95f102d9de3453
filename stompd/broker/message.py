"""Messages and entries: what a client sent, and its place in one queue."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, NewType, final

QueueId = NewType("QueueId", int)
MessageId = NewType("MessageId", int)

#: JMS 3.1, 3.4.9: ten levels, 4 is the default.
LOWEST_PRIORITY, DEFAULT_PRIORITY, HIGHEST_PRIORITY = 0, 4, 9


class Place(NamedTuple):
    """Where an entry stands in its queue; places sort in the order of delivery."""

    #: `HIGHEST_PRIORITY - priority`, so that urgent entries sort first.
    urgency: int
    message_id: int


_NOWHERE = Place(0, 0)


class Retain(Enum):
    """What becomes of the retained message of a topic."""

    SET = "set"
    REMOVE = "remove"


@final
class Wishes:
    """What a sender wants of the arrival of a message, beyond its way."""

    __slots__ = ("dedup_id", "is_repeated", "last_value_key", "retain")

    def __init__(self) -> None:
        #: What he calls the message, so that it is taken once; empty if it does not matter.
        self.dedup_id = ""
        #: The key under which the newest message that waits counts alone; empty for none.
        self.last_value_key = ""
        #: Whether it is sent again and again; when, its headers say.
        self.is_repeated = False
        #: What becomes of the retained message of the topic; None leaves it.
        self.retain: Retain | None = None


@final
class Message:
    """What a client sent and the broker keeps.

    `headers` holds only what the sender defined, decoded; nothing in it is ever a header that the broker owns. Messages
    share it that were sent with the same headers, so it is replaced and never changed.
    The broker sets `message_id` and `timestamp_ms` when it accepts the message.
    """

    __slots__ = (
        "body",
        "destination",
        "due_ms",
        "encodings",
        "expires_ms",
        "headers",
        "is_persistent",
        "message_id",
        "place",
        "priority",
        "timestamp_ms",
        "wishes",
    )

    def __init__(
        self,
        destination: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        priority: int = DEFAULT_PRIORITY,
        expires_ms: int = 0,
        is_persistent: bool = True,
        message_id: int = 0,
        timestamp_ms: int = 0,
        due_ms: int = 0,
    ) -> None:
        """Describe a message.

        Args:
            destination: As the sender spelled it.
            headers: The sender's own headers.
            body: The octets of the body.
            priority: 0 to 9.
            expires_ms: Epoch milliseconds after which it is not delivered; 0 means never.
            is_persistent: Whether it must survive the broker.
            message_id: 64 bits, positive; 0 until the broker accepts it.
            timestamp_ms: Epoch milliseconds at which the broker accepted it.
            due_ms: Epoch milliseconds before which it is not delivered; 0 means at once.
        """
        self.destination = destination
        self.headers = headers
        self.body = body
        self.priority = priority
        self.expires_ms = expires_ms
        self.is_persistent = is_persistent
        self.message_id = MessageId(message_id)
        self.timestamp_ms = timestamp_ms
        self.due_ms = due_ms
        #: Where it belongs in every queue it is put in.
        self.place = Place(HIGHEST_PRIORITY - priority, message_id) if message_id else _NOWHERE
        #: Until it has arrived, what is special about its arrival, if anything.
        self.wishes: Wishes | None = None
        #: The session layer's cache: what it encoded once for all receivers. The core never looks inside.
        self.encodings: dict[str, bytes] | None = None

    def identify(self, message_id: int, timestamp_ms: int) -> None:
        """Give the message its id and the time of its acceptance."""
        self.message_id = MessageId(message_id)
        self.timestamp_ms = timestamp_ms
        self.place = Place(HIGHEST_PRIORITY - self.priority, message_id)

    def copy_to(self, destination: str) -> Message:
        """Return a message that is sent to another place as well, and that the broker has not accepted yet."""
        copy = Message(
            destination,
            self.headers,
            self.body,
            priority=self.priority,
            expires_ms=self.expires_ms,
            is_persistent=self.is_persistent,
            due_ms=self.due_ms,
        )
        copy.wishes = self.wishes
        return copy
