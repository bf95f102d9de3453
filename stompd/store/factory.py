"""Makes a store from its URL; the drop-in gives these factories to `twisted.plugin`."""

from __future__ import annotations

from zope.interface import implementer

from stompd.errors import StoreUnusable
from stompd.interfaces import IMessageStore, IStoreFactory
from stompd.store.memory import MemoryStore
from stompd.store.sqlite import SqliteStore


def make_store(url: str, *, upgrade: bool = True) -> IMessageStore:
    """Return a store for a URL of one of the schemes below, not yet opened.

    Args:
        url: `memory:`, `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        upgrade: Whether `open` brings an older schema up to date; otherwise it refuses and names the command.

    Raises:
        StoreUnusable: The URL is malformed, or a package it needs is not installed.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    if url == "memory:":
        return MemoryStore()
    if scheme == "sqlite":
        return SqliteStore(url, upgrade=upgrade)
    if scheme in ("postgresql", "postgres"):
        return _postgresql_store(url, upgrade=upgrade)
    raise StoreUnusable("the store URL must begin with sqlite:///, postgresql:// or memory:")


@implementer(IStoreFactory)
class MemoryStoreFactory:
    """Makes stores for `memory:`."""

    scheme = "memory"

    def make_store(self, url: str, *, upgrade: bool) -> IMessageStore:
        """Return a store for the URL; see `make_store`."""
        return make_store(url, upgrade=upgrade)


@implementer(IStoreFactory)
class SqliteStoreFactory:
    """Makes stores for `sqlite:///FILE`."""

    scheme = "sqlite"

    def make_store(self, url: str, *, upgrade: bool) -> IMessageStore:
        """Return a store for the URL; see `make_store`."""
        return make_store(url, upgrade=upgrade)


@implementer(IStoreFactory)
class PostgresqlStoreFactory:
    """Makes stores for `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`."""

    scheme = "postgresql"

    def make_store(self, url: str, *, upgrade: bool) -> IMessageStore:
        """Return a store for the URL; see `make_store`."""
        return make_store(url, upgrade=upgrade)


def _postgresql_store(url: str, *, upgrade: bool) -> IMessageStore:
    try:
        # Here and not above: psycopg is an extra, and who uses SQLite need not install it.
        from stompd.store.postgresql import PostgresqlStore
    except ImportError as error:
        raise StoreUnusable("PostgreSQL needs the package psycopg: pip install 'stompd[postgresql]'") from error
    return PostgresqlStore(url, upgrade=upgrade)
