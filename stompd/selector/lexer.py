"""The words of a selector: names, literals, reserved words and symbols."""

from __future__ import annotations

import re
import struct
from enum import Enum
from typing import Final, NamedTuple, TypeAlias, final
from unicodedata import category

from stompd.errors import SelectorError

#: Characters of a selector: a hundred comparisons, or a list of two hundred ids.
LONGEST_SELECTOR = 8_192

#: The magnitude of Java's smallest long; only a minus before it brings it into range.
MAGNITUDE_OF_LOWEST = 2**63

# JMS 3.1, 3.8.1.1: reserved words are case-insensitive and cannot be names.
_RESERVED: Final = frozenset({"NULL", "TRUE", "FALSE", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE"})

# JMS 3.1, 3.8.1.1: white space is horizontal tab, form feed, line terminators and the space.
BLANKS = " \t\f\r\n"
_BLANKS = re.compile(f"[{BLANKS}]*")

# A quote is doubled to stand for itself. What has been read as a pair is never taken apart again.
_STRING = re.compile(r"'((?:[^']|'')*+)'")
_QUOTED_NAME = re.compile(r'"((?:[^"]|"")*+)"')

# JMS 3.1, 3.8.1.1: the floating-point and integer literals of Java, as they were when JMS took them over.
_NUMBER = re.compile(
    r"0[xX](?P<hexadecimal>[0-9a-fA-F]+)[lL]?"
    r"|(?P<approximate>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+(?=[fFdD]))"
    r"(?P<suffix>[fFdD]?)"
    r"|0(?P<octal>[0-7]+)[lL]?"
    r"|(?P<decimal>0|[1-9][0-9]*)[lL]?"
)
_BASES: Final = {"hexadecimal": 16, "octal": 8, "decimal": 10}

_SYMBOL = re.compile(r"<>|<=|>=|[=<>+\-*/(),]")

#: What people write out of habit, and what it is answered with.
_FOREIGN_SYMBOLS: Final = {
    "--": "Comments are not allowed, and two minus signs need a blank between them",
    "/*": "Comments are not allowed",
    "!=": "Not equal is written <>",
    "==": "Equal is written =",
}

_CONVERT_PREFIX = "convert_string_expressions:"
_HYPHEN_PREFIX = "hyphenated_props:"

# Character.isJavaIdentifierStart and isJavaIdentifierPart, in Unicode's categories.
_START_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Sc", "Pc"})
_PART_CATEGORIES = _START_CATEGORIES | {"Nd", "Mn", "Mc", "Cf"}
_IGNORABLE_CONTROLS: Final = frozenset(map(chr, [*range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0xA0)]))


@final
class TokenKind(Enum):
    """What a word of a selector is."""

    IDENTIFIER = "identifier"
    STRING = "string"
    NUMBER = "number"
    #: A reserved word, in upper case, or a symbol.
    MARK = "mark"
    END = "end"


@final
class Token(NamedTuple):
    """One word of a selector, and where it stands: `text[start:end]`."""

    kind: TokenKind
    value: str | int | float
    start: int
    end: int


_Read: TypeAlias = tuple[TokenKind, str | int | float, int]


@final
class Prefixes(NamedTuple):
    """What the prefixes of a selector ask for; ActiveMQ and its kin know both."""

    #: `convert_string_expressions:`: strings of typed messages are converted as well.
    converts_strings: bool
    #: `hyphenated_props:`: a hyphen behind the beginning of a name is part of it, always.
    joins_hyphens: bool
    #: Where the selector itself begins.
    length: int


def read_prefixes(text: str) -> Prefixes:
    """Return what stands before a selector; each prefix may be there once or more, in any order."""
    converts_strings = joins_hyphens = False
    start = 0
    while True:
        if text.startswith(_CONVERT_PREFIX, start):
            converts_strings = True
            start += len(_CONVERT_PREFIX)
        elif text.startswith(_HYPHEN_PREFIX, start):
            joins_hyphens = True
            start += len(_HYPHEN_PREFIX)
        else:
            return Prefixes(converts_strings, joins_hyphens, start)


def tokenize(text: str, prefixes: Prefixes) -> list[Token]:
    """Return the words of a selector behind its prefixes; the last one is of the kind END.

    Raises:
        SelectorError: It is too long, or has characters that make no word.
    """
    if len(text) > LONGEST_SELECTOR:
        raise SelectorError.at(text, LONGEST_SELECTOR + 1, f"A selector has at most {LONGEST_SELECTOR} characters")
    tokens: list[Token] = []
    position = _skip_blanks(text, prefixes.length)
    while position < len(text):
        kind, value, end = _read_token(text, position, joins_hyphens=prefixes.joins_hyphens)
        tokens.append(Token(kind, value, position, end))
        position = _skip_blanks(text, end)
    tokens.append(Token(TokenKind.END, "", position, position))
    return tokens


def is_name(text: str) -> bool:
    """Whether a text is a name that stands in a selector as it is, without double quotes."""
    # JMS 3.1, 3.8.1.1: what Java calls an identifier, and no reserved word.
    return (
        bool(text)
        and _is_start(text[0])
        and all(_is_part(character) for character in text)
        and not (text.isascii() and text.upper() in _RESERVED)
    )


def is_hyphenated(text: str) -> bool:
    """Whether a text is one name but for the hyphens in it, with a hyphen and no blank."""
    return "-" in text and _is_start(text[0]) and all(_is_part(character, "-") for character in text)


def _skip_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _read_token(text: str, position: int, *, joins_hyphens: bool) -> _Read:
    character = text[position]
    if character == "'":
        return _read_string(text, position)
    if character == '"':
        return _read_quoted_name(text, position)
    if _is_start(character):
        return _read_word(text, position, hyphens="-" if joins_hyphens else "")
    if number := _NUMBER.match(text, position):
        return _read_number(text, number)
    return _read_symbol(text, position)


def _read_string(text: str, position: int) -> _Read:
    match = _STRING.match(text, position)
    if match is None:
        raise SelectorError.at(
            text,
            position + 1,
            "A string ends with a single quote, and a quote within it is doubled, but this one does not end",
        )
    return TokenKind.STRING, match[1].replace("''", "'"), match.end()


def _read_quoted_name(text: str, position: int) -> _Read:
    match = _QUOTED_NAME.match(text, position)
    if match is None or not match[1]:
        raise SelectorError.at(
            text, position + 1, "Double quotes enclose a header name, and strings stand in single quotes"
        )
    return TokenKind.IDENTIFIER, match[1].replace('""', '"'), match.end()


def _read_word(text: str, position: int, hyphens: str) -> _Read:
    end = position + 1
    while end < len(text) and _is_part(text[end], hyphens):
        end += 1
    word = text[position:end]
    # Only ASCII: some other letters become ASCII ones in upper case.
    if word.isascii() and word.upper() in _RESERVED:
        return TokenKind.MARK, word.upper(), end
    return TokenKind.IDENTIFIER, word, end


def _read_number(text: str, match: re.Match[str]) -> _Read:
    start, end = match.span()
    if end < len(text) and _is_part(text[end]):
        raise SelectorError.at(
            text, end + 1, "A number ends before this character, and a name cannot begin with a digit"
        )
    form = match.lastgroup or ""
    value = _exact(match[form], _BASES[form]) if form in _BASES else _approximate(match["approximate"], match["suffix"])
    if value is None:
        raise SelectorError.at(text, start + 1, "A number has to be in the range of Java's long or double")
    return TokenKind.NUMBER, value, end


def _exact(digits: str, base: int) -> int | None:
    """Return an integer; None if even a minus before it cannot bring it into the range of a long."""
    # 64 bits have at most 22 octal digits; int() would take a while for thousands of decimal ones.
    value = int(digits.lstrip("0")[:23] or "0", base)
    return value if value <= MAGNITUDE_OF_LOWEST else None


def _approximate(digits: str, suffix: str) -> float | None:
    """Return a floating-point number; None if it is beyond the largest of its type."""
    value = float(digits)
    if suffix in ("f", "F"):
        try:
            # JMS 3.1, 3.8.1.1, by Java's rule: a float is widened to double when the two meet.
            (value,) = struct.unpack("<f", struct.pack("<f", value))
        except OverflowError:
            return None
    return value if value != float("inf") else None


def _read_symbol(text: str, position: int) -> _Read:
    if sentence := _FOREIGN_SYMBOLS.get(text[position : position + 2]):
        raise SelectorError.at(text, position + 1, sentence)
    match = _SYMBOL.match(text, position)
    if match is None:
        raise SelectorError.at(
            text,
            position + 1,
            "This character has no meaning, and a header name with other characters than letters, digits, _ and $"
            " is written in double quotes",
        )
    return TokenKind.MARK, match[0], match.end()


def _is_start(character: str) -> bool:
    return category(character) in _START_CATEGORIES


def _is_part(character: str, hyphens: str = "") -> bool:
    return category(character) in _PART_CATEGORIES or character in _IGNORABLE_CONTROLS or character == hyphens
