"""An open PostgreSQL store, and another session in its database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from stompd.store.postgresql import PostgresqlStore
from tests.store.vocabulary import PUT_ORDERS, apply


@pytest.fixture
def postgresql_store(postgresql_url: str) -> Iterator[PostgresqlStore]:
    """An open store with one empty queue."""
    store = PostgresqlStore(postgresql_url)
    store.open()
    apply(store, PUT_ORDERS)
    yield store
    store.close()


@pytest.fixture
def admin(postgresql_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Another session in the same database."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection
