"""The store in an SQLite file: WAL, every commit on disk, one writer by a lock on a file beside it."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, ExpiryKey, LastValue
from stompd.errors import StoreError, StoreRefused, StoreUnavailable, StoreUnusable
from stompd.store.batch import Batch, Rows, subscription_rows
from stompd.store.dialect import Dialect, MessageRow, Statement
from stompd.store.sql import SqlStore

#: Longer statements are no faster, and SQLite parses them anew for every number of rows.
_STATEMENT_ROWS = 250

#: Somebody with the `sqlite3` shell may hold the file for a moment; the journal retries what takes longer.
_BUSY_SECONDS = 1.0

# Sets of keys travel as one JSON array. Each step of a statement lets go of the interpreter lock, and a busy reactor
# thread gives it back late; so a statement of many rows must be one step, for reading as for writing.
_PUT_QUEUES = """
    INSERT INTO stompd_queue (queue_id, name, is_durable, delivered_through, recovered_through)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), 0, 0
    FROM json_each(?) WHERE true ON CONFLICT (queue_id) DO NOTHING
"""
_PUT_SUBSCRIPTIONS = """
    INSERT INTO stompd_subscription (queue_id, client_id, name, topic, selector, no_local, is_shared, host, owner)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]')
    FROM json_each(?) WHERE true ON CONFLICT (queue_id) DO NOTHING
"""
_MARK = """
    UPDATE stompd_queue SET delivered_through = json_extract(mark.value, '$[1]') FROM json_each(?) AS mark
    WHERE queue_id = json_extract(mark.value, '$[0]') AND delivered_through < json_extract(mark.value, '$[1]')
"""
_RETURN = """
    UPDATE stompd_message
    SET delivery_count = json_extract(returned.value, '$[3]'), due_ms = json_extract(returned.value, '$[4]')
    FROM json_each(?) AS returned
    WHERE queue_id = json_extract(returned.value, '$[0]') AND urgency = json_extract(returned.value, '$[1]')
        AND message_id = json_extract(returned.value, '$[2]')
"""
_DELETE = """
    DELETE FROM stompd_message WHERE rowid IN (
        SELECT message.rowid FROM json_each(?) CROSS JOIN stompd_message AS message
        ON message.queue_id = json_extract(value, '$[0]') AND message.urgency = json_extract(value, '$[1]')
            AND message.message_id = json_extract(value, '$[2]'))
"""
_FORGET = """
    DELETE FROM stompd_dedup WHERE (path, dedup_id) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))
"""
_REMEMBER = """
    INSERT INTO stompd_dedup (path, dedup_id, message_id)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(?) WHERE true ON CONFLICT (path, dedup_id) DO UPDATE SET message_id = excluded.message_id
"""
_DROP_MESSAGES = "DELETE FROM stompd_message WHERE queue_id IN (SELECT value FROM json_each(?))"
_DROP_QUEUES = "DELETE FROM stompd_queue WHERE queue_id IN (SELECT value FROM json_each(?))"
_DROP_SUBSCRIPTIONS = "DELETE FROM stompd_subscription WHERE queue_id IN (SELECT value FROM json_each(?))"

_AHEAD = """
    FROM (SELECT * FROM stompd_message WHERE queue_id = ? AND (urgency, message_id) > (?, ?) AND due_ms <= ?
          ORDER BY urgency, message_id LIMIT ?)
"""
_DUE_AHEAD = """
    FROM (SELECT * FROM stompd_message
          WHERE queue_id = ? AND due_ms > 0 AND (due_ms, message_id) > (?, ?) AND due_ms <= ?
          ORDER BY due_ms, message_id LIMIT ?)
"""
# SQLite finds the length of a body without reading the body.
_LENGTHS = "SELECT json_group_array(length(body))"
_PAGE = """
    SELECT json_group_array(json_array(urgency, message_id, timestamp_ms, expires_ms, due_ms, delivery_count,
                                       is_persistent, destination, headers, length(body))),
           CAST(group_concat(body, '') AS BLOB)
"""
_EXPIRED = """
    SELECT json_group_array(json_array(expires_ms, queue_id, message_id, urgency, due_ms, length(body)))
    FROM (SELECT * FROM stompd_message
          WHERE expires_ms > 0 AND (expires_ms, queue_id, message_id) > (?, ?, ?) AND expires_ms <= ?
          ORDER BY expires_ms, queue_id, message_id LIMIT ?)
