"""The store that keeps nothing beyond the process: for tests, simulations, and brokers without a memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from itertools import islice
from typing import final

from zope.interface import implementer

from stompd.broker.message import Message, MessageId, Place, QueueId
from stompd.broker.units import (
    RETAINED_NAME,
    DeleteMessage,
    DeleteQueue,
    DueKey,
    DuePage,
    ExpiredPage,
    ExpiredRow,
    ExpiryKey,
    ForgetSend,
    InsertMessage,
    LastValue,
    MarkDelivered,
    Operation,
    Page,
    PutQueue,
    PutSubscription,
    QueueOperation,
    Recovered,
    RecoveredQueue,
    RememberSend,
    ReturnMessage,
    StoredMessage,
    UnitOfWork,
)
from stompd.errors import StoreLocked, StoreRefused
from stompd.interfaces import IMessageStore
from stompd.store.batch import Batch


@implementer(IMessageStore)
@final
class MemoryStore:
    """Behaves as the others do, for as long as the object lives: `close` and `crash` may be followed by `open`."""

    def __init__(self) -> None:
        """Make an empty store."""
        self.description = "memory only: messages are gone when the broker stops"
        self._queues: dict[QueueId, _Queue] = {}
        self._subscriptions: dict[QueueId, PutSubscription] = {}
        self._sends: dict[tuple[str, str], int] = {}
        self._is_open = False
        self._is_clean = True

    def open(self) -> Recovered:
        """Recover what an earlier use of this object left; see `IMessageStore`."""
        if self._is_open:
            raise StoreLocked(f"{self.description}; it is open already")
        self._queues = {queue_id: queue for queue_id, queue in self._queues.items() if queue.is_durable}
        for queue in self._queues.values():
            queue.recover(is_clean=self._is_clean)
        self._is_open, self._is_clean = True, False
        found = sorted(self._queues.items(), key=lambda item: item[1].name)
        ids = [max(queue_id, queue.highest_id) for queue_id, queue in found]
        queues = [
            RecoveredQueue(queue_id, queue.name, len(queue.rows), queue.next_due(DueKey(0, 0)))
            for queue_id, queue in found
        ]
        self._subscriptions = {
            queue_id: found for queue_id, found in self._subscriptions.items() if queue_id in self._queues
        }
        subscriptions = [found for _, found in sorted(self._subscriptions.items())]
        sends = [RememberSend(*key, sent) for key, sent in sorted(self._sends.items(), key=lambda item: item[1])]
        stored = [(queue_id, row.message) for queue_id, queue in found for row in queue.rows.values()]
        keyed = [
            LastValue(queue_id, kept.place, kept.headers["last-value-key"], len(kept.body))
            for queue_id, kept in sorted(stored, key=lambda item: item[1].message_id)
            if kept.headers.get("last-value-key")
        ]
        names = {queue_id: queue.name for queue_id, queue in found}
        highest_id = max([*ids, *self._sends.values()], default=0)
        return Recovered(
            queues,
            highest_id,
            subscriptions,
            next_expiry_ms=self._next_expiry(0),
            sends=sends,
            retained=[kept for queue_id, kept in stored if names[queue_id] == RETAINED_NAME],
            last_values=keyed,
        )

    def apply(self, units: Sequence[UnitOfWork]) -> None:
        """Change the dictionaries, after everything that could be refused was checked; see `IMessageStore`."""
        self._require_open()
        batch = Batch(units)  # refuses what a database would
        operations = [operation for unit in units for operation in unit.operations]
        self._check_names(operations)
        if batch.subscriptions:
            self._check_subscriptions(operations)
        for path, dedup_id, message_id in batch.remembered:
            self._sends[path, dedup_id] = message_id
        for key in batch.forgotten:
            self._sends.pop(key, None)
        for operation in operations:
            if not isinstance(operation, RememberSend | ForgetSend):
                self._apply(operation)

    def load(self, queue_id: QueueId, after: Place | None, limit: int, limit_bytes: int, through_ms: int = 0) -> Page:
        """Return a stretch of a sorted list; see `IMessageStore`."""
        self._require_open()
        queue = self._queues.get(queue_id)
        return Page([], is_last=True) if queue is None else queue.page(after, limit, limit_bytes, through_ms)

    def load_due(self, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> DuePage:
        """Return what has become due; see `IMessageStore`."""
        self._require_open()
        queue = self._queues.get(queue_id)
        return DuePage([], 0) if queue is None else queue.due_page(after, through_ms, limit, limit_bytes)

    def find_expired(self, after: ExpiryKey, through_ms: int, limit: int) -> ExpiredPage:
        """Return what has expired; see `IMessageStore`."""
        self._require_open()
        rows = [
            ExpiredRow(
                ExpiryKey(row.message.expires_ms, queue_id, message_id),
                row.message.place.urgency,
                row.due_ms,
                len(row.message.body),
            )
            for queue_id, queue in self._queues.items()
            for message_id, row in queue.rows.items()
            if 0 < row.message.expires_ms <= through_ms
        ]
        found = sorted(row for row in rows if row.key > after)[:limit]
        return ExpiredPage(found, self._next_expiry(through_ms))

    def measure(self, queue_id: QueueId) -> int:
        """Add up the lengths of the bodies; see `IMessageStore`."""
        self._require_open()
        queue = self._queues.get(queue_id)
        return 0 if queue is None else sum(len(row.message.body) for row in queue.rows.values())

    def close(self) -> None:
        """Forget the delivery marks; see `IMessageStore`."""
        if self._is_open:
            self._is_open, self._is_clean = False, True
            for queue in self._queues.values():
                queue.delivered_through = MessageId(0)

    def crash(self) -> None:
        """End as a killed broker does: what was applied stays, and the next `open` finds no clean close."""
        self._is_open = False

    def _next_expiry(self, after_ms: int) -> int:
        messages = [row.message for queue in self._queues.values() for row in queue.rows.values()]
        return min((message.expires_ms for message in messages if message.expires_ms > after_ms), default=0)

    def _require_open(self) -> None:
        if not self._is_open:
            raise RuntimeError("the store is not open")

    def _check_names(self, operations: Sequence[Operation]) -> None:
        names = {}
        if any(isinstance(operation, PutQueue) for operation in operations):
            names = {queue_id: queue.name for queue_id, queue in self._queues.items()}
        for operation in operations:
            match operation:
                case PutQueue() if operation.queue_id not in names:
                    if operation.name in names.values():
                        raise StoreRefused(f"there are two queues of the name {operation.name}")
                    names[operation.queue_id] = operation.name
                case DeleteQueue():
                    names.pop(operation.queue_id, None)

    def _check_subscriptions(self, operations: Sequence[Operation]) -> None:
        found = {queue_id: (put.host, put.client_id, put.name) for queue_id, put in self._subscriptions.items()}
        for operation in operations:
            match operation:
                case PutSubscription() if operation.queue_id not in found:
                    name = operation.host, operation.client_id, operation.name
                    if name in found.values():
                        raise StoreRefused(f"there are two durable subscriptions {name}")
                    found[operation.queue_id] = name
                case DeleteQueue():
                    found.pop(operation.queue_id, None)

    def _apply(self, operation: QueueOperation) -> None:
        if isinstance(operation, PutQueue):
            if operation.queue_id not in self._queues:
                self._queues[operation.queue_id] = _Queue(operation.name, is_durable=operation.is_durable)
            return
        queue = self._queues.get(operation.queue_id)
        if queue is None:
            return
        match operation:
            case InsertMessage():
                queue.insert(operation.message)
            case DeleteMessage():
                queue.delete(operation.place.message_id)
            case ReturnMessage():
                queue.give_back(operation.place.message_id, operation.delivery_count, operation.due_ms)
            case MarkDelivered():
                queue.delivered_through = max(queue.delivered_through, operation.through)
            case PutSubscription():
                self._subscriptions.setdefault(operation.queue_id, operation)
            case DeleteQueue():  # pragma: no branch - the last kind
                del self._queues[operation.queue_id]
                self._subscriptions.pop(operation.queue_id, None)


@final
class _Queue:
    """Rows by id, and their places in the order of delivery."""

    def __init__(self, name: str, *, is_durable: bool) -> None:
        self.name = name
        self.is_durable = is_durable
        self.delivered_through = MessageId(0)
        self.rows: dict[int, StoredMessage] = {}
        self._places: list[Place] = []

    @property
    def highest_id(self) -> int:
        return max(self.delivered_through, max(self.rows, default=0))

    def insert(self, message: Message) -> None:
        if message.message_id not in self.rows:
            self.rows[message.message_id] = StoredMessage(message, 0, message.due_ms)
            insort(self._places, message.place)

    def delete(self, message_id: int) -> None:
        row = self.rows.pop(message_id, None)
        if row is not None:
            del self._places[bisect_left(self._places, row.message.place)]

    def give_back(self, message_id: int, delivery_count: int, due_ms: int) -> None:
        if message_id in self.rows:
            self.rows[message_id].delivery_count = delivery_count
            self.rows[message_id].due_ms = due_ms

    def recover(self, *, is_clean: bool) -> None:
        for message_id, row in list(self.rows.items()):
            if not row.message.is_persistent:
                self.delete(message_id)
            elif not is_clean and message_id <= self.delivered_through:
                row.delivery_count = max(row.delivery_count, 1)

    def page(self, after: Place | None, limit: int, limit_bytes: int, through_ms: int) -> Page:
        start = 0 if after is None else bisect_right(self._places, after)
        rows: list[StoredMessage] = []
        total = 0
        ahead = (self.rows[place.message_id] for place in islice(self._places, start, None))
        for row in (row for row in ahead if row.due_ms <= through_ms):
            total += len(row.message.body)
            if len(rows) == limit or (rows and total > limit_bytes):
                return Page(rows, is_last=False)
            rows.append(StoredMessage(row.message, row.delivery_count, row.due_ms))
        return Page(rows, is_last=True)

    def next_due(self, after: DueKey) -> int:
        return min(
            (row.due_ms for id_, row in self.rows.items() if row.due_ms and (row.due_ms, id_) > after), default=0
        )

    def due_page(self, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> DuePage:
        keys = [DueKey(row.due_ms, message_id) for message_id, row in self.rows.items() if row.due_ms]
        rows: list[StoredMessage] = []
        total = 0
        for key in sorted(key for key in keys if key > after and key.due_ms <= through_ms)[:limit]:
            row = self.rows[key.message_id]
            total += len(row.message.body)
            if rows and total > limit_bytes:
                break
            rows.append(StoredMessage(row.message, row.delivery_count, row.due_ms))
            after = key
        return DuePage(rows, self.next_due(after))
