"""The views for people with a SQL shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from stompd.broker.message import Message, MessageId, QueueId
from stompd.broker.units import InsertMessage, MarkDelivered, PutQueue, PutSubscription
from stompd.store.factory import make_store
from stompd.store.sql import SqlStore
from tests.contract.site import SqlSite
from tests.store.vocabulary import ORDERS, PUT_ORDERS, apply, insert


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    """An open store with one empty queue."""
    store = make_store(database_url)
    assert isinstance(store, SqlStore)
    store.open()
    apply(store, PUT_ORDERS)
    yield store
    store.close()


def rows(store: SqlStore, query: str) -> list[dict[str, Any]]:
    assert store._connection is not None
    return [dict(row) for row in store._connection.execute(text(query)).mappings()]


def test_messages_are_readable(store: SqlStore) -> None:
    headers = {"correlation-id": "c-1", "reply-to": "/queue/answers", "type": "order", "content-type": "text/plain"}
    message = Message(
        "/queue/orders", headers, b"hello", priority=7, message_id=5, timestamp_ms=1_700_000_000_000, expires_ms=0
    )
    apply(store, InsertMessage(ORDERS, message))

    (row,) = rows(store, "SELECT * FROM stompd_messages")

    assert (row["queue"], row["destination"], row["message_id"]) == ("/queue/orders", "/queue/orders", 5)
    assert (row["correlation_id"], row["reply_to"], row["type"]) == ("c-1", "/queue/answers", "order")
    body = row["body"].decode() if isinstance(row["body"], bytes) else row["body"]
    assert (row["content_type"], body, row["body_bytes"]) == ("text/plain", "hello", 5)
    assert (row["priority"], row["delivery_count"], bool(row["is_persistent"])) == (7, 0, True)
    assert str(row["sent_at"]).startswith("2023-11-14")
    assert row["expires_at"] is None


def test_bodies_that_are_not_text_can_be_shown(store: SqlStore) -> None:
    apply(store, insert(1, bytes(range(256))), insert(2, headers={"größe": "\t", "": ""}))

    assert len(rows(store, "SELECT * FROM stompd_messages")) == 2


def test_queues_show_how_much_is_in_them(store: SqlStore) -> None:
    apply(store, PutQueue(QueueId(8), "/queue/empty"), insert(1), insert(2))

    found = rows(store, "SELECT name, message_count, oldest_sent_at FROM stompd_queues ORDER BY name")

    assert [(row["name"], row["message_count"]) for row in found] == [("/queue/empty", 0), ("/queue/orders", 2)]
    assert found[0]["oldest_sent_at"] is None
    assert str(found[1]["oldest_sent_at"]).startswith("1970-01-01")


def test_subscriptions_show_how_much_waits_for_them(store: SqlStore) -> None:
    apply(store, PutSubscription(ORDERS, "c", "n", "/topic/t", selector="a = 1", is_shared=True), insert(1), insert(2))

    (row,) = rows(store, "SELECT * FROM stompd_subscriptions")

    assert (row["client_id"], row["name"], row["topic"], row["selector"]) == ("c", "n", "/topic/t", "a = 1")
    assert (bool(row["no_local"]), bool(row["is_shared"]), row["pending_count"]) == (False, True, 2)
    assert str(row["oldest_sent_at"]).startswith("1970-01-01")
    assert row["queue"] == "/queue/orders"


def test_delivery_count_shows_what_a_crash_counted(database_url: str) -> None:
    site = SqlSite(database_url)
    store = site.store()
    store.open()
    apply(store, PUT_ORDERS, insert(1), insert(2), MarkDelivered(ORDERS, MessageId(1)))
    site.crash(store)
    successor = site.store()
    assert isinstance(successor, SqlStore)
    successor.open()

    found = rows(successor, "SELECT message_id, delivery_count FROM stompd_messages ORDER BY message_id")

    assert [(row["message_id"], row["delivery_count"]) for row in found] == [(1, 1), (2, 0)]
    site.close()
