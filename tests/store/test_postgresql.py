"""What is particular to PostgreSQL: logins, settings, plans, and round trips."""

from __future__ import annotations

import re
import tempfile

import psycopg
import pytest

from stompd.broker.message import Message, QueueId
from stompd.broker.units import DeleteMessage, InsertMessage, Operation, PutQueue, ReturnMessage
from stompd.errors import StoreRefused, StoreUnusable
from stompd.store import postgresql, queries
from stompd.store.postgresql import PostgresqlDialect, PostgresqlStore
from tests.postgres import PostgresServer, create_database, drop_database
from tests.store.vocabulary import ORDERS, apply, at, ids, insert, raw_connection


def test_wrong_password_is_refused_without_repeating_it(own_postgresql_server: PostgresServer) -> None:
    url = own_postgresql_server.url().replace(own_postgresql_server.password, "geheim%40")

    with pytest.raises(StoreUnusable, match="password") as refusal:
        PostgresqlStore(url).open()

    assert "geheim" not in str(refusal.value)


def test_unknown_role_is_unusable(own_postgresql_server: PostgresServer) -> None:
    url = own_postgresql_server.url().replace(PostgresServer.USER, "nobody_knows")

    with pytest.raises(StoreUnusable, match="nobody_knows"):
        PostgresqlStore(url).open()


def test_unknown_database_is_unusable(postgresql_url: str) -> None:
    with pytest.raises(StoreUnusable, match="does not exist"):
        PostgresqlStore(postgresql_url + "x").open()


def test_role_without_rights_is_unusable(postgresql_url: str, admin: psycopg.Connection[tuple[object, ...]]) -> None:
    database = postgresql_url.rpartition("/")[2]
    role = f"{database}_reader"
    admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
    url = re.sub(r"//[^@]*@", f"//{role}:pw@", postgresql_url)

    with pytest.raises(StoreUnusable, match="permission denied"):
        PostgresqlStore(url).open()

    admin.execute(f"DROP ROLE {role}")


def test_database_in_another_encoding_is_unusable(postgresql_server: str) -> None:
    url = create_database(postgresql_server, encoding="LATIN1")

    with pytest.raises(StoreUnusable, match="UTF8"):
        PostgresqlStore(url).open()

    drop_database(postgresql_server, url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:geheim@host:port/db",
        "postgresql+asyncpg://user:geheim@host/db",
        "mysql://user:geheim@host/db",
    ],
)
def test_malformed_url_is_unusable_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreUnusable) as refusal:
        PostgresqlStore(url)

    assert "geheim" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_is_understood(postgresql_url: str, scheme: str) -> None:
    store = PostgresqlStore(postgresql_url.replace("postgresql", scheme, 1))

    store.open()

    assert "PostgreSQL database stompd_test_" in store.description
    store.close()


