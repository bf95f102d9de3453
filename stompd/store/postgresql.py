"""The store in a PostgreSQL database: set-based statements on the raw psycopg connection, an advisory lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import psycopg
from psycopg import pq
from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, ExpiryKey, LastValue
from stompd.errors import StoreError, StoreRefused, StoreUnavailable, StoreUnusable
from stompd.store.arrays import Bigints, Booleans, Byteas, Column, Integers, Smallints, Texts, register
from stompd.store.batch import Batch, Key, Rows, subscription_rows
from stompd.store.dialect import Dialect, MessageRow, Statement
from stompd.store.prepared import PreparedStatements
from stompd.store.queries import DUE_PAGE, EXPIRED, LAST_VALUES, MEASURE, PAGE
from stompd.store.sql import SqlStore

#: libpq's settings, unless the URL has its own: a server that vanished is noticed within half a minute.
_CONNECTION_DEFAULTS = {
    "application_name": "stompd",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}

# `off` would confirm what a crash can lose. The other values all wait for our own disk, and an operator who wants to
# wait for a standby too has chosen one of them; so only `off` is overruled.
_COMMIT_ON_DISK = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""

# A queue is empty at one moment and holds a million rows at the next, so statistics mislead the planner: it may settle
# for reading the whole table. Every statement here has one right plan, which goes through the primary key.
_PLANS = """
    SELECT set_config('enable_' || node, 'off', false)
    FROM unnest(ARRAY['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin', 'sort']) AS node
    UNION ALL SELECT set_config('plan_cache_mode', 'force_generic_plan', false)
    UNION ALL SELECT set_config('jit', 'off', false)
"""

# Advisory locks belong to one database; within it, each schema (search_path) may have its own broker.
_LOCK = "SELECT pg_try_advisory_lock(1398034253, hashtext(current_schema()))"

# Where an insert says what to do about rows that are there already. Looking for them costs the server half as much
# again, and there are none unless a batch is applied twice.
_ALL_NEW = "/* all of them are new */"
_SOME_THERE = "ON CONFLICT DO NOTHING"

_INSERT = f"""
    INSERT INTO stompd_message (queue_id, urgency, message_id, timestamp_ms, expires_ms, due_ms, is_persistent,
                                destination, headers, body, delivery_count)
    SELECT queue_id, urgency, message_id, timestamp_ms, expires_ms, due_ms, is_persistent, destination, headers::json,
           body, 0
    FROM unnest(%b::bigint[], %b::smallint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::boolean[],
                %b::text[], %b::text[], %b::bytea[])
        AS arrived (queue_id, urgency, message_id, timestamp_ms, expires_ms, due_ms, is_persistent, destination,
                    headers, body)
    {_ALL_NEW}
"""
# The same where the messages are alike, as those of one sender usually are.
_INSERT_ALIKE = f"""
    INSERT INTO stompd_message (queue_id, urgency, expires_ms, due_ms, is_persistent, destination, headers, message_id,
                                timestamp_ms, body, delivery_count)
    SELECT %b::bigint, %b::smallint, %b::bigint, %b::bigint, %b::boolean, %b::text, %b::json, message_id, timestamp_ms,
           body, 0
    FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[]) AS arrived (message_id, timestamp_ms, body)
    {_ALL_NEW}
"""
# A single row, whose body is not copied into an array and out of it again.
_INSERT_ONE = f"""
    INSERT INTO stompd_message (queue_id, urgency, message_id, timestamp_ms, expires_ms, due_ms, is_persistent,
                                destination, headers, body, delivery_count)
    VALUES (%b::bigint, %b::smallint, %b::bigint, %b::bigint, %b::bigint, %b::bigint, %b::boolean, %b::text, %b::json,
            %b::bytea, 0)
    {_ALL_NEW}
"""
_PUT_QUEUES = """
    INSERT INTO stompd_queue (queue_id, name, is_durable, delivered_through, recovered_through)
    SELECT queue_id, name, is_durable, 0, 0
    FROM unnest(%b::bigint[], %b::text[], %b::boolean[]) AS put (queue_id, name, is_durable)
    ON CONFLICT (queue_id) DO NOTHING
"""
_PUT_SUBSCRIPTIONS = """
    INSERT INTO stompd_subscription (queue_id, client_id, name, topic, selector, no_local, is_shared, host, owner)
    SELECT queue_id, client_id, name, topic, selector, no_local, is_shared, host, owner
    FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::boolean[], %b::boolean[], %b::text[],
                %b::text[])
        AS put (queue_id, client_id, name, topic, selector, no_local, is_shared, host, owner)
    ON CONFLICT (queue_id) DO NOTHING
