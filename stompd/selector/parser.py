"""Selectors as JMS 3.1, 3.8.1 defines them, read into a tree.

Three things are read that JMS does not have:

* A name in double quotes may hold any character: `"content-type" = 'text/plain'`. A double quote in it is doubled.
* Words joined by hyphens without a blank, such as `content-length`, are a subtraction in JMS and the name of a header
  to everybody else. Where they stand alone (as a whole condition, side of a comparison, bound of BETWEEN, left of IN,
  LIKE and IS NULL, or within parentheses) they mean the header so named. If they could also be a subtraction there, and
  a message does not have that header, they are the subtraction. So JMS applications, whose property names have no
  hyphens, get what JMS says. Within a longer sum, as in `a-b*2`, a hyphen always subtracts.
* The prefixes of ActiveMQ and its kin. Behind `hyphenated_props:` a hyphen is part of the name it follows, always, so
  that a subtraction needs a blank. `convert_string_expressions:` asks for the conversion of strings that messages
  without typed properties get anyway, and extends it to those that have them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast, final

from stompd.errors import SelectorError
from stompd.selector.lexer import MAGNITUDE_OF_LOWEST, Token, TokenKind, is_hyphenated, read_prefixes, tokenize
from stompd.selector.nodes import (
    EXCLUDED_HEADERS,
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
    Kind,
    Like,
    Not,
    Operator,
    Or,
    Signed,
    kind_of,
)

#: Names and literals of a selector, except for those behind IN and LIKE. Each takes up to 1 KB, and up to a microsecond
#: of every message.
MOST_TERMS = 500

#: Parentheses, NOTs and signs within each other. A level takes a dozen of the thousand calls that Python allows.
DEEPEST_NESTING = 32

#: Characters of all LIKE patterns of a selector: the time that a message costs grows with their product with the length
#: of its header.
LONGEST_PATTERNS = 512

_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_EQUALITIES = ("=", "<>")
_NUMERIC = (Kind.NUMBER, Kind.HEADER)


@final
class Parsed(NamedTuple):
    """A selector that has been read."""

    condition: Expression
    #: Whether strings of typed messages are converted too.
    converts_strings: bool


def parse(text: str) -> Parsed:
    """Read a selector.

    Raises:
        SelectorError: It breaks the rules of JMS, is longer or deeper than allowed, or can never be meant: it compares
            what cannot be compared.

    Spec: JMS 3.1, 3.8.1.1.
    """
    prefixes = read_prefixes(text)
    condition = _Parser(text, tokenize(text, prefixes)).parse()
    return Parsed(condition, prefixes.converts_strings)


@final
class _Parser:
    """Recursive descent, one method for each level of precedence."""

    __slots__ = ("_depth", "_index", "_pattern_length", "_terms", "_text", "_tokens")

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._index = 0
        self._depth = 0
        self._terms = 0
        self._pattern_length = 0

    def parse(self) -> Expression:
        """Read the whole selector."""
        start = self._token
        condition = self._truth(self._disjunction(), start)
        if self._token.kind is not TokenKind.END:
            raise self._error("An operator or the end of the selector was expected")
        return condition

    # The conditions, from the weakest operator to the strongest.

    def _disjunction(self) -> Expression:
        operands = self._joined(self._conjunction, "OR")
        return Or(operands) if len(operands) > 1 else operands[0]

    def _conjunction(self) -> Expression:
        operands = self._joined(self._negation, "AND")
        return And(operands) if len(operands) > 1 else operands[0]

    def _joined(self, part: Callable[[], Expression], word: str) -> tuple[Expression, ...]:
        """Read one or more parts with a word between them; if there are several they have to be conditions."""
        start = self._token
        first = part()
        if not self._sees(word):
            return (first,)
        operands = [self._truth(first, start)]
        while self._accept(word):
            start = self._token
            operands.append(self._truth(part(), start))
        return tuple(operands)

    def _negation(self) -> Expression:
        if not self._accept("NOT"):
            return self._predicate()
        start = self._token
        return Not(self._truth(self._nested(self._negation), start))

    def _predicate(self) -> Expression:
        start = self._token
        left = self._operand()
        if self._sees(*_COMPARISONS):
            return self._comparison(left, start)
        if self._accept("IS"):
            is_negated = self._accept("NOT")
            self._expect("NULL", "IS is followed by NULL or NOT NULL")
            return IsNull(self._name(left, start, "IS NULL"), is_negated)
        is_negated = self._accept("NOT")
        if self._accept("BETWEEN"):
            return self._between(left, start, is_negated)
        if self._accept("IN"):
            return In(self._name(left, start, "IN"), self._list(), is_negated)
        if self._accept("LIKE"):
            return self._like(self._name(left, start, "LIKE"), is_negated)
        if is_negated:
            raise self._error("NOT is followed by BETWEEN, IN or LIKE here")
        return left

    def _comparison(self, left: Expression, start: Token) -> Expression:
        operator = cast("Operator", self._next().value)
        middle = self._token
        right = self._operand()
        if operator not in _EQUALITIES:
            # JMS 3.1, 3.8.1.1: strings and booleans can only be equal or not.
            self._require_number(left, start, f"{operator} compares numbers; strings and booleans have = and <> only")
            self._require_number(right, middle, f"{operator} compares numbers; strings and booleans have = and <> only")
        kinds = {kind_of(left), kind_of(right)}
        if kinds & {Kind.STRING, Kind.BOOLEAN}:
            left, right = _as_name(left), _as_name(right)
        if len(kinds - {Kind.HEADER}) > 1:
            raise self._error(f"{kind_of(right).value.capitalize()} cannot equal {kind_of(left).value}", middle)
        if self._sees(*_COMPARISONS):
            raise self._error("Comparisons cannot be chained; AND or OR was expected")
        return Comparison(operator, left, right)

    def _between(self, operand: Expression, start: Token, is_negated: bool) -> Expression:
        sentence = "BETWEEN compares numbers"
        self._require_number(operand, start, sentence)
        low_start = self._token
        low = self._operand()
        self._require_number(low, low_start, sentence)
        self._expect("AND", "The bounds of BETWEEN are joined by AND")
        high_start = self._token
        high = self._operand()
        self._require_number(high, high_start, sentence)
        return Between(operand, low, high, is_negated)

    def _list(self) -> tuple[str, ...]:
        self._expect("(", "IN is followed by strings in parentheses")
        strings = [self._string("IN compares with strings in single quotes")]
        while self._accept(","):
            strings.append(self._string("IN compares with strings in single quotes"))
        self._expect(")", "The list of IN goes on with a comma or ends with )")
        return tuple(strings)

    def _like(self, name: str, is_negated: bool) -> Expression:
        start = self._token
        pattern = self._string("LIKE is followed by a pattern in single quotes")
        self._pattern_length += len(pattern)
        if self._pattern_length > LONGEST_PATTERNS:
            raise self._error(
                f"The LIKE patterns of a selector have at most {LONGEST_PATTERNS} characters together", start
            )
        escape = ""
        if self._accept("ESCAPE"):
            escape_start = self._token
            escape = self._string("ESCAPE is followed by one character in single quotes")
            if len(escape) != 1:
                raise self._error("ESCAPE is followed by one character in single quotes", escape_start)
        if escape and _ends_in_escape(pattern, escape):
            raise self._error("The pattern ends with its escape character, which escapes nothing", start)
        return Like(name, pattern, escape, is_negated)

    # The values.

    def _operand(self) -> Expression:
        """Read what stands alone, where words joined by hyphens may be a name."""
        first = self._index
        operand = self._sum()
        written = self._text[self._tokens[first].start : self._tokens[self._index - 1].end]
        return Hyphenated(written, operand) if is_hyphenated(written) and isinstance(operand, Arithmetic) else operand

    def _sum(self) -> Expression:
        return self._arithmetic(self._product, "+", "-")

    def _product(self) -> Expression:
        return self._arithmetic(self._factor, "*", "/")

    def _arithmetic(self, part: Callable[[], Expression], *operators: str) -> Expression:
        """Read one or more parts with operators between them; if there are several they have to be numbers."""
        start = self._token
        first = part()
        rest: list[tuple[str, Expression]] = []
        while self._sees(*operators):
            operator = str(self._next().value)
            sentence = f"{operator} calculates with numbers"
            if not rest:
                self._require_number(first, start, sentence)
            next_start = self._token
            operand = part()
            self._require_number(operand, next_start, sentence)
            rest.append((operator, operand))
        return Arithmetic(first, tuple(rest)) if rest else first

    def _factor(self) -> Expression:
        if not self._sees("+", "-"):
            return self._atom()
        sign = str(self._next().value)
        start = self._token
        if start.kind is TokenKind.NUMBER:
            return self._number(sign)
        operand = self._nested(self._factor)
        self._require_number(operand, start, f"The sign {sign} stands before a number")
        return Signed(sign, operand)

    def _atom(self) -> Expression:
        token = self._token
        if token.kind is TokenKind.NUMBER:
            return self._number("+")
        if token.kind is TokenKind.STRING:
            return Constant(self._term().value)
        if token.kind is TokenKind.IDENTIFIER:
            return self._identifier()
        if self._sees("TRUE", "FALSE"):
            return Constant(self._term().value == "TRUE")
        if self._accept("("):
            inner = self._nested(self._disjunction)
            self._expect(")", "An operator or ) was expected")
            return inner
        if self._sees("NULL"):
            raise self._error("NULL is no value; whether a header is missing is asked with IS NULL")
        raise self._error(
            "A header name, a number, a string in single quotes or ( was expected"
            " (a reserved word is a name only in double quotes)"
        )

    def _number(self, sign: str) -> Expression:
        token = self._term()
        number = cast("int | float", token.value)
        if sign == "-":
            return Constant(-number)
        # JMS 3.1, 3.8.1.1: the range of Java's long, of which only the smallest has this magnitude.
        if number == MAGNITUDE_OF_LOWEST and isinstance(number, int):
            raise self._error("A number has to be in the range of Java's long or double", token)
        return Constant(number)

    def _identifier(self) -> Expression:
        token = self._term()
        name = str(token.value)
        if name in EXCLUDED_HEADERS:
            raise self._error(f"JMS does not allow {name} in a selector", token)
        return Identifier(name)

    def _string(self, sentence: str) -> str:
        if self._token.kind is not TokenKind.STRING:
            raise self._error(sentence)
        return str(self._next().value)

    # What each of them needs.

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _next(self) -> Token:
        """Go on to the next word and return the one before."""
        token = self._tokens[self._index]
        self._index += 1
        return token

    def _term(self) -> Token:
        """Go on to the next word and count the one before, a name or literal."""
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise self._error(f"A selector has at most {MOST_TERMS} names and literals outside of lists")
        return self._next()

    def _sees(self, *marks: str) -> bool:
        token = self._tokens[self._index]
        return token.kind is TokenKind.MARK and token.value in marks

    def _accept(self, mark: str) -> bool:
        """Go on if the word is this one, and say whether it was."""
        is_there = self._sees(mark)
        self._index += is_there
        return is_there

    def _expect(self, mark: str, sentence: str) -> None:
        if not self._accept(mark):
            raise self._error(sentence)

    def _nested(self, part: Callable[[], Expression]) -> Expression:
        """Read one level deeper."""
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise self._error(f"A selector has at most {DEEPEST_NESTING} parentheses, NOTs and signs within each other")
        inner = part()
        self._depth -= 1
        return inner

    def _truth(self, node: Expression, start: Token) -> Expression:
        """Return an expression as a condition."""
        if kind_of(node) not in (Kind.BOOLEAN, Kind.HEADER):
            raise self._error("A condition was expected, such as a comparison", start)
        return _as_name(node)

    def _name(self, node: Expression, start: Token, word: str) -> str:
        node = _as_name(node)
        if not isinstance(node, Identifier):
            raise self._error(f"{word} has the name of a header on its left", start)
        return node.name

    def _require_number(self, node: Expression, start: Token, sentence: str) -> None:
        if kind_of(node) not in _NUMERIC:
            raise self._error(sentence, start)

    def _error(self, sentence: str, token: Token | None = None) -> SelectorError:
        return SelectorError.at(self._text, (token or self._token).start + 1, sentence)


def _as_name(node: Expression) -> Expression:
    """Return words joined by hyphens as the header they name, where a number would make no sense."""
    return Identifier(node.name) if isinstance(node, Hyphenated) else node


def _ends_in_escape(pattern: str, escape: str) -> bool:
    trailing = len(pattern) - len(pattern.rstrip(escape))
    return trailing % 2 == 1
