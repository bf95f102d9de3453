"""The store in a SQL database; what differs between databases is in their `Dialect`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from zope.interface import implementer

from stompd.broker.message import HIGHEST_PRIORITY, Message, Place, QueueId
from stompd.broker.units import (
    RETAINED_NAME,
    DueKey,
    DuePage,
    ExpiredPage,
    ExpiredRow,
    ExpiryKey,
    Page,
    PutSubscription,
    Recovered,
    RecoveredQueue,
    RememberSend,
    StoredMessage,
    UnitOfWork,
)
from stompd.errors import StoreError, StoreLocked, StoreLost, StoreRefused, StoreUnavailable, StoreUnusable
from stompd.interfaces import IMessageStore
from stompd.store.batch import Batch
from stompd.store.dialect import Dialect, MessageRow
from stompd.store.revision import current_revision, head_revision, is_newer, upgrade
from stompd.store.schema import BROKER, DEDUP, MESSAGE, QUEUE, SUBSCRIPTION

#: Before the first message of any queue: urgencies start at 0 and ids at 1.
_HEAD = Place(0, 0)

#: What is read whole is read in pages of this size.
_PAGE_COUNT = 1_000
_PAGE_BYTES = 16 * 1024 * 1024

#: Characters of headers that are kept for other messages with the same: enough for most, too few to fill memory.
_LONGEST_SHARED = 1_000

# In the words of the partial indexes, so that the database uses them.
_NEXT_DUE = text(
    "SELECT due_ms FROM stompd_message WHERE queue_id = :queue_id AND due_ms > 0"
    " AND (due_ms, message_id) > (:due_ms, :message_id) ORDER BY due_ms, message_id LIMIT 1"
)
_FIRST_DUES = text("SELECT queue_id, min(due_ms) FROM stompd_message WHERE due_ms > 0 GROUP BY queue_id")
_NEXT_EXPIRY = text(
    "SELECT expires_ms FROM stompd_message WHERE expires_ms > 0 AND expires_ms > :after_ms ORDER BY expires_ms LIMIT 1"
)


@implementer(IMessageStore)
class SqlStore:
    """Keeps messages in a SQL database, through one connection that holds the lock."""

    def __init__(self, dialect: Dialect, *, upgrade: bool = True) -> None:
        """Describe a store; `open` connects.

        Args:
            dialect: Which database.
            upgrade: Whether `open` brings an older schema up to date; otherwise it refuses and names the command.
        """
        self.description = dialect.description
        self._dialect = dialect
        self._may_upgrade = upgrade
        self._connection: Connection | None = None
        self._owner: str | None = None  # None: not open
        # Up to where, in each queue, a crash counts a delivery; as `open` found it.
        self._recovered_through: dict[int, int] = {}

    def open(self) -> Recovered:
        """Connect, lock, upgrade, recover; see `IMessageStore`."""
        if self._owner is not None:
            raise StoreLocked(f"{self.description} is open already")
        with self._raising(StoreUnavailable, StoreUnusable), self._connecting() as connection:
            recovered = self._take_over(connection)
        self._connection = connection
        return recovered

    def migrate(self) -> str:
        """Bring the schema up to date while no broker runs, and say in a sentence what was done.

        Raises:
            StoreLocked: A broker holds the store.
            StoreUnavailable: It cannot be reached now.
            StoreUnusable: It never will be.
        """
        with self._raising(StoreUnavailable, StoreUnusable), self._connecting() as connection:
            self._lock(connection)
            done = self._upgrade(connection)
        self._dialect.disconnect(connection)
        return done

    def migrate_if_needed(self) -> None:
        """Bring the schema up to date unless it is; see `migrate`."""
        with self.beside() as connection:
            is_current = current_revision(connection) == head_revision()
        if not is_current:
            self.migrate()

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """Lend a connection of its own, without the lock, for tables that have nothing to do with messages.

        Each statement is a transaction. May be called in any thread.

        Raises:
            StoreUnavailable: The database cannot be reached now.
            StoreUnusable: It never will be, or lacks the table.
        """
        with self._raising(StoreUnavailable, StoreUnusable), self._connecting() as connection:
            yield connection
            self._dialect.disconnect(connection)

    def apply(self, units: Sequence[UnitOfWork]) -> None:
        """Write the units in one transaction; see `IMessageStore`."""
        batch = Batch(units)
        statements = self._dialect.statements(batch)
        if statements:
            with self._raising(StoreRefused, StoreUnavailable), self._connected() as connection:
                self._dialect.execute(connection, statements)

    def load(self, queue_id: QueueId, after: Place | None, limit: int, limit_bytes: int, through_ms: int = 0) -> Page:
        """Read one range of the primary key; see `IMessageStore`."""
        with self._raising(StoreUnavailable), self._connected() as connection:
            rows, is_last = self._dialect.load(connection, queue_id, after or _HEAD, through_ms, limit, limit_bytes)
        recovered_through = self._recovered_through.get(queue_id, 0)
        return Page([_stored_message(row, recovered_through) for row in rows], is_last=is_last)

    def load_due(self, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> DuePage:
        """Read one range of the index of due times; see `IMessageStore`."""
        recovered_through = self._recovered_through.get(queue_id, 0)
        with self._raising(StoreUnavailable), self._connected() as connection:
            rows = self._dialect.load_due(connection, queue_id, after, through_ms, limit, limit_bytes)
            messages = [_stored_message(row, recovered_through) for row in rows]
            if messages:
                after = DueKey(messages[-1].due_ms, messages[-1].message.message_id)
            next_ms = connection.scalar(_NEXT_DUE, {"queue_id": queue_id, **after._asdict()})
        return DuePage(messages, next_ms or 0)

    def find_expired(self, after: ExpiryKey, through_ms: int, limit: int) -> ExpiredPage:
        """Read one range of the index of expiries; see `IMessageStore`."""
        with self._raising(StoreUnavailable), self._connected() as connection:
            rows = self._dialect.find_expired(connection, after, through_ms, limit)
            next_ms = connection.scalar(_NEXT_EXPIRY, {"after_ms": through_ms})
        found = [ExpiredRow(ExpiryKey(row[0], QueueId(row[1]), row[2]), row[3], row[4], row[5]) for row in rows]
        return ExpiredPage(found, next_ms or 0)

    def measure(self, queue_id: QueueId) -> int:
        """Add up lengths, without reading the bodies; see `IMessageStore`."""
        with self._raising(StoreUnavailable), self._connected() as connection:
            return self._dialect.measure(connection, queue_id)

    def close(self) -> None:
        """Record the clean end and disconnect; see `IMessageStore`."""
        self._owner = None
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            # When the database is away just now, the next `open` takes it for a crash, which is harmless.
            with suppress(StoreUnavailable), self._raising(StoreUnavailable), self._transaction(connection):
                connection.execute(QUEUE.update().where(QUEUE.c.delivered_through > 0).values(delivered_through=0))
                connection.execute(BROKER.update().values(is_clean=True))
        finally:
            self._dialect.disconnect(connection)

    def _lock(self, connection: Connection) -> None:
        if not self._dialect.lock(connection):
            raise StoreLocked(f"another broker uses {self.description}")

    def _take_over(self, connection: Connection) -> Recovered:
        self._lock(connection)
        self._agree_on_schema(connection)
        owner = secrets.token_hex(16)
        with self._transaction(connection):
            self._recover(connection, owner)
            recovered = self._survey(connection)
        self._owner = owner
        return recovered

    def _agree_on_schema(self, connection: Connection) -> None:
        current = current_revision(connection)
        if current == head_revision():
            return
        if current is None or self._may_upgrade:
            self._upgrade(connection)
            return
        self._refuse_newer(current)
        raise StoreUnusable(
            f"{self.description} has the schema of revision {current}, and this program needs {head_revision()}: "
            "run `stompd migrate`"
        )

    def _upgrade(self, connection: Connection) -> str:
        current, head = current_revision(connection), head_revision()
        if current == head:
            return f"{self.description} is up to date at revision {head}."
        self._refuse_newer(current)
        with self._transaction(connection):
            upgrade(connection)
        if current is None:
            return f"Created the tables of revision {head} in {self.description}."
        return f"Upgraded {self.description} from revision {current} to {head}."

    def _refuse_newer(self, current: str | None) -> None:
        if current is not None and is_newer(current):
            raise StoreUnusable(
                f"{self.description} has the schema of revision {current}, which is newer than this program's "
                f"{head_revision()}: install the newer stompd, or restore a backup made before its upgrade"
            )

    def _recover(self, connection: Connection, owner: str) -> None:
        """Take away what need not survive, and count a delivery for what may be in consumers' hands."""
        is_clean = connection.scalar(select(BROKER.c.is_clean))
        connection.execute(BROKER.delete())
        connection.execute(BROKER.insert().values(broker_id=1, owner=owner, is_clean=False))
        connection.execute(QUEUE.delete().where(~QUEUE.c.is_durable))
        connection.execute(SUBSCRIPTION.delete().where(SUBSCRIPTION.c.queue_id.not_in(select(QUEUE.c.queue_id))))
        # In the words of the partial index, so that the database uses it.
        connection.execute(MESSAGE.delete().where(text("NOT is_persistent")))
        if is_clean is False:
            crashed = QUEUE.c.delivered_through > QUEUE.c.recovered_through
            connection.execute(QUEUE.update().where(crashed).values(recovered_through=QUEUE.c.delivered_through))

    def _survey(self, connection: Connection) -> Recovered:
        """Count what is there, and drop messages that belong to no queue."""
        queues = connection.execute(select(QUEUE).order_by(QUEUE.c.name)).all()
        grouped = select(
            MESSAGE.c.queue_id,
            func.count().label("messages"),
            func.max(MESSAGE.c.message_id).label("highest_id"),
        ).group_by(MESSAGE.c.queue_id)
        counts = {queue.queue_id: 0 for queue in queues}
        self._recovered_through = {queue.queue_id: queue.recovered_through for queue in queues}
        # Queues and messages share one source of ids, and a new message at or below a mark would count as delivered.
        ids = [max(queue.queue_id, queue.delivered_through, queue.recovered_through) for queue in queues]
        for group in connection.execute(grouped).all():
            ids.append(group.highest_id)
            if group.queue_id in counts:
                counts[group.queue_id] = group.messages
            else:
                connection.execute(MESSAGE.delete().where(MESSAGE.c.queue_id == group.queue_id))
        dues = {row[0]: row[1] for row in connection.execute(_FIRST_DUES).all()}
        found = [
            RecoveredQueue(queue.queue_id, queue.name, counts[queue.queue_id], dues.get(queue.queue_id, 0))
            for queue in queues
        ]
        next_expiry_ms = connection.scalar(_NEXT_EXPIRY, {"after_ms": 0}) or 0
        sends = self._read_sends(connection)
        ids += [send.message_id for send in sends[-1:]]
        return Recovered(
            found,
            max(ids, default=0),
            [put for put in self._read_subscriptions(connection) if put.queue_id in counts],
            next_expiry_ms=next_expiry_ms,
            sends=sends,
            retained=self._read_retained(connection, queues),
            last_values=self._dialect.find_last_values(connection),
        )

    def _read_subscriptions(self, connection: Connection) -> list[PutSubscription]:
        return [
            PutSubscription(
                row.queue_id,
                row.client_id,
                row.name,
                row.topic,
                selector=row.selector,
                no_local=row.no_local,
                is_shared=row.is_shared,
                host=row.host,
                owner=row.owner,
            )
            for row in connection.execute(select(SUBSCRIPTION).order_by(SUBSCRIPTION.c.queue_id)).all()
        ]

    def _read_sends(self, connection: Connection) -> list[RememberSend]:
        rows = connection.execute(select(DEDUP).order_by(DEDUP.c.message_id)).all()
        return [RememberSend(row.path, row.dedup_id, row.message_id) for row in rows]

    def _read_retained(self, connection: Connection, queues: Sequence[Row[Any]]) -> list[Message]:
        for queue in queues:
            if queue.name == RETAINED_NAME:
                return list(self._read_all(connection, QueueId(queue.queue_id)))
        return []

    def _read_all(self, connection: Connection, queue_id: QueueId) -> Iterator[Message]:
        """Yield the messages of a queue that is known to be small."""
        after, is_last = _HEAD, False
        while not is_last:
            rows, is_last = self._dialect.load(connection, queue_id, after, 0, _PAGE_COUNT, _PAGE_BYTES)
            for row in rows:
                message = _stored_message(row, 0).message
                after = message.place
                yield message

    @contextmanager
    def _connecting(self) -> Iterator[Connection]:
        """Lend a new connection, which is closed when something fails with it."""
        connection = self._dialect.connect()
        try:
            yield connection
        except BaseException:
            self._dialect.disconnect(connection)
            raise

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Lend the connection, made anew when it was lost."""
        if self._owner is None:
            raise RuntimeError("the store is not open")
        if self._connection is None:
            with self._connecting() as connection:
                self._take_back(connection, self._owner)
            self._connection = connection
        connection = self._connection
        try:
            yield connection
        except BaseException:
            if self._dialect.is_lost(connection):
                self._connection = None
                self._dialect.disconnect(connection)
            raise

    def _take_back(self, connection: Connection, owner: str) -> None:
        """Take the lock again, unless another broker opened the store meanwhile."""
        is_locked = self._dialect.lock(connection)
        if connection.scalar(select(BROKER.c.owner)) != owner:
            raise StoreLost(f"another broker has taken over {self.description}")
        if not is_locked:
            raise StoreUnavailable(f"the lost connection still holds the lock on {self.description}")

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        connection.exec_driver_sql(self._dialect.begin)
        try:
            yield
        except BaseException:
            with suppress(SQLAlchemyError):  # the connection is gone, and the transaction with it
                connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")

    @contextmanager
    def _raising(self, *classes: type[StoreError]) -> Iterator[None]:
        """Convert the driver's errors to one of the classes; the last one stands for all others."""
        try:
            yield
        except self._dialect.errors as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            meaning, words = self._dialect.explain(cause)
            if meaning not in classes:
                meaning = classes[-1]
            raise meaning(f"{self.description}: {words}") from error


def _read_headers(text: str) -> Mapping[str, str]:
    return _read_short_headers(text) if len(text) <= _LONGEST_SHARED else _decode(text)


def _decode(text: str) -> Mapping[str, str]:
    headers: dict[str, str] = json.loads(text)
    return headers


#: Messages that are read together are often alike, and share what is never changed.
_read_short_headers = lru_cache(maxsize=100)(_decode)


def _stored_message(row: MessageRow, recovered_through: int) -> StoredMessage:
    urgency, message_id, timestamp_ms, expires_ms, due_ms, count, is_persistent, destination, headers, body = row
    message = Message(
        destination,
        _read_headers(headers),
        body,
        priority=HIGHEST_PRIORITY - urgency,
        expires_ms=expires_ms,
        is_persistent=bool(is_persistent),
        message_id=message_id,
        timestamp_ms=timestamp_ms,
    )
    if message_id <= recovered_through:
        count = max(count, 1)
    return StoredMessage(message, count, due_ms)
