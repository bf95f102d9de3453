"""The values of properties and bodies: JMS types as Python values.

A value is kept as plain Python where that says its type, by the rules of JMS-043: a `bool` is a boolean, an `int` is an
int if it fits 32 bits and else a long, a `float` a double, a `str` a String, `bytes` a byte[], None is null. Other
types have a class here: `Byte(5)`, `Short(5)`, a `Long(5)` that would fit an int, `Float(1.5)`, `Char("x")`; these are
numbers and texts like any other. `Int` and `Double` exist to ask for a type; what they make is a plain value.
"""

from __future__ import annotations

import re
import struct
from enum import Enum
from math import copysign, inf, isinf
from typing import Final, TypeAlias

from jms_api.exceptions import MessageFormatException


class ValueType(Enum):
    """A type of JMS; the value is the code that stands for it on the wire."""

    BOOLEAN = "Z"
    BYTE = "B"
    SHORT = "S"
    CHAR = "C"
    INT = "I"
    LONG = "J"
    FLOAT = "F"
    DOUBLE = "D"
    STRING = "T"
    BYTES = "X"
    NULL = "N"


#: The types of integers, and how many bits each has.
BITS: Final = {ValueType.BYTE: 8, ValueType.SHORT: 16, ValueType.INT: 32, ValueType.LONG: 64}

#: What text there can be in Python and not in UTF-8.
LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

_LOWEST_INT, _HIGHEST_INT = -(2**31), 2**31 - 1


class _Integer(int):
    """An integer of a certain size."""

    _type: ValueType

    def __new__(cls, value: int) -> _Integer:
        return super().__new__(cls, _integer(value, cls._type))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    def __str__(self) -> str:
        return int.__repr__(self)

    def __reduce__(self) -> tuple[type, tuple[int]]:
        return type(self), (int(self),)


class Byte(_Integer):
    """An integer of 8 bits, from -128 to 127."""

    _type = ValueType.BYTE


class Short(_Integer):
    """An integer of 16 bits."""

    _type = ValueType.SHORT


class Int(_Integer):
    """An integer of 32 bits; `Int(5)` is 5 once it was checked."""

    _type = ValueType.INT

    def __new__(cls, value: int) -> int:  # type: ignore[misc]  # a plain int is one already
        return _integer(value, cls._type)


class Long(_Integer):
    """An integer of 64 bits; one that does not fit 32 is a plain int."""

    _type = ValueType.LONG

    def __new__(cls, value: int) -> int:  # type: ignore[misc]  # see above
        number = _integer(value, cls._type)
        return int.__new__(cls, number) if fits(number, ValueType.INT) else number


class Float(float):
    """A floating-point number of single precision; what lies between two of them is rounded (JMS-045)."""

    def __new__(cls, value: float) -> Float:
        number = _double(value)
        rounded = to_single(number)
        if isinf(rounded) and not isinf(number):
            raise MessageFormatException(f"{show(value)} is out of the range of float.")
        return super().__new__(cls, rounded)

    def __repr__(self) -> str:
        return f"Float({float(self)!r})"

    def __str__(self) -> str:
        return float.__repr__(self)

    def __reduce__(self) -> tuple[type, tuple[float]]:
        return type(self), (float(self),)


class Double(float):
    """A floating-point number of double precision; `Double(1)` is 1.0."""

    def __new__(cls, value: float) -> float:  # type: ignore[misc]  # a plain float is one already
        return _double(value)


class Char(str):
    """One character of 16 bits, as Java counts them (JMS-116)."""

    __slots__ = ()

    def __new__(cls, value: str) -> Char:
        if not isinstance(value, str) or len(value) != 1 or ord(value) > 0xFFFF:
            raise MessageFormatException(f"{show(value)} is no char: that is one character up to U+FFFF.")
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"Char({str.__repr__(self)})"


Value: TypeAlias = bool | int | float | str | bytes | None

_WRAPPERS: Final[dict[type, ValueType]] = {
    bool: ValueType.BOOLEAN,
    Byte: ValueType.BYTE,
    Short: ValueType.SHORT,
    Long: ValueType.LONG,
    Float: ValueType.FLOAT,
    float: ValueType.DOUBLE,
    Char: ValueType.CHAR,
    str: ValueType.STRING,
    bytes: ValueType.BYTES,
    type(None): ValueType.NULL,
}


