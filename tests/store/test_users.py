"""The users in the database, on both databases, beside a store that is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from stompd.errors import StoreUnavailable, StoreUnusable
from stompd.store.factory import make_store
from stompd.store.users import UserTable


@pytest.fixture
def table(database_url: str) -> UserTable:
    """A table in a database that was made for it."""
    table = UserTable(database_url)
    table.prepare()
    return table


def test_users_are_added_found_changed_and_removed(table: UserTable) -> None:
    assert table.find("zoë") is None
    assert table.add("zoë", "one")
    assert table.add("ann", "two")
    assert not table.add("ann", "three")

    assert table.change("ann", "four")
    assert (table.find("zoë"), table.find("ann")) == ("one", "four")
    assert table.names() == ["ann", "zoë"]

    assert table.remove("ann")
    assert table.names() == ["zoë"]
    assert not table.remove("ann")
    assert not table.change("ann", "five")


def test_users_can_be_changed_while_a_broker_has_the_store(table: UserTable, database_url: str) -> None:
    store = make_store(database_url)
    store.open()

    table.prepare()
    added = table.add("ann", "hash")
    store.close()

    assert added
    assert table.find("ann") == "hash"


def test_database_without_the_table_is_unusable(database_url: str) -> None:
    with pytest.raises(StoreUnusable):
        UserTable(database_url).find("ann")


def test_store_in_memory_keeps_no_users() -> None:
    with pytest.raises(StoreUnusable, match="keeps no users"):
        UserTable("memory:")


def test_database_that_is_not_there_is_unavailable_or_unusable(tmp_path: Path) -> None:
    with pytest.raises((StoreUnavailable, StoreUnusable)):
        UserTable(f"sqlite:///{tmp_path}/none/x.sqlite3").names()
