"""What JMS does not have: names with hyphens, names in double quotes, and the prefixes of ActiveMQ."""

from __future__ import annotations

import pytest

from stompd.selector.evaluate import compile_selector
from stompd.selector.nodes import EXCLUDED_HEADERS, STANDARD_HEADERS, Comparison, Constant, Identifier
from stompd.selector.parser import parse
from tests.selector.truth import refusal, truth


@pytest.mark.parametrize(
    "text",
    [
        *(
            "x-y = 'v'",
            "'v' = x-y",
            "x-y <> 'w'",
            "x-y IN ('v')",
            "x-y LIKE 'v'",
            "x-y IS NOT NULL",
            "x-y NOT IN ('w')",
        ),
        *("x-y-z3 IS NULL", "NOT x-y = 'w'", "a-1 IS NULL", "(x-y) = 'v'", "x-y = v", "v = x-y"),
    ],
)
def test_hyphenated_words_are_a_name_where_a_number_makes_no_sense(text):
    assert truth(text, {"x-y": "v", "v": "v", "x": 3, "y": 2}) is True


@pytest.mark.parametrize(
    "text", ["x-flag", "NOT NOT x-flag", "x-flag AND TRUE", "x-flag = TRUE", "x-flag <> FALSE", "(x-flag)"]
)
def test_hyphenated_words_are_a_name_where_a_boolean_is_needed(text):
    assert truth(text, {"x-flag": True, "x": 3, "flag": 2}) is True


@pytest.mark.parametrize("text", ["x-y = 'v'", "FALSE = x-y", "x-y", "x-y AND TRUE", "x-y IN ('v')", "x-y LIKE 'v'"])
def test_hyphenated_name_that_makes_sense_alone_is_unknown_if_there_is_no_such_header(text):
    assert truth(text, {"x": 3, "y": 2}) is None


NUMERIC = [
    "x-y = 1",
    "1 = x-y",
    "x-y BETWEEN 1 AND 1",
    "1 BETWEEN x-y AND x-y",
    "x-y < 2",
    "(x-y) * 3 = 3",
    "x-y = one",
]


@pytest.mark.parametrize("text", NUMERIC)
def test_hyphenated_words_beside_a_number_are_the_header_if_there_is_one(text):
    assert truth(text, {"x-y": 1, "x": 30, "y": 20, "one": 1}) is True
    assert truth(text, {"x-y": "1", "x": "30", "y": "20", "one": 1}, is_typed=False) is True


@pytest.mark.parametrize("text", NUMERIC)
def test_jms_129_hyphenated_words_are_a_subtraction_if_there_is_no_such_header(text):
    assert truth(text, {"x": 3, "y": 2, "one": 1}) is True


@pytest.mark.parametrize("text", NUMERIC)
def test_hyphenated_words_are_unknown_if_there_is_neither(text):
    assert truth(text, {"x": 3, "one": 1}) is None


@pytest.mark.parametrize(
    "text", ["x - y = 1", "x -y = 1", "x- y = 1", "x-y*1 = 1", "x-y+0 = 1", "0+x-y = 1", "-y-x = -5", "x-(y) = 1"]
)
def test_jms_129_other_hyphens_subtract(text):
    assert truth(text, {"x": 3, "y": 2, "x-y": 7}) is True


def test_digits_belong_to_a_hyphenated_name():
    assert truth("sha-256 = 'ab'", {"sha-256": "ab"}) is True
    assert truth("n-1 = 4", {"n": 5}) is True
    assert truth("n-1 = 4", {"n": 5, "n-1": 3}) is False


def test_difference_that_is_no_number_is_unlike():
    assert truth("a-b = c", {"a": "x", "b": 1, "c": 1}) is False


@pytest.mark.parametrize(
    ("name", "written"), [("x-y", '"x-y"'), ("a b", '"a b"'), ("NOT", '"NOT"'), ('"', '""""'), ("a.b", '"a.b"')]
)
def test_name_in_double_quotes_may_be_anything(name, written):
    selector = compile_selector(f"{written} = 1")

    assert selector.identifiers == {name}
    assert selector.matches({name: 1}.get)


def test_name_in_double_quotes_is_never_a_subtraction():
    assert truth('"x-y" = 1', {"x": 3, "y": 2}) is None
    assert truth('"x"-y = 1', {"x": 3, "y": 2, "x-y": 7}) is True


@pytest.mark.parametrize("text", ['"" = 1', '"a = 1', '"a" "b" = 1', '"JMSReplyTo" = 1', '"a"" = 1', 'a LIKE "x"'])
def test_other_double_quotes_are_refused(text):
    assert refusal(text)


@pytest.mark.parametrize(
    "text", ["x-y = 1", "x-y*2 = 2", "0 + x-y = 1", "x-y > 0 AND x - y = 10", "x-and-in = 5", "x--y- = 6"]
)
def test_behind_hyphenated_props_a_hyphen_belongs_to_the_name(text):
    values = {"x-y": 1, "x": 30, "y": 20, "x-and-in": 5, "x--y-": 6}

    assert truth_behind("hyphenated_props:", text, values) is True


def test_behind_hyphenated_props_hyphenated_words_are_never_a_subtraction():
    assert parse("hyphenated_props:x-y = 1").condition == Comparison("=", Identifier("x-y"), Constant(1))
    assert truth_behind("hyphenated_props:", "x-y = 1", {"x": 3, "y": 2}) is None


@pytest.mark.parametrize(
    "prefix",
    [
        "convert_string_expressions:",
        "convert_string_expressions:hyphenated_props:",
        "hyphenated_props:convert_string_expressions:",
        "convert_string_expressions:convert_string_expressions: ",
    ],
)
def test_behind_convert_string_expressions_typed_messages_are_converted_too(prefix):
    assert truth_behind(prefix, "n > 1 AND b = TRUE", {"n": "2", "b": "true"}) is True


@pytest.mark.parametrize(
    "text", ["hyphenated_props:", "convert_string_expressions: ", "hyphenated_props :a = 1", "HYPHENATED_PROPS:a = 1"]
)
def test_prefix_needs_its_spelling_and_a_selector(text):
    assert refusal(text)


def test_column_counts_from_the_prefix():
    assert refusal("hyphenated_props:a = ").column == 22


def test_prefix_alone_makes_another_selector():
    assert compile_selector("hyphenated_props:a = 1") != compile_selector("a = 1")


def test_no_header_is_both_known_and_excluded():
    assert not EXCLUDED_HEADERS & set(STANDARD_HEADERS)
    assert compile_selector(" AND ".join(f"{name} IS NULL" for name in STANDARD_HEADERS)).matches({}.get)


def truth_behind(prefix, text, values):
    """Return what `truth` does, for a typed message and a selector with a prefix."""
    if compile_selector(f"{prefix}{text}").matches(values.get, is_typed=True):
        return True
    return False if compile_selector(f"{prefix}NOT ({text})").matches(values.get, is_typed=True) else None