def type_of(value: Value) -> ValueType:
    """Return the type of a value that `as_value` or `check` returned."""
    if type(value) is int:
        return ValueType.INT if _LOWEST_INT <= value <= _HIGHEST_INT else ValueType.LONG
    return _WRAPPERS[type(value)]


def as_value(value: object) -> Value:
    """Return the value that stands for an object without a declared type (JMS-043, JMS-116). What is mutable is copied.

    Raises:
        MessageFormatException: JMS has no such type, or the integer has more than 64 bits, or the text no UTF-8.
    """
    if type(value) in _WRAPPERS:
        return check_text(value) if type(value) is str else value  # type: ignore[return-value]  # it is one of them
    if isinstance(value, int):
        return _integer(value, ValueType.LONG)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise MessageFormatException(
        f"{show(value)} is of the type {type(value).__name__}, which JMS does not have: give a bool, int, float, str"
        " or None, or in a body bytes."
    )


def check(value: object, wanted: ValueType) -> Value:
    """Return a value of the wanted type, which a typed setter was given (JMS-044).

    Integers and floats may be given where the wanted type is wider, as in Java; null only as a String or byte[].

    Raises:
        MessageFormatException: It is of another type, or out of range.
    """
    match wanted:
        case ValueType.BOOLEAN:
            if not isinstance(value, bool):
                raise _wrong(value, wanted)
            return value
        case ValueType.FLOAT:
            return Float(_double(value))
        case ValueType.DOUBLE:
            return _double(value)
        case ValueType.CHAR:
            return Char(value)  # type: ignore[arg-type]  # it checks that itself
        case ValueType.STRING:
            return None if value is None else check_text(value)
        case ValueType.BYTES:
            if value is not None and not isinstance(value, bytes | bytearray | memoryview):
                raise _wrong(value, wanted)
            return None if value is None else bytes(value)
        case _:
            return _sized(_integer(value, wanted), wanted)


def check_text(value: object) -> str:
    """Return a text as a plain `str` (JMS-084).

    Raises:
        MessageFormatException: It is no text, or has a lone surrogate, for which there is no UTF-8.
    """
    if not isinstance(value, str):
        raise _wrong(value, ValueType.STRING)
    if not value.isascii() and LONE_SURROGATE.search(value):
        raise MessageFormatException(f"{show(value)} has a lone surrogate, which UTF-8 cannot say.")
    return str.__str__(value)


def _integer(value: object, wanted: ValueType) -> int:
    """Return an integer as a plain `int`, if it fits."""
    # bool is an int to Python, not to JMS.
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(value, wanted)
    number = int.__index__(value)
    if not fits(number, wanted):
        raise MessageFormatException(f"{show(number)} is out of the range of {name_of(wanted)}: {BITS[wanted]} bits.")
    return number


def _sized(number: int, wanted: ValueType) -> int:
    match wanted:
        case ValueType.BYTE:
            return Byte(number)
        case ValueType.SHORT:
            return Short(number)
        case ValueType.LONG:
            return Long(number)
        case _:
            return number


def fits(number: int, wanted: ValueType) -> bool:
    limit = 1 << (BITS[wanted] - 1)
    return -limit <= number < limit


def _double(value: object) -> float:
    """Return a number as a plain `float`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, ValueType.DOUBLE)
    try:
        return float(value)
    except OverflowError:
        raise MessageFormatException("The integer is out of the range of a double.") from None


def to_single(number: float) -> float:
    """Return a number rounded to single precision; what is too large becomes infinite, as in Java."""
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        return copysign(inf, number)
    return float(rounded)


def _wrong(value: object, wanted: ValueType) -> MessageFormatException:
    return MessageFormatException(f"{show(value)} is of the type {type(value).__name__}, and no {name_of(wanted)}.")


def name_of(value_type: ValueType) -> str:
    """Return the name of a type in JMS."""
    names = {ValueType.STRING: "String", ValueType.BYTES: "byte[]"}
    return names.get(value_type, value_type.name.lower())


def show(value: object) -> str:
    """Return a value as an error quotes it: bounded, however large it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return "The integer"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