"""
_MARK = """
    UPDATE stompd_queue AS queue SET delivered_through = mark.through
    FROM unnest(%b::bigint[], %b::bigint[]) AS mark (queue_id, through)
    WHERE queue.queue_id = mark.queue_id AND queue.delivered_through < mark.through
"""
# Rows are found one after the other through the primary key, and then by their place on disk. A join would be shorter,
# but one that is planned while the table is empty reads the whole index for every row, however long it has become.
_RETURN = """
    UPDATE stompd_message AS message SET delivery_count = found.delivery_count, due_ms = found.due_ms
    FROM (SELECT place.ctid AS place, returned.delivery_count, returned.due_ms
          FROM unnest(%b::bigint[], %b::smallint[], %b::bigint[], %b::integer[], %b::bigint[])
              AS returned (queue_id, urgency, message_id, delivery_count, due_ms)
          CROSS JOIN LATERAL (SELECT message.ctid FROM stompd_message AS message
                              WHERE message.queue_id = returned.queue_id AND message.urgency = returned.urgency
                                  AND message.message_id = returned.message_id OFFSET 0) AS place) AS found
    WHERE message.ctid = found.place
"""
_DELETE = """
    DELETE FROM stompd_message
    WHERE ctid = ANY(ARRAY(
        SELECT (SELECT message.ctid FROM stompd_message AS message
                WHERE message.queue_id = deleted.queue_id AND message.urgency = deleted.urgency
                    AND message.message_id = deleted.message_id)
        FROM unnest(%b::bigint[], %b::smallint[], %b::bigint[]) AS deleted (queue_id, urgency, message_id)))
"""
# The same within one lane: one range of the index, and less work for the server.
_DELETE_IN_LANE = """
    DELETE FROM stompd_message
    WHERE queue_id = %b::bigint AND urgency = %b::smallint AND message_id = ANY(%b::bigint[])
"""
_FORGET = """
    DELETE FROM stompd_dedup
    WHERE ctid = ANY(ARRAY(
        SELECT (SELECT sent.ctid FROM stompd_dedup AS sent
                WHERE sent.path = forgotten.path AND sent.dedup_id = forgotten.dedup_id)
        FROM unnest(%b::text[], %b::text[]) AS forgotten (path, dedup_id)))
"""
_REMEMBER = """
    INSERT INTO stompd_dedup (path, dedup_id, message_id)
    SELECT path, dedup_id, message_id FROM unnest(%b::text[], %b::text[], %b::bigint[])
        AS remembered (path, dedup_id, message_id)
    ON CONFLICT (path, dedup_id) DO UPDATE SET message_id = excluded.message_id
