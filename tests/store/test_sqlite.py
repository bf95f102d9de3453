"""What is particular to SQLite: the file, its lock, and one step for a statement of many rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from stompd.broker.units import DeleteMessage
from stompd.errors import StoreUnavailable, StoreUnusable
from stompd.store import sqlite
from stompd.store.sqlite import SqliteStore
from tests.store.vocabulary import ORDERS, PUT_ORDERS, apply, at, ids, insert


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SqliteStore]:
    """An open store with one empty queue."""
    store = SqliteStore(sqlite_url)
    store.open()
    apply(store, PUT_ORDERS)
    yield store
    store.close()


def raw(store: SqliteStore) -> sqlite3.Connection:
    assert store._connection is not None
    return sqlite._raw(store._connection)


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:///file?mode=ro", "sqlite://host/file", "sqlite", "sqlite+aio:///f"],
)
def test_url_that_names_no_file_is_unusable(url: str) -> None:
    with pytest.raises(StoreUnusable, match="store URL"):
        SqliteStore(url)


def test_database_in_memory_is_answered_with_the_store_in_memory() -> None:
    with pytest.raises(StoreUnusable, match="memory:"):
        SqliteStore("sqlite://")


def test_relative_path_is_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("sqlite:///stompd.sqlite3")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    store.open()

    assert (tmp_path / "stompd.sqlite3").exists()
    assert store.description == f"SQLite file {tmp_path / 'stompd.sqlite3'}"
    store.close()


def test_missing_directory_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"directory .* does not exist"):
        SqliteStore(f"sqlite:///{tmp_path}/missing/stompd.sqlite3").open()


def test_file_of_another_kind_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear reader, " * 1000)

    with pytest.raises(StoreUnusable, match="not a database"):
        SqliteStore(f"sqlite:///{tmp_path}/letter").open()


def test_directory_in_place_of_the_file_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable):
        SqliteStore(f"sqlite:///{tmp_path}").open()


def test_lock_file_that_cannot_be_made_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "stompd.sqlite3-lock").mkdir()

    with pytest.raises(StoreUnusable, match=r"stompd\.sqlite3-lock"):
        SqliteStore(f"sqlite:///{tmp_path}/stompd.sqlite3").open()


def test_file_in_another_encoding_is_unusable(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.sqlite3")
    other.execute("PRAGMA encoding = 'UTF-16'")
    other.execute("CREATE TABLE t (c)")
    other.close()

    with pytest.raises(StoreUnusable, match="UTF-8"):
        SqliteStore(f"sqlite:///{tmp_path}/other.sqlite3").open()


def test_file_system_without_shared_memory_is_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(f"sqlite:///{tmp_path}/stompd.sqlite3")
    # SQLite's `unix-none` stands for such a file system.
    odd = f"file:{tmp_path}/stompd.sqlite3?vfs=unix-none"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(odd, uri=True), poolclass=NullPool)
    monkeypatch.setattr(store._dialect, "_engine", engine)

    with pytest.raises(StoreUnusable, match="shared memory"):
        store.open()


def test_link_to_a_file_shares_its_lock(tmp_path: Path, store: SqliteStore) -> None:
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "stompd.sqlite3")

    assert SqliteStore(f"sqlite:///{link}")._dialect.lock(store._connection) is False  # type: ignore[arg-type]


def test_commits_wait_for_the_disk(store: SqliteStore) -> None:
    settings = [raw(store).execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert settings == ["wal", 2]  # 2 is FULL


def test_file_that_somebody_else_writes_is_unavailable_for_the_moment(tmp_path: Path, store: SqliteStore) -> None:
    raw(store).execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "stompd.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        apply(store, insert(1))

    other.execute("ROLLBACK")
    other.close()
    apply(store, insert(1))
    assert ids(store) == [1]


def test_full_disk_is_unavailable_and_leaves_nothing(store: SqliteStore) -> None:
    (pages,) = raw(store).execute("PRAGMA page_count").fetchone()
    raw(store).execute(f"PRAGMA max_page_count = {pages + 10}")

    with pytest.raises(StoreUnavailable, match="full"):
        apply(store, insert(1), insert(2, bytes(1_000_000)), DeleteMessage(ORDERS, at(3)))

    assert ids(store) == []
    apply(store, insert(1))
    assert ids(store) == [1]


def test_connection_that_cannot_roll_back_is_replaced(store: SqliteStore) -> None:
    apply(store, insert(1))
    raw(store).execute("BEGIN")  # stands for a rollback that failed

    with pytest.raises(StoreUnavailable):
        apply(store, insert(2), DeleteMessage(ORDERS, at(1)))

    apply(store, insert(2), DeleteMessage(ORDERS, at(1)))
    assert ids(store) == [2]


def test_large_batch_takes_few_statements(store: SqliteStore) -> None:
    apply(store, *(insert(number) for number in range(1000)))
    operations = [insert(number) for number in range(1000, 2000)]
    operations += [DeleteMessage(ORDERS, at(number)) for number in range(1000)]
    executed: list[str] = []
    raw(store).set_trace_callback(executed.append)

    apply(store, *operations)

    assert len(executed) == 7  # BEGIN, four times 250 rows, DELETE, COMMIT


def test_page_takes_two_statements(store: SqliteStore) -> None:
    apply(store, *(insert(number) for number in range(1, 1000)))
    executed: list[str] = []
    raw(store).set_trace_callback(executed.append)

    found = ids(store)

    assert len(found) == 999
    assert len(executed) == 2


@pytest.mark.parametrize(
    "text",
    [
        sqlite._LENGTHS + sqlite._AHEAD,
        sqlite._PAGE + sqlite._AHEAD,
        sqlite._DELETE,
        sqlite._RETURN,
        sqlite._DROP_MESSAGES,
    ],
)
def test_plans_go_through_the_primary_key(store: SqliteStore, text: str) -> None:
    parameters = ["[]"] if "json_each(?)" in text else [1] * text.count("?")

    plan = [row[3] for row in raw(store).execute("EXPLAIN QUERY PLAN " + text, parameters)]

    assert any(
        "USING INDEX sqlite_autoindex_stompd_message_1" in step or "USING COVERING INDEX" in step for step in plan
    )
    assert not any(step.startswith("SCAN") and "stompd_message" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        (sqlite._LENGTHS + sqlite._DUE_AHEAD, "stompd_message_due"),
        (sqlite._PAGE + sqlite._DUE_AHEAD, "stompd_message_due"),
        (sqlite._EXPIRED, "stompd_message_expires"),
    ],
)
def test_what_time_brings_is_found_by_its_index(store: SqliteStore, text: str, index: str) -> None:
    plan = [row[3] for row in raw(store).execute("EXPLAIN QUERY PLAN " + text, [1] * text.count("?"))]

    assert any(f"USING INDEX {index}" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)


@pytest.mark.parametrize(("length", "is_shared"), [(10, True), (2_000, False)])
def test_only_short_headers_are_kept_for_messages_that_have_the_same(
    store: SqliteStore, length: int, is_shared: bool
) -> None:
    headers = {"note": "x" * length}
    apply(store, insert(1, headers=headers), insert(2, headers=headers))

    first, second = (stored.message.headers for stored in store.load(ORDERS, None, 10, 1 << 20).messages)

    assert first == second == headers
    assert (first is second) is is_shared
