"""Three-valued logic, and what each operator says of values that are missing or of another type."""

from __future__ import annotations

from math import inf, nan

import pytest

from stompd.selector.evaluate import compile_selector
from tests.selector.truth import truth

T, F, U = True, False, None
CASES = [T, F, U]


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        *((T, T, T, T), (T, F, F, T), (T, U, U, T)),
        *((F, T, F, T), (F, F, F, F), (F, U, F, U)),
        *((U, T, U, T), (U, F, F, U), (U, U, U, U)),
    ],
)
def test_jms_166_and_and_or(left, right, conjunction, disjunction):
    values = {"a": left, "b": right}

    assert truth("a AND b", values) is conjunction
    assert truth("a OR b", values) is disjunction
    assert truth("a = TRUE AND b = TRUE", values) is conjunction
    assert truth("a = TRUE OR b = TRUE", values) is disjunction


@pytest.mark.parametrize(("operand", "outcome"), [(T, F), (F, T), (U, U)])
def test_jms_166_not(operand, outcome):
    assert truth("NOT a", {"a": operand}) is outcome
    assert truth("NOT NOT NOT a", {"a": operand}) is outcome


@pytest.mark.parametrize("middle", CASES)
def test_jms_166_longer_chains_are_decided_by_any_part(middle):
    values = {"t": T, "f": F, "m": middle, "u": U}

    assert truth("m AND u AND t AND f", values) is F
    assert truth("m OR u OR f OR t", values) is T


@pytest.mark.parametrize(
    "text",
    [
        *("a = 1", "a <> 1", "a < 1", "1 >= a", "a = b", "a + 1 = 2", "1 - a < 2", "-a = 1", "+a > 1", "a * s > 1"),
        *("a BETWEEN 1 AND 2", "a NOT BETWEEN 1 AND 2", "1 BETWEEN a AND 2", "a IN ('x')", "a NOT IN ('x')"),
        *("a LIKE '%'", "a NOT LIKE '%'", "a = 'x'", "a <> 'x'", "a = TRUE", "a <> FALSE", "a = s", "s <> a"),
        *("a", "NOT a", "a = (b = 1)", "(a = 1) = TRUE", "(a = 1) <> (b = 1)"),
    ],
)
def test_jms_143_missing_value_makes_the_outcome_unknown(text):
    assert truth(text, {"s": "x"}) is U
    assert truth(text, {"s": "x"}, is_typed=False) is U


@pytest.mark.parametrize("text", ["a", "NOT a", "a = 1", "NOT a = 1"])
def test_jms_146_unknown_selects_nothing(text):
    assert not compile_selector(text).matches({}.get)


@pytest.mark.parametrize("value", ["", 0, False, 0.0, "x"])
def test_jms_154_is_null_is_never_unknown(value):
    values = {"a": value}

    outcomes = [truth(text, values) for text in ("a IS NULL", "a IS NOT NULL", "b IS NULL", "b IS NOT NULL")]

    assert outcomes == [F, T, T, F]


@pytest.mark.parametrize("value", ["TRUE", "true", 1, 0, 1.0, ""])
def test_jms_147_value_that_is_not_boolean_is_false_as_a_condition(value):
    assert truth("a", {"a": value}) is F


@pytest.mark.parametrize("operator", ["=", "<>"])
@pytest.mark.parametrize(("left", "right"), [("2", 2), (2, "2"), (True, 1), ("true", True), (1.0, "1.0"), (False, "")])
def test_jms_155_unlike_values_are_neither_equal_nor_unequal(operator, left, right):
    assert truth(f"a {operator} b", {"a": left, "b": right}) is F


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("a = 2", "2"), ("a <> 2", "3"), ("a > 1", "2"), ("a = '2'", 2), ("a <> '2'", 3), ("a = TRUE", "true")),
        *(("a <> TRUE", 0), ("a = 1", True), ("a <> 1.5", False), ("a = 'true'", True), ("2 <> a", "3")),
    ],
)
def test_jms_142_properties_are_not_converted(text, value):
    assert truth(text, {"a": value}) is F


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize(("left", "right"), [("a", "b"), (False, True), ("a", 1), (1, True), (0.5, "1")])
def test_jms_156_only_numbers_have_an_order(operator, left, right):
    values = {"a": left, "b": right}

    assert truth(f"a {operator} b", values) is F
    assert truth(f"b {operator} a", values) is F
    assert truth(f"1 {operator} a", {"a": "x"}) is F


@pytest.mark.parametrize(("left", "right"), [("a", "A"), ("a", "a "), ("é", "e\u0301"), ("", " "), ("ß", "ss")])
def test_jms_157_strings_are_equal_by_their_characters(left, right):
    values = {"a": left, "b": right}

    assert truth("a = b", values) is F
    assert truth("a <> b", values) is T
    assert truth("a = a", values) is T


@pytest.mark.parametrize("value", [1, 1.0])
def test_jms_155_exact_and_approximate_numbers_compare(value):
    values = {"a": value}

    assert truth("a = 1 AND a = 1.0 AND 1.0 = a AND a >= 1 AND a <= 1.0 AND a < 1.5 AND a > 0", values) is T


@pytest.mark.parametrize(
    ("operator", "outcomes"),
    [("=", [F, T, F]), ("<>", [T, F, T]), ("<", [T, F, F]), ("<=", [T, T, F]), (">", [F, F, T]), (">=", [F, T, T])],
)
def test_jms_156_operators_compare_in_either_order(operator, outcomes):
    messages = [{"a": value, "two": 2} for value in (1, 2, 3)]
    mirrored = operator.translate(str.maketrans("<>", "><")) if operator != "<>" else operator

    assert [truth(f"a {operator} 2", values) for values in messages] == outcomes
    assert [truth(f"a {operator} two", values) for values in messages] == outcomes
    assert [truth(f"2 {mirrored} a", values) for values in messages] == outcomes


