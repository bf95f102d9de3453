"""When a store upgrades its database, when it refuses, and what `stompd migrate` says."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from stompd.errors import StoreLocked, StoreUnusable
from stompd.store import sql
from stompd.store.factory import make_store
from stompd.store.migrate import migrate
from stompd.store.revision import REVISION_TABLE, head_revision
from stompd.store.sql import SqlStore


def store_on(url: str, *, upgrade: bool = True) -> SqlStore:
    store = make_store(url, upgrade=upgrade)
    assert isinstance(store, SqlStore)
    return store


def set_revision(url: str, revision: str) -> None:
    store = store_on(url)
    store.open()
    assert store._connection is not None
    store._connection.execute(text(f"UPDATE {REVISION_TABLE} SET version_num = '{revision}'"))
    store.close()


def test_open_creates_the_tables(database_url: str) -> None:
    store = store_on(database_url)

    recovered = store.open()

    assert list(recovered.queues) == []
    store.close()


def test_new_database_gets_its_tables_without_permission_to_upgrade(database_url: str) -> None:
    store = store_on(database_url, upgrade=False)

    recovered = store.open()

    assert list(recovered.queues) == []
    store.close()


@pytest.mark.parametrize("upgrade", [True, False])
def test_newer_database_is_refused_with_both_revisions_and_the_cure(database_url: str, upgrade: bool) -> None:
    set_revision(database_url, "7777")

    with pytest.raises(StoreUnusable, match=rf"7777.*newer.*{head_revision()}.*install"):
        store_on(database_url, upgrade=upgrade).open()


def test_refused_database_is_left_unlocked_and_unchanged(database_url: str) -> None:
    set_revision(database_url, "7777")

    for _ in range(2):
        with pytest.raises(StoreUnusable):
            store_on(database_url).open()


def test_older_database_is_refused_with_the_command_to_run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store_on(database_url).migrate()
    current = head_revision()
    monkeypatch.setattr(sql, "head_revision", lambda: "7777")

    with pytest.raises(StoreUnusable, match=rf"{current}.*7777.*stompd migrate"):
        store_on(database_url, upgrade=False).open()


def test_older_database_is_upgraded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store_on(database_url).migrate()
    current = head_revision()
    monkeypatch.setattr(sql, "head_revision", lambda: "7777")
    upgraded: list[bool] = []
    monkeypatch.setattr(sql, "upgrade", lambda connection: upgraded.append(True))

    done = migrate(database_url)
    store = store_on(database_url)
    store.open()

    assert upgraded == [True, True]
    assert done.startswith("Upgraded ")
    assert done.endswith(f"from revision {current} to 7777.")
    store.close()


def test_migrate_says_what_it_did(database_url: str) -> None:
    first = migrate(database_url)
    second = migrate(database_url)

    assert first.startswith(f"Created the tables of revision {head_revision()} in ")
    assert second.endswith(f" is up to date at revision {head_revision()}.")


def test_migrate_refuses_a_newer_database(database_url: str) -> None:
    set_revision(database_url, "7777")

    with pytest.raises(StoreUnusable, match="newer"):
        migrate(database_url)


def test_migrate_leaves_a_running_broker_alone(database_url: str) -> None:
    store = store_on(database_url)
    store.open()

    with pytest.raises(StoreLocked):
        migrate(database_url)

    store.close()


def test_failed_upgrade_leaves_nothing_behind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_after_the_upgrade(connection: sql.Connection) -> None:
        sql_upgrade(connection)
        connection.exec_driver_sql("CREATE TABLE stompd_queue (queue_id BIGINT)")

    sql_upgrade = sql.upgrade
    monkeypatch.setattr(sql, "upgrade", fail_after_the_upgrade)
    with pytest.raises(StoreUnusable):
        migrate(database_url)
    monkeypatch.undo()

    done = migrate(database_url)

    assert done.startswith("Created")


def test_memory_has_nothing_to_migrate() -> None:
    assert migrate("memory:") == "A store in memory has no schema to upgrade."
