"""What keeps a hostile selector from costing memory, stack or time."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeVar

import pytest

from stompd.selector.evaluate import compile_selector
from stompd.selector.lexer import LONGEST_SELECTOR
from stompd.selector.parser import DEEPEST_NESTING, LONGEST_PATTERNS, MOST_TERMS
from tests.selector.truth import refusal


def test_longest_selector_is_accepted_and_a_longer_one_refused():
    text = "a = '{}'".format("x" * (LONGEST_SELECTOR - 6))

    assert compile_selector(text).matches({"a": "x" * (LONGEST_SELECTOR - 6)}.get)
    error = refusal(text + " ")
    assert error.column == LONGEST_SELECTOR + 1
    assert error.detail.startswith(f"A selector has at most {LONGEST_SELECTOR} characters")


Result = TypeVar("Result")


def _nest(level: str, count: int) -> str:
    return reduce(lambda inner, _: level.format(inner), range(count), "a") + " = 1"


def _call_deep(depth: int, function: Callable[[], Result]) -> Result:
    """Call a function with so many calls below it on the stack."""
    return _call_deep(depth - 1, function) if depth else function()


@pytest.mark.parametrize("level", ["({})", "NOT {}", "- {}", "+ {}"])
def test_deepest_selector_is_accepted_and_a_deeper_one_refused(level):
    selector = compile_selector(_nest(level, DEEPEST_NESTING))

    assert selector.matches({"a": 1}.get)
    error = refusal(_nest(level, DEEPEST_NESTING + 1))
    assert error.detail.startswith(
        f"A selector has at most {DEEPEST_NESTING} parentheses, NOTs and signs within each other"
    )


@pytest.mark.parametrize("level", ["(b OR b AND (1 = 2) = {})", "(c + 2 * {})", "(c - {})"])
def test_deepest_selector_leaves_half_of_the_stack_to_others(level):
    text = reduce(lambda inner, _: level.format(inner), range(DEEPEST_NESTING - 1), "(b)" if "b" in level else "(c)")

    compiled = _call_deep(450, lambda: compile_selector(f"{text} = {'FALSE' if 'b' in level else 0}"))

    assert _call_deep(450, lambda: compiled.matches({"b": False, "c": 0}.get))


def test_nesting_side_by_side_is_not_deep():
    text = " AND ".join(["NOT (a = -(-1))"] * 100)

    assert compile_selector(text).matches({"a": 2}.get)


@pytest.mark.parametrize("operator", [" OR ", " AND ", " + ", " * ", " - "])
def test_most_terms_are_accepted_and_more_refused(operator):
    def selector(terms):
        return f"1 = {operator.join('a' * (terms - 1))}" if operator in " + * - " else operator.join("a" * terms)

    assert compile_selector(selector(MOST_TERMS)).identifiers == {"a"}
    error = refusal(selector(MOST_TERMS + 1))
    assert error.detail.startswith(f"A selector has at most {MOST_TERMS} names and literals outside of lists")
    assert error.column == len(selector(MOST_TERMS + 1))


@pytest.mark.parametrize("term", ["TRUE", "1 = -1", "'x' = 'x'", "a IS NULL", "a IN ('x')", "a LIKE 'x'"])
def test_every_kind_of_term_counts(term):
    assert "names and literals" in refusal(" OR ".join([term] * (MOST_TERMS + 1))[:LONGEST_SELECTOR]).detail


def test_strings_of_a_list_do_not_count_as_terms():
    text = "a IN ({})".format(",".join(f"'{number}'" for number in range(MOST_TERMS + 1)))

    assert compile_selector(text).matches({"a": str(MOST_TERMS)}.get)


def test_longest_patterns_are_accepted_and_longer_ones_refused():
    half = "x" * (LONGEST_PATTERNS // 2)

    assert compile_selector(f"a LIKE '{half}' OR a LIKE '{half}'").matches({"a": half}.get)
    error = refusal(f"a LIKE '{half}' OR a LIKE '{half}x'")
    assert error.detail.startswith(
        f"The LIKE patterns of a selector have at most {LONGEST_PATTERNS} characters together"
    )
    assert error.column == len(f"a LIKE '{half}' OR a LIKE '")


@pytest.mark.parametrize(
    "pattern", ["%a" * 200 + "b", "%_" * 200 + "b", "%a_" * 150 + "b%", "_%" * 200 + "b", "%a%b" * 100]
)
def test_pattern_that_almost_fits_does_not_backtrack(pattern):
    # With backtracking these take longer than the age of the universe.
    selector = compile_selector(f"a LIKE '{pattern}'")

    assert not selector.matches({"a": "a" * 2_000}.get)


def test_selector_in_use_lately_is_not_compiled_again():
    selector = compile_selector("cached = 1")

    for number in range(50):
        compile_selector(f"cached = {number}")

    assert compile_selector("cached = 1") is selector


def test_selectors_of_long_ago_are_forgotten():
    selector = compile_selector("forgotten = -1")

    for number in range(300):
        compile_selector(f"forgotten = {number}")

    assert compile_selector("forgotten = -1") is not selector
    assert compile_selector("forgotten = -1") == selector
