"""The values of properties and bodies: JMS types as Python values, what converts into what, and how it is written.

A value is kept as plain Python where that says its type, by the rules of JMS-043: a `bool` is a boolean, an `int` is an
int if it fits 32 bits and else a long, a `float` a double, a `str` a String, `bytes` a byte[], None is null. Other
types have a class here: `Byte(5)`, `Short(5)`, a `Long(5)` that would fit an int, `Float(1.5)`, `Char("x")`; these are
numbers and texts like any other. `Int` and `Double` exist to ask for a type; what they make is a plain value.
"""

from __future__ import annotations

import re
import struct
from enum import Enum
from math import copysign, inf, isfinite, isinf, nan
from typing import Final, TypeAlias

from jms_api.exceptions import MessageFormatException, NullPointerException, NumberFormatException


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
_BITS: Final = {ValueType.BYTE: 8, ValueType.SHORT: 16, ValueType.INT: 32, ValueType.LONG: 64}

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
        return int.__new__(cls, number) if _fits(number, ValueType.INT) else number


class Float(float):
    """A floating-point number of single precision; what lies between two of them is rounded (JMS-045)."""

    def __new__(cls, value: float) -> Float:
        number = _double(value)
        rounded = _single(number)
        if isinf(rounded) and not isinf(number):
            raise MessageFormatException(f"{_show(value)} is out of the range of float.")
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
            raise MessageFormatException(f"{_show(value)} is no char: that is one character up to U+FFFF.")
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
        f"{_show(value)} is of the type {type(value).__name__}, which JMS does not have: give a bool, int, float, str"
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
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise MessageFormatException(f"{_show(value)} has a lone surrogate, which UTF-8 cannot say.")
    return str.__str__(value)


#: JMS 3.1, 3.5.4 and 3.11.3: what can be read as what. Properties have neither char nor byte[].
READABLE_AS: Final[dict[ValueType, frozenset[ValueType]]] = {
    ValueType(code): frozenset(map(ValueType, targets))
    for code, targets in {
        "Z": "ZT",
        "B": "BSIJT",
        "S": "SIJT",
        "C": "CT",
        "I": "IJT",
        "J": "JT",
        "F": "FDT",
        "D": "DT",
        "T": "TZBSIJFD",
        "X": "X",
    }.items()
}


def convert(value: Value, target: ValueType) -> Value:
    """Return a value read as another type, as a plain Python value: an `int` for every integer type, and so on.

    Raises:
        MessageFormatException: JMS has no such conversion.
        NumberFormatException: The text is no number of that type; or null is read as an integer (JMS-059).
        NullPointerException: Null is read as a float, double or char.
    """
    if value is None:
        return _convert_null(target)
    source = type_of(value)
    if target not in READABLE_AS[source]:
        raise MessageFormatException(f"A {_name(source)} cannot be read as {_name(target)}.")
    if target is ValueType.STRING:
        return to_text(value)
    if isinstance(value, str) and source is ValueType.STRING:
        return _parse(value, target)
    match value:
        case bool() | bytes():
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case _:
            return str.__str__(value)


def _convert_null(target: ValueType) -> Value:
    """Return null as another type: JMS 3.1, 3.5.4: as Java's `valueOf(null)` (JMS-059, JMS-114)."""
    if target is ValueType.BOOLEAN:
        return False
    if target in (ValueType.STRING, ValueType.BYTES):
        return None
    if target in _BITS:
        raise NumberFormatException(f"There is no value, and null is no {_name(target)}.")
    raise NullPointerException(f"There is no value, and null is no {_name(target)}.")


def _parse(text: str, target: ValueType) -> Value:
    """Return a text as a boolean or number, as Java reads it."""
    if target is ValueType.BOOLEAN:
        # JMS-058: never fails.
        return text.lower() == "true"
    if target in _BITS:
        return parse_integer(text, target)
    number = parse_float(text)
    return _single(number) if target is ValueType.FLOAT else number


_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,20})")

