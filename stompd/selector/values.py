"""Values while a selector is evaluated: which ones compare, as what, and how numbers are calculated.

JMS compares only like with like: numbers with numbers, strings with strings, booleans with booleans. Anything else is
false, be it equal or not equal. A missing value makes the outcome unknown whatever the other one is.

There are two rules for strings that stand in for other types:

* `TYPED`, for messages whose sender said which properties are numbers and booleans: a string is a string.
* `UNTYPED`, for messages whose headers are all text. Where a number is needed (beside a number, for <, <=, >, >= and
  BETWEEN, in arithmetic) a string counts as the number that it spells in decimal, such as `12`, `-3.5` or `1e3`: an
  integer where it has neither point nor exponent and fits a long, else a double. Where a boolean is needed, `true` and
  `false` count in any case. A string that spells nothing of the kind is unlike. Two strings are equal if their
  characters are, whatever they spell; a string that stands in the selector itself equals nothing but strings.

Numbers are Java's long and double: integers wrap around at 64 bits, their division truncates and by zero is unknown; an
operation in which a double takes part is one of doubles, also a comparison, and never fails. JMS would calculate with
32 bits where both integers are that small; the difference can be seen only where they overflow.
"""

from __future__ import annotations

import operator as operators
import re
from collections.abc import Callable
from math import copysign, inf, isnan, nan
from typing import Final, NamedTuple, TypeAlias, final

from stompd.selector.nodes import Operator

#: What a message has under a name: exactly one of these classes, None if nothing. Integers are those of Java's long.
Value: TypeAlias = str | int | float | bool | None

#: True, false or unknown.
Truth: TypeAlias = bool | None


@final
class Unlike:
    """A value that is there, but of the wrong type. Whatever it is compared with, the outcome is false."""

    __slots__ = ()


UNLIKE: Final = Unlike()

Number: TypeAlias = int | float | Unlike | None
Boolean: TypeAlias = bool | Unlike | None
Operand: TypeAlias = Value | Unlike

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1

#: Characters of a string that is read as a number: a double has at most 25 where it is written well.
_LONGEST_NUMBER = 64

#: As many digits as are certain to fit a long.
_SAFE_DIGITS = 18

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@final
class TypingRule(NamedTuple):
    """What a value counts as where a number or a boolean is needed."""

    number: Callable[[Operand], Number]
    boolean: Callable[[Operand], Boolean]


def _typed_number(value: Operand) -> Number:
    if type(value) is int:
        return value if _LOWEST <= value <= _HIGHEST else None
    if type(value) is float or value is None:
        return value
    return UNLIKE


def _untyped_number(value: Operand) -> Number:
    if type(value) is not str:
        return _typed_number(value)
    # The usual case first: int() alone would also take blanks, underscores and other scripts' digits.
    if len(value) <= _SAFE_DIGITS and value.isdigit() and value.isascii():
        return int(value)
    if len(value) > _LONGEST_NUMBER:
        return UNLIKE
    if _INTEGER.fullmatch(value):
        number = int(value)
        return number if _LOWEST <= number <= _HIGHEST else float(value)
    return float(value) if _DECIMAL.fullmatch(value) else UNLIKE


def _typed_boolean(value: Operand) -> Boolean:
    return value if value is None or type(value) is bool else UNLIKE


def _untyped_boolean(value: Operand) -> Boolean:
    if type(value) is not str:
        return _typed_boolean(value)
    return {"true": True, "false": False}.get(value.lower(), UNLIKE)


TYPED: Final = TypingRule(_typed_number, _typed_boolean)
UNTYPED: Final = TypingRule(_untyped_number, _untyped_boolean)

#: How two values of the same class compare.
COMPARE_ALIKE: Final[dict[Operator, Callable[..., bool]]] = {
    "=": operators.eq,
    "<>": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}

#: The operator that says the same of the two values in the other order.
MIRRORED: Final[dict[Operator, Operator]] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(operator: Operator) -> Callable[[Operand, Operand, TypingRule], Truth]:
    compare = COMPARE_ALIKE[operator]

    def compare_numbers(left: Operand, right: Operand, rule: TypingRule) -> Truth:
        left, right = rule.number(left), rule.number(right)
        if left is None or right is None:
            return None
        if isinstance(left, Unlike) or isinstance(right, Unlike):
            return False
        if type(left) is type(right):
            return compare(left, right)
        # Java compares a long with a double as doubles, even where that loses digits; Python would not.
        return compare(float(left), float(right))

    def compare_anything(left: Operand, right: Operand, rule: TypingRule) -> Truth:
        if left is None or right is None:
            return None
        if left is UNLIKE or right is UNLIKE:
            return False
        if type(left) is type(right):
            return compare(left, right)
        if type(left) is bool or type(right) is bool:
            left, right = rule.boolean(left), rule.boolean(right)
            return left is not UNLIKE and right is not UNLIKE and compare(left, right)
        return compare_numbers(left, right, rule)

    # JMS 3.1, 3.8.1.1: only numbers have an order; strings and booleans are equal or not.
    return compare_anything if operator in ("=", "<>") else compare_numbers


#: How any two values compare. None of these raises an exception.
COMPARE: Final = {operator: _comparison(operator) for operator in COMPARE_ALIKE}


def negative(number: Number) -> Number:
    """Return a number with the other sign."""
    if type(number) is int:
        return _wrap(-number)
    return -number if type(number) is float else number


def both(left: Truth, right: Truth) -> Truth:
    """Return whether both are true. Spec: JMS 3.1, 3.8.1.2."""
    if left is False or right is False:
        return False
    return True if left and right else None


def either(left: Truth, right: Truth) -> Truth:
    """Return whether one of them is true. Spec: JMS 3.1, 3.8.1.2."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def _wrap(number: int) -> int:
    """Return what Java's long holds where a number overflows it."""
    return (number - _LOWEST) % 2**64 + _LOWEST


def _divide_exactly(left: int, right: int) -> int | None:
    if right == 0:
        return None
    quotient = abs(left) // abs(right)
    return _wrap(quotient if (left < 0) == (right < 0) else -quotient)


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    # IEEE 754, which Java follows and Python does not.
    return nan if left == 0 or isnan(left) else copysign(inf, left) * copysign(1, right)


def _calculation(
    exact: Callable[[int, int], int | None], approximate: Callable[[float, float], float]
) -> Callable[[Number, Number], Number]:
    def calculate(left: Number, right: Number) -> Number:
        if left is None or right is None:
            return None
        if isinstance(left, Unlike) or isinstance(right, Unlike):
            return UNLIKE
        if type(left) is int and type(right) is int:
            return exact(left, right)
        return approximate(float(left), float(right))

    return calculate


#: How numbers are calculated with. None of these raises an exception.
CALCULATE: Final = {
    "+": _calculation(lambda left, right: _wrap(left + right), operators.add),
    "-": _calculation(lambda left, right: _wrap(left - right), operators.sub),
    "*": _calculation(lambda left, right: _wrap(left * right), operators.mul),
    "/": _calculation(_divide_exactly, _divide),
}
