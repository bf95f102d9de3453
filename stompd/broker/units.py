"""Units of work: what one request makes durable, whole; and what the store gives back.

This is the vocabulary between the core and the stores. A unit's operations take effect together or not at all.
Applying the same unit twice is harmless, because every operation names its rows and says what they shall be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, final

from stompd.broker.destination import stored_name
from stompd.broker.message import Message, MessageId, Place, QueueId

#: What an operation costs in memory beside a body; an estimate.
_OPERATION_BYTES = 500


@final
class InsertMessage:
    """Put a message into a queue; with its `due_ms`, before which no page has it.

    A message that is not persistent is written only because its queue is longer than memory allows; such rows are
    gone after a restart.
    """

    __slots__ = ("message", "queue_id")

    def __init__(self, queue_id: QueueId, message: Message) -> None:
        self.queue_id = queue_id
        self.message = message


@final
class DeleteMessage:
    """Take a message out of a queue, because it was acknowledged, expired or dropped."""

    __slots__ = ("place", "queue_id")

    def __init__(self, queue_id: QueueId, place: Place) -> None:
        self.queue_id = queue_id
        self.place = place


@final
class ReturnMessage:
    """Record that a message came back: it has now been delivered `delivery_count` times, and is due at `due_ms`."""

    __slots__ = ("delivery_count", "due_ms", "place", "queue_id")

    def __init__(self, queue_id: QueueId, place: Place, delivery_count: int, due_ms: int = 0) -> None:
        self.queue_id = queue_id
        self.place = place
        self.delivery_count = delivery_count
        self.due_ms = due_ms


@final
class PutQueue:
    """Create a queue; when it exists, change nothing.

    A queue that is not durable, and its rows, are gone after a restart.
    """

    __slots__ = ("is_durable", "name", "queue_id")

    def __init__(self, queue_id: QueueId, name: str, *, is_durable: bool = True, host: str = "") -> None:
        """Describe it by its path and, unless that is the default one, its virtual host."""
        self.queue_id = queue_id
        self.name = stored_name(host, name)
        self.is_durable = is_durable


@final
class DeleteQueue:
    """Remove a queue with everything in it, and the durable subscription that it belongs to."""

    __slots__ = ("queue_id",)

    def __init__(self, queue_id: QueueId) -> None:
        self.queue_id = queue_id


@final
class PutSubscription:
    """Create a durable subscription, whose messages are those of its queue; when it exists, change nothing.

    It follows the `PutQueue` of its queue, and ends with the queue.
    """

    __slots__ = ("client_id", "host", "is_shared", "name", "no_local", "owner", "queue_id", "selector", "topic")

    def __init__(
        self,
        queue_id: QueueId,
        client_id: str,
        name: str,
        topic: str,
        *,
        selector: str = "",
        no_local: bool = False,
        is_shared: bool = False,
        host: str = "",
        owner: str = "",
    ) -> None:
        """Describe it.

        Args:
            queue_id: Its queue, and its key.
            client_id: Within which its name is unique; empty if it belongs to no client.
            name: Unique for the client id.
            topic: The path of the topic.
            selector: Empty if it gets every message.
            no_local: Whether it does not get what its own client sends.
            is_shared: Whether several may be connected to it.
            host: The virtual host whose topic it is; empty for the default one.
            owner: The user who created it.
        """
        self.queue_id = queue_id
        self.host = host
        self.owner = owner
        self.client_id = client_id
        self.name = name
        self.topic = topic
        self.selector = selector
        self.no_local = no_local
        self.is_shared = is_shared


@final
class MarkDelivered:
    """Record that messages of a queue up to `through` may be in consumers' hands.

    After a crash, the store counts a delivery for every message up to the mark that has none, so that it comes back
    flagged as redelivered. The mark never falls; a clean `close` removes it.
    """

    __slots__ = ("queue_id", "through")

    def __init__(self, queue_id: QueueId, through: MessageId) -> None:
        self.queue_id = queue_id
        self.through = through


@final
class RememberSend:
    """Record what the sender of a message calls it, so that a duplicate is found; a newer message takes its place."""

    __slots__ = ("dedup_id", "message_id", "path")

    def __init__(self, path: str, dedup_id: str, message_id: int) -> None:
        self.path = path
        self.dedup_id = dedup_id
        self.message_id = message_id


@final
class ForgetSend:
    """Undo `RememberSend`, because the id has left the window."""

    __slots__ = ("dedup_id", "path")

    def __init__(self, path: str, dedup_id: str) -> None:
        self.path = path
        self.dedup_id = dedup_id


#: What is done to one queue.
QueueOperation: TypeAlias = (
    InsertMessage | DeleteMessage | ReturnMessage | PutQueue | PutSubscription | DeleteQueue | MarkDelivered
)

Operation: TypeAlias = QueueOperation | RememberSend | ForgetSend


@final
class UnitOfWork:
    """What one request makes durable; serials rise by one from unit to unit.

    A unit without operations keeps a request in its turn behind those that have some. `size_bytes` is what it keeps in
    memory until it was applied: the bodies, and an estimate of the rest. Nobody waits for a unit that is not urgent:
    it may ride with a later one.
    """

    __slots__ = ("is_urgent", "operations", "serial", "size_bytes")

    def __init__(
        self, serial: int, operations: Sequence[Operation], body_bytes: int = 0, *, is_urgent: bool = True
    ) -> None:
        self.serial = serial
        self.operations = operations
        self.is_urgent = is_urgent
        self.size_bytes = body_bytes + _OPERATION_BYTES * (1 + len(operations))


@final
class StoredMessage:
    """A row of the store: a message, how often it has been delivered, and when it is due (0: at once)."""

    __slots__ = ("delivery_count", "due_ms", "message")

    def __init__(self, message: Message, delivery_count: int, due_ms: int = 0) -> None:
        self.message = message
        self.delivery_count = delivery_count
        self.due_ms = due_ms


@final
class Page:
    """A stretch of a queue in the order of delivery; `is_last` when nothing stands behind it in the store."""

    __slots__ = ("is_last", "messages")

    def __init__(self, messages: Sequence[StoredMessage], *, is_last: bool) -> None:
        self.messages = messages
        self.is_last = is_last


class DueKey(NamedTuple):
    """The order in which messages of one queue become due."""

    due_ms: int
    message_id: int


@final
class DuePage:
    """Messages of a queue that have become due, in the order of `DueKey`, and when the next one is due (0: none)."""

    __slots__ = ("messages", "next_ms")

    def __init__(self, messages: Sequence[StoredMessage], next_ms: int) -> None:
        self.messages = messages
        self.next_ms = next_ms


class ExpiryKey(NamedTuple):
    """The order in which messages of all queues expire."""

    expires_ms: int
    queue_id: QueueId
    message_id: int


class ExpiredRow(NamedTuple):
    """A message that has expired: its place, when it is due, and how long its body is."""

    key: ExpiryKey
    urgency: int
    due_ms: int
    body_bytes: int


@final
class ExpiredPage:
    """Messages of all queues that have expired, in the order of `ExpiryKey`, and when the next one will (0: none)."""

    __slots__ = ("next_ms", "rows")

    def __init__(self, rows: Sequence[ExpiredRow], next_ms: int) -> None:
        self.rows = rows
        self.next_ms = next_ms


#: The queue of the store that holds retained messages; no destination can have this name.
RETAINED_NAME = "/retained"


#: The queue of the store that holds what is sent again and again.
SCHEDULE_NAME = "/schedule"

#: What the names of the queues begin with that hold what topics keep; the path of the topic follows.
LOG_PREFIX = "/log"


class LastValue(NamedTuple):
    """A message that has a key, its place, and how long its body is."""

    queue_id: QueueId
    place: Place
    key: str
    body_bytes: int


@final
class RecoveredQueue:
    """A durable queue that the store held when it was opened, how many messages are in it, and when the first one is
    due that was not due at once (0: none)."""

    __slots__ = ("message_count", "name", "next_due_ms", "queue_id")

    def __init__(self, queue_id: QueueId, name: str, message_count: int, next_due_ms: int = 0) -> None:
        self.queue_id = queue_id
        self.name = name
        self.message_count = message_count
        self.next_due_ms = next_due_ms


@final
class Recovered:
    """What `open` found: the durable queues, the highest id in use, and the first expiry (0 when there is none).

    `subscriptions` are what put the durable subscriptions there, oldest first; the queues include theirs. `sends` are
    the messages whose duplicates are found, oldest first. `retained` are the messages of the queue `RETAINED_NAME`, and
    `last_values` those that have keys, oldest first.
    """

    __slots__ = ("highest_id", "last_values", "next_expiry_ms", "queues", "retained", "sends", "subscriptions")

    def __init__(
        self,
        queues: Sequence[RecoveredQueue],
        highest_id: int,
        subscriptions: Sequence[PutSubscription] = (),
        *,
        next_expiry_ms: int = 0,
        sends: Sequence[RememberSend] = (),
        retained: Sequence[Message] = (),
        last_values: Sequence[LastValue] = (),
    ) -> None:
        self.queues = queues
        self.retained = retained
        self.last_values = last_values
        self.sends = sends
        self.highest_id = highest_id
        self.subscriptions = subscriptions
        self.next_expiry_ms = next_expiry_ms
