"""Prepared statements: one alone is executed by one call of libpq, several by a pipeline.

psycopg holds the interpreter lock while it sends a statement, and takes it anew for each step until the answer is
there; beside a busy reactor that costs more than the statement. In a call of libpq the lock is free all the time. Most
batches are one statement, so the pipelines of the others are left to psycopg.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import TypeAlias, final

import psycopg
from psycopg import pq

from stompd.store.arrays import Bigints, Booleans, Byteas, Column, Integers, Smallints, Texts
from stompd.store.dialect import Statement

#: A parameter and its type, as all statements have it.
_PARAMETER = re.compile(r"%b::(\w+)(\[\])?")

#: By the name of a type, who encodes values of it in PostgreSQL's binary format.
_TYPES: Mapping[str, type[Column]] = {
    "bigint": Bigints,
    "integer": Integers,
    "smallint": Smallints,
    "boolean": Booleans,
    "text": Texts,
    "json": Texts,
    "bytea": Byteas,
}

_DONE = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)

_BEGIN, _COMMIT = Statement("BEGIN", ()), Statement("COMMIT", ())

#: The name of a prepared statement, and who encodes each of its parameters.
_Known: TypeAlias = tuple[bytes, list[type[Column]]]


@final
class PreparedStatements:
    """What one connection has prepared. Used by one thread at a time."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._known: dict[str, _Known] = {}
        self._numbers = count()  # no name is given twice

    def execute(self, statements: Sequence[Statement]) -> None:
        """Execute at least one statement in one transaction and one round trip; what they return is forgotten.

        Raises:
            psycopg.Error: The server refuses them, or cannot be reached.
        """
        if len(statements) == 1:
            try:
                self._execute_alone(statements[0])
            except psycopg.errors.InvalidSqlStatementName:
                # With its own prepared statements psycopg gives up ours, after each ROLLBACK.
                self._known.clear()
                self._execute_alone(statements[0])
            return
        connection = self._connection
        try:
            with connection.pipeline() as pipeline:
                self._fill(pipeline, (_BEGIN, *statements, _COMMIT))
        except psycopg.Error:
            if connection.info.transaction_status == pq.TransactionStatus.INERROR:
                connection.execute("ROLLBACK")
            raise

    def _fill(self, pipeline: psycopg.Pipeline, statements: Sequence[Statement]) -> None:
        try:
            for statement in statements:
                self._connection.execute(*statement, prepare=True)
        except psycopg.Error:
            # The answer to an early statement may arrive while later ones are sent; take the other answers too.
            with suppress(psycopg.Error):
                pipeline.sync()
            raise

    def _execute_alone(self, statement: Statement) -> None:
        name, types = self._known.get(statement.text) or self._prepare(statement.text)
        values = [
            value.encode_array() if isinstance(value, Column) else encoder.encode(value)
            for encoder, value in zip(types, statement.parameters, strict=True)
        ]
        _check(self._libpq.exec_prepared(name, values, [pq.Format.BINARY] * len(values)))

    def _prepare(self, text: str) -> _Known:
        name = f"stompd_{next(self._numbers)}".encode()
        types = [_TYPES[found[1]] for found in _PARAMETER.finditer(text)]
        numbers = iter(range(1, len(types) + 1))
        numbered = _PARAMETER.sub(lambda found: f"${next(numbers)}::{found[1]}{found[2] or ''}", text)
        _check(self._libpq.prepare(name, numbered.encode()))
        self._known[text] = name, types
        return name, types


def _check(result: pq.abc.PGresult) -> None:
    if result.status in _DONE:
        return
    if result.error_field(pq.DiagnosticField.SQLSTATE) is None:
        raise psycopg.OperationalError(result.get_error_message())  # the server is gone
    raise psycopg.errors.error_from_result(result)
