"""Numbers are Java's long and double, and calculating with them never fails."""

from __future__ import annotations

from math import inf, nan

import pytest

from tests.selector.truth import truth

LOWEST, HIGHEST = -(2**63), 2**63 - 1


@pytest.mark.parametrize(
    ("left", "right", "quotient"),
    [
        (123, 2, 61),
        (-10, 2, -5),
        (-7, 2, -3),
        (7, -2, -3),
        (-7, -2, 3),
        (1, 2, 0),
        (-1, 2, 0),
        (0, 5, 0),
        (HIGHEST, 1, HIGHEST),
    ],
)
def test_jms_158_integers_are_divided_towards_zero(left, right, quotient):
    assert truth("a / b = c", {"a": left, "b": right, "c": quotient}) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a / 2.0", 61.5), ("a / 2", 61), ("a / 2 * 2.0", 122.0), ("a * 1.0 / 2", 61.5), ("(a + 0.0) / 2", 61.5)],
)
def test_jms_158_an_operation_with_a_double_is_one_of_doubles(text, expected):
    assert truth(f"{text} = b", {"a": 123, "b": expected}) is True


def test_jms_158_long_and_double_compare_as_doubles():
    values = {"a": 2**53 + 1, "b": 2.0**53}

    assert truth("a = b AND NOT a > b AND a = 9007199254740992.0 AND a <= 9007199254740992.0", values) is True
    assert truth("a = 9007199254740992", values) is False


@pytest.mark.parametrize(
    ("text", "result"),
    [
        *(("high + 1", LOWEST), ("low - 1", HIGHEST), ("high * 2", -2), ("low * -1", LOWEST), ("-low", LOWEST)),
        *(("low / -1", LOWEST), ("high * high", 1), ("0 - low", LOWEST), ("2147483647 + 1", 2147483648)),
    ],
)
def test_jms_159_integers_wrap_around_at_64_bits(text, result):
    assert truth(f"{text} = result", {"low": LOWEST, "high": HIGHEST, "result": result}) is True


@pytest.mark.parametrize(
    "text", ["1 / 0 = 1", "a / 0 <> 1", "a / (a - a) > 1", "-(a / 0) = 1", "a / 0 + 1.5 = 1", "a / 0 BETWEEN 1 AND 2"]
)
def test_jms_160_integer_divided_by_zero_is_unknown(text):
    assert truth(text, {"a": 5}) is None


@pytest.mark.parametrize(
    ("left", "right", "quotient"),
    [
        *((1.0, 0, inf), (1, 0.0, inf), (-1.0, 0.0, -inf), (1.0, -0.0, -inf), (-1.0, -0.0, inf), (inf, 0.0, inf)),
        *((1e308, 0.1, inf), (1e-308, 1e308, 0.0)),
    ],
)
def test_jms_160_double_divided_by_zero_is_infinite(left, right, quotient):
    assert truth("a / b = c", {"a": left, "b": right, "c": quotient}) is True


@pytest.mark.parametrize("text", ["a / 0.0", "zero / zero", "big - big", "big * 0", "0.0 / 0", "nan / 0.0", "-nan"])
def test_jms_160_what_has_no_result_is_no_number_and_unequal_to_itself(text):
    values = {"a": 0, "zero": 0.0, "big": inf, "nan": nan}

    assert truth(f"{text} <> {text}", values) is True


def test_the_sign_of_zero_is_kept():
    assert truth("1 / -z < 0 AND 1 / z > 0 AND 1 / -0.0 < 0", {"z": 0.0}) is True


def test_doubles_overflow_to_infinity():
    assert truth("a * 10 = b AND a + a = b AND -a - a = -b", {"a": 1e308, "b": inf}) is True


def test_jms_132_float_literal_has_the_precision_of_a_float():
    assert truth("f = 1.1f", {"f": 1.100000023841858}) is True


def test_jms_161_float_property_is_widened_to_double():
    assert truth("f = 1.1", {"f": 1.100000023841858}) is False


@pytest.mark.parametrize("value", ["x", "5", True])
@pytest.mark.parametrize(
    "text", ["a + 1 = 6", "1 - a <> 3", "a * a = 25", "-a < 0", "+a = 5", "a / 0 = 1", "a + 1 = a + 1", "-a = -a"]
)
def test_jms_163_what_is_no_number_makes_a_calculation_false(text, value):
    assert truth(text, {"a": value}) is False


@pytest.mark.parametrize("text", ["a + b = 1", "b + a = 1", "(a + 1) * b > 0", "-a < b"])
def test_jms_163_what_is_missing_makes_a_calculation_unknown_whatever_else_is_in_it(text):
    assert truth(text, {"a": "x"}) is None


@pytest.mark.parametrize("is_typed", [True, False])
@pytest.mark.parametrize(
    "text", ["a + 1 > 0", "a * a * a > 0", "-a < 0", "a > 1.5", "a = 1.5", "b < a", "a BETWEEN 1.5 AND 2"]
)
def test_integer_beyond_a_long_is_unknown_where_it_would_have_to_be_one(text, is_typed):
    assert truth(text, {"a": 10**400, "b": 1}, is_typed=is_typed) is None
