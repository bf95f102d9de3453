"""Sessions and servers that go away, and brokers that take over."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Connection

from stompd.broker.units import DeleteMessage, InsertMessage, Recovered
from stompd.errors import StoreLocked, StoreLost, StoreUnavailable
from stompd.store import postgresql
from stompd.store.postgresql import PostgresqlStore
from stompd.store.schema import QUEUE
from tests.postgres import PostgresServer
from tests.store.vocabulary import ORDERS, PUT_ORDERS, apply, at, ids, insert, raw_connection


def end_session(admin: psycopg.Connection[tuple[object, ...]], store: PostgresqlStore) -> None:
    # With a timeout the server answers when the session has ended, and with it its lock.
    admin.execute("SELECT pg_terminate_backend(%s, 10000)", (raw_connection(store).info.backend_pid,))


def applied_in_the_end(store: PostgresqlStore, *operations: InsertMessage) -> None:
    """Apply as the journal does: again, when the store was unavailable."""
    try:
        apply(store, *operations)
    except StoreUnavailable:
        apply(store, *operations)


def test_lost_session_is_replaced(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    apply(postgresql_store, insert(1))
    end_session(admin, postgresql_store)

    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(2))

    apply(postgresql_store, insert(2))
    assert ids(postgresql_store) == [1, 2]


def test_session_lost_before_a_load_is_replaced(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    apply(postgresql_store, insert(1))
    end_session(admin, postgresql_store)

    with pytest.raises(StoreUnavailable):
        ids(postgresql_store)

    assert ids(postgresql_store) == [1]


def test_session_lost_before_a_pipeline_is_replaced(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    apply(postgresql_store, insert(1))
    end_session(admin, postgresql_store)

    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(2), DeleteMessage(ORDERS, at(1)))

    apply(postgresql_store, insert(2), DeleteMessage(ORDERS, at(1)))
    assert ids(postgresql_store) == [2]


def test_new_session_holds_the_lock(
    postgresql_url: str, postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    end_session(admin, postgresql_store)
    applied_in_the_end(postgresql_store, insert(1))

    with pytest.raises(StoreLocked):
        PostgresqlStore(postgresql_url).open()


def test_close_of_a_lost_session_is_harmless(
    postgresql_url: str, postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    apply(postgresql_store, insert(1))
    end_session(admin, postgresql_store)

    postgresql_store.close()

    successor = PostgresqlStore(postgresql_url)
    successor.open()
    assert ids(successor) == [1]
    successor.close()


def test_store_taken_over_meanwhile_is_lost(
    postgresql_url: str, postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    end_session(admin, postgresql_store)
    successor = PostgresqlStore(postgresql_url)
    successor.open()
    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(1))

    with pytest.raises(StoreLost):
        apply(postgresql_store, insert(1))

    with pytest.raises(StoreLost):
        ids(postgresql_store)
    assert ids(successor) == []
    successor.close()


def test_store_taken_over_and_closed_again_is_lost(
    postgresql_url: str, postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    end_session(admin, postgresql_store)
    successor = PostgresqlStore(postgresql_url)
    successor.open()
    successor.close()
    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(1))

    with pytest.raises(StoreLost):
        apply(postgresql_store, insert(1))


def test_store_waits_while_its_own_lost_session_holds_the_lock(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    end_session(admin, postgresql_store)
    admin.execute(postgresql._LOCK)  # as the server does until it notices that the network broke
    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(1))

    with pytest.raises(StoreUnavailable, match="still holds the lock"):
        apply(postgresql_store, insert(1))

    admin.execute("SELECT pg_advisory_unlock_all()")
    apply(postgresql_store, insert(1))
    assert ids(postgresql_store) == [1]


def test_stopped_server_is_unavailable_and_works_on_when_restarted(own_postgresql_server: PostgresServer) -> None:
    store = PostgresqlStore(own_postgresql_server.url())
    store.open()
    apply(store, PUT_ORDERS, insert(1))
    own_postgresql_server.stop()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            apply(store, insert(2))

    own_postgresql_server.start()

    apply(store, insert(2))
    assert ids(store) == [1, 2]


def test_what_was_applied_outlives_a_killed_server(own_postgresql_server: PostgresServer) -> None:
    store = PostgresqlStore(own_postgresql_server.url())
    store.open()
    apply(store, PUT_ORDERS, insert(1))
    own_postgresql_server.kill()

    own_postgresql_server.start()

    with pytest.raises(StoreUnavailable):
        ids(store)
    assert ids(store) == [1]


def test_server_that_is_down_is_unavailable_at_open(own_postgresql_server: PostgresServer) -> None:
    own_postgresql_server.stop()
    store = PostgresqlStore(own_postgresql_server.url())

    with pytest.raises(StoreUnavailable, match="refused"):
        store.open()

    own_postgresql_server.start()
    assert store.open().highest_id == 0


def test_server_with_too_many_connections_is_unavailable(own_postgresql_server: PostgresServer) -> None:
    own_postgresql_server.override("max_connections", "4")
    own_postgresql_server.override("superuser_reserved_connections", "0")
    own_postgresql_server.restart()
    others = [psycopg.connect(own_postgresql_server.url()) for _ in range(4)]

    with pytest.raises(StoreUnavailable, match="too many"):
        PostgresqlStore(own_postgresql_server.url()).open()

    for other in others:
        other.close()


def test_conflict_with_another_session_is_unavailable(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    raw_connection(postgresql_store).execute("SET lock_timeout = '50ms'")
    with admin.transaction():
        admin.execute("LOCK TABLE stompd_message")

        with pytest.raises(StoreUnavailable, match="lock timeout"):
            apply(postgresql_store, insert(1), DeleteMessage(ORDERS, at(2)))

    apply(postgresql_store, insert(1))
    assert ids(postgresql_store) == [1]


def test_session_lost_while_opening_is_unavailable(
    postgresql_url: str, admin: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresqlStore(postgresql_url)

    def lose_the_session(connection: Connection) -> Recovered:
        process = postgresql._raw(connection).info.backend_pid
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", (process,))
        connection.execute(QUEUE.select())
        raise AssertionError("the session is still there")

    monkeypatch.setattr(store, "_survey", lose_the_session)
    with pytest.raises(StoreUnavailable):
        store.open()
    monkeypatch.undo()

    assert store.open().highest_id == 0
    store.close()


def test_table_that_vanished_is_unavailable_and_refuses_no_message(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    admin.execute("ALTER TABLE stompd_message RENAME TO away")

    with pytest.raises(StoreUnavailable):
        apply(postgresql_store, insert(1))

    admin.execute("ALTER TABLE away RENAME TO stompd_message")
    apply(postgresql_store, insert(1))
    assert ids(postgresql_store) == [1]
