"""What a refused selector is answered with: the column, what was expected there, and a caret below it."""

from __future__ import annotations

import pytest

from stompd.errors import SelectorError, StompError
from tests.selector.truth import refusal

PLACES = [
    ("region = 'EU' AND", 18, "A header name, a number, a string in single quotes or ( was expected"),
    ("a = 1 AND OR b", 11, "A header name, a number, a string in single quotes or ( was expected"),
    ("a = NULL", 5, "NULL is no value; whether a header is missing is asked with IS NULL"),
    ("region LIKE 7", 13, "LIKE is followed by a pattern in single quotes"),
    ("a LIKE 'x' ESCAPE 'xy'", 19, "ESCAPE is followed by one character in single quotes"),
    ("a LIKE 'x!' ESCAPE '!'", 8, "The pattern ends with its escape character, which escapes nothing"),
    ("a IN 'x'", 6, "IN is followed by strings in parentheses"),
    ("a IN ('x', 5)", 12, "IN compares with strings in single quotes"),
    ("a IN ('x'", 10, "The list of IN goes on with a comma or ends with )"),
    ("'a' IN ('x')", 1, "IN has the name of a header on its left"),
    ("a + 1 LIKE 'x'", 1, "LIKE has the name of a header on its left"),
    ("5 IS NULL", 1, "IS NULL has the name of a header on its left"),
    ("a IS 5", 6, "IS is followed by NULL or NOT NULL"),
    ("a NOT = 5", 7, "NOT is followed by BETWEEN, IN or LIKE here"),
    ("a BETWEEN 1 OR 2", 13, "The bounds of BETWEEN are joined by AND"),
    ("a BETWEEN 1 AND 'x'", 17, "BETWEEN compares numbers"),
    ("a > 'x'", 5, "> compares numbers; strings and booleans have = and <> only"),
    ("a AND TRUE <= b", 7, "<= compares numbers; strings and booleans have = and <> only"),
    ("a = 1 AND 5 = 'x'", 15, "A string cannot equal a number"),
    ("TRUE <> 0", 9, "A number cannot equal a boolean"),
    ("a + 'x' > 1", 5, "+ calculates with numbers"),
    ("TRUE * a > 1", 1, "* calculates with numbers"),
    ("a > -'x'", 6, "The sign - stands before a number"),
    ("a = b = c", 7, "Comparisons cannot be chained; AND or OR was expected"),
    ("a = 1 b", 7, "An operator or the end of the selector was expected"),
    ("(a = 1", 7, "An operator or ) was expected"),
    ("NOT 5", 5, "A condition was expected, such as a comparison"),
    ("a OR (b + 1)", 6, "A condition was expected, such as a comparison"),
    ("3 + 5", 1, "A condition was expected, such as a comparison"),
    ("JMSReplyTo IS NULL", 1, "JMS does not allow JMSReplyTo in a selector"),
    ("a = 12b", 7, "A number ends before this character, and a name cannot begin with a digit"),
    ("a = 9223372036854775808", 5, "A number has to be in the range of Java's long or double"),
    ("a = 1e999", 5, "A number has to be in the range of Java's long or double"),
    ("a = 'x", 5, "A string ends with a single quote, and a quote within it is doubled, but this one does not end"),
    ("a = 'x''", 5, "A string ends with a single quote"),
    ('"a = 5', 1, "Double quotes enclose a header name, and strings stand in single quotes"),
    ("a-- = 1", 2, "Comments are not allowed, and two minus signs need a blank between them"),
    ("a != 1", 3, "Not equal is written <>"),
    (
        "x.y = 1",
        2,
        "This character has no meaning, and a header name with other characters than letters, digits, _ and $",
    ),
]


@pytest.mark.parametrize(("text", "column", "sentence"), PLACES)
def test_error_names_the_column_and_what_was_expected_there(text, column, sentence):
    error = refusal(text)

    assert error.column == column
    assert error.detail.startswith(sentence)


@pytest.mark.parametrize(("text", "column", "_sentence"), PLACES)
def test_caret_stands_under_the_column(text, column, _sentence):
    first, shown, caret = refusal(text).detail.split("\n")

    assert first.endswith(f", at column {column} of the selector.")
    assert shown == text
    assert caret == " " * (column - 1) + "^"


def test_error_is_one_that_an_error_frame_can_carry():
    error = refusal("a = ")

    assert isinstance(error, StompError)
    assert error.code == "invalid-selector"
    assert error.summary == "The selector cannot be used"


@pytest.mark.parametrize("column", [1, 36, 37, 38, 100, 163, 164, 165, 199, 200, 201])
def test_long_selector_is_shown_around_the_caret(column):
    text = "".join(chr(0x4E00 + index) for index in range(200))

    _, shown, caret = SelectorError.at(text, column, "Something else was expected").detail.split("\n")

    assert len(shown) <= 78
    assert shown.removeprefix("...").removesuffix("...") in text
    assert shown[len(caret) - 1 :][:1] == text[column - 1 : column]


def test_parts_that_are_not_shown_are_marked():
    text = "a" * 200

    shown = [SelectorError.at(text, column, "").detail.split("\n")[1] for column in (1, 100, 201)]

    assert [(line.startswith("..."), line.endswith("...")) for line in shown] == [
        (False, True),
        (True, True),
        (True, False),
    ]


def test_selector_of_several_lines_is_shown_on_one():
    error = refusal("a = 1\r\n\tAND \x1b[2Jb")

    assert error.detail.split("\n")[1:] == ["a = 1   AND  [2Jb", "            ^"]