"""
_DROP_MESSAGES = "DELETE FROM stompd_message WHERE queue_id = ANY(%b::bigint[])"
_DROP_QUEUES = "DELETE FROM stompd_queue WHERE queue_id = ANY(%b::bigint[])"
_DROP_SUBSCRIPTIONS = "DELETE FROM stompd_subscription WHERE queue_id = ANY(%b::bigint[])"

_ColumnType: TypeAlias = Callable[[Iterable[object]], Column]

_KEY = (Bigints, Smallints, Bigints)
_SUBSCRIPTION = (Bigints, Texts, Texts, Texts, Texts, Booleans, Booleans, Texts, Texts)
_INSERTED = (*_KEY, Bigints, Bigints, Bigints, Booleans, Texts, Texts, Byteas)

#: Where a connection keeps its prepared statements.
_PREPARED = "stompd_prepared"

# SQLSTATE classes and codes (PostgreSQL documentation, appendix A).
_REFUSED_CLASSES = ("22", "23", "54")  # data exception, constraint violation, a limit of the program
_UNUSABLE_CLASSES = ("28", "3D", "3F", "42", "0A")  # login, database, schema, tables and rights, not supported

# While a connection is made, libpq passes on the server's words but not the SQLSTATE. What is not recognized, such
# as words in another language, counts as something that may pass.
_REFUSED_LOGIN = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "permission denied for database",
    "invalid connection option",
    "server does not support SSL",
)


class PostgresqlStore(SqlStore):
    """Keeps messages in a PostgreSQL database."""

    def __init__(self, url: str, *, upgrade: bool = True) -> None:
        """Describe a store.

        Args:
            url: `postgresql://user:password@host:5432/database`; libpq's settings may follow as a query.
            upgrade: Whether `open` brings an older schema up to date.

        Raises:
            StoreUnusable: The URL is malformed.
        """
        super().__init__(PostgresqlDialect(url), upgrade=upgrade)


class PostgresqlDialect(Dialect):
    """PostgreSQL through psycopg 3."""

    begin = "BEGIN"
    errors = (DBAPIError, psycopg.Error, UnicodeEncodeError)

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        place = parsed.host or parsed.query.get("host") or "the local socket"
        port = f":{parsed.port}" if parsed.port else ""
        self.description = f"PostgreSQL database {parsed.database or parsed.username} at {place}{port}"
        settings = {name: value for name, value in _CONNECTION_DEFAULTS.items() if name not in parsed.query}
        self._engine = create_engine(
            parsed, connect_args=settings, poolclass=NullPool, pool_reset_on_return=None, isolation_level="AUTOCOMMIT"
        )

    def connect(self) -> Connection:
        """Connect and make the session's settings."""
        connection = self._engine.connect()
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def lock(self, connection: Connection) -> bool:
        """Take the advisory lock; the server lets go of it when the session ends in any way."""
        return bool(connection.exec_driver_sql(_LOCK).scalar())

    def disconnect(self, connection: Connection) -> None:
        """End the session."""
        connection.close()

    def statements(self, batch: Batch) -> list[Statement]:
        """Return one statement for each kind of change; for inserts, one for each `Rows`."""
        if _is_common(batch):
            return [_together(_insert(batch.rows[0]), *_delete(batch.deleted))]
        dropped = [(queue_id,) for queue_id in batch.dropped]
        queues = [(put.queue_id, put.name, put.is_durable) for put in batch.queues]
        return [
            *_over(_DROP_MESSAGES, (Bigints,), dropped),
            *_over(_DROP_QUEUES, (Bigints,), dropped),
            *_over(_DROP_SUBSCRIPTIONS, (Bigints,), dropped),
            *_over(_PUT_QUEUES, (Bigints, Texts, Booleans), queues),
            *_over(_PUT_SUBSCRIPTIONS, _SUBSCRIPTION, subscription_rows(batch.subscriptions)),
            *map(_insert, batch.rows),
            *_over(_MARK, (Bigints, Bigints), list(batch.marks.items())),
            *_over(_RETURN, (*_KEY, Integers, Bigints), [(*key, *to) for key, to in batch.returns.items()]),
            *_delete(batch.deleted),
            *_over(_FORGET, (Texts, Texts), batch.forgotten),
            *_over(_REMEMBER, (Texts, Texts, Bigints), batch.remembered),
        ]

    def execute(self, connection: Connection, statements: Sequence[Statement]) -> None:
        """Execute in one round trip: a single statement by itself, more as a pipeline with BEGIN and COMMIT."""
        prepared: PreparedStatements = connection.info[_PREPARED]
        try:
            prepared.execute(statements)
        except psycopg.errors.UniqueViolation:
            # The batch was applied before, and the answer was lost; if not, this raises the same.
            prepared.execute([Statement(text.replace(_ALL_NEW, _SOME_THERE), rows) for text, rows in statements])

    def load(
        self, connection: Connection, queue_id: QueueId, after: Place, through_ms: int, limit: int, limit_bytes: int
    ) -> tuple[list[MessageRow], bool]:
        """Read one range of the primary key."""
        rows = _read(connection, PAGE, (queue_id, *after, through_ms, limit, limit, limit_bytes))
        return [row[:-1] for row in rows], not rows or rows[0][-1] == len(rows)

    def load_due(
        self, connection: Connection, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int
    ) -> list[MessageRow]:
        """Read one range of the index of due times."""
        rows = _read(connection, DUE_PAGE, (queue_id, *after, through_ms, limit, limit, limit_bytes))
        return [row[:-1] for row in rows]

    def find_expired(
        self, connection: Connection, after: ExpiryKey, through_ms: int, limit: int
    ) -> Sequence[Sequence[int]]:
        """Read one range of the index of expiries."""
        return _read(connection, EXPIRED, (*after, through_ms, limit))

    def measure(self, connection: Connection, queue_id: QueueId) -> int:
        """Read one range of the primary key."""
        return int(_read(connection, MEASURE, (queue_id,))[0][0])

    def find_last_values(self, connection: Connection) -> list[LastValue]:
        """Read the index of messages that have keys."""
        rows = _read(connection, LAST_VALUES, ())
        return [LastValue(QueueId(row[0]), Place(row[1], row[2]), row[3], row[4]) for row in rows if row[3]]

    def explain(self, error: BaseException | None) -> tuple[type[StoreError], str]:
        """Judge by SQLSTATE, or by psycopg's class when the server was not asked."""
        state = getattr(error, "sqlstate", None)
        if state is None:
            return _explain_local(error), " ".join(str(error).split())
        # The first line is the server's message; the next ones may quote a row, and so a body.
        words = str(error).partition("\n")[0]
        if state.startswith(_REFUSED_CLASSES):
            return StoreRefused, words
        return StoreUnusable if state.startswith(_UNUSABLE_CLASSES) else StoreUnavailable, words

    def is_lost(self, connection: Connection) -> bool:
        """Whether the session has ended, or is stuck in a transaction."""
        return _raw(connection).info.transaction_status != pq.TransactionStatus.IDLE

    def _set_up(self, connection: Connection) -> None:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise StoreUnusable(
                f"{self.description} is encoded in {encoding}: create the database with ENCODING 'UTF8'"
            )
        connection.exec_driver_sql(_COMMIT_ON_DISK)
        connection.exec_driver_sql(_PLANS)
        register(_raw(connection))
        connection.info[_PREPARED] = PreparedStatements(_raw(connection))


