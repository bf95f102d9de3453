"""Columns as PostgreSQL's binary arrays, made by a few calls in C.

psycopg's own dumper for lists takes a call of Python for each element, which for a batch of messages costs more than
everything else on the writer thread. Format: PostgreSQL source, `array_recv` in `src/backend/utils/adt/arrayfuncs.c`.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, ClassVar

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = struct.Struct(">iiIii")  # dimensions, NULLs, element type, length, lower bound
_LENGTH = struct.Struct(">i")


class Column(list[Any], ABC):
    """The values of one column, none of them NULL, to be passed as an array."""

    #: OIDs of the array and of its elements (`pg_type.dat`).
    array_oid: ClassVar[int]
    element_oid: ClassVar[int]

    @staticmethod
    @abstractmethod
    def encode(value: Any) -> bytes:
        """Return one element's octets."""

    @classmethod
    def encode_all(cls, values: Sequence[Any]) -> bytes:
        """Return all elements' octets, each behind its length."""
        encoded = list(map(cls.encode, values))
        return b"".join(chain.from_iterable(zip(map(_LENGTH.pack, map(len, encoded)), encoded, strict=True)))

    def encode_array(self) -> bytes:
        """Return the array; a column whose values are all the same, as many are, is encoded once."""
        count = len(self)
        if self.count(self[0]) == count:
            element = self.encode(self[0])
            elements = (_LENGTH.pack(len(element)) + element) * count
        else:
            elements = self.encode_all(self)
        return _HEADER.pack(1, 0, self.element_oid, count, 1) + elements


class Bigints(Column):
    """A column of type `bigint`."""

    array_oid, element_oid = 1016, 20

    @staticmethod
    def encode(value: int) -> bytes:
        """Return one element's octets."""
        return struct.pack(">q", value)

    @classmethod
    def encode_all(cls, values: Sequence[int]) -> bytes:
        """Return all elements' octets, each behind its length."""
        return struct.pack(">" + "iq" * len(values), *chain.from_iterable(zip(repeat(8), values)))


class Integers(Column):
    """A column of type `integer`."""

    array_oid, element_oid = 1007, 23

    @staticmethod
    def encode(value: int) -> bytes:
        """Return one element's octets."""
        return struct.pack(">i", value)


class Smallints(Column):
    """A column of type `smallint`."""

    array_oid, element_oid = 1005, 21

    @staticmethod
    def encode(value: int) -> bytes:
        """Return one element's octets."""
        return struct.pack(">h", value)


class Booleans(Column):
    """A column of type `boolean`."""

    array_oid, element_oid = 1000, 16

    @staticmethod
    def encode(value: bool) -> bytes:
        """Return one element's octets."""
        return struct.pack(">?", value)


class Texts(Column):
    """A column of type `text`."""

    array_oid, element_oid = 1009, 25

    @staticmethod
    def encode(value: str) -> bytes:
        """Return one element's octets."""
        return value.encode()


class Byteas(Column):
    """A column of type `bytea`."""

    array_oid, element_oid = 1001, 17

    @staticmethod
    def encode(value: bytes) -> bytes:
        """Return one element's octets."""
        return value


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer:
        """Return the array."""
        return obj.encode_array()


def register(connection: Connection[Any]) -> None:
    """Let a connection take columns as parameters; a column must not be empty."""
    for column in (Bigints, Integers, Smallints, Booleans, Texts, Byteas):
        dumper = type(f"{column.__name__}Dumper", (_ColumnDumper,), {"oid": column.array_oid})
        connection.adapters.register_dumper(column, dumper)
