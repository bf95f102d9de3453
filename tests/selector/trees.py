"""Random conditions and messages, and how a condition is written as a selector."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from stompd.selector.nodes import (
    And,
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Expression,
    Identifier,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Signed,
)
from stompd.selector.values import Value

# Small numbers, and quarters: what is calculated from them is exact in SQL too, and never overflows.
integers = st.integers(-20, 20)
doubles = integers.map(lambda number: number / 4)
strings = st.text("abA%_!'\n", max_size=6)
booleans = st.booleans()

#: By name, what a message may have there; each may be missing as well.
VALUES: Mapping[str, st.SearchStrategy[Value]] = {
    **dict.fromkeys(["i", "j"], integers),
    **dict.fromkeys(["f", "g"], doubles),
    **dict.fromkeys(["s", "t"], strings),
    **dict.fromkeys(["b", "c"], booleans),
    "any": integers | doubles | strings | booleans,
}
messages = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})


def _constants(values: st.SearchStrategy[str | int | float]) -> st.SearchStrategy[Expression]:
    return st.builds(Constant, values)


def _names(names: list[str]) -> st.SearchStrategy[Expression]:
    return st.builds(Identifier, st.sampled_from(names))


def _arithmetic(operand: st.SearchStrategy[Expression], divisor: st.SearchStrategy[Expression]):
    """Arithmetic of one precedence. What SQL makes of a double divided by zero is not IEEE's: hence the divisors."""
    sums = st.tuples(st.sampled_from("+-"), operand)
    products = st.tuples(st.just("*"), operand) | st.tuples(st.just("/"), divisor)
    rests = [st.lists(rest, min_size=1, max_size=3).map(tuple) for rest in (sums, products)]
    signed = st.builds(Signed, st.sampled_from("+-"), operand)
    return st.one_of(signed, *(st.builds(Arithmetic, operand, rest) for rest in rests))


_exact_atoms = _constants(integers) | _names(["i", "j"])
exact = st.recursive(_exact_atoms, lambda inner: _arithmetic(inner, inner), max_leaves=5)
_non_zero = _constants((st.integers(1, 20) | st.integers(-20, -1)).map(lambda number: number / 4))


def _conditions(*, is_loose: bool) -> st.SearchStrategy[Expression]:
    """Return conditions; only loose ones have names where values of another type are needed."""
    everything = list(VALUES)
    doubtful = _names(everything if is_loose else ["f", "g"])
    approximate = st.recursive(
        _constants(doubles) | doubtful, lambda inner: _arithmetic(inner | exact, _non_zero), max_leaves=5
    )
    logical = st.sampled_from(everything if is_loose else ["b", "c"])
    textual = st.sampled_from(everything if is_loose else ["s", "t"])
    ordered = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    equal = st.sampled_from(["=", "<>"])
    atoms = [
        *(st.builds(Comparison, ordered, numbers, numbers) for numbers in (exact, approximate)),
        *(st.builds(Between, numbers, numbers, numbers, booleans) for numbers in (exact, approximate)),
        *(st.builds(Comparison, equal, side, side) for side in [_constants(strings) | st.builds(Identifier, textual)]),
        st.builds(In, textual, st.lists(strings, min_size=1, max_size=3).map(tuple), booleans),
        st.builds(Like, textual, strings, st.just(""), booleans),
        st.builds(_like, textual, strings, st.sampled_from("!%_ab"), st.sampled_from([0, 2]), booleans),
        st.builds(IsNull, st.sampled_from(everything), booleans),
        _constants(booleans) | st.builds(Identifier, logical),
    ]
    return st.recursive(st.one_of(atoms), lambda inner: _compound(inner, equal), max_leaves=8)


def _compound(inner: st.SearchStrategy[Expression], equal: st.SearchStrategy[str]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Not, inner),
        st.builds(Comparison, equal, inner, inner),
    )


def _like(name: str, pattern: str, escape: str, trailing: int, is_negated: bool) -> Like:
    """Return a LIKE whose pattern does not end with half an escape."""
    return Like(name, pattern.rstrip(escape) + escape * trailing, escape, is_negated)


#: Every name stands where its type is needed, as a sensible person would write it.
sensible_conditions = _conditions(is_loose=False)
#: Names stand anywhere, so that values of any type meet any operator.
loose_conditions = _conditions(is_loose=True)


def selector(node: Expression) -> str:
    """Write a condition as a selector, with no more parentheses than it needs."""
    match node:
        case Constant(bool(value)):
            return str(value).lower()
        case Constant(str(value)):
            return quote(value)
        case Constant(value):
            return repr(value)
        case Identifier(name):
            return name
        case Signed(sign, operand):
            return f"{sign} {_within(operand, Constant, Arithmetic, Signed)}"
        case Arithmetic(first, rest):
            parts = [first, *(operand for _, operand in rest)]
            written = [_within(part, *_weaker_than(rest[0][0], part)) for part in parts]
            return written[0] + "".join(f" {rest[index][0]} {text}" for index, text in enumerate(written[1:]))
        case Comparison(operator, left, right):
            return f"{_side(left)} {operator} {_side(right)}"
        case Between(operand, low, high, is_negated):
            return f"{_side(operand)} {negation(is_negated)}BETWEEN {_side(low)} and {_side(high)}"
        case In(name, items, is_negated):
            return f"{name} {negation(is_negated)}In ({','.join(map(quote, items))})"
        case Like(name, pattern, escape, is_negated):
            return f"{name} {negation(is_negated)}like {quote(pattern)}" + (
                f" ESCAPE {quote(escape)}" if escape else ""
            )
        case IsNull(name, is_negated):
            return f"{name}\tIS {negation(is_negated)}NULL"
        case Not(operand):
            return f"NOT {_within(operand, And, Or)}"
        case And(operands):
            return "\nAND ".join(_within(operand, And, Or) for operand in operands)
        case Or(operands):
            return " oR ".join(_within(operand, Or) for operand in operands)
    raise AssertionError(node)


def _within(node: Expression, *weaker: type) -> str:
    text = selector(node)
    return f"({text})" if isinstance(node, weaker) else text


def _weaker_than(operator: str, part: Expression) -> tuple[type, ...]:
    """Return what needs parentheses beside an operator: arithmetic, but for products in a sum."""
    is_product = isinstance(part, Arithmetic) and part.rest[0][0] in "*/"
    return () if operator in "+-" and is_product else (Arithmetic,)


def _side(node: Expression) -> str:
    return _within(node, Comparison, Between, In, Like, IsNull, Not, And, Or)


def negation(is_negated: bool) -> str:
    return "not " if is_negated else ""


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
