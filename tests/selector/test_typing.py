"""Messages whose headers are all text: a string counts as what it spells where that is needed."""

from __future__ import annotations

import pytest

from stompd.selector.evaluate import compile_selector
from tests.selector.truth import truth

NUMBERS = [
    *(
        ("5", "5"),
        ("05", "5"),
        ("+5", "5"),
        ("-5", "-5"),
        ("0", "0"),
        ("-0", "0"),
        ("9223372036854775807", "9223372036854775807"),
    ),
    *(("9223372036854775808", "9223372036854775808.0"), ("-9223372036854775808", "-9223372036854775808")),
    *(
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1.5E-1", "0.15"),
        ("-2.5", "-2.5"),
        ("+.25e+1", "2.5"),
    ),
    *(("0000000000000000000000000000000000000000000007", "7"), ("123456789012345678", "123456789012345678")),
]

NO_NUMBERS = [
    *(
        "",
        " ",
        "x",
        "5x",
        " 5",
        "5 ",
        "5\n",
        "1_0",
        "1,5",
        "0x10",
        "5L",
        "1.5f",
        "1e",
        "e5",
        ".",
        "+",
        "-",
        "--5",
        "+-5",
    ),
    *("NaN", "nan", "inf", "Infinity", "\u0665", "\uff15", "²", "1.2.3", "1e5.5", "true", "5" * 65, "0." + "5" * 70),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_string_beside_a_number_counts_as_the_number_that_it_spells(text, number):
    values = {"a": text}

    assert (
        truth(f"a = {number} AND {number} = a AND a >= {number} AND a < {number} + 1e300", values, is_typed=False)
        is True
    )
    assert truth(f"a <> {number} OR a > {number}", values, is_typed=False) is False


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize(
    "selector", ["a = 5", "a <> 5", "a < 5", "5 >= a", "a > 1.5", "a + 1 <> 0", "-a < 5", "a BETWEEN -9 AND 9"]
)
def test_string_that_spells_no_number_is_unlike_one(text, selector):
    assert truth(selector, {"a": text}, is_typed=False) is False


def test_exact_number_in_a_string_stays_exact():
    assert truth("a = 9007199254740993 AND NOT a = 9007199254740992", {"a": "9007199254740993"}, is_typed=False) is True


def test_strings_are_numbers_in_arithmetic():
    values = {"price": "2.5", "count": "4"}

    assert truth("price * count = 10 AND count / 3 = 1 AND -count = -4 AND +count = 4", values, is_typed=False) is True


def test_strings_are_numbers_where_there_is_an_order():
    values = {"a": "9", "b": "10", "c": "x"}

    assert truth("a < b AND b > a AND a BETWEEN 1 AND b", values, is_typed=False) is True
    assert truth("a < c OR c < a OR c >= c", values, is_typed=False) is False


def test_two_strings_are_equal_by_their_characters():
    values = {"a": "5", "b": "5.0", "c": "5"}

    assert truth("a = c AND a <> b", values, is_typed=False) is True


def test_string_beside_a_string_literal_is_a_string():
    assert truth("a = '5' AND a <> '5.0' AND a IN ('5') AND a LIKE '_'", {"a": "5"}, is_typed=False) is True


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("True", True), ("false", False), ("FALSE", False)]
)
def test_string_counts_as_the_boolean_that_it_spells(text, value):
    values = {"a": text}

    assert truth("a", values, is_typed=False) is value
    assert truth("a = TRUE", values, is_typed=False) is value
    assert truth("FALSE <> a", values, is_typed=False) is value
    assert truth("a = FALSE", values, is_typed=False) is not value
    assert truth("a = (1 = 1)", values, is_typed=False) is value


@pytest.mark.parametrize("text", ["", "1", "0", "yes", "on", "t", " true", "tru\u0435"])
@pytest.mark.parametrize("selector", ["a", "a = TRUE", "a <> TRUE", "a = FALSE", "a <> FALSE"])
def test_string_that_spells_no_boolean_is_unlike_one(text, selector):
    assert truth(selector, {"a": text}, is_typed=False) is False


def test_strings_are_compared_with_typed_values_of_the_same_message():
    values = {"JMSPriority": 7, "least": "5", "flag": True, "wanted": "TRUE"}

    assert truth("JMSPriority > least AND least <> JMSPriority AND flag = wanted", values, is_typed=False) is True


@pytest.mark.parametrize(
    ("selector", "value"),
    [("a = '5'", 5), ("a = 'true'", True), ("a <> '5'", 6), ("'5' = a", 5), ("a = TRUE", 1), ("a = 1", True)],
)
def test_values_that_are_no_strings_are_not_converted(selector, value):
    assert truth(selector, {"a": value}, is_typed=False) is False


def test_jms_142_typed_message_is_not_converted():
    selector = compile_selector("n > 1")

    outcomes = [selector.matches({"n": "2"}.get, is_typed=is_typed) for is_typed in (False, True)]

    assert outcomes == [True, False]
    assert not selector.matches({"n": "0"}.get)
    assert selector.matches({"n": 2}.get, is_typed=True)