#: JMS-057: Java's Double.valueOf, which ignores blanks and control characters around it.
_FLOAT = re.compile(
    r"[\0-\x20]*(?P<sign>[+-]?)"
    r"(?:(?P<special>NaN|Infinity)"
    r"|(?P<decimal>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?"
    r"|(?P<hexadecimal>0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?)"
    r"[\0-\x20]*"
)


def parse_integer(text: str, target: ValueType) -> int:
    """Return the integer that a text spells (JMS-056): a sign or none, and ASCII digits.

    Raises:
        NumberFormatException: It spells none of that type.
    """
    match = _INTEGER.fullmatch(text)
    if match:
        number = int(match[1] + match[2])
        if _fits(number, target):
            return number
    raise NumberFormatException(f"{_show(text)} is no {_name(target)}.")


def parse_float(text: str) -> float:
    """Return the floating-point number that a text spells in Java (JMS-057), which may be infinite.

    Raises:
        NumberFormatException: It spells none.
    """
    match = _FLOAT.fullmatch(text)
    if match is None:
        raise NumberFormatException(f"{_show(text)} is no floating-point number.")
    if match["special"]:
        number = inf if match["special"] == "Infinity" else nan
    elif match["decimal"]:
        number = float(match["decimal"])
    else:
        try:
            number = float.fromhex(match["hexadecimal"])
        except OverflowError:
            number = inf
    return -number if match["sign"] == "-" else number


def to_text(value: Value) -> str:
    """Return a value as Java writes it (JMS-060): `true`, `5`, `1.0E10`, `NaN`; what `convert` reads back."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return _float_text(value)
        case str():
            return str.__str__(value)
        case _:
            raise MessageFormatException(f"{_show(value)} has no text.")


def _float_text(number: float) -> str:
    if not isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    sign = "-" if copysign(1.0, number) < 0 else ""
    if number == 0:
        return f"{sign}0.0"
    digits, exponent = _shortest(abs(number), is_single=isinstance(number, Float))
    # Double.toString: plain from 10^-3 up to 10^7, else one digit before the point and an exponent.
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        digits = digits.ljust(exponent + 2, "0")
        return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _shortest(number: float, *, is_single: bool) -> tuple[str, int]:
    """Return the fewest digits that tell a positive number from its neighbours, and the exponent of the first one."""
    text = f"{shortest_double(number)!r}" if is_single else float.__repr__(number)
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), int(exponent or 0) + len(whole) - leading - 1


def shortest_double(number: float) -> float:
    """Return the double with the fewest digits that rounds to a finite number of single precision."""
    plain = float(number)
    # Nine digits always tell floats apart.
    return next(found for found in (float(f"{plain:.{digits}e}") for digits in range(9)) if _single(found) == plain)


def _integer(value: object, wanted: ValueType) -> int:
    """Return an integer as a plain `int`, if it fits."""
    # bool is an int to Python, not to JMS.
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(value, wanted)
    number = int.__index__(value)
    if not _fits(number, wanted):
        raise MessageFormatException(f"{_show(number)} is out of the range of {_name(wanted)}: {_BITS[wanted]} bits.")
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


def _fits(number: int, wanted: ValueType) -> bool:
    limit = 1 << (_BITS[wanted] - 1)
    return -limit <= number < limit


def _double(value: object) -> float:
    """Return a number as a plain `float`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, ValueType.DOUBLE)
    try:
        return float(value)
    except OverflowError:
        raise MessageFormatException("The integer is out of the range of a double.") from None


def _single(number: float) -> float:
    """Return a number rounded to single precision; what is too large becomes infinite, as in Java."""
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        return copysign(inf, number)
    return float(rounded)


def _wrong(value: object, wanted: ValueType) -> MessageFormatException:
    return MessageFormatException(f"{_show(value)} is of the type {type(value).__name__}, and no {_name(wanted)}.")


def _name(value_type: ValueType) -> str:
    """Return the name of a type in JMS."""
    names = {ValueType.STRING: "String", ValueType.BYTES: "byte[]"}
    return names.get(value_type, value_type.name.lower())


def _show(value: object) -> str:
    """Return a value as an error quotes it: bounded, however large it is."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return "The integer"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
