"""How expressions are put together, and which ones are refused before any message comes."""

from __future__ import annotations

import pytest

from stompd.selector.evaluate import compile_selector
from tests.selector.truth import refusal, truth

PRECEDENCE = [
    ("NOT a AND b", "(NOT a) AND b", "NOT (a AND b)"),
    ("a OR b AND c", "a OR (b AND c)", "(a OR b) AND c"),
    ("a AND b OR c", "(a AND b) OR c", "a AND (b OR c)"),
    ("NOT a OR b", "(NOT a) OR b", "NOT (a OR b)"),
]

NUMBERS = {"p": 7, "q": 3, "r": 5, "s": 20, "t": 4}
SUMS = [
    *(
        ("p+q*r-s/t", 17),
        ("(p+q)*r-s/t", 45),
        ("p+q*(r-s)/t", -4),
        ("p-q-r", -1),
        ("p-(q-r)", 9),
        ("s/t/r", 1),
        ("(s+t)/r", 4),
    ),
    *(
        ("-p + q", -4),
        ("-(p + q)", -10),
        ("p - -q", 10),
        ("+p", 7),
        ("- - p", 7),
        ("p * -q", -21),
        ("- p * q", -21),
        ("s/t*r", 25),
    ),
    *(("2*p+1", 15), ("p-3", 4), ("3-p", -4), ("((p))", 7)),
]

ACCEPTED = [
    *("flag", "NOT flag", "NOT NOT flag", "(flag)", "TRUE", "FALSE", "flag AND TRUE", "1 = 1", "'a' = 'b'", "1 < 2.5"),
    *("flag = TRUE", "FALSE <> flag", "(a > 1) = TRUE", "(a > 1) <> (b > 1)", "(flag OR a = 1) = flag", "5 < a"),
    *("a BETWEEN b AND c", "a + 1 BETWEEN 1 AND 2 * b", "1 NOT BETWEEN a AND b", "a BETWEEN -1 AND +1"),
    *("a IN ('x')", "a NOT IN ('x','y', 'x')", "a LIKE ''", "a NOT LIKE '%' ESCAPE '\\'", "a IS NULL", "a IS NOT NULL"),
    *("NOT a IN ('x')", "NOT a IS NULL", "(a) IS NULL", "a = b AND NOT (c <> d OR e >= 1)", "a BETWEEN 1 AND 2 AND b"),
    *("JMSPriority > 4 AND JMSType = 'x'", "JMSDeliveryMode = 'PERSISTENT'", "JMSXGroupSeq = 1 AND JMS_vendor = 1"),
]

REFUSED = [
    # JMS-146: a selector is a condition
    *("3+5", "'x'", "5", "-a", "a + 1", "(5)", "NOT 5", "NOT 'x'", "a AND 5", "'x' OR a", "a OR b + 1", "+TRUE = a"),
    # JMS-148
    *(
        "x IN (1,2)",
        "x IN (TRUE)",
        "x IN (y)",
        "x IN 'a'",
        "x IN ('a'",
        "x IN ('a' 'b')",
        "x IN ('a',)",
        "'x' IN ('x')",
    ),
    *("5 IN ('x')", "x + 1 IN ('x')", "x LIKE 7", "x LIKE y", "x LIKE", "'x' LIKE 'x'", "x * 2 LIKE 'x'", "5 IS NULL"),
    *(
        "'x' IS NULL",
        "(a AND b) IS NULL",
        "x IS",
        "x IS NOT",
        "x IS TRUE",
        "x IS 5",
        "x NOT NULL",
        "x NOT",
        "x NOT = 1",
    ),
    # JMS-150, JMS-152, JMS-153
    *("x IN ()", "x IN", "x LIKE 'a' ESCAPE", "x LIKE 'a' ESCAPE ''", "x LIKE 'a' ESCAPE 'ab'", "x LIKE 'a' ESCAPE 5"),
    *("x LIKE 'a!' ESCAPE '!'", "x LIKE '!!!' ESCAPE '!'", "x LIKE '%' ESCAPE '%'", "x = 'a' ESCAPE '!'"),
    *("a BETWEEN 'x' AND 'y'", "a BETWEEN 1 AND 'y'", "'a' BETWEEN 1 AND 2", "a BETWEEN TRUE AND 2", "a BETWEEN 1, 2"),
    *("TRUE BETWEEN 1 AND 2", "a BETWEEN 1 AND", "a BETWEEN AND 2", "a BETWEEN 1 OR 2", "(a = b) BETWEEN 1 AND 2"),
    # JMS-156, JMS-163, JMS-164
    *("p > 'x'", "'x' >= p", "'x' < 'y'", "p <= TRUE", "FALSE > p", "'x' >= TRUE", "p < (a = b)", "1 < 'x'"),
    *("'a' + 1 = 2", "a + 'x' = 2", "TRUE * 2 = 2", "a / FALSE = 1", "-'x' = 1", "-TRUE = 1", "a - (b = c) = 1"),
    *("TRUE = 0", "0 <> FALSE", "5 = 'x'", "'x' = 5", "'TRUE' = TRUE", "a + 1 = 'x'", "(a = b) = 5", "-a = TRUE"),
    # JMS-165
    *("a = b = c", "a < b < c", "a = b <> c", "a = b IS NULL", "a IN ('x') = TRUE", "a BETWEEN 1 AND 2 = TRUE"),
    # not put together at all
    *(
        "=",
        "a =",
        "= a",
        "a b",
        "a AND",
        "AND a",
        "a OR OR b",
        "NOT",
        "a NOT",
        "(",
        ")",
        "()",
        "(a",
        "a)",
        "((a)",
        "a,b",
    ),
    *(
        "a = (b",
        "a = b)",
        "a = 1 b = 2",
        "a = NOT b",
        "a <> = b",
        "a < > b",
        "a > = b",
        "a *",
        "* a = 1",
        "a = + ",
        "a 5",
    ),
    *(
        "a = NULL",
        "NULL IS NULL",
        "a = 'x' 'y'",
        "a ** b = 1",
        "a % 2 = 0",
        "a || b",
        "a = ?",
        "a = :b",
        "a; b",
        "a(b)",
    ),
]


