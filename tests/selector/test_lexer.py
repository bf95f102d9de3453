"""Names and literals, as JMS takes them over from Java."""

from __future__ import annotations

from math import inf

import pytest

from stompd.selector.evaluate import compile_selector
from stompd.selector.nodes import Comparison, Constant, Identifier
from stompd.selector.parser import parse
from tests.selector.truth import refusal, truth

NAMES = [
    "a",
    "A1",
    "_",
    "$",
    "$a_1",
    "größe",
    "цена",
    "名",
    "a\u0301",
    "Ⅷ",
    "€uro",
    "a٣",
    "a\u200db",
    "a\x01",
    "\U0001d49c",
]
RESERVED = ["NULL", "TRUE", "FALSE", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE"]

EXACT = [
    *(("0", 0), ("7", 7), ("007", 7), ("00", 0), ("035", 29), ("0x1d", 29), ("0X1D", 29), ("0xFFFFFFFF", 2**32 - 1)),
    *(("5L", 5), ("5l", 5), ("017L", 15), ("0xFL", 15), ("0L", 0), ("00000000000000000000000000000017", 15)),
    *(("9223372036854775807", 2**63 - 1), ("0x7FFFFFFFFFFFFFFF", 2**63 - 1), ("0777777777777777777777", 2**63 - 1)),
    *(("-9223372036854775808", -(2**63)), ("-9223372036854775808L", -(2**63)), ("- 5", -5), ("+62", 62), ("-1", -1)),
]
APPROXIMATE = [
    *(
        ("7.", 7.0),
        (".5", 0.5),
        ("7.25", 7.25),
        (".7e4", 7000.0),
        ("7E3", 7000.0),
        ("7.e1", 70.0),
        ("1e-2", 0.01),
        ("2e+3", 2000.0),
    ),
    *(("-57.9E2", -5790.0), ("+6.2", 6.2), ("-95.7", -95.7), ("07.5", 7.5), ("09e1", 90.0), ("08f", 8.0)),
    *(("1f", 1.0), ("1.5F", 1.5), ("1d", 1.0), ("2.5D", 2.5), ("1e2d", 100.0), ("1.1f", 1.100000023841858)),
]
OUT_OF_RANGE = [
    *("9223372036854775808", "9223372036854775808L", "+9223372036854775808", "-9223372036854775809"),
    *("0x8000000000000000", "01000000000000000000000", "9" * 5000, "1e400", "1e39f", "-1e400"),
]


@pytest.mark.parametrize("name", NAMES)
def test_jms_129_names_follow_the_rule_of_java(name):
    assert compile_selector(f"{name} = 1").identifiers == {name}


@pytest.mark.parametrize(
    "text", ["1abc = 1", "%x = 1", "a.b = 1", "a b = 1", "a#b = 1", "²a = 1", "\u0301a = 1", "\ud83da = 1"]
)
def test_jms_129_other_names_are_refused(text):
    assert refusal(text)


def test_jms_127_names_are_case_sensitive():
    assert truth("a = 1", {"A": 1}) is None


@pytest.mark.parametrize("word", [form for word in RESERVED for form in (word, word.lower(), word.title())])
def test_jms_128_reserved_words_are_no_names(word):
    assert refusal(f"{word} > 0")


def test_jms_127_reserved_words_have_any_case():
    text = "noT (a bEtween 1 aND 2 Or s Like 'x' eSCAPE 'y') and s iN ('z') And a iS nOT nUll And tRUE = True"

    assert truth(text, {"a": 3, "s": "z"}) is True


@pytest.mark.parametrize("word", ["\u0131s", "l\u0131ke", "e\u017fcape", "notx", "orx", "inn"])
def test_words_that_resemble_reserved_ones_are_names(word):
    assert compile_selector(f"{word} = 1").identifiers == {word}


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("''", ""),
        ("'a'", "a"),
        ("'it''s'", "it's"),
        ("''''", "'"),
        (r"'a\n'", r"a\n"),
        ("'é\n€'", "é\n€"),
        ("'\"'", '"'),
    ],
)
def test_jms_130_quotes_are_doubled_in_strings_and_nothing_is_escaped(literal, value):
    assert truth(f"s = {literal}", {"s": value}) is True


@pytest.mark.parametrize("text", ["s = '", "s = 'a", "s = 'a''", "s = 'a'''' AND t = 1", "s = 'a'b"])
def test_jms_130_strings_that_do_not_end_are_refused(text):
    assert refusal(text)


@pytest.mark.parametrize(("literal", "value"), EXACT)
def test_jms_131_exact_literals(literal, value):
    assert parse(f"a = {literal}").condition == Comparison("=", Identifier("a"), Constant(value))
    assert type(parse(f"a = {literal}").condition.right.value) is int


@pytest.mark.parametrize(("literal", "value"), APPROXIMATE)
def test_jms_132_approximate_literals(literal, value):
    assert parse(f"a = {literal}").condition == Comparison("=", Identifier("a"), Constant(value))
    assert type(parse(f"a = {literal}").condition.right.value) is float


@pytest.mark.parametrize("literal", OUT_OF_RANGE)
def test_jms_131_literals_out_of_range_are_refused(literal):
    assert "range of Java's long or double" in refusal(f"a = {literal}").detail


@pytest.mark.parametrize(
    "literal", ["08", "0x", "0xg", "1e", "1e+", "1_0", "5LL", "1.5L", "1.2.3", "12a", "1fd", "0b1", "."]
)
def test_jms_131_other_spellings_of_numbers_are_refused(literal):
    assert refusal(f"a = {literal}")


def test_jms_134_boolean_literals_have_any_case():
    assert [truth(text) for text in ("TRUE", "True", "true", "FALSE", "fALSE")] == [True, True, True, False, False]


def test_jms_135_white_space_is_allowed_between_any_words():
    assert truth("\n(\ta\f+\r\n1 ) =\t2 ", {"a": 1}) is True


def test_jms_135_white_space_is_not_needed_where_words_end_anyway():
    assert truth("NOT(a=1)AND s LIKE'x'OR(5)<a", {"a": 6, "s": "y"}) is True


@pytest.mark.parametrize("space", ["\v", "\xa0", "\u2028", "\x85x"])
def test_jms_135_other_spaces_are_refused(space):
    assert refusal(f"{space}a = 1")


@pytest.mark.parametrize("text", ["a = 1 -- all", "a--1 = 1", "a = 1 /* all */", "/**/ a = 1", "a /*/ = 1"])
def test_jms_136_comments_are_refused(text):
    assert "Comments are not allowed" in refusal(text).detail


def test_two_signs_with_a_blank_between_them_are_no_comment():
    assert truth("a - -1 = 3", {"a": 2}) is True


@pytest.mark.parametrize(("symbol", "cure"), [("!=", "<>"), ("==", "=")])
def test_symbols_of_other_languages_are_refused_with_ours(symbol, cure):
    assert refusal(f"a {symbol} 1").detail.startswith(f"{'Not e' if symbol == '!=' else 'E'}qual is written {cure}")


def test_infinity_cannot_be_written():
    assert refusal("a = 1e309")
    assert truth("a > 1e308", {"a": inf}) is True
