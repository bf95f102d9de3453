"""The migrations, run from nothing, make what `stompd.store.schema` says; on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from stompd.store.factory import make_store
from stompd.store.revision import REVISION_TABLE, current_revision, head_revision, upgrade
from stompd.store.schema import METADATA
from stompd.store.sql import SqlStore

# What PostgreSQL and SQLite say of every table, column, index, constraint and view. All statements name their columns,
# so the order does not count: PostgreSQL appends a new one, SQLite has to keep the body last.
_CATALOG = {
    "postgresql": """
        SELECT 'column', table_name || '.' || column_name,
               data_type || ' ' || is_nullable || coalesce(column_default, '')
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'storage', attrelid::regclass || '.' || attname, attstorage::text
        FROM pg_attribute WHERE attrelid::regclass::text LIKE 'stompd%' AND attnum > 0
        UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
    """,
    "sqlite": "SELECT type, name, sql FROM sqlite_master",
}


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to an empty database, in a transaction that is rolled back."""
    store = make_store(database_url)
    assert isinstance(store, SqlStore)
    connection = store._dialect.connect()
    connection.exec_driver_sql(store._dialect.begin)
    yield connection
    connection.exec_driver_sql("ROLLBACK")
    store._dialect.disconnect(connection)


def catalog(connection: Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute(text(_CATALOG[connection.dialect.name]))
    found = {(kind, name, "".join((definition or "").split())) for kind, name, definition in rows}
    return {row for row in found if REVISION_TABLE not in row[1]}


def test_migrations_from_nothing_make_the_schema(connection: Connection) -> None:
    connection.exec_driver_sql("SAVEPOINT before")
    METADATA.create_all(connection)
    expected = catalog(connection)
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT before")

    upgrade(connection)

    assert catalog(connection) == expected
    assert {name for kind, name, _ in expected if kind == "view"} == {
        "stompd_messages",
        "stompd_queues",
        "stompd_subscriptions",
    }


def test_a_new_migration_would_be_empty(connection: Connection) -> None:
    upgrade(connection)

    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE, "compare_type": True})

    assert compare_metadata(context, METADATA) == []


def test_upgrade_from_nothing_arrives_at_the_head(connection: Connection) -> None:
    assert current_revision(connection) is None

    upgrade(connection)

    assert current_revision(connection) == head_revision()


def test_upgrading_again_changes_nothing(connection: Connection) -> None:
    upgrade(connection)
    before = catalog(connection)

    upgrade(connection)

    assert catalog(connection) == before


def test_everything_bears_the_prefix(connection: Connection) -> None:
    upgrade(connection)

    names = {name for _, name, _ in catalog(connection)}

    assert {name for name in names if not name.startswith(("stompd_", "sqlite_autoindex_stompd_"))} == set()
