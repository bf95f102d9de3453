"""Conditions written in SQL with the values filled in, for SQLite to say what they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

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
from tests.selector.trees import negation, quote

_database = sqlite3.connect(":memory:")
_database.execute("PRAGMA case_sensitive_like = ON")

_EQUALITIES = ("=", "<>")

_ARE_NUMBERS = "typeof(l) IN ('integer', 'real') AND typeof(r) IN ('integer', 'real')"
_ARE_ALIKE = "typeof(l) = typeof(r) AND l <> x'FF' AND r <> x'FF'"


def ask_sqlite(node: Expression, values: Mapping[str, Value]) -> bool | None:
    """Return whether SQLite takes a condition on these values for true, false or unknown (None)."""
    statement = _Statement(values)
    outcome = statement.condition(node)
    (answer,) = _database.execute(f"WITH {', '.join(statement.steps)} SELECT v FROM {outcome}").fetchone()
    return None if answer is None else bool(answer)


class _Statement:
    """One SQL statement with a step for each part of a condition, since SQLite's parser does not go deep.

    Conditions are 1, 0 and NULL. Values are integers, reals and texts; booleans are the blobs x'01' and x'00', and the
    blob x'FF' is what comes out of a calculation with anything else than numbers.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.steps: list[str] = []
        self._values = values

    def condition(self, node: Expression) -> str:
        """Add the steps of a condition and return the name of the last one."""
        match node:
            case Comparison(operator, left, right):
                return self._comparison(self._value(left), operator, self._value(right))
            case Between(operand, low, high, is_negated):
                below, join, above = ("<", "OR", ">") if is_negated else (">=", "AND", "<=")
                first = self._comparison(self._value(operand), below, self._value(low))
                last = self._comparison(self._value(operand), above, self._value(high))
                return self._step(f"l {join} r", first, last)
            case In(name, items, is_negated):
                return self._check_of_text(name, f"{negation(is_negated)}IN ({','.join(map(quote, items))})")
            case Like(name, pattern, escape, is_negated):
                clause = f" ESCAPE {quote(escape)}" if escape else ""
                return self._check_of_text(name, f"{negation(is_negated)}LIKE {quote(pattern)}{clause}")
            case IsNull(name, is_negated):
                return self._step(f"l IS {negation(is_negated)}NULL", self._value(Identifier(name)))
            case Not(operand):
                return self._step("NOT l", self.condition(operand))
            case And(operands):
                return self._step_over(" AND ", operands)
            case Or(operands):
                return self._step_over(" OR ", operands)
            case _:
                return self._step("CASE WHEN l IS NOT NULL THEN l = x'01' END", self._value(node))

    def _value(self, node: Expression) -> str:
        match node:
            case Constant(constant):
                return self._step(_literal(constant))
            case Identifier(name):
                return self._step(_literal(self._values[name]))
            case Signed(sign, operand):
                return self._operation(self._step("0"), sign, self._value(operand))
            case Arithmetic(first, rest):
                total = self._value(first)
                for operator, operand in rest:
                    total = self._operation(total, operator, self._value(operand))
                return total
            case _:
                return self._step("CASE l WHEN 1 THEN x'01' WHEN 0 THEN x'00' END", self.condition(node))

    def _comparison(self, left: str, operator: str, right: str) -> str:
        comparable = f"{_ARE_NUMBERS} OR {_ARE_ALIKE}" if operator in _EQUALITIES else _ARE_NUMBERS
        return self._step(_unless_null(f"WHEN {comparable} THEN l {operator} r ELSE 0"), left, right)

    def _operation(self, left: str, operator: str, right: str) -> str:
        return self._step(_unless_null(f"WHEN {_ARE_NUMBERS} THEN l {operator} r ELSE x'FF'"), left, right)

    def _check_of_text(self, name: str, check: str) -> str:
        value = self._value(Identifier(name))
        return self._step(f"CASE WHEN l IS NULL OR typeof(l) = 'text' THEN l {check} ELSE 0 END", value)

    def _step_over(self, operator: str, operands: tuple[Expression, ...]) -> str:
        names = [self.condition(operand) for operand in operands]
        return self._add(operator.join(f"{name}.v" for name in names), ", ".join(names))

    def _step(self, expression: str, left: str = "", right: str = "") -> str:
        """Add a step that makes one value of those of at most two others, `l` and `r`."""
        sources = [f"(SELECT v AS {alias} FROM {name})" for alias, name in (("l", left), ("r", right)) if name]
        return self._add(expression, ", ".join(sources))

    def _add(self, expression: str, source: str) -> str:
        name = f"step{len(self.steps)}"
        self.steps.append(f"{name}(v) AS MATERIALIZED (SELECT {expression}{' FROM ' if source else ''}{source})")
        return name


def _unless_null(cases: str) -> str:
    return f"CASE WHEN l IS NULL OR r IS NULL THEN NULL {cases} END"


def _literal(value: Value) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "x'01'" if value else "x'00'"
        case str():
            return quote(value)
        case _:
            return repr(value)
