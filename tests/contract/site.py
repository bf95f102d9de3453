"""The places where the contract tests keep messages, seen by brokers that come and go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

from stompd.interfaces import IMessageStore
from stompd.store.factory import make_store
from stompd.store.memory import MemoryStore
from stompd.store.sql import SqlStore


class Site(ABC):
    """A place where messages are kept."""

    @abstractmethod
    def store(self) -> IMessageStore:
        """Return a store that a new broker would make there, not yet opened."""

    @abstractmethod
    def crash(self, store: IMessageStore) -> None:
        """End a store as `kill -9` does."""


@final
class MemorySite(Site):
    """One object, since nothing else of it exists."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def store(self) -> IMessageStore:
        """Return the object."""
        return self._store

    def crash(self, store: IMessageStore) -> None:
        """Crash the object."""
        self._store.crash()


@final
class SqlSite(Site):
    """A database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stores: list[SqlStore] = []

    def store(self) -> IMessageStore:
        """Return a new store on the database."""
        store = make_store(self._url)
        assert isinstance(store, SqlStore)
        self._stores.append(store)
        return store

    def crash(self, store: IMessageStore) -> None:
        """Cut the store's connection, with which its lock goes, as at the end of a process."""
        assert isinstance(store, SqlStore)
        assert store._connection is not None
        store._dialect.disconnect(store._connection)
        self._stores.remove(store)

    def close(self) -> None:
        """Close what a test left open."""
        for store in self._stores:
            store.close()