def test_commits_wait_for_the_disk_where_the_operator_turned_that_off(
    postgresql_url: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    database = postgresql_url.rpartition("/")[2]
    admin.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    store = PostgresqlStore(postgresql_url)

    store.open()

    assert raw_connection(store).execute("SHOW synchronous_commit").fetchone() == ("on",)
    store.close()


def test_stronger_commits_stay_as_the_operator_chose(
    postgresql_url: str, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    database = postgresql_url.rpartition("/")[2]
    admin.execute(f"ALTER DATABASE {database} SET synchronous_commit = remote_apply")
    store = PostgresqlStore(postgresql_url)

    store.open()

    assert raw_connection(store).execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)
    store.close()


def test_settings_in_the_url_win(postgresql_url: str) -> None:
    store = PostgresqlStore(postgresql_url + "?application_name=orders")

    store.open()

    assert raw_connection(store).execute("SHOW application_name").fetchone() == ("orders",)
    store.close()


def test_refusal_by_the_database_quotes_no_row(postgresql_store: PostgresqlStore) -> None:
    with pytest.raises(StoreRefused) as refusal:
        apply(postgresql_store, insert(1), PutQueue(QueueId(8), "/queue/orders"))

    assert "DETAIL" not in str(refusal.value)


def test_text_that_is_not_unicode_is_refused(postgresql_store: PostgresqlStore) -> None:
    with pytest.raises(StoreRefused):
        apply(postgresql_store, InsertMessage(ORDERS, Message("\ud800", {}, b"", message_id=1)))

    apply(postgresql_store, insert(1))
    assert ids(postgresql_store) == [1]


def test_bodies_are_stored_uncompressed(postgresql_store: PostgresqlStore) -> None:
    apply(postgresql_store, insert(1, b"x" * 100_000))

    row = raw_connection(postgresql_store).execute("SELECT pg_column_size(body) FROM stompd_message").fetchone()

    assert row == (100_000,)


def _sent(store: PostgresqlStore, *operations: Operation) -> list[str]:
    """Return the protocol's messages by which the operations reach the server."""
    connection = raw_connection(store)
    with tempfile.TemporaryFile("w+") as trace:
        connection.pgconn.trace(trace.fileno())
        apply(store, *operations)
        connection.pgconn.untrace()
        trace.seek(0)
        return [line.split("\t")[3].strip() for line in trace if "\tF\t" in line]


def test_inserts_and_deletions_are_one_statement(postgresql_store: PostgresqlStore) -> None:
    apply(postgresql_store, *(insert(number) for number in range(1000)))
    apply(postgresql_store, insert(1000), insert(1001), DeleteMessage(ORDERS, at(999)))  # prepares the statement
    operations = [insert(number) for number in range(1002, 2000)]
    operations += [DeleteMessage(ORDERS, at(number)) for number in range(999)]

    sent = _sent(postgresql_store, *operations)

    assert (sent.count("Bind"), sent.count("Sync")) == (1, 1)
    assert ids(postgresql_store) == list(range(1000, 2000))


def test_large_bodies_are_a_statement_each(postgresql_store: PostgresqlStore) -> None:
    sent = _sent(postgresql_store, *(insert(number, b"x" * 700_000) for number in (1, 2, 3)))

    assert (sent.count("Bind"), sent.count("Sync")) == (5, 1)  # with BEGIN and COMMIT
    assert ids(postgresql_store) == [1, 2, 3]


def test_batch_of_every_kind_takes_one_round_trip(postgresql_store: PostgresqlStore) -> None:
    apply(postgresql_store, *(insert(number) for number in range(1000)))
    operations = [insert(number) for number in range(1000, 2000)]
    operations += [ReturnMessage(ORDERS, at(number), 1) for number in range(500, 1000)]
    operations += [DeleteMessage(ORDERS, at(number)) for number in range(500)]

    sent = _sent(postgresql_store, *operations)

    assert sent.count("Sync") == 1
    assert sent.count("Bind") == 5  # BEGIN, INSERT, UPDATE, DELETE, COMMIT


def test_message_inserted_and_deleted_in_one_batch_is_gone(postgresql_store: PostgresqlStore) -> None:
    apply(postgresql_store, insert(1))

    apply(postgresql_store, insert(2), insert(3), DeleteMessage(ORDERS, at(1)), DeleteMessage(ORDERS, at(2)))

    assert ids(postgresql_store) == [3]


def test_batch_that_was_applied_in_part_is_completed(postgresql_store: PostgresqlStore) -> None:
    apply(postgresql_store, insert(1), insert(2))

    apply(postgresql_store, insert(2), insert(3), DeleteMessage(ORDERS, at(1)))

    assert ids(postgresql_store) == [2, 3]


@pytest.mark.parametrize("statement", ["PAGE", "_DELETE", "_DELETE_IN_LANE", "_RETURN"])
@pytest.mark.parametrize("is_known_to_be_empty", [False, True])
def test_plans_go_through_the_primary_key(
    postgresql_store: PostgresqlStore, statement: str, is_known_to_be_empty: bool
) -> None:
    plan = _plan(postgresql_store, statement, is_known_to_be_empty)

    assert re.search(r"Index Scan using stompd_message_pkey.*\n.*Index Cond: .*queue_id.*urgency.*message_id", plan)
    assert "Seq Scan" not in plan
    assert "Join Filter" not in plan
    assert "Sort" not in plan.replace("Sort Key", "")


@pytest.mark.parametrize(
    ("statement", "index"), [("DUE_PAGE", "stompd_message_due"), ("EXPIRED", "stompd_message_expires")]
)
@pytest.mark.parametrize("is_known_to_be_empty", [False, True])
def test_what_time_brings_is_found_by_its_index(
    postgresql_store: PostgresqlStore, statement: str, index: str, is_known_to_be_empty: bool
) -> None:
    plan = _plan(postgresql_store, statement, is_known_to_be_empty)

    assert re.search(rf"Index Scan using {index}.*\n.*Index Cond: .*ROW", plan)
    assert "Seq Scan" not in plan
    assert "Sort" not in plan.replace("Sort Key", "")


def _plan(store: PostgresqlStore, statement: str, is_known_to_be_empty: bool) -> str:
    if is_known_to_be_empty:
        raw_connection(store).execute("VACUUM ANALYZE stompd_message")
    text = getattr(postgresql if statement.startswith("_") else queries, statement)
    for number in range(1, text.count("%b") + 1):
        text = text.replace("%b", f"${number}", 1)
    connection = raw_connection(store)
    connection.execute(f"PREPARE planned AS {text}".encode(), prepare=False)
    arguments = ", ".join(["NULL"] * text.count("$"))

    rows = connection.execute(f"EXPLAIN EXECUTE planned ({arguments})".encode())
    return "\n".join(str(line) for (line,) in rows)


def test_connection_settings_notice_a_vanished_server(postgresql_url: str) -> None:
    dialect = PostgresqlDialect(postgresql_url)

    connection = dialect.connect()

    parameters = postgresql._raw(connection).info.get_parameters()
    assert (parameters["connect_timeout"], parameters["tcp_user_timeout"]) == ("5", "20000")
    dialect.disconnect(connection)
