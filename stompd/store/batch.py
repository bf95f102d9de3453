"""Units of work, sorted by what SQL does with them: columns of rows for set-based statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, final

from stompd.broker.message import HIGHEST_PRIORITY, LOWEST_PRIORITY, MessageId, QueueId
from stompd.broker.units import (
    DeleteMessage,
    DeleteQueue,
    ForgetSend,
    InsertMessage,
    MarkDelivered,
    PutQueue,
    PutSubscription,
    RememberSend,
    ReturnMessage,
    UnitOfWork,
)
from stompd.errors import StoreRefused

#: One statement takes bodies up to this, or a single larger one, so that neither side copies many large ones at once.
STATEMENT_BYTES = 1024 * 1024

_LARGEST_ID = 2**63 - 1  # BIGINT
_LARGEST_COUNT = 2**31 - 1  # INTEGER
_HIGHEST_URGENCY = HIGHEST_PRIORITY - LOWEST_PRIORITY

#: `(queue_id, urgency, message_id)`: the primary key of a message row.
Key: TypeAlias = tuple[int, int, int]

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@final
class Rows:
    """Message rows for one statement, as one list for each column."""

    __slots__ = (
        "bodies",
        "destinations",
        "due_ms",
        "expiries_ms",
        "headers",
        "message_ids",
        "persistences",
        "queue_ids",
        "timestamps_ms",
        "urgencies",
    )

    def __init__(self, inserts: Sequence[InsertMessage]) -> None:
        """Take the columns out of the operations.

        Raises:
            StoreRefused: One of the databases cannot keep a value.
        """
        messages = [insert.message for insert in inserts]
        self.queue_ids = [insert.queue_id for insert in inserts]
        self.urgencies = [HIGHEST_PRIORITY - message.priority for message in messages]
        self.message_ids = [message.message_id for message in messages]
        self.timestamps_ms = [message.timestamp_ms for message in messages]
        self.expiries_ms = [message.expires_ms for message in messages]
        self.due_ms = [message.due_ms for message in messages]
        self.persistences = [message.is_persistent for message in messages]
        self.destinations = [message.destination for message in messages]
        self.headers = [_dump(message.headers) if message.headers else "{}" for message in messages]
        self.bodies = [message.body for message in messages]
        _check_range("queue id", self.queue_ids, _LARGEST_ID)
        _check_range("urgency", self.urgencies, _HIGHEST_URGENCY)
        _check_range("message id", self.message_ids, _LARGEST_ID)
        _check_range("timestamp", self.timestamps_ms, _LARGEST_ID)
        _check_range("expiry", self.expiries_ms, _LARGEST_ID)
        _check_range("due time", self.due_ms, _LARGEST_ID)
        _check_text("message's destination", self.destinations)
        # JSON writes NUL as an escape, and so it may write a backslash that only looks like it.
        if "\\u0000" in "".join(self.headers):
            for message in messages:
                _check_text("message's headers", [*message.headers, *message.headers.values()])

    @property
    def columns(self) -> tuple[list[Any], ...]:
        """The lists in the order `queue_id, urgency, message_id, ... body`, as the statements expect them."""
        return (
            self.queue_ids,
            self.urgencies,
            self.message_ids,
            self.timestamps_ms,
            self.expiries_ms,
            self.due_ms,
            self.persistences,
            self.destinations,
            self.headers,
            self.bodies,
        )


@final
class Batch:
    """What a sequence of units changes, grouped by kind.

    The groups are applied in the order `dropped`, `queues`, `subscriptions`, `rows`, `marks`, `returns`, `deleted`.
    That equals the order of the units, because the id of a queue or message is never used again after its deletion:

    * Nothing done to a queue outlasts its deletion in the same batch, wherever it stands; so the other groups leave
      dropped queues out, and the drop comes first, where it frees the name for a new queue. The same holds for the
      durable subscription that a queue belongs to, since its key is that of the queue.
    * A message is inserted, then returned, then deleted, and of several returns the last one counts.
    * The mark of a queue only rises, so the highest one counts, once the queue exists.
    * What a sender calls a message may be forgotten and come again: the last word on each counts.
    """

    __slots__ = ("deleted", "dropped", "forgotten", "marks", "queues", "remembered", "returns", "rows", "subscriptions")

    def __init__(self, units: Sequence[UnitOfWork]) -> None:
        """Sort the units' operations, and check each column at once, so that all stores refuse the same.

        Raises:
            StoreRefused: PostgreSQL keeps no NUL in text; its integers have 64 bits, the delivery count 32.
        """
        kinds: defaultdict[type, list[Any]] = defaultdict(list)
        for unit in units:
            for operation in unit.operations:
                kinds[operation.__class__].append(operation)
        sends: dict[tuple[str, str], int] = {}
        for send in _in_order(units) if RememberSend in kinds or ForgetSend in kinds else ():
            sends[send.path, send.dedup_id] = send.message_id if isinstance(send, RememberSend) else 0
        kinds.pop(RememberSend, None)
        kinds.pop(ForgetSend, None)
        #: What senders call messages, with the message; and what is to be forgotten.
        self.remembered = [(*key, message_id) for key, message_id in sends.items() if message_id]
        self.forgotten = [key for key, message_id in sends.items() if not message_id]
        self.dropped: set[QueueId] = {drop.queue_id for drop in kinds.pop(DeleteQueue, ())}
        if self.dropped:
            for kind, operations in kinds.items():
                kinds[kind] = [operation for operation in operations if operation.queue_id not in self.dropped]
        self.queues: list[PutQueue] = kinds[PutQueue]
        self.subscriptions: list[PutSubscription] = kinds[PutSubscription]
        self.rows = [Rows(inserts) for inserts in _statements(kinds[InsertMessage])]
        self.marks: dict[QueueId, MessageId] = {}
        for mark in kinds[MarkDelivered]:
            self.marks[mark.queue_id] = max(mark.through, self.marks.get(mark.queue_id, mark.through))
        #: By key, how often it was delivered and when it is due.
        self.returns: dict[Key, tuple[int, int]] = {
            (returned.queue_id, *returned.place): (returned.delivery_count, returned.due_ms)
            for returned in kinds[ReturnMessage]
        }
        self.deleted: list[Key] = [(deleted.queue_id, *deleted.place) for deleted in kinds[DeleteMessage]]
        self._check()

    def _check(self) -> None:
        _check_range("queue id", [put.queue_id for put in self.queues], _LARGEST_ID)
        _check_text("queue's name", [put.name for put in self.queues])
        for put in self.subscriptions:
            _check_text("durable subscription", [put.client_id, put.name, put.topic, put.selector])
        for path, dedup_id, _ in self.remembered:
            _check_text("dedup-id", [path, dedup_id])
        _check_range("delivery mark", list(self.marks.values()), _LARGEST_ID)
        _check_range("delivery count", [count for count, _ in self.returns.values()], _LARGEST_COUNT)
        _check_range("due time", [due_ms for _, due_ms in self.returns.values()], _LARGEST_ID)
        for keys in (self.returns, self.deleted):
            if keys:
                queue_ids, urgencies, message_ids = zip(*keys, strict=True)
                _check_range("queue id", queue_ids, _LARGEST_ID)
                _check_range("urgency", urgencies, _HIGHEST_URGENCY)
                _check_range("message id", message_ids, _LARGEST_ID)


def _in_order(units: Sequence[UnitOfWork]) -> Iterator[RememberSend | ForgetSend]:
    """Yield what units say about ids of senders, of which the last word counts."""
    for unit in units:
        for operation in unit.operations:
            if isinstance(operation, RememberSend | ForgetSend):
                yield operation


def _statements(inserts: Sequence[InsertMessage]) -> Iterator[Sequence[InsertMessage]]:
    """Yield as many inserts as one statement takes, until there are none."""
    start = size = 0
    for end, insert in enumerate(inserts):
        length = len(insert.message.body)
        if size + length > STATEMENT_BYTES and end > start:
            yield inserts[start:end]
            start, size = end, 0
        size += length
    if inserts:
        yield inserts[start:]


def _check_range(what: str, values: Sequence[int], highest: int) -> None:
    if values and not 0 <= min(values) <= max(values) <= highest:
        wrong = next(value for value in values if not 0 <= value <= highest)
        raise StoreRefused(f"the {what} {wrong} is not between 0 and {highest}")


def _check_text(what: str, texts: Sequence[str]) -> None:
    if "\0" in "".join(texts):
        raise StoreRefused(f"a {what} contains NUL")


def subscription_rows(subscriptions: Sequence[PutSubscription]) -> list[tuple[object, ...]]:
    """Return rows of durable subscriptions, in the order of the table's columns."""
    return [
        (
            put.queue_id,
            put.client_id,
            put.name,
            put.topic,
            put.selector,
            put.no_local,
            put.is_shared,
            put.host,
            put.owner,
        )
        for put in subscriptions
    ]
