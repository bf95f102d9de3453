"""Prepared statements: what keeps other threads running, and what outlives an error."""

from __future__ import annotations

import threading

import psycopg
import pytest

from stompd.store.arrays import Bigints
from stompd.store.dialect import Statement
from stompd.store.postgresql import PostgresqlStore
from stompd.store.prepared import PreparedStatements
from tests.store.vocabulary import apply, ids, insert, raw_connection

_IS_WAITING = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"


@pytest.fixture
def prepared(admin: psycopg.Connection[tuple[object, ...]]) -> PreparedStatements:
    admin.execute("CREATE TEMPORARY TABLE kept (number bigint PRIMARY KEY, name text)")
    return PreparedStatements(admin)


def test_other_threads_run_while_the_server_works(
    postgresql_store: PostgresqlStore, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    process = raw_connection(postgresql_store).info.backend_pid
    writer = threading.Thread(target=apply, args=(postgresql_store, insert(1)))

    with admin.transaction():
        admin.execute("LOCK TABLE stompd_message")
        writer.start()
        # If the writer kept the interpreter lock meanwhile, nobody could ask, and nobody unlock the table.
        while admin.execute(_IS_WAITING, (process,)).fetchone() is None:
            pass
    writer.join()

    assert ids(postgresql_store) == [1]


def test_error_is_that_of_the_server(prepared: PreparedStatements) -> None:
    one = Statement("INSERT INTO kept SELECT %b::bigint, %b::text", [1, "größer"])
    prepared.execute([one])

    with pytest.raises(psycopg.errors.UniqueViolation) as failure:
        prepared.execute([one])

    assert failure.value.sqlstate == "23505"


def test_statement_can_be_executed_after_it_has_failed(
    prepared: PreparedStatements, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    wrong = Statement("INSERT INTO missing SELECT unnest(%b::bigint[])", [Bigints([1])])
    right = Statement("INSERT INTO kept SELECT unnest(%b::bigint[])", [Bigints([1, 2])])

    with pytest.raises(psycopg.errors.UndefinedTable):
        prepared.execute([wrong])
    prepared.execute([right])

    assert admin.execute("SELECT count(*) FROM kept").fetchone() == (2,)


def test_lost_connection_is_an_error_of_operation(
    prepared: PreparedStatements, admin: psycopg.Connection[tuple[object, ...]], postgresql_url: str
) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", (admin.info.backend_pid,))

    with pytest.raises(psycopg.OperationalError):
        prepared.execute([Statement("DELETE FROM kept WHERE number = %b::bigint", [1])])


def test_statement_is_prepared_anew_when_others_were_rolled_back(prepared: PreparedStatements) -> None:
    alone = Statement("SELECT %b::bigint", (1,))
    wrong = Statement("SELECT 1 / %b::bigint", (0,))
    prepared.execute([alone])
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            prepared.execute([Statement("SELECT 1", ()), wrong])

        prepared.execute([alone])

    prepared.execute([Statement("SELECT %b::bigint + 1", (1,))])
