"""Revisions 0002 and 0003: messages that were there before are kept, due at once, and of no durable subscription."""

from __future__ import annotations

from alembic import command
from sqlalchemy import text

from stompd.broker.message import QueueId
from stompd.broker.units import DueKey
from stompd.store import revision
from stompd.store.factory import make_store
from stompd.store.sql import SqlStore


def test_messages_of_an_older_database_are_kept_and_due_at_once(database_url: str) -> None:
    store = make_store(database_url)
    assert isinstance(store, SqlStore)
    connection = store._dialect.connect()
    config = revision._config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    connection.execute(text("INSERT INTO stompd_queue VALUES (1, '/queue/a', true, 0, 0)"))
    connection.execute(
        text(
            "INSERT INTO stompd_message (queue_id, urgency, message_id, timestamp_ms, expires_ms, delivery_count,"
            " is_persistent, destination, headers, body)"
            " VALUES (1, 5, 7, 1, 900, 2, true, '/queue/a', '{}', :body)"
        ),
        {"body": b"hello"},
    )
    store._dialect.disconnect(connection)

    recovered = store.open()

    (stored,) = store.load(QueueId(1), None, 10, 1000).messages
    assert (stored.message.body, stored.delivery_count, stored.due_ms) == (b"hello", 2, 0)
    assert list(store.load_due(QueueId(1), DueKey(0, 0), 1 << 60, 10, 1000).messages) == []
    assert recovered.next_expiry_ms == 900
    assert [(queue.name, queue.message_count) for queue in recovered.queues] == [("/queue/a", 1)]
    assert list(recovered.subscriptions) == []
    store.close()


def test_durable_subscriptions_of_an_older_database_belong_to_nobody_on_the_default_host(database_url: str) -> None:
    store = make_store(database_url)
    assert isinstance(store, SqlStore)
    connection = store._dialect.connect()
    config = revision._config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0003")
    connection.execute(text("INSERT INTO stompd_queue VALUES (1, '/dsub/c.n', true, 0, 0)"))
    connection.execute(text("INSERT INTO stompd_subscription VALUES (1, 'c', 'n', '/topic/t', '', false, true)"))
    store._dialect.disconnect(connection)

    (kept,) = store.open().subscriptions

    assert (kept.client_id, kept.name, kept.is_shared, kept.host, kept.owner) == ("c", "n", True, "", "")
    store.close()