@pytest.mark.parametrize(("text", "same", "other"), PRECEDENCE)
def test_jms_145_not_binds_closer_than_and_and_and_than_or(text, same, other):
    def outcomes(selector):
        return [
            truth(selector, {"a": a, "b": b, "c": c})
            for a in (True, False)
            for b in (True, False)
            for c in (True, False)
        ]

    assert outcomes(text) == outcomes(same)
    assert outcomes(text) != outcomes(other)


@pytest.mark.parametrize(("text", "value"), SUMS)
def test_jms_145_arithmetic_binds_as_usual(text, value):
    assert truth(f"{text} = {value}", NUMBERS) is True
    assert truth(f"{value} = {text}", NUMBERS) is True


def test_jms_145_comparisons_bind_closer_than_not_and_weaker_than_sums():
    assert truth("NOT a + 1 = b - 1", {"a": 1, "b": 3}) is False


@pytest.mark.parametrize("text", ACCEPTED)
def test_jms_167_selector_is_accepted(text):
    assert compile_selector(text).text == text


@pytest.mark.parametrize("text", REFUSED)
def test_jms_167_selector_is_refused(text):
    assert refusal(text)


@pytest.mark.parametrize("name", ["JMSDestination", "JMSReplyTo", "JMSExpiration", "JMSRedelivered", "JMSDeliveryTime"])
def test_jms_137_other_headers_of_jms_are_refused(name):
    assert refusal(f"a = 1 AND {name} IS NULL").detail.startswith(f"JMS does not allow {name} in a selector")


@pytest.mark.parametrize("text", ["", " ", "\t\r\n\f ", " " * 10_000])
def test_jms_126_blank_selector_selects_everything_and_says_so(text):
    selector = compile_selector(text)

    assert selector.is_blank
    assert selector.text == ""
    assert selector.matches({}.get)
    assert selector.matches({}.get, is_typed=True)


def test_jms_341_blank_selectors_are_equal():
    assert compile_selector(" ") == compile_selector("")


def test_selector_that_selects_everything_by_its_condition_is_not_blank():
    assert not compile_selector("TRUE").is_blank


def test_jms_171_selector_keeps_its_text():
    assert compile_selector(" a = 1 ").text == " a = 1 "


def test_selectors_are_equal_by_text():
    selector, same, other = compile_selector("a = 1"), compile_selector("a = 1"), compile_selector("a=1")

    assert selector == same
    assert selector is same
    assert hash(selector) == hash(same)
    assert selector != other
    assert selector != "a = 1"
    assert repr(selector) == "Selector('a = 1')"


def test_identifiers_are_all_names_that_may_be_looked_up():
    text = "a = 1 AND b + c > -d OR e IN ('x') OR NOT f LIKE 'y' OR g IS NULL OR h BETWEEN i AND j OR k OR l-m > 2"

    assert compile_selector(text).identifiers == {*"abcdefghijklm", "l-m"}
