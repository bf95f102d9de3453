"""Units of work, sorted by what SQL does with them: columns of rows for set-based statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias, final

from stompd.broker.message import HIGHEST_PRIORITY, LOWEST_PRIORITY, Message, MessageId, QueueId
from stompd.broker.units import (
    DeleteMessage,
    DeleteQueue,
    InsertMessage,
    MarkDelivered,
    Operation,
    PutQueue,
    ReturnMessage,
    UnitOfWork,
)
from stompd.errors import StoreRefused

#: One statement takes bodies up to this, or a single larger one, so that neither side holds a whole batch twice.
STATEMENT_BYTES = 32 * 1024 * 1024

_LARGEST_ID = 2**63 - 1  # BIGINT
_LARGEST_COUNT = 2**31 - 1  # INTEGER

#: `(queue_id, urgency, message_id)`: the primary key of a message row.
Key: TypeAlias = tuple[int, int, int]

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@final
class Rows:
    """Message rows for one statement, as one list for each column."""

    __slots__ = (
        "bodies",
        "body_bytes",
        "destinations",
        "expiries_ms",
        "headers",
        "message_ids",
        "persistences",
        "queue_ids",
        "timestamps_ms",
        "urgencies",
    )

    def __init__(self) -> None:
        self.queue_ids: list[int] = []
        self.urgencies: list[int] = []
        self.message_ids: list[int] = []
        self.timestamps_ms: list[int] = []
        self.expiries_ms: list[int] = []
        self.persistences: list[bool] = []
        self.destinations: list[str] = []
        self.headers: list[str] = []
        self.bodies: list[bytes] = []
        self.body_bytes = 0

    @property
    def columns(self) -> tuple[list[Any], ...]:
        """The lists in the order `queue_id, urgency, message_id, ... body`, as the statements expect them."""
        return (
            self.queue_ids,
            self.urgencies,
            self.message_ids,
            self.timestamps_ms,
            self.expiries_ms,
            self.persistences,
            self.destinations,
            self.headers,
            self.bodies,
        )

    def add(self, queue_id: QueueId, message: Message) -> None:
        """Append a row."""
        self.queue_ids.append(queue_id)
        self.urgencies.append(HIGHEST_PRIORITY - message.priority)
        self.message_ids.append(message.message_id)
        self.timestamps_ms.append(message.timestamp_ms)
        self.expiries_ms.append(message.expires_ms)
        self.persistences.append(message.is_persistent)
        self.destinations.append(message.destination)
        self.headers.append(_dump(message.headers) if message.headers else "{}")
        self.bodies.append(message.body)
        self.body_bytes += len(message.body)


@final
class Batch:
    """What a sequence of units changes, grouped by kind.

    The groups are applied in the order `dropped`, `queues`, `rows`, `marks`, `returns`, `deleted`. That equals the
    order of the units, because the id of a queue or message is never used again after its deletion:

    * Nothing done to a queue outlasts its deletion in the same batch, wherever it stands; so the other groups leave
      dropped queues out, and the drop comes first, where it frees the name for a new queue.
    * A message is inserted, then returned, then deleted, and of several returns the last one counts.
    * The mark of a queue only rises, so the highest one counts, once the queue exists.
    """

    __slots__ = ("deleted", "dropped", "marks", "queues", "returns", "rows")

    def __init__(self, units: Sequence[UnitOfWork]) -> None:
        """Sort the units' operations.

        Raises:
            StoreRefused: A text holds NUL or a number is out of range; see `check`.
        """
        operations = [operation for unit in units for operation in unit.operations]
        self.dropped = {operation.queue_id for operation in operations if isinstance(operation, DeleteQueue)}
        self.queues: list[PutQueue] = []
        self.rows: list[Rows] = []
        self.marks: dict[QueueId, MessageId] = {}
        self.returns: dict[Key, int] = {}
        self.deleted: list[Key] = []
        for operation in operations:
            check(operation)
            if operation.queue_id not in self.dropped:
                self._add(operation)

    def _add(self, operation: Operation) -> None:
        match operation:
            case InsertMessage():
                self._add_row(operation.queue_id, operation.message)
            case DeleteMessage():
                self.deleted.append((operation.queue_id, *operation.place))
            case ReturnMessage():
                self.returns[(operation.queue_id, *operation.place)] = operation.delivery_count
            case PutQueue():
                self.queues.append(operation)
            case MarkDelivered():  # pragma: no branch - what deletes a queue does not come here
                earlier = self.marks.get(operation.queue_id, operation.through)
                self.marks[operation.queue_id] = max(earlier, operation.through)

    def _add_row(self, queue_id: QueueId, message: Message) -> None:
        if not self.rows or self.rows[-1].body_bytes + len(message.body) > STATEMENT_BYTES:
            self.rows.append(Rows())
        self.rows[-1].add(queue_id, message)


def check(operation: Operation) -> None:
    """Refuse what one of the databases cannot keep, so that all stores refuse the same.

    Raises:
        StoreRefused: PostgreSQL keeps no NUL in text; its integers have 64 bits, the delivery count 32.
    """
    if not 0 <= operation.queue_id <= _LARGEST_ID:
        raise StoreRefused(f"the queue id {operation.queue_id} has more than 63 bits")
    match operation:
        case InsertMessage():
            _check_message(operation.message)
        case PutQueue() if "\0" in operation.name:
            raise StoreRefused("a queue's name contains NUL")
        case ReturnMessage() if not 0 <= operation.delivery_count <= _LARGEST_COUNT:
            raise StoreRefused(f"the delivery count {operation.delivery_count} has more than 31 bits")
        case DeleteMessage() | ReturnMessage() if not 0 <= operation.place.message_id <= _LARGEST_ID:
            raise StoreRefused(f"the message id {operation.place.message_id} has more than 63 bits")
        case MarkDelivered() if not 0 <= operation.through <= _LARGEST_ID:
            raise StoreRefused(f"the delivery mark {operation.through} has more than 63 bits")


def _check_message(message: Message) -> None:
    if not (
        0 <= message.message_id <= _LARGEST_ID
        and 0 <= message.timestamp_ms <= _LARGEST_ID
        and 0 <= message.expires_ms <= _LARGEST_ID
    ):
        raise StoreRefused("a message's id, timestamp or expiry has more than 63 bits")
    if not LOWEST_PRIORITY <= message.priority <= HIGHEST_PRIORITY:
        raise StoreRefused(f"the priority {message.priority} is not between 0 and 9")
    if "\0" in message.destination:
        raise StoreRefused("a message's destination contains NUL")
    if "\0" in "".join(message.headers) or "\0" in "".join(message.headers.values()):
        raise StoreRefused("a message's headers contain NUL")
