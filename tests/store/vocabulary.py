"""Short words for tests of one store."""

from __future__ import annotations

import psycopg

from stompd.broker.message import DEFAULT_PRIORITY, HIGHEST_PRIORITY, Message, MessageId, Place, QueueId
from stompd.broker.units import InsertMessage, Operation, PutQueue, UnitOfWork
from stompd.interfaces import IMessageStore
from stompd.store import postgresql
from stompd.store.postgresql import PostgresqlStore

ORDERS = QueueId(7)
PUT_ORDERS = PutQueue(ORDERS, "/queue/orders")


def apply(store: IMessageStore, *operations: Operation) -> None:
    """Apply one unit."""
    store.apply([UnitOfWork(1, operations)])


def at(message_id: int) -> Place:
    """Return the place of such a message in its queue."""
    return Place(HIGHEST_PRIORITY - DEFAULT_PRIORITY, MessageId(message_id))


def insert(message_id: int, body: bytes = b"", *, headers: dict[str, str] | None = None) -> InsertMessage:
    """Return what puts a message into the queue ORDERS."""
    return InsertMessage(ORDERS, Message("/queue/orders", headers or {}, body, message_id=message_id))


def ids(store: IMessageStore) -> list[int]:
    """Return the ids in the queue ORDERS."""
    return [stored.message.message_id for stored in store.load(ORDERS, None, 1000, 1 << 30).messages]


def raw_connection(store: PostgresqlStore) -> psycopg.Connection[tuple[object, ...]]:
    """Return the session of an open store."""
    assert store._connection is not None
    return postgresql._raw(store._connection)
