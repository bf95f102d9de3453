"""Selectors ready for use: compiled once into closures, and evaluated for each message."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias, final

from stompd.selector.lexer import BLANKS
from stompd.selector.nodes import (
    And,
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Expression,
    Hyphenated,
    Identifier,
    In,
    IsNull,
    Like,
    Not,
    Operator,
    Or,
    Signed,
)
from stompd.selector.parser import parse
from stompd.selector.values import (
    CALCULATE,
    COMPARE,
    COMPARE_ALIKE,
    MIRRORED,
    TYPED,
    UNTYPED,
    Boolean,
    Number,
    Operand,
    Truth,
    TypingRule,
    Value,
    both,
    either,
    negative,
)

#: Finds the value of a header or property by its name, which is case-sensitive; None if the message has none. The JMS
#: names are looked up like any other: `stompd.selector.nodes.STANDARD_HEADERS` has the headers they stand for.
Lookup: TypeAlias = Callable[[str], Value]

_Condition: TypeAlias = Callable[[Lookup, TypingRule], Truth]
_Evaluation: TypeAlias = Callable[[Lookup, TypingRule], Operand]
_Calculation: TypeAlias = Callable[[Lookup, TypingRule], Number]

#: Selectors that stay compiled without being in use. The largest take some 400 KB each.
_CACHED_SELECTORS = 128


@final
class Selector:
    """A condition on messages. Immutable; two selectors are equal if their texts are.

    Attributes:
        text: As it was given; empty if that was blank.
        identifiers: The names whose values it may ask for.
    """

    __slots__ = ("_condition", "_typed_rule", "identifiers", "text")

    def __init__(self, text: str) -> None:
        """Read and compile a selector; callers use `compile_selector`, which remembers.

        Raises:
            SelectorError: It is no selector, or longer, deeper or larger than allowed.
        """
        self.text = text
        condition, converts_strings = parse(text) if text else (Constant(True), False)
        names: set[str] = set()
        self._condition = _Compiler(names).condition(condition)
        self._typed_rule = UNTYPED if converts_strings else TYPED
        self.identifiers = frozenset(names)

    @property
    def is_blank(self) -> bool:
        """Whether it selects every message, because there was nothing in it."""
        return not self.text

    def matches(self, lookup: Lookup, *, is_typed: bool = False) -> bool:
        """Return whether a message is selected. It raises no exceptions but those of `lookup`.

        Args:
            lookup: Finds the message's values.
            is_typed: Whether the sender said which properties are numbers and booleans, so that a string is a string.
                Else it counts as the number or boolean that it spells where one is needed.

        Spec: JMS 3.1, 3.8.1.1: neither false nor unknown selects a message.
        """
        return self._condition(lookup, self._typed_rule if is_typed else UNTYPED) is True

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Selector) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Selector({self.text!r})"


def compile_selector(text: str) -> Selector:
    """Return the selector that a text describes, compiled before if it was in use lately. Safe in any thread.

    Args:
        text: The value of a `selector` header. JMS 3.1, 3.8.1.1: an empty one is none; a blank one counts as empty. It
            then selects everything and says so by `is_blank`.

    Raises:
        SelectorError: It is no selector, or longer, deeper or larger than allowed. The error has the column, and its
            detail shows it.
    """
    return _compile(text if text.strip(BLANKS) else "")


_compile = lru_cache(_CACHED_SELECTORS)(Selector)


@final
class _Compiler:
    """Turns trees into closures, and notes the names that they look up."""

    __slots__ = ("_names",)

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def condition(self, node: Expression) -> _Condition:
        """Return what evaluates a condition, or a value in the place of one."""
        match node:
            case Or(operands):
                return _disjunction([self.condition(operand) for operand in operands])
            case And(operands):
                return _conjunction([self.condition(operand) for operand in operands])
            case Not(operand):
                return _negation(self.condition(operand))
            case Comparison(operator, Identifier(name), Constant(constant)):
                return self._comparison_with_constant(operator, name, constant)
            case Comparison(operator, Constant(constant), Identifier(name)):
                return self._comparison_with_constant(MIRRORED[operator], name, constant)
            case Comparison(operator, left, right):
                return self._comparison(operator, left, right)
            case Between():
                return self._between(node)
            case In(name, strings, is_negated):
                return self._check_of_string(name, frozenset(strings).__contains__, is_negated)
            case Like(name, pattern, escape, is_negated):
                fits = _compile_pattern(pattern, escape)
                return self._check_of_string(name, lambda value: fits(value) is not None, is_negated)
            case IsNull(name, is_negated):
                self._names.add(name)
                return lambda lookup, _rule: (lookup(name) is None) is not is_negated
            case _:
                return self._boolean(node)

    def value(self, node: Expression) -> _Evaluation:
        """Return what evaluates a side of a comparison."""
        match node:
            case Constant(constant):
                return lambda _lookup, _rule: constant
            case Identifier(name):
                self._names.add(name)
                return lambda lookup, _rule: lookup(name)
            case Hyphenated():
                return self._hyphenated(node)
            case Signed() | Arithmetic():
                return self.number(node)
            case _:
                return self.condition(node)

    def number(self, node: Expression) -> _Calculation:
        """Return what evaluates an operand of arithmetic."""
        match node:
            case Arithmetic():
                return self._arithmetic(node)
            case Signed(sign, operand):
                number = self.number(operand)
                return (lambda lookup, rule: negative(number(lookup, rule))) if sign == "-" else number
            case _:
                value = self.value(node)
                return lambda lookup, rule: rule.number(value(lookup, rule))

    def _comparison(self, operator: Operator, left: Expression, right: Expression) -> _Condition:
        compare = COMPARE[operator]
        left_value, right_value = self.value(left), self.value(right)
        return lambda lookup, rule: compare(left_value(lookup, rule), right_value(lookup, rule), rule)

    def _comparison_with_constant(self, operator: Operator, name: str, constant: str | float) -> _Condition:
        """Return the comparison that nearly all selectors consist of, with a short way for the usual types."""
        self._names.add(name)
        kind = type(constant)
        compare, compare_alike = COMPARE[operator], COMPARE_ALIKE[operator]

        def compare_with_number(lookup: Lookup, rule: TypingRule) -> Truth:
            value: Operand = lookup(name)
            if type(value) is str:
                value = rule.number(value)
            return compare_alike(value, constant) if type(value) is kind else compare(value, constant, rule)

        def compare_with_string(lookup: Lookup, _rule: TypingRule) -> Truth:
            value = lookup(name)
            if type(value) is str:
                return compare_alike(value, constant)
            return None if value is None else False

        def compare_with_boolean(lookup: Lookup, rule: TypingRule) -> Truth:
            return compare(lookup(name), constant, rule)

        return {str: compare_with_string, bool: compare_with_boolean}.get(kind, compare_with_number)

    def _between(self, node: Between) -> _Condition:
        value, low, high = self.value(node.operand), self.value(node.low), self.value(node.high)
        # JMS 3.1, 3.8.1.1: e1 NOT BETWEEN e2 AND e3 is e1 < e2 OR e1 > e3, which is false for what is no number.
        compare_low, compare_high = (COMPARE["<"], COMPARE[">"]) if node.is_negated else (COMPARE[">="], COMPARE["<="])
        join = either if node.is_negated else both

        def between(lookup: Lookup, rule: TypingRule) -> Truth:
            operand = value(lookup, rule)
            return join(
                compare_low(operand, low(lookup, rule), rule),
                compare_high(operand, high(lookup, rule), rule),
            )

        return between

    def _check_of_string(self, name: str, check: Callable[[str], bool], is_negated: bool) -> _Condition:
        self._names.add(name)

        def check_string(lookup: Lookup, _rule: TypingRule) -> Truth:
            value = lookup(name)
            if type(value) is str:
                return check(value) is not is_negated
            # JMS 3.1, 3.8.1.1: unknown if there is none; what is no string is neither in nor not in.
            return None if value is None else False

        return check_string

    def _boolean(self, node: Expression) -> _Condition:
        value = self.value(node)

        def boolean(lookup: Lookup, rule: TypingRule) -> Truth:
            truth: Boolean = rule.boolean(value(lookup, rule))
            return truth if truth is None else truth is True

        return boolean

    def _hyphenated(self, node: Hyphenated) -> _Evaluation:
        name, difference = node.name, self.value(node.difference)
        self._names.add(name)

        def header_or_difference(lookup: Lookup, rule: TypingRule) -> Operand:
            value = lookup(name)
            return difference(lookup, rule) if value is None else value

        return header_or_difference

    def _arithmetic(self, node: Arithmetic) -> _Calculation:
        first = self.number(node.first)
        rest = [(CALCULATE[symbol], self.number(operand)) for symbol, operand in node.rest]

        def calculate(lookup: Lookup, rule: TypingRule) -> Number:
            number = first(lookup, rule)
            for apply, operand in rest:
                number = apply(number, operand(lookup, rule))
            return number

        return calculate


def _disjunction(conditions: list[_Condition]) -> _Condition:
    def disjunction(lookup: Lookup, rule: TypingRule) -> Truth:
        outcome: Truth = False
        for condition in conditions:
            truth = condition(lookup, rule)
            if truth:
                return True
            if truth is None:
                outcome = None
        return outcome

    return disjunction


def _conjunction(conditions: list[_Condition]) -> _Condition:
    def conjunction(lookup: Lookup, rule: TypingRule) -> Truth:
        outcome: Truth = True
        for condition in conditions:
            truth = condition(lookup, rule)
            if truth is None:
                outcome = None
            elif not truth:
                return False
        return outcome

    return conjunction


def _negation(condition: _Condition) -> _Condition:
    def negation(lookup: Lookup, rule: TypingRule) -> Truth:
        truth = condition(lookup, rule)
        return None if truth is None else not truth

    return negation


def _compile_pattern(pattern: str, escape: str) -> Callable[[str], re.Match[str] | None]:
    """Return what fits a whole string to a LIKE pattern, in time proportional to the product of their lengths.

    Spec: JMS 3.1, 3.8.1.1: _ stands for one character, % for any number of them, an escaped one for itself.
    """
    stretches = [""]
    is_escaped = False
    for character in pattern:
        if character == escape and not is_escaped:
            is_escaped = True
            continue
        if character == "%" and not is_escaped:
            stretches.append("")
        else:
            stretches[-1] += "." if character == "_" and not is_escaped else re.escape(character)
        is_escaped = False
    first, *middle = stretches
    last = middle.pop() if middle else None
    # What lies between two % is taken where it is found first, and never looked for again: hence no backtracking.
    found = "".join(f"(?>.*?{stretch})" for stretch in middle if stretch)
    expression = first + found + ("" if last is None else f".*{last}")
    return re.compile(expression, re.DOTALL).fullmatch