def _raw(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _read(connection: Connection, query: str, parameters: Sequence[int]) -> list[tuple[Any, ...]]:
    return _raw(connection).execute(query, parameters, prepare=True, binary=True).fetchall()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # not as the cause: it may quote a part of the password
        raise StoreUnusable("the store URL is malformed: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from None
    if parsed.drivername not in ("postgresql", "postgresql+psycopg", "postgres"):
        raise StoreUnusable(f"the store URL has the driver {parsed.drivername}: write postgresql://")
    return parsed.set(drivername="postgresql+psycopg")


def _explain_local(error: BaseException | None) -> type[StoreError]:
    if isinstance(error, psycopg.DataError | UnicodeEncodeError):
        return StoreRefused
    is_refused_login = any(words in str(error) for words in _REFUSED_LOGIN)
    return StoreUnusable if is_refused_login or isinstance(error, psycopg.ProgrammingError) else StoreUnavailable


def _is_common(batch: Batch) -> bool:
    """Whether a batch inserts some messages and deletes others that came before them, and nothing else."""
    return (
        len(batch.rows) == 1
        and bool(batch.deleted)
        and not (batch.dropped or batch.queues or batch.subscriptions or batch.marks or batch.returns)
        and not (batch.forgotten or batch.remembered)
        and max(message_id for _, _, message_id in batch.deleted) < min(batch.rows[0].message_ids)
    )


def _together(first: Statement, second: Statement) -> Statement:
    """Return one statement for two: one answer to wait for, and no BEGIN and COMMIT.

    Both halves see the table as it was before.
    """
    return Statement(f"WITH first AS ({first.text}) {second.text}", [*first.parameters, *second.parameters])


def _insert(rows: Rows) -> Statement:
    if len(rows.bodies) == 1:
        return Statement(_INSERT_ONE, [column[0] for column in rows.columns])
    common: tuple[list[Any], ...] = (rows.queue_ids, rows.urgencies, rows.expiries_ms, rows.due_ms, rows.persistences)
    common += (rows.destinations, rows.headers)
    if all(column.count(column[0]) == len(column) for column in common):
        alike = [column[0] for column in common]
        return Statement(
            _INSERT_ALIKE, [*alike, Bigints(rows.message_ids), Bigints(rows.timestamps_ms), Byteas(rows.bodies)]
        )
    return Statement(_INSERT, _columns(_INSERTED, rows.columns))


def _delete(keys: Sequence[Key]) -> list[Statement]:
    if not keys:
        return []
    queue_ids, urgencies, message_ids = columns = _columns(_KEY, zip(*keys, strict=True))
    if queue_ids.count(queue_ids[0]) == urgencies.count(urgencies[0]) == len(keys):
        return [Statement(_DELETE_IN_LANE, [queue_ids[0], urgencies[0], message_ids])]
    return [Statement(_DELETE, columns)]


def _over(statement: str, types: Sequence[_ColumnType], rows: Sequence[tuple[object, ...]]) -> list[Statement]:
    return [Statement(statement, _columns(types, zip(*rows, strict=True)))] if rows else []


def _columns(types: Sequence[_ColumnType], columns: Iterable[Iterable[object]]) -> list[Column]:
    return [column_type(column) for column_type, column in zip(types, columns, strict=True)]