"""

_LAST_VALUES = """
    SELECT queue_id, urgency, message_id, json_extract(headers, '$."last-value-key"'), length(body)
    FROM stompd_message WHERE instr(headers, '"last-value-key":') > 0 ORDER BY message_id
"""
_MEASURE = "SELECT coalesce(sum(length(body)), 0) FROM stompd_message WHERE queue_id = ?"

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_SCHEMA,
}
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH}


class SqliteStore(SqlStore):
    """Keeps messages in an SQLite file."""

    def __init__(self, url: str, *, upgrade: bool = True) -> None:
        """Describe a store.

        Args:
            url: `sqlite:///relative/path` or `sqlite:////absolute/path`.
            upgrade: Whether `open` brings an older schema up to date.

        Raises:
            StoreUnusable: The URL names no file.
        """
        super().__init__(SqliteDialect(url), upgrade=upgrade)


class SqliteDialect(Dialect):
    """SQLite through the standard library's driver."""

    begin = "BEGIN IMMEDIATE"
    errors = (DBAPIError, sqlite3.Error, OSError, UnicodeEncodeError)

    def __init__(self, url: str) -> None:
        # Absolute now: a daemon changes its working directory.
        self._path = _path(url).absolute()
        self.description = f"SQLite file {self._path}"
        self._engine = create_engine(
            "sqlite://",
            creator=self._open_file,
            poolclass=NullPool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )

    def connect(self) -> Connection:
        """Open the file, which is created when it does not exist."""
        if not self._path.parent.is_dir():
            raise StoreUnusable(f"{self.description}: the directory {self._path.parent} does not exist: create it")
        connection = self._engine.connect()
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def lock(self, connection: Connection) -> bool:
        """Lock a file beside the database; the system lets go of it when the process ends in any way."""
        lock_file = os.open(f"{self._path.resolve()}-lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock_file)
            return False
        connection.info["lock_file"] = lock_file
        return True

    def disconnect(self, connection: Connection) -> None:
        """Close the file, then let go of the lock."""
        lock_file = connection.info.pop("lock_file", None)
        connection.close()
        if lock_file is not None:
            os.close(lock_file)

    def statements(self, batch: Batch) -> list[Statement]:
        """Return multi-row inserts, and one statement for each other kind of change."""
        dropped = list(batch.dropped)
        queues = [(put.queue_id, put.name, put.is_durable) for put in batch.queues]
        return [
            *_over(_DROP_MESSAGES, dropped),
            *_over(_DROP_QUEUES, dropped),
            *_over(_DROP_SUBSCRIPTIONS, dropped),
            *_over(_PUT_QUEUES, queues),
            *_over(_PUT_SUBSCRIPTIONS, subscription_rows(batch.subscriptions)),
            *chain.from_iterable(_inserts(rows) for rows in batch.rows),
            *_over(_MARK, list(batch.marks.items())),
            *_over(_RETURN, [(*key, *returned) for key, returned in batch.returns.items()]),
            *_over(_DELETE, batch.deleted),
            *_over(_FORGET, batch.forgotten),
            *_over(_REMEMBER, batch.remembered),
        ]

    def execute(self, connection: Connection, statements: Sequence[Statement]) -> None:
        """Execute the statements between BEGIN and COMMIT, or a single one without."""
        raw = _raw(connection)
        if len(statements) == 1:
            raw.execute(*statements[0])
            return
        raw.execute(self.begin)
        try:
            for statement in statements:
                raw.execute(*statement)
            raw.execute("COMMIT")
        except BaseException:
            raw.rollback()
            raise

    def load(
        self, connection: Connection, queue_id: QueueId, after: Place, through_ms: int, limit: int, limit_bytes: int
    ) -> tuple[list[MessageRow], bool]:
        """Read one range of the primary key."""
        return _load(connection, _AHEAD, (queue_id, *after, through_ms), limit, limit_bytes)

    def load_due(
        self, connection: Connection, queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int
    ) -> list[MessageRow]:
        """Read one range of the index of due times."""
        return _load(connection, _DUE_AHEAD, (queue_id, *after, through_ms), limit, limit_bytes)[0]

    def find_expired(
        self, connection: Connection, after: ExpiryKey, through_ms: int, limit: int
    ) -> Sequence[Sequence[int]]:
        """Read one range of the index of expiries."""
        (text,) = _raw(connection).execute(_EXPIRED, (*after, through_ms, limit)).fetchone()
        rows: list[list[int]] = json.loads(text)
        return rows

    def measure(self, connection: Connection, queue_id: QueueId) -> int:
        """Read one range of the primary key."""
        (size_bytes,) = _raw(connection).execute(_MEASURE, (queue_id,)).fetchone()
        return int(size_bytes)

    def find_last_values(self, connection: Connection) -> list[LastValue]:
        """Read the index of messages that have keys."""
        rows = _raw(connection).execute(_LAST_VALUES).fetchall()
        return [LastValue(QueueId(row[0]), Place(row[1], row[2]), row[3], row[4]) for row in rows if row[3]]

    def explain(self, error: BaseException | None) -> tuple[type[StoreError], str]:
        """Judge by SQLite's result code."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the higher bits are detail
        if code in _REFUSED or isinstance(error, UnicodeEncodeError):
            return StoreRefused, str(error)
        return StoreUnavailable if code in _UNAVAILABLE else StoreUnusable, str(error)

    def is_lost(self, connection: Connection) -> bool:
        """Whether a transaction could not even be rolled back."""
        return _raw(connection).in_transaction

    def _open_file(self) -> sqlite3.Connection:
        # All calls come from one thread at a time, not always from the same one. No statement is kept: each would keep
        # the bodies it was last executed with, and there is one for every number of rows.
        return sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=0
        )

    def _set_up(self, connection: Connection) -> None:
        mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
        if mode != "wal":
            raise StoreUnusable(f"{self.description}: its file system has no shared memory, which SQLite's WAL needs")
        # In WAL the default, NORMAL, may lose the last commits in a power cut.
        connection.exec_driver_sql("PRAGMA synchronous = FULL")
        encoding = connection.exec_driver_sql("PRAGMA encoding").scalar()
        if encoding != "UTF-8":
            raise StoreUnusable(f"{self.description} is encoded in {encoding}, and stompd needs UTF-8: use a new file")


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _load(
    connection: Connection, ahead: str, parameters: Sequence[int], limit: int, limit_bytes: int
) -> tuple[list[MessageRow], bool]:
    """Read the lengths of the bodies ahead, then as many rows as the limits allow."""
    raw = _raw(connection)
    (text,) = raw.execute(_LENGTHS + ahead, (*parameters, limit + 1)).fetchone()
    lengths = json.loads(text)
    if not lengths:
        return [], True
    count, total = 1, lengths[0]
    while count < min(limit, len(lengths)) and total + lengths[count] <= limit_bytes:
        total += lengths[count]
        count += 1
    text, bodies = raw.execute(_PAGE + ahead, (*parameters, count)).fetchone()
    rows = json.loads(text)
    end = 0
    for row in rows:
        start, end = end, end + row[-1]
        row[-1] = bodies[start:end]
    return rows, count == len(lengths)


def _path(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreUnusable("the store URL is malformed: write sqlite:///FILE") from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite") or parsed.host or parsed.query:
        raise StoreUnusable("the store URL is not of the form sqlite:///FILE or sqlite:////ABSOLUTE/FILE")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreUnusable("the store URL names no file: write sqlite:///FILE, or memory: to keep nothing")
    return Path(parsed.database)


def _over(statement: str, rows: Sequence[object]) -> list[Statement]:
    return [Statement(statement, (json.dumps(rows),))] if rows else []


@cache
def _insert(count: int) -> str:
    return (
        "INSERT INTO stompd_message (queue_id, urgency, message_id, timestamp_ms, expires_ms, due_ms,"
        " is_persistent, destination, headers, body, delivery_count) VALUES "
        + ",".join(["(?,?,?,?,?,?,?,?,?,?,0)"] * count)
        + " ON CONFLICT DO NOTHING"
    )


def _inserts(rows: Rows) -> list[Statement]:
    statements = []
    for start in range(0, len(rows.queue_ids), _STATEMENT_ROWS):
        columns = [column[start : start + _STATEMENT_ROWS] for column in rows.columns]
        parameters = list(chain.from_iterable(zip(*columns, strict=True)))
        statements.append(Statement(_insert(len(columns[0])), parameters))
    return statements
