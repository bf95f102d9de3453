"""The users in the database: who may log in with which hash. Beside the messages, and without the broker's lock."""

from __future__ import annotations

from typing import final

from sqlalchemy import select

from stompd.errors import StoreUnusable
from stompd.store.factory import make_store
from stompd.store.schema import USER
from stompd.store.sql import SqlStore


@final
class UserTable:
    """Reads and changes the users in a database, also while a broker runs on it.

    Blocking; each call connects anew, since there are few. All raise `StoreUnavailable` when the database cannot be
    reached now, and `StoreUnusable` when it never will be.
    """

    def __init__(self, url: str) -> None:
        """Describe the table in the database of a store's URL.

        Raises:
            StoreUnusable: The URL is malformed, or the store keeps nothing.
        """
        store = make_store(url)
        if not isinstance(store, SqlStore):
            raise StoreUnusable("a store in memory keeps no users; use a file of users, or another store")
        self._store = store
        self.description = store.description

    def prepare(self) -> None:
        """Make sure that the table is there.

        Raises:
            StoreLocked: It is not, and a broker holds the store.
        """
        self._store.migrate_if_needed()

    def find(self, name: str) -> str | None:
        """Return the hash of a user's passcode; None when there is no such user."""
        with self._store.beside() as connection:
            found: str | None = connection.scalar(select(USER.c.passcode_hash).where(USER.c.name == name))
        return found

    def names(self) -> list[str]:
        """Return all users."""
        with self._store.beside() as connection:
            return list(connection.scalars(select(USER.c.name).order_by(USER.c.name)))

    def add(self, name: str, passcode_hash: str) -> bool:
        """Add a user, and return whether there was none of this name."""
        # Looked up first: what a database says of a duplicate differs, and two administrators at once are rare.
        if self.find(name) is not None:
            return False
        with self._store.beside() as connection:
            connection.execute(USER.insert().values(name=name, passcode_hash=passcode_hash))
        return True

    def change(self, name: str, passcode_hash: str) -> bool:
        """Give a user another passcode, and return whether there is such a user."""
        with self._store.beside() as connection:
            changed = connection.execute(USER.update().where(USER.c.name == name).values(passcode_hash=passcode_hash))
            return changed.rowcount > 0

    def remove(self, name: str) -> bool:
        """Remove a user, and return whether there was one."""
        with self._store.beside() as connection:
            return connection.execute(USER.delete().where(USER.c.name == name)).rowcount > 0