@pytest.mark.parametrize(
    ("value", "between"), [(0, F), (1, T), (1.5, T), (2, T), (3, F), (True, F), ("1", F), (nan, F), (None, U)]
)
def test_jms_153_between_includes_its_bounds(value, between):
    assert truth("a BETWEEN 1 AND 2", {"a": value}) is between
    assert truth("a >= 1 AND a <= 2", {"a": value}) is between


@pytest.mark.parametrize(
    ("value", "outside"), [(0, T), (1, F), (2, F), (3, T), ("x", F), (True, F), (nan, F), (None, U)]
)
def test_jms_153_not_between_is_outside_of_the_bounds(value, outside):
    assert truth("a NOT BETWEEN 1 AND 2", {"a": value}) is outside
    assert truth("a < 1 OR a > 2", {"a": value}) is outside


def test_jms_153_between_is_decided_by_one_bound_if_it_can_be():
    assert truth("0 BETWEEN 1 AND missing") is F
    assert truth("0 NOT BETWEEN 1 AND missing") is T
    assert truth("5 BETWEEN 1 AND missing") is U


@pytest.mark.parametrize(("value", "is_in"), [("x", T), ("y", T), ("X", F), ("", F), ("x ", F)])
def test_jms_149_in_is_equality_with_one_of_the_strings(value, is_in):
    assert truth("a IN ('x', 'y')", {"a": value}) is is_in
    assert truth("a NOT IN ('x', 'y')", {"a": value}) is not is_in


@pytest.mark.parametrize("value", [1, 1.5, True])
@pytest.mark.parametrize("text", ["a IN ('1')", "a NOT IN ('1')", "a LIKE '%'", "a NOT LIKE 'x'"])
def test_jms_149_what_is_no_string_is_neither_in_nor_not_in(text, value):
    assert truth(text, {"a": value}) is F
    assert truth(text, {"a": value}, is_typed=False) is F


LIKE = [
    *(
        ("", "", T),
        ("", "a", F),
        ("a", "", F),
        ("%", "", T),
        ("%", "a\nb", T),
        ("_", "", F),
        ("_", "\n", T),
        ("_", "ab", F),
    ),
    *(("a%", "abc", T), ("a%", "ba", F), ("%c", "abc", T), ("%c", "cb", F), ("%b%", "abc", T), ("%b%", "ac", F)),
    *(("a%c", "ac", T), ("a%c", "abcabc", T), ("a%c", "abcb", F), ("%%", "x", T), ("a%%c", "ac", T), ("a%a", "a", F)),
    *(("12%3", "123", T), ("12%3", "12993", T), ("12%3", "1234", F), ("l_se", "lose", T), ("l_se", "loose", F)),
    *(("%ab%ab%", "abab", T), ("%ab%ab%", "aba", F), ("%aab", "aaab", T), ("%a_b%", "aaab", T), ("%_%_%", "a", F)),
    *(("a.c", "abc", F), ("a.c", "a.c", T), (".*", "abc", F), ("[a]", "a", F), ("a|b", "a", F), ("^a$", "a", F)),
    *(("\\", "\\", T), ("\\d", "5", F), ("A", "a", F), ("_", "é", T), ("_", "\U0001d49c", T), ("a%b%c", "aXbYbZc", T)),
]

ESCAPED = [
    *((r"\_%", "\\", "_foo", T), (r"\_%", "\\", "bar", F), ("a!%b", "!", "a%b", T), ("a!%b", "!", "aXb", F)),
    *(
        ("!!", "!", "!", T),
        ("a!!%", "!", "a!b", T),
        ("a!bc", "!", "abc", T),
        ("AA%A_", "A", "A%_", T),
        ("AA%A_", "A", "A%x", F),
        ("AAA%", "A", "A%", T),
    ),
    *(
        ("G_G%", "G", "_%", T),
        ("G_G%", "G", "ab", F),
        ("__", "_", "_", T),
        ("a_%", "_", "a%", T),
        ("a_%", "_", "ab", F),
    ),
    *(("%%", "%", "%", T), ("%_x", "%", "_x", T), ("%_x", "%", "ax", F), ("a%%_", "%", "a%b", T), ("..", ".", ".", T)),
]


@pytest.mark.parametrize(("pattern", "value", "fits"), LIKE)
def test_jms_151_like(pattern, value, fits):
    assert truth(f"a LIKE '{pattern}'", {"a": value}) is fits
    assert truth(f"a NOT LIKE '{pattern}'", {"a": value}) is not fits


@pytest.mark.parametrize(("pattern", "escape", "value", "fits"), ESCAPED)
def test_jms_152_escape_takes_the_meaning_of_the_next_character(pattern, escape, value, fits):
    assert truth(f"a LIKE '{pattern}' ESCAPE '{escape}'", {"a": value}) is fits


def test_jms_151_quotes_in_patterns_are_doubled():
    assert truth("a LIKE 'it''s%'", {"a": "it's here"}) is T


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">="])
def test_jms_162_nan_is_unequal_to_everything(operator):
    values = {"a": nan, "b": nan}

    assert truth(f"a {operator} b", values) is F
    assert truth(f"a {operator} 1", values) is F
    assert truth("a <> b AND a <> 1 AND a <> 1.5", values) is T


def test_infinity_is_larger_than_every_number():
    assert truth("a > 9223372036854775807 AND -a < 1e308 - 1e308 AND a = a", {"a": inf}) is T
