"""Columns arrive in PostgreSQL as the arrays that psycopg itself would send."""

from __future__ import annotations

import struct

import psycopg
import pytest

from stompd.store.arrays import Bigints, Booleans, Byteas, Column, Integers, Smallints, Texts, register

COLUMNS = {
    "bigint": [Bigints([0, -1, 2**63 - 1, -(2**63)]), Bigints([7, 7, 7]), Bigints([1])],
    "integer": [Integers([0, -1, 2**31 - 1]), Integers([7, 7])],
    "smallint": [Smallints([0, -1, 2**15 - 1]), Smallints([5, 5])],
    "boolean": [Booleans([True, False]), Booleans([True, True])],
    "text": [Texts(["", "a", "größer ✓", '"{},\\']), Texts(["{}", "{}"])],
    "bytea": [Byteas([b"", b"\0\xff", b"x" * 100_000]), Byteas([b"a", b"a"])],
}


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name, columns in COLUMNS.items() for column in columns]
)
def test_column_arrives_as_it_is(postgresql_url: str, name: str, column: Column) -> None:
    with psycopg.connect(postgresql_url) as connection:
        register(connection)

        (found,) = connection.execute(f"SELECT array_agg(each) FROM unnest(%b::{name}[]) AS each", [column]).fetchone()

    assert found == column


def test_number_out_of_range_is_refused_before_it_is_sent(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url) as connection:
        register(connection)

        with pytest.raises(struct.error):
            connection.execute("SELECT %b::smallint[]", [Smallints([2**15, 1])])
