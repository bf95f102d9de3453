"""What type of value can be read as what other type, and how values are written as text: the rules of Java."""

from __future__ import annotations

import re
from math import copysign, inf, isfinite, nan
from typing import Final, cast

from jms_api.exceptions import MessageFormatException, NullPointerException, NumberFormatException
from jms_api.primitives import BITS, Float, Value, ValueType, fits, name_of, show, to_single, type_of

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
        raise MessageFormatException(f"A {name_of(source)} cannot be read as {name_of(target)}.")
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
    if target in BITS:
        raise NumberFormatException(f"There is no value, and null is no {name_of(target)}.")
    raise NullPointerException(f"There is no value, and null is no {name_of(target)}.")


def _parse(text: str, target: ValueType) -> Value:
    """Return a text as a boolean or number, as Java reads it."""
    if target is ValueType.BOOLEAN:
        # JMS-058: never fails.
        return text.lower() == "true"
    if target in BITS:
        return parse_integer(text, target)
    number = parse_float(text)
    return to_single(number) if target is ValueType.FLOAT else number


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
        if fits(number, target):
            return number
    raise NumberFormatException(f"{show(text)} is no {name_of(target)}.")


def parse_float(text: str) -> float:
    """Return the floating-point number that a text spells in Java (JMS-057), which may be infinite.

    Raises:
        NumberFormatException: It spells none.
    """
    match = _FLOAT.fullmatch(text)
    if match is None:
        raise NumberFormatException(f"{show(text)} is no floating-point number.")
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
    """Return a value that is neither null nor octets as Java writes it (JMS-060): `true`, `5`, `1.0E10`, `NaN`."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return _float_text(value)
        case _:
            return str.__str__(cast(str, value))


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
    return next(found for found in (float(f"{plain:.{digits}e}") for digits in range(9)) if to_single(found) == plain)
