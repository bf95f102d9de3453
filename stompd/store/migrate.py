"""What `stompd migrate` does: bring a database's schema up to date while no broker runs."""

from __future__ import annotations

from stompd.store.factory import make_store
from stompd.store.sql import SqlStore


def migrate(url: str) -> str:
    """Bring the schema of a store up to date, and return a sentence that says what was done.

    Raises:
        StoreLocked: A broker is running on it.
        StoreUnavailable: It cannot be reached now.
        StoreUnusable: It never will be, or its schema is newer than this program.
    """
    store = make_store(url)
    if not isinstance(store, SqlStore):
        return "A store in memory has no schema to upgrade."
    return store.migrate()
