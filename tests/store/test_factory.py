"""Stores from URLs."""

from __future__ import annotations

import sys

import pytest
from zope.interface.verify import verifyObject

from stompd.errors import StoreUnusable
from stompd.interfaces import IStoreFactory
from stompd.store.factory import MemoryStoreFactory, PostgresqlStoreFactory, SqliteStoreFactory, make_store
from stompd.store.memory import MemoryStore
from stompd.store.postgresql import PostgresqlStore
from stompd.store.sqlite import SqliteStore

FACTORIES = {
    "memory:": (MemoryStoreFactory(), MemoryStore),
    "sqlite:///stompd.sqlite3": (SqliteStoreFactory(), SqliteStore),
    "postgresql://user@host/db": (PostgresqlStoreFactory(), PostgresqlStore),
}


@pytest.mark.parametrize("url", FACTORIES)
def test_factory_provides_its_interface(url: str) -> None:
    factory, _ = FACTORIES[url]

    assert verifyObject(IStoreFactory, factory)
    assert url.startswith(factory.scheme + ":")


@pytest.mark.parametrize("url", FACTORIES)
def test_factory_makes_the_store_of_its_scheme(url: str) -> None:
    factory, expected = FACTORIES[url]

    assert type(factory.make_store(url, upgrade=True)) is expected


@pytest.mark.parametrize("url", ["", "oracle://user:geheim@host", "stompd.sqlite3", "memory:x", "memory"])
def test_unknown_scheme_is_unusable_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreUnusable, match="sqlite:///, postgresql:// or memory:") as refusal:
        make_store(url)

    assert "geheim" not in str(refusal.value)


def test_postgresql_without_its_driver_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "stompd.store.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreUnusable, match=r"stompd\[postgresql\]"):
        make_store("postgresql://user@host/db")
